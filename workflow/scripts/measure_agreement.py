"""Adapter of the rule measure_agreement."""

from damascene.contracts.agreement import AGREEMENT
from damascene.contracts.held_out import HELD_OUT
from damascene.contracts.table import read_table, write_tsv
from damascene.evaluation.agreement import agreement_table
from damascene.jobs.log import start_log

logger = start_log(snakemake.log[0])
predictions = read_table(snakemake.input.predictions, HELD_OUT)
agreement = agreement_table(
    predictions["answers"],
    predicted=predictions["predicted_class"],
    groups=predictions["group"],
    confidence=snakemake.params.confidence,
    seed=snakemake.params.seed,
)
write_tsv(agreement, snakemake.output.agreement, AGREEMENT)
logger.info("\n%s", agreement.to_string() if len(agreement) else "one annotator")
