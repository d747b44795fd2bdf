"""Random changes of patches of images and, alike, of what is known of their pixels."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import ndimage


@dataclass(frozen=True, kw_only=True)
class PatchChanges:
    """Limits of the random changes; 0 or False leaves a change out.

    Attributes
    ----------
    flips : bool
        Mirror along both axes.
    quarter_turns : bool
        Turn by multiples of 90 degrees, where the steel has no direction.
    zoom : float
        Largest change of the logarithm of the scale.
    gain, gamma : float
        Largest change of the logarithm of the factor and of the exponent of the grey values.
    offset : float
        Largest shift of the grey values.
    blur : float
        Largest standard deviation of a Gaussian filter in pixels.
    noise : float
        Largest standard deviation of added normal noise in grey values.
    """

    flips: bool = True
    quarter_turns: bool = False
    zoom: float = 0
    gain: float = 0
    gamma: float = 0
    offset: float = 0
    blur: float = 0
    noise: float = 0


#: Changes by the names that the configuration gives them.
PATCH_CHANGES = {
    "none": None,
    "flips": PatchChanges(),
    "mild": PatchChanges(zoom=0.15, gain=0.15, gamma=0.2, offset=8, blur=0.5, noise=6),
    "strong": PatchChanges(zoom=0.3, gain=0.3, gamma=0.4, offset=16, blur=1, noise=12),
}


def drawn_edge(patch_px: int, *, zoom: float, rng: np.random.Generator) -> int:
    """Draw the edge of the square that is read for a patch, which is then resized to it."""
    return max(round(patch_px * math.exp(rng.uniform(-zoom, zoom))), 2)


def flipped(
    layers: Sequence[np.ndarray], *, changes: PatchChanges, rng: np.random.Generator
) -> list[np.ndarray]:
    """Mirror and turn all layers of a square patch alike, each (edge, edge[, channels])."""
    turns = 0
    if changes.quarter_turns:
        turns = int(rng.integers(4))
    if changes.flips:
        steps = rng.choice([1, -1], 2)
        layers = [layer[:: steps[0], :: steps[1]] for layer in layers]
    return [np.ascontiguousarray(np.rot90(layer, turns)) for layer in layers]


def resized(values: np.ndarray, edge: int, *, linear: bool) -> np.ndarray:
    """Resize a square patch to another edge, with linear interpolation or to the nearest pixel.

    Parameters
    ----------
    values : numpy.ndarray, shape (any, any[, channels])
    edge : int
    linear : bool
        False for labels, which must not be mixed.

    Returns
    -------
    numpy.ndarray, shape (edge, edge[, channels])
        float32 with `linear`, else of the dtype of the values.
    """
    if len(values) == edge:
        return values.astype(np.float32) if linear else values
    at = (np.arange(edge) + 0.5) * len(values) / edge - 0.5
    if not linear:
        nearest = np.clip(np.rint(at), 0, len(values) - 1).astype(int)
        return values[np.ix_(nearest, nearest)]
    at = np.clip(at, 0, len(values) - 1)
    before = np.minimum(at.astype(int), len(values) - 2)
    result = values.astype(np.float32)
    for axis in (0, 1):
        shape = [1] * result.ndim
        shape[axis] = edge
        rest = (at - before).astype(np.float32).reshape(shape)
        result = result.take(before, axis) * (1 - rest) + result.take(before + 1, axis) * rest
    return result


def changed_grey(
    grey: np.ndarray, *, changes: PatchChanges, rng: np.random.Generator
) -> np.ndarray:
    """Change contrast, brightness, sharpness and noise of a patch of grey values.

    Parameters
    ----------
    grey : numpy.ndarray, shape (rows, columns), in [0, 255]
    changes : PatchChanges
    rng : numpy.random.Generator

    Returns
    -------
    numpy.ndarray, float32, of the same shape, in [0, 255]
    """
    gain, gamma, offset = (
        limit * rng.uniform(-1, 1) for limit in (changes.gain, changes.gamma, changes.offset)
    )
    blur, noise = (limit * rng.uniform() for limit in (changes.blur, changes.noise))
    grey = np.asarray(grey, np.float32)
    if gain or gamma or offset:
        part = np.clip(grey / 255, 0, 1) ** np.float32(math.exp(gamma))
        grey = 255 * part * np.float32(math.exp(gain)) + np.float32(offset)
    if blur:
        grey = ndimage.gaussian_filter(grey, blur, mode="mirror")
    if noise:
        grey = grey + np.float32(noise) * rng.standard_normal(grey.shape, dtype=np.float32)
    return np.clip(grey, 0, 255)
