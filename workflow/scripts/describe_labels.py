"""Adapter of the rule describe_labels."""

import numpy as np

from damascene.clips.pictures import images_of_sites
from damascene.contracts.descriptors import DESCRIPTOR_NAMES, DESCRIPTORS
from damascene.contracts.keyed import with_keys
from damascene.contracts.labels import SPLIT
from damascene.contracts.table import read_table, write_table
from damascene.descriptors.descriptors import describe_sites
from damascene.jobs.log import start_log

logger = start_log(snakemake.log[0])
split = read_table(snakemake.input.split, SPLIT)
descriptors = np.empty((len(split), len(DESCRIPTOR_NAMES)), np.float32)
for rows, image in images_of_sites(
    split, panoramas=snakemake.params.panoramas, paths=snakemake.input.images
):
    descriptors[rows] = describe_sites(
        image,
        split.loc[rows, "clip_x_px"],
        split.loc[rows, "clip_y_px"],
        threads=snakemake.threads,
    )
write_table(with_keys(split, descriptors), snakemake.output.descriptors, DESCRIPTORS)
logger.info("%d sites, %d descriptors each", *descriptors.shape)
