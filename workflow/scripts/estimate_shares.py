"""Adapter of the rule estimate_shares."""

from damascene.contracts.labels import ANSWERS, LABELLED_SITES
from damascene.contracts.reviewed_shares import REVIEWED_SHARES
from damascene.contracts.sites import PREDICTIONS
from damascene.contracts.table import read_table, read_tables, write_tsv
from damascene.jobs.log import start_log
from damascene.review.shares import reviewed_shares

logger = start_log(snakemake.log[0])
source, params = snakemake.input, snakemake.params
table = reviewed_shares(
    read_tables(source.sites, PREDICTIONS),
    read_table(source.answers, ANSWERS),
    read_table(source.labels, LABELLED_SITES),
    seed=params.seed,
    confidence=params.confidence,
)
logger.info("%s", table.to_string())
write_tsv(table, snakemake.output.shares, REVIEWED_SHARES)
