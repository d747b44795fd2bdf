"""Four small tasks on a micrograph that show what can be learned from data, and how.

A pixel predicted from its neighbour (regression), sharp tiles told from blurred ones
(classification); a few more functions tell what the parts of mathematics behind it contribute.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import ndimage
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler


def neighbour_pairs(
    image: np.ndarray, valid: np.ndarray, *, count: int, seed: int, distance_px: int = 1
) -> tuple[np.ndarray, np.ndarray]:
    """Draw pixels and what lies to the right of them.

    Parameters
    ----------
    image : numpy.ndarray, uint8, shape (rows, columns)
    valid : numpy.ndarray, bool, same shape
    count : int
        Pairs at most; each is drawn once.
    seed : int
    distance_px : int, optional

    Returns
    -------
    left, right : numpy.ndarray, float64, shape (pairs,)
        Grey values.
    """
    both = valid[:, :-distance_px] & valid[:, distance_px:]
    rows, columns = np.nonzero(both)
    chosen = np.random.default_rng(seed).permutation(len(rows))[:count]
    rows, columns = rows[chosen], columns[chosen]
    return image[rows, columns].astype(float), image[rows, columns + distance_px].astype(float)


@dataclass(frozen=True, kw_only=True, eq=False)
class Descent:
    """A line y = slope x + intercept on its way down the loss.

    Attributes
    ----------
    slope, intercept, loss : numpy.ndarray, float64, shape (steps + 1,)
        Before the first step and after each; the loss is the mean squared error.
    """

    slope: np.ndarray
    intercept: np.ndarray
    loss: np.ndarray


def descend_to_line(x: np.ndarray, y: np.ndarray, *, rate: float, steps: int) -> Descent:
    """Fit a line by steps against the gradient of the mean squared error.

    It starts at slope and intercept 0 and works on x and y as they are.

    Parameters
    ----------
    x, y : numpy.ndarray, float64, shape (points,)
    rate : float
        Step as a multiple of the gradient.
    steps : int

    Returns
    -------
    Descent
    """
    slope = intercept = 0.0
    met = []
    for _ in range(steps + 1):
        error = slope * x + intercept - y
        met.append((slope, intercept, np.mean(error**2)))
        slope -= rate * 2 * np.mean(error * x)
        intercept -= rate * 2 * np.mean(error)
    slopes, intercepts, losses = np.array(met).T
    return Descent(slope=slopes, intercept=intercepts, loss=losses)


def tiles_of(image: np.ndarray, *, edge_px: int) -> np.ndarray:
    """Cut an image into square tiles, row by row; what is left over is not used.

    Returns
    -------
    numpy.ndarray, float64, shape (tiles, edge_px, edge_px)
    """
    high, wide = (length // edge_px for length in image.shape)
    used = image[: high * edge_px, : wide * edge_px].astype(float)
    parts = used.reshape(high, edge_px, wide, edge_px).swapaxes(1, 2)
    return parts.reshape(-1, edge_px, edge_px)


@dataclass(frozen=True, kw_only=True, eq=False)
class Tiles:
    """Tiles of an image, of which half were blurred.

    Attributes
    ----------
    pictures : numpy.ndarray, float64, shape (tiles, edge, edge)
    measures : numpy.ndarray, float64, shape (tiles, 2)
        `spread`, the standard deviation of the grey values, and `step`, the mean absolute
        difference of pixels side by side.
    blurred : numpy.ndarray, bool, shape (tiles,)
        The label: known, because the tile was blurred here.
    """

    pictures: np.ndarray
    measures: np.ndarray
    blurred: np.ndarray


def sharp_and_blurred(
    image: np.ndarray, *, edge_px: int, sigma_px: float, noise: float, seed: int
) -> Tiles:
    """Cut an image into tiles and blur every second one of a random order.

    Parameters
    ----------
    image : numpy.ndarray, uint8, shape (rows, columns)
    edge_px : int
        Edge of the tiles; what is left over at the right and below is not used.
    sigma_px : float
        Standard deviation of the Gaussian that blurs.
    noise : float
        Standard deviation of the noise of the camera, added to each tile afterwards, so that the
        lack of noise does not give a blurred tile away.
    seed : int

    Returns
    -------
    Tiles
    """
    rng = np.random.default_rng(seed)
    sharp = tiles_of(image, edge_px=edge_px)
    soft = tiles_of(ndimage.gaussian_filter(image.astype(float), sigma_px), edge_px=edge_px)
    blurred = np.zeros(len(sharp), bool)
    blurred[rng.permutation(len(sharp))[::2]] = True
    pictures = np.where(blurred[:, None, None], soft, sharp)
    pictures = np.clip(pictures + rng.normal(scale=noise, size=pictures.shape), 0, 255)
    return Tiles(pictures=pictures, measures=tile_measures(pictures), blurred=blurred)


def tile_measures(pictures: np.ndarray) -> np.ndarray:
    """Return spread and step of tiles, float64 (tiles, 2): see `Tiles`."""
    steps = np.abs(np.diff(pictures, axis=2)).mean(axis=(1, 2))
    return np.stack([pictures.std(axis=(1, 2)), steps], axis=1)


def experience_curve(tiles: Tiles, *, sizes: Sequence[int], repeats: int, seed: int) -> np.ndarray:
    """Tell how well a linear classifier names tiles it has not seen, by what it learned from.

    Parameters
    ----------
    tiles : Tiles
    sizes : sequence of int
        Even numbers of tiles to learn from, half of them blurred; below the number of tiles.
    repeats : int
        Draws of each size.
    seed : int

    Returns
    -------
    numpy.ndarray, float64, shape (sizes, repeats)
        Part of the tiles that were not drawn which is named right.
    """
    rng = np.random.default_rng(seed)
    kinds = [np.flatnonzero(tiles.blurred == kind) for kind in (False, True)]
    scores = np.empty((len(sizes), repeats))
    for place in np.ndindex(scores.shape):
        learned = np.concatenate([rng.permutation(kind)[: sizes[place[0]] // 2] for kind in kinds])
        unseen = np.delete(np.arange(len(tiles.blurred)), learned)
        model = linear_classifier().fit(tiles.measures[learned], tiles.blurred[learned])
        scores[place] = model.score(tiles.measures[unseen], tiles.blurred[unseen])
    return scores


def linear_classifier() -> Pipeline:
    """Return a logistic regression on standardised measures, as yet unlearned."""
    return make_pipeline(StandardScaler(), LogisticRegression())


def entropy_bits(image: np.ndarray) -> float:
    """Return the entropy of the grey values of an image, uint8 of any shape, in bits per pixel.

    References
    ----------
    Shannon, A mathematical theory of communication, Bell System Technical Journal 27 (1948)
    379-423, 10.1002/j.1538-7305.1948.tb01338.x.
    """
    counts = np.bincount(image.ravel(), minlength=256)
    shares = counts[counts > 0] / counts.sum()
    # Adding 0 makes the entropy of a single grey value 0 and not -0.
    return float(-(shares * np.log2(shares)).sum() + 0.0)


def dark_beside_dark(dark: np.ndarray) -> tuple[float, float]:
    """Return how likely a pixel is dark, and how likely if its left neighbour is.

    Parameters
    ----------
    dark : numpy.ndarray, bool, shape (rows, columns)

    Returns
    -------
    anywhere, beside : float
        The second is NaN where no pixel with a right neighbour is dark.
    """
    left, right = dark[:, :-1], dark[:, 1:]
    beside = float(right[left].mean()) if left.any() else float("nan")
    return float(dark.mean()), beside


def worth_a_look(*, missed: float, false_alarm: float) -> float:
    """Return the probability of a crack from which on looking again costs less on average.

    Parameters
    ----------
    missed : float
        Cost of a crack that is not looked at.
    false_alarm : float
        Cost of a look at no crack.
    """
    return false_alarm / (false_alarm + missed)
