"""Adapter of the rule measure_gradients."""

import numpy as np

from damascene.clips.clips import cut_clips, images_of_sites, window_px
from damascene.contracts.labels import SPLIT
from damascene.contracts.table import read_table
from damascene.descriptors import DESCRIPTOR_WINDOW
from damascene.descriptors.descriptors import CLIP_PX
from damascene.evaluation.baselines import hog_features
from damascene.files import write_array
from damascene.jobs.log import start_log

logger = start_log(snakemake.log[0])
split = read_table(snakemake.input.split, SPLIT)
clips = np.empty((len(split), CLIP_PX, CLIP_PX), np.uint8)
for rows, image in images_of_sites(
    split, panoramas=snakemake.params.panoramas, paths=snakemake.input.images
):
    clips[rows] = cut_clips(
        image,
        split.loc[rows, "clip_x_px"],
        split.loc[rows, "clip_y_px"],
        window_px=window_px(DESCRIPTOR_WINDOW, pixel_size_nm=image.pixel_size_nm),
        size_px=CLIP_PX,
    )
hog = hog_features(clips)
write_array(snakemake.output.hog, hog)
logger.info("%d sites, %d views, %d values of HOG", *hog.shape)
