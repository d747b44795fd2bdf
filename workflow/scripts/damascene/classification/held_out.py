"""Labelled sites classified by networks that were not trained on them."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
import pandas as pd

from damascene.classes import STAGE_CLASSES
from damascene.classification.decide import with_classes
from damascene.classification.look import shared_looks
from damascene.classification.predict import load_network, predict_look
from damascene.contracts.model_card import ModelCard


@dataclass(frozen=True, kw_only=True)
class FoldNetwork:
    """A trained network of one stage and the fold that was kept from its training."""

    stage: str
    fold: int
    model_path: Path
    card: ModelCard

    @classmethod
    def named(cls, name: str, path: str | Path) -> "FoldNetwork":
        """Return the network that is called `stage/fold`, with the card beside its file."""
        stage, fold = name.split("/")
        card = ModelCard.read(Path(path).with_suffix(".json"))
        return cls(stage=stage, fold=int(fold), model_path=Path(path), card=card)

    def load(self) -> keras.Model:
        """Load the network, see `predict.load_network`."""
        return load_network(self.model_path, card=self.card, classes=STAGE_CLASSES[self.stage])


def classify_held_out(
    split: pd.DataFrame,
    clips: Mapping[str, np.ndarray],
    networks: Sequence[FoldNetwork],
    *,
    descriptors: np.ndarray | None = None,
    batch_size: int,
    inclusion_threshold: float,
    damage_threshold: float,
) -> pd.DataFrame:
    """Pass the labelled sites of each held-out fold through both networks that never saw them.

    Parameters
    ----------
    split : pandas.DataFrame
        `SPLIT`.
    clips : mapping of stage to numpy.ndarray, uint8, shape (n, size, size, scales)
        In the row order of `split`.
    networks : sequence of FoldNetwork
        One of each stage for every fold that is to be classified.
    descriptors : numpy.ndarray, float32, shape (n, descriptors), optional
        In the same order, for networks that take them.
    batch_size, inclusion_threshold, damage_threshold
        See `predict.predict_sites`.

    Returns
    -------
    pandas.DataFrame
        The rows of `split` in the held-out folds, with the probabilities of both stages and
        `predicted_class`.
    """
    probabilities = {
        stage: np.full((len(split), len(classes)), np.nan)
        for stage, classes in STAGE_CLASSES.items()
    }
    folds = sorted({network.fold for network in networks})
    for fold in folds:
        rows = np.flatnonzero(split["fold"] == fold)
        looks = shared_looks(
            {each.stage: (each.load(), each.card) for each in networks if each.fold == fold}
        )
        for look in looks:
            # Stages that share a look have the same clips.
            shown = clips[next(iter(look.heads))][rows]
            described = descriptors[rows] if look.descriptors else None
            answers = predict_look(look, shown, described, batch_size=batch_size)
            for stage, answer in answers.items():
                probabilities[stage][rows] = answer
    held_out = np.isin(split["fold"], folds)
    return with_classes(
        split[held_out],
        probabilities["inclusion"][held_out, 0],
        probabilities["damage"][held_out],
        inclusion_threshold=inclusion_threshold,
        damage_threshold=damage_threshold,
    )
