"""Adapter of the rule evaluate_networks."""

from damascene.jobs.log import start_log

logger = start_log(snakemake.log[0])  # First: TensorFlow writes lines when imported.

import numpy as np

from damascene.classes import STAGE_CLASSES
from damascene.classification.held_out import FoldNetwork, classify_held_out
from damascene.contracts.held_out import HELD_OUT
from damascene.contracts.labels import SPLIT
from damascene.contracts.model_card import ModelCard
from damascene.contracts.scores import CONFUSION, SCORES
from damascene.contracts.table import read_table, write_table, write_tsv
from damascene.evaluation.scores import confusion_table, score_table
from damascene.learning.device import choose_device

choose_device(gpu=snakemake.resources.get("gpu", 0), threads=snakemake.threads)
source, params, output = snakemake.input, snakemake.params, snakemake.output
networks = [
    FoldNetwork(stage=stage, fold=int(fold), model_path=path, card=ModelCard.read(card))
    for (stage, fold), path, card in zip(
        (name.split("/") for name in params.networks), source.models, source.cards, strict=True
    )
]
predictions = classify_held_out(
    read_table(source.split, SPLIT),
    {stage: np.load(source[f"{stage}_clips"], mmap_mode="r") for stage in STAGE_CLASSES},
    networks,
    descriptors=np.load(source.descriptors) if source.descriptors else None,
    batch_size=params.batch_size,
    inclusion_threshold=params.inclusion_threshold,
    damage_threshold=params.damage_threshold,
)
write_table(predictions, output.predictions, HELD_OUT)
truth, predicted = predictions["label"], predictions["predicted_class"]
scores = score_table(
    truth, predicted, groups=predictions["group"], confidence=params.confidence, seed=params.seed
)
write_tsv(scores, output.scores, SCORES)
write_tsv(confusion_table(truth, predicted), output.confusion, CONFUSION)
logger.info("%d sites held out\n%s", len(predictions), scores.to_string())
