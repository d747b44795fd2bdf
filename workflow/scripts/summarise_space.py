"""Adapter of the rule summarise_space."""

from damascene.contracts.space import RANDOM_LABELLING, SPACE_CURVES, SPACE_SUMMARY
from damascene.contracts.table import read_tables, read_tsvs, write_table, write_tsv
from damascene.jobs.log import start_log

logger = start_log(snakemake.log[0])
source, output = snakemake.input, snakemake.output
write_tsv(read_tsvs(source.summary, SPACE_SUMMARY), output.summary, SPACE_SUMMARY)
write_table(read_tables(source.curves, SPACE_CURVES), output.curves, SPACE_CURVES)
write_tsv(read_tsvs(source.labelling, RANDOM_LABELLING), output.labelling, RANDOM_LABELLING)
logger.info("%d panoramas", len(source.summary))
