"""What in the window of each labelled site speaks for the class that a network gives it."""

from pathlib import Path

import numpy as np
import pandas as pd

from damascene.classification.predict import load_network, predict_clips
from damascene.clips.network_input import network_inputs
from damascene.contracts.attention import CELLS, Attention
from damascene.contracts.model_card import ModelCard
from damascene.evaluation.explanation import grad_cam
from damascene.units import split_quantity

# Gradients of so many sites at once take less than a gigabyte.
_BATCH = 32


def attention_of_sites(
    model_path: str | Path,
    *,
    card: ModelCard,
    classes: tuple[str, ...],
    sites: pd.DataFrame,
    clips: np.ndarray,
    descriptors: np.ndarray | None = None,
    stage: str,
) -> Attention:
    """Return for each labelled site what speaks for the class that the network gives it.

    Parameters
    ----------
    model_path, card
        The network.
    classes : tuple of str
        Of its stage.
    sites : pandas.DataFrame
        `SPLIT`.
    clips : numpy.ndarray, uint8, shape (n, size, size, scales)
        Of these sites; may be memory-mapped.
    descriptors : numpy.ndarray, float32, shape (n, descriptors), optional
        Needed where the card says so.
    stage : str
    """
    model = load_network(model_path, card=card, classes=classes)
    probabilities = predict_clips(model, clips, descriptors, card=card, batch_size=_BATCH)
    named = probabilities.argmax(axis=1)
    scales = clips.shape[3] if clips.ndim == 4 else 1
    heat = np.zeros((len(clips), scales, CELLS, CELLS), np.uint8)
    for index in np.unique(named):
        rows = np.flatnonzero(named == index)
        for start in range(0, len(rows), _BATCH):
            some = rows[start : start + _BATCH]
            inputs = network_inputs(
                clips[some],
                None if descriptors is None else descriptors[some],
                grey_scaling=card.grey_scaling,
            )
            heat[some] = in_cells(grad_cam(model, inputs, class_index=index), scales=scales)
    value, unit = split_quantity(card.window, ("px", "nm", "um"), "10 um")
    return Attention(
        stage=stage,
        window_um={"um": value, "nm": value / 1000, "px": np.nan}[unit],
        window_px=value if unit == "px" else np.nan,
        centre=card.centre or 1.0,
        panorama=sites["panorama"].to_numpy(str),
        site_id=sites["site_id"].to_numpy(np.int64),
        x_px=sites["clip_x_px"].to_numpy(float),
        y_px=sites["clip_y_px"].to_numpy(float),
        named=np.array(classes)[named],
        probability=probabilities[np.arange(len(named)), named].astype(float),
        heat=heat,
    )


def in_cells(heat: np.ndarray, *, scales: int) -> np.ndarray:
    """Return maps as means of cells.

    Parameters
    ----------
    heat : numpy.ndarray, float, shape (n, size, size, k), in [0, 1]
        From `explanation.grad_cam`; k is 1 where a network joins its scales.
    scales : int
        Scales of the clips, all of which such a network sees under one map.

    Returns
    -------
    numpy.ndarray, uint8, shape (n, scales, CELLS, CELLS)
        The largest cell of a site is 255, unless all are 0.
    """
    size = heat.shape[1]
    # Cells of a size that does not divide that of the map share its pixels.
    edges = np.linspace(0, size, CELLS + 1)
    overlap = np.minimum.outer(edges[1:], np.arange(1, size + 1)) - np.maximum.outer(
        edges[:-1], np.arange(size)
    )
    weights = np.clip(overlap, 0, None) * CELLS / size
    cells = np.einsum("ay,nyxk,bx->nkab", weights, heat, weights)
    largest = cells.max(axis=(1, 2, 3), keepdims=True)
    shown = np.divide(cells, largest, out=np.zeros_like(cells), where=largest > 0)
    return np.rint(255 * shown[:, np.minimum(np.arange(scales), heat.shape[3] - 1)]).astype(
        np.uint8
    )
