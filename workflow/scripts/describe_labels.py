"""Adapter of the rule describe_labels."""

import numpy as np

from damascene import tables
from damascene.classification.descriptors import DESCRIPTORS, describe_sites
from damascene.images.store import TiledImage
from damascene.provenance.job_log import start_log

logger = start_log(snakemake.log[0])
split = tables.read(snakemake.input.split, tables.SPLIT)
descriptors = np.empty((len(split), len(DESCRIPTORS)), np.float32)
for name, path in zip(snakemake.params.panoramas, snakemake.input.images, strict=True):
    rows = split["panorama"] == name
    if rows.any():
        with TiledImage(path) as image:
            descriptors[rows] = describe_sites(
                image,
                split.loc[rows, "clip_x_px"],
                split.loc[rows, "clip_y_px"],
                threads=snakemake.threads,
            )
np.save(snakemake.output.descriptors, descriptors)
logger.info("%d sites, %d descriptors each", *descriptors.shape)
