"""Adapter of the rule predict_held_out."""

from damascene.jobs.log import start_log

logger = start_log(snakemake.log[0])  # First: TensorFlow writes lines when imported.

import numpy as np

from damascene.classes import STAGE_CLASSES
from damascene.classification.held_out import FoldNetwork, classify_held_out
from damascene.contracts.held_out import HELD_OUT
from damascene.contracts.keyed import read_descriptors
from damascene.contracts.labels import SPLIT
from damascene.contracts.table import read_table, write_table
from damascene.learning.device import choose_device, sites_at_once

choose_device(gpu=snakemake.resources.get("gpu", 0), threads=snakemake.threads)
source, params = snakemake.input, snakemake.params
networks = [FoldNetwork.named(name, path) for name, path in params.networks.items()]
split = read_table(source.split, SPLIT)
predictions = classify_held_out(
    split,
    {stage: np.load(source[f"{stage}_clips"], mmap_mode="r") for stage in STAGE_CLASSES},
    networks,
    descriptors=read_descriptors(source.descriptors, split) if source.descriptors else None,
    batch_size=sites_at_once(),
    inclusion_threshold=params.inclusion_threshold,
    damage_threshold=params.damage_threshold,
)
write_table(predictions, snakemake.output.predictions, HELD_OUT)
logger.info("%d sites held out", len(predictions))
