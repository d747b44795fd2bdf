"""Adapter of the rule label_sites."""

from damascene.contracts.labels import LABELLED_SITES
from damascene.contracts.sites import PREDICTIONS, SITES
from damascene.contracts.table import empty_table, read_table, write_table
from damascene.jobs.log import start_log
from damascene.labels.sites import label_sites

logger = start_log(snakemake.log[0])
source = snakemake.input
labels = read_table(source.labels, LABELLED_SITES) if source.labels else empty_table(LABELLED_SITES)
sites = label_sites(read_table(source.predictions, PREDICTIONS), labels)
write_table(sites, snakemake.output.sites, SITES)
logger.info(
    "%d sites, %d of them labelled, %d of these called otherwise by the networks",
    *(len(sites), (sites["label"] != "").sum(), (sites["class"] != sites["predicted_class"]).sum()),
)
