"""Adapter of the rule measure_agreement."""

from damascene.contracts.agreement import AGREEMENT
from damascene.contracts.held_out import HELD_OUT
from damascene.contracts.labels import ANSWERS
from damascene.contracts.panorama_record import PanoramaRecord
from damascene.contracts.table import read_table, write_tsv
from damascene.evaluation.agreement import measure_agreement
from damascene.jobs.log import start_log

logger = start_log(snakemake.log[0])
source, params = snakemake.input, snakemake.params
agreement = measure_agreement(
    read_table(source.answers, ANSWERS),
    read_table(source.predictions, HELD_OUT),
    [PanoramaRecord.read(path) for path in source.records],
    group_by=params.group_by,
    block=params.block,
    confidence=params.confidence,
)
write_tsv(agreement, snakemake.output.agreement, AGREEMENT)
logger.info("\n%s", agreement.to_string() if len(agreement) else "one annotator")
