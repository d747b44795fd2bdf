"""Adapter of the rule write_viewer."""

from damascene.contracts.candidates import CANDIDATES
from damascene.contracts.panorama_record import PanoramaRecord
from damascene.contracts.quality_record import QualityRecord
from damascene.contracts.shift_record import ShiftRecord
from damascene.contracts.sites import SITES
from damascene.contracts.table import read_table
from damascene.files import write_text
from damascene.jobs.log import start_log
from damascene.viewer.page import write_page
from damascene.viewer.study import network_facts, study_facts

logger = start_log(snakemake.log[0])
source, params = snakemake.input, snakemake.params
contract = SITES if params.classified else CANDIDATES
facts = study_facts(
    study=params.study,
    version=params.version,
    records=[PanoramaRecord.read(path) for path in source.records],
    sites={
        name: read_table(path, contract)
        for name, path in zip(params.sheet, source.sites, strict=True)
    },
    sheet=params.sheet,
    quality=[QualityRecord.read(path) for path in source.quality],
    shifts=[ShiftRecord.read(path) for path in source.shifts],
    withhold=params.withhold,
    networks=network_facts(params.networks, thresholds=params.thresholds),
    phases=params.phases,
    hard_phase=params.hard_phase,
    figures=params.figures,
)
write_text(snakemake.output.page, write_page(facts))
logger.info("%d panoramas", len(facts["panoramas"]))
