"""Adapter of the rule check_held_out."""

from damascene.clips.training_sites import check_held_out
from damascene.contracts.held_out_check import HELD_OUT_CHECK
from damascene.contracts.labels import ANSWERS, LABELLED_SITES
from damascene.contracts.table import read_table, write_tsv
from damascene.jobs.log import start_log

logger = start_log(snakemake.log[0])
source, params = snakemake.input, snakemake.params
checked = check_held_out(
    read_table(source.labels, LABELLED_SITES),
    read_table(source.answers, ANSWERS),
    dict(zip(params.panoramas, source.images, strict=True)),
    networks=params.networks,
    windows=params.windows,
)
write_tsv(checked, snakemake.output.checked, HELD_OUT_CHECK)
logger.info("%s", checked.to_string(index=False))
