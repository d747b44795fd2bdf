"""Adapter of the rule cut_clips."""

import numpy as np

from damascene import tables
from damascene.classification.clips import cut_clips, window_px
from damascene.images.store import TiledImage
from damascene.networks import network_named
from damascene.provenance.job_log import start_log

logger = start_log(snakemake.log[0])
params = snakemake.params
split = tables.read(snakemake.input.split, tables.SPLIT)
size_px = network_named(params.network).input_px
clips = np.empty((len(split), size_px, size_px), np.uint8)
for name, path in zip(params.panoramas, snakemake.input.images, strict=True):
    rows = split["panorama"] == name
    if rows.any():
        with TiledImage(path) as image:
            clips[rows] = cut_clips(
                image,
                split.loc[rows, "clip_x_px"],
                split.loc[rows, "clip_y_px"],
                window_px=window_px(params.window, pixel_size_nm=image.pixel_size_nm),
                size_px=size_px,
            )
np.save(snakemake.output.clips, clips)
logger.info("%d clips of %d x %d px from windows of %s", *clips.shape, params.window)
