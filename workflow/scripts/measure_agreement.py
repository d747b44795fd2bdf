"""Adapter of the rule measure_agreement."""

import pandas as pd

from damascene.contracts.table import write_tsv
from damascene.evaluation.agreement import agreement_table
from damascene.jobs.log import start_log

logger = start_log(snakemake.log[0])
predictions = pd.read_parquet(snakemake.input.predictions)
agreement = agreement_table(
    predictions["answers"],
    predicted=predictions["predicted_label"],
    groups=predictions["group"],
    confidence=snakemake.params.confidence,
    seed=snakemake.params.seed,
)
write_tsv(agreement, snakemake.output.agreement)
logger.info("\n%s", agreement.to_string() if len(agreement) else "one annotator")
