"""Adapter of the rule count_by_phase."""

import pandas as pd

from damascene.contracts.phase_descriptors import (
    DENSITY_BY_PHASE,
    PHASE_AREAS,
    PHASE_DESCRIPTORS,
    PHASE_PROFILES,
)
from damascene.contracts.sites import SITES
from damascene.contracts.table import read_tables, read_tsv, write_tsv
from damascene.jobs.log import start_log
from damascene.statistics.phase_surroundings import density_by_phase, phase_profiles, with_phases

logger = start_log(snakemake.log[0])
source, output, confidence = snakemake.input, snakemake.output, snakemake.params.confidence
sites = with_phases(read_tables(source.sites, SITES), read_tables(source.phases, PHASE_DESCRIPTORS))
areas = pd.concat([read_tsv(path, PHASE_AREAS) for path in source.areas])
write_tsv(density_by_phase(sites, areas, confidence=confidence), output.density, DENSITY_BY_PHASE)
write_tsv(phase_profiles(sites, areas, confidence=confidence), output.profiles, PHASE_PROFILES)
logger.info("%d sites", len(sites))
