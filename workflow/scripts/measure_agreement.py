"""Adapter of the rule measure_agreement."""

from damascene import tables
from damascene.classification.agreement import agreement_table
from damascene.provenance.job_log import start_log

logger = start_log(snakemake.log[0])
split = tables.read(snakemake.input.split, tables.SPLIT)
agreement = agreement_table(
    split["answers"],
    groups=split["group"],
    confidence=snakemake.params.confidence,
    seed=snakemake.params.seed,
)
tables.write_tsv(agreement, snakemake.output.agreement)
logger.info("\n%s", agreement.to_string() if len(agreement) else "one annotator")
