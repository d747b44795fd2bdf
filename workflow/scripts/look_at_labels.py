"""Adapter of the rule look_at_labels."""

from damascene.jobs.log import start_log

logger = start_log(snakemake.log[0])  # First: TensorFlow writes lines when imported.

import numpy as np

from damascene.classification.last_layer import look_at_clips
from damascene.files import written_whole
from damascene.learning.device import choose_device

choose_device(gpu=snakemake.resources.get("gpu", 0), threads=snakemake.threads)
params = snakemake.params
features = look_at_clips(
    np.load(snakemake.input.clips, mmap_mode="r"),
    network=params.network,
    augmentation=params.augmentation,
    rotation_deg=params.rotation_deg,
    seed=params.seed,
)
with written_whole(snakemake.output.features) as (part,), part.open("wb") as file:
    np.save(file, features)
logger.info("%d clips, %d views of each, %d features", *features.shape)
