"""Adapter of the rule join_descriptors."""

from damascene.contracts.descriptors import DESCRIPTORS
from damascene.contracts.table import read_tables, write_table
from damascene.jobs.log import start_log

logger = start_log(snakemake.log[0])
descriptors = read_tables(snakemake.input.parts, DESCRIPTORS)
write_table(descriptors, snakemake.output.descriptors, DESCRIPTORS)
logger.info("descriptors of %d candidates", len(descriptors))
