"""Adapter of the rule describe_labels."""

from damascene.contracts.descriptors import DESCRIPTORS
from damascene.contracts.keyed import with_keys
from damascene.contracts.labels import SPLIT
from damascene.contracts.table import read_table, write_table
from damascene.descriptors.sites import describe_labels
from damascene.jobs.log import start_log

logger = start_log(snakemake.log[0])
split = read_table(snakemake.input.split, SPLIT)
values = describe_labels(
    split,
    panoramas=snakemake.params.panoramas,
    images=snakemake.input.images,
    runs=snakemake.input.runs,
)
write_table(with_keys(split, values), snakemake.output.descriptors, DESCRIPTORS)
logger.info("%d sites, %d descriptors each", *values.shape)
