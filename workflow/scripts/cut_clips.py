"""Adapter of the rule cut_clips."""

import numpy as np

from damascene import tables
from damascene.classification.clips import cut_pictures, images_of_sites, window_px
from damascene.networks import network_named
from damascene.provenance.job_log import start_log

logger = start_log(snakemake.log[0])
params = snakemake.params
split = tables.read(snakemake.input.split, tables.SPLIT)
network = network_named(params.network)
size_px = network.input_px
centre = params.centre if network.scales > 1 and params.centre < 1 else None
# Written as they are cut: many labels of large clips need no memory.
clips = np.lib.format.open_memmap(
    snakemake.output.clips,
    mode="w+",
    dtype=np.uint8,
    shape=(len(split), size_px, size_px, 1 if centre is None else 2),
)
for rows, image in images_of_sites(split, panoramas=params.panoramas, paths=snakemake.input.images):
    clips[rows] = cut_pictures(
        image,
        split.loc[rows, "clip_x_px"],
        split.loc[rows, "clip_y_px"],
        window_px=window_px(params.window, pixel_size_nm=image.pixel_size_nm),
        centre=centre,
        size_px=size_px,
    )
clips.flush()
logger.info(
    "%d clips of %d x %d px and %d scale(s) from windows of %s", *clips.shape, params.window
)
