"""Sites as if the load had another direction: windows cut from the rotated steel."""

import logging
import math
from collections.abc import Mapping, Sequence
from pathlib import Path

import keras
import numpy as np
import pandas as pd
from skimage.transform import rotate

from damascene.classes import ALL, DAMAGE_CLASSES, INCLUSION
from damascene.classification.predict import load_network, predict_clips
from damascene.clips.pictures import cut_clips, images_of_sites, resample
from damascene.clips.windows import window_px
from damascene.contracts.model_card import ModelCard
from damascene.evaluation.scores import score_table
from damascene.images.store import TiledImage

logger = logging.getLogger(__name__)


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
        See `pictures.cut_pictures`.
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


def compare_load_directions(
    split: pd.DataFrame,
    networks: Sequence[tuple[float, str | Path, ModelCard]],
    *,
    test_fold: int,
    angles_deg: Sequence[float],
    panoramas: Sequence[str],
    images: Sequence[str | Path],
    confidence: float,
) -> pd.DataFrame:
    """Score damage networks that were trained with more and less rotation on rotated sites.

    Parameters
    ----------
    split : pandas.DataFrame
        `SPLIT`.
    networks : sequence of (rotation in training, path, card)
        Their cards agree in what a clip is.
    test_fold : int
        The fold that trained none of them.
    angles_deg : sequence of float
        Angles by which the steel is rotated.
    panoramas, images : sequences
        All panoramas and their images, in the same order.
    confidence : float
        See `scores.score_table`.

    Returns
    -------
    pandas.DataFrame
        `LOAD_DIRECTION`.
    """
    tested = split[(split["fold"] == test_fold) & (split["label"] != INCLUSION)]
    _, _, first = networks[0]
    clips = {
        angle: _rotated_clips(tested, angle, card=first, panoramas=panoramas, images=images)
        for angle in angles_deg
    }
    parts = []
    for rotation_deg, path, card in networks:
        scores = direction_scores(
            tested["label"].to_numpy(),
            tested["group"].to_numpy(),
            clips,
            load_network(path, card=card, classes=DAMAGE_CLASSES),
            card=card,
            confidence=confidence,
        )
        parts.append(scores.assign(trained_turns_deg=rotation_deg))
    table = pd.concat(parts)
    logger.info("%d sites\n%s", len(tested), table[table["class"] == ALL].to_string())
    return table


def _rotated_clips(sites, angle_deg, *, card, panoramas, images):
    """Cut sites with the steel rotated by an angle, panorama by panorama."""
    size = card.input_px
    clips = np.empty((len(sites), size, size, card.scales), np.uint8)
    for rows, image in images_of_sites(sites, panoramas=panoramas, paths=images):
        clips[rows] = cut_rotated_pictures(
            image,
            sites["clip_x_px"][rows],
            sites["clip_y_px"][rows],
            angle_deg=angle_deg,
            window_px=window_px(card.window, pixel_size_nm=image.pixel_size_nm),
            centre=card.centre,
            size_px=size,
        )
    return clips


def direction_scores(
    labels: Sequence[str],
    groups: Sequence[str],
    clips: Mapping[float, np.ndarray],
    model: keras.Model,
    *,
    card: ModelCard,
    confidence: float,
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
    confidence : float
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
        table = score_table(labels, predicted, groups=groups, confidence=confidence)
        table = table[table["class"].isin([ALL, *DAMAGE_CLASSES])]
        parts.append(table.assign(angle_deg=angle_deg))
    table = pd.concat(parts, ignore_index=True)
    table.insert(0, "angle_deg", table.pop("angle_deg"))
    return table
