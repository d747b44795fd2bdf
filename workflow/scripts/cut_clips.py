"""Adapter of the rule cut_clips."""

from damascene.clips.storage import store_clips
from damascene.contracts.labels import SPLIT
from damascene.contracts.table import read_table
from damascene.jobs.log import start_log

logger = start_log(snakemake.log[0])
params = snakemake.params
shape = store_clips(
    snakemake.output.clips,
    read_table(snakemake.input.split, SPLIT),
    panoramas=params.panoramas,
    images=snakemake.input.images,
    masks=snakemake.input.masks,
    network=params.network,
    window=params.window,
    centre=params.centre,
)
logger.info("%d clips of %d x %d px and %d scale(s) from windows of %s", *shape, params.window)
