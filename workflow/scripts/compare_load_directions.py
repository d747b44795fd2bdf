"""Adapter of the rule compare_load_directions."""

from damascene.jobs.log import start_log

logger = start_log(snakemake.log[0])  # First: TensorFlow writes lines when imported.

import numpy as np
import pandas as pd

from damascene.classes import DAMAGE_CLASSES, INCLUSION
from damascene.classification.predict import load_network
from damascene.clips.clips import images_of_sites, window_px
from damascene.contracts.labels import SPLIT
from damascene.contracts.load_direction import LOAD_DIRECTION
from damascene.contracts.model_card import ModelCard
from damascene.contracts.table import read_table, write_tsv
from damascene.evaluation.rotation import cut_rotated_pictures, direction_scores
from damascene.learning.device import choose_device

choose_device(gpu=snakemake.resources.get("gpu", 0), threads=snakemake.threads)
source, params = snakemake.input, snakemake.params
split = read_table(source.split, SPLIT)
tested = split[(split["fold"] == params.test_fold) & (split["label"] != INCLUSION)]
cards = [ModelCard.read(path) for path in source.cards]


def clips_at(angle_deg, card):
    """Cut the tested sites with the steel turned by an angle, panorama by panorama."""
    size = card.input_px
    clips = np.empty((len(tested), size, size, card.scales), np.uint8)
    for rows, image in images_of_sites(tested, panoramas=params.panoramas, paths=source.images):
        clips[rows] = cut_rotated_pictures(
            image,
            tested["clip_x_px"][rows],
            tested["clip_y_px"][rows],
            angle_deg=angle_deg,
            window_px=window_px(card.window, pixel_size_nm=image.pixel_size_nm),
            centre=card.centre,
            size_px=size,
        )
    return clips


clips = {angle: clips_at(angle, cards[0]) for angle in params.angles_deg}
parts = []
for turn, path, card in zip(params.turns, source.models, cards, strict=True):
    model = load_network(path, card=card, classes=DAMAGE_CLASSES)
    scores = direction_scores(
        tested["label"].to_numpy(),
        tested["group"].to_numpy(),
        clips,
        model,
        card=card,
        confidence=params.confidence,
        seed=params.seed,
    )
    parts.append(scores.assign(trained_turns_deg=turn))
table = pd.concat(parts)
write_tsv(table, snakemake.output.table, LOAD_DIRECTION)
logger.info("%d sites\n%s", len(tested), table[table["class"] == "all"].to_string())
