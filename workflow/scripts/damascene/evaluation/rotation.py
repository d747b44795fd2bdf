"""Sites as if the load had another direction: windows cut from the rotated steel."""

import math
from collections.abc import Mapping, Sequence

import keras
import numpy as np
import pandas as pd
from skimage.transform import rotate

from damascene.classes import ALL, DAMAGE_CLASSES
from damascene.classification.predict import predict_clips
from damascene.clips.clips import cut_clips, resample
from damascene.contracts.model_card import ModelCard
from damascene.evaluation.scores import score_table
from damascene.images.store import TiledImage


def cut_rotated_pictures(
    image: TiledImage,
    x_px: Sequence[float],
    y_px: Sequence[float],
    *,
    angle_deg: float,
    window_px: int,
    centre: float | None,
    size_px: int,
) -> np.ndarray:
    """Cut what a network sees of each site, with the steel rotated round the site.

    The corners of a rotated window come from outside the upright one, not from a mirror. Windows
    near the border of the panorama are shifted inside as others are.

    Parameters
    ----------
    image, x_px, y_px, window_px, centre, size_px
        See `clips.cut_pictures`.
    angle_deg : float
        Counter-clockwise turn of the steel.

    Returns
    -------
    numpy.ndarray, uint8, shape (sites, size_px, size_px, scales)
    """
    edges_px = [window_px] + ([] if centre is None else [max(round(window_px * centre), 1)])
    scales = []
    for edge_px in edges_px:
        # A rotated square fits into one that is as wide as its diagonal.
        margin_px = math.ceil(edge_px * (math.sqrt(2) - 1) / 2) + 1
        wide_px = min(edge_px + 2 * margin_px, *image.shape)
        wide = cut_clips(image, x_px, y_px, window_px=wide_px, size_px=wide_px)
        start = (wide_px - edge_px) // 2
        inner = slice(start, start + edge_px)
        rotated = [
            rotate(clip, angle_deg, mode="reflect", preserve_range=True)[inner, inner]
            for clip in wide
        ]
        rotated = np.rint(np.reshape(rotated, (-1, edge_px, edge_px))).astype(np.uint8)
        scales.append(resample(rotated, size_px=size_px))
    return np.stack(scales, axis=-1)


def direction_scores(
    labels: Sequence[str],
    groups: Sequence[str],
    clips: Mapping[float, np.ndarray],
    model: keras.Model,
    *,
    card: ModelCard,
    confidence: float,
    seed: int,
) -> pd.DataFrame:
    """Score a damage network on sites whose load was rotated.

    Parameters
    ----------
    labels, groups : sequence of str, length n
        Of damage sites that did not train the network; see `evaluate.score_table`.
    clips : mapping of angle to numpy.ndarray
        From `cut_rotated_pictures`, uint8 (n, size, size, scales).
    model, card
        The network of the damage stage, without descriptors.
    confidence, seed
        See `evaluate.score_table`.

    Returns
    -------
    pandas.DataFrame
        angle_deg, class, score, value, low, high, support.
    """
    parts = []
    for angle_deg, rotated in clips.items():
        probabilities = predict_clips(model, rotated, card=card, batch_size=64)
        predicted = np.array(DAMAGE_CLASSES, dtype=object)[probabilities.argmax(axis=1)]
        table = score_table(labels, predicted, groups=groups, confidence=confidence, seed=seed)
        table = table[table["class"].isin([ALL, *DAMAGE_CLASSES])]
        parts.append(table.assign(angle_deg=angle_deg))
    table = pd.concat(parts, ignore_index=True)
    table.insert(0, "angle_deg", table.pop("angle_deg"))
    return table
