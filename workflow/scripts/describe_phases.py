"""Adapter of the rule describe_phases."""

from damascene.contracts.candidate_runs import CANDIDATE_RUNS
from damascene.contracts.candidates import CANDIDATES
from damascene.contracts.phase_descriptors import PHASE_AREAS, PHASE_DESCRIPTORS
from damascene.contracts.table import read_table, write_table, write_tsv
from damascene.descriptors.phase_areas import phase_areas
from damascene.descriptors.phases import describe_phases
from damascene.images.store import open_pair
from damascene.jobs.log import start_log

logger = start_log(snakemake.log[0])
source, params, output = snakemake.input, snakemake.params, snakemake.output
roles = {"hard": params.hard, "damage": params.damage}
candidates = read_table(source.candidates, CANDIDATES)
with open_pair(source.image, source.phases) as (image, phases):
    runs = read_table(source.runs, CANDIDATE_RUNS)
    described = describe_phases(phases, image, candidates, runs=runs, **roles)
    areas = phase_areas(
        phases, panorama=snakemake.wildcards.panorama, threads=snakemake.threads, **roles
    )
write_table(described, output.descriptors, PHASE_DESCRIPTORS)
write_tsv(areas, output.areas, PHASE_AREAS)
logger.info("%s", described["place"].value_counts().to_string())
