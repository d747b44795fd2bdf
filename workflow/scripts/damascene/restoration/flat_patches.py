"""Flat patches of an image: where its grey changes by little but noise."""

import functools
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

PATCH_PX = 16
#: Distances at which neighbouring pixels are compared.
LAGS = (1, 2, 3)
# The surroundings of a patch, which say whether it is flat, reach so far.
_MARGIN_PX = 8
_BLOCK_PX = 4
_OUTER_PX = PATCH_PX + 2 * _MARGIN_PX
# Clipped pixels up to this part narrow the noise by little.
_LEAST_USABLE = 0.95
# Noise that is correlated along the row does not reach from patch to patch.
_SIDES = slice(max(LAGS), PATCH_PX - max(LAGS))
_DEVIATIONS_OF_LINES = 3.0
_PLANE_PARAMETERS = 3
_ROUNDS = 50
_OFFSETS = ((0, 0), *((0, lag) for lag in LAGS), *((lag, 0) for lag in LAGS))


@dataclass(frozen=True, eq=False)
class FlatPatches:
    """Patches of an image without the plane that fits each best.

    Attributes
    ----------
    residuals : numpy.ndarray, float64, shape (patches, 16, 16)
    greys : numpy.ndarray, float64, shape (patches,)
        Mean of each.
    unevenness : numpy.ndarray, float64, shape (patches,)
        Variance between blocks of 4 x 4 pixels over that within them, in the surroundings: small
        where there is noise and nothing else, however strong it is. White noise gives 0.07, noise
        whose neighbours correlate by one half 0.2.
    between : numpy.ndarray, float64, shape (patches,)
        Variance between blocks of 4 x 4 pixels in the surroundings.
    rows : numpy.ndarray of int, shape (patches,)
        A number for each row of patches: patches of one number lie beside each other.
    """

    residuals: np.ndarray
    greys: np.ndarray
    unevenness: np.ndarray
    between: np.ndarray
    rows: np.ndarray

    def chosen(self, which: np.ndarray) -> "FlatPatches":
        """Return some of the patches, by bool or index."""
        return FlatPatches(*(getattr(self, each.name)[which] for each in fields(self)))

    @property
    def variances(self) -> np.ndarray:
        """Variance of each patch, corrected for the plane as if the noise were white."""
        return (self.residuals**2).mean(axis=(1, 2)) / _seen()[0, 0]

    @property
    def fine_variances(self) -> np.ndarray:
        """Variance of each patch as its diagonal second differences show it; no edge shows in them.

        That of white noise; less where neighbours are alike.
        """
        grey = self.residuals
        steps = grey[:, :-1, :-1] - grey[:, 1:, :-1] - grey[:, :-1, 1:] + grey[:, 1:, 1:]
        return (steps**2).mean(axis=(1, 2)) / 4

    @staticmethod
    def joined(parts: Sequence["FlatPatches"]) -> "FlatPatches":
        """Return the patches of several windows as one."""
        starts = np.cumsum([0, *(part.rows.max(initial=-1) + 1 for part in parts)])
        numbered = [
            replace(part, rows=part.rows + start)
            for part, start in zip(parts, starts[:-1], strict=True)
        ]
        return FlatPatches(
            *(
                np.concatenate([getattr(part, each.name) for part in numbered])
                for each in fields(FlatPatches)
            )
        )


def flat_patches(pixels: np.ndarray, usable: np.ndarray) -> FlatPatches:
    """Cut a window into patches and say how uneven the surroundings of each are.

    What surrounds a patch decides, and not the patch itself: choosing patches that happen to be
    even would choose those of little noise.

    Parameters
    ----------
    pixels : numpy.ndarray, uint8, shape (rows, columns)
    usable : numpy.ndarray of bool, same shape
        Patches are left out if more than 5 % of them or of their surroundings is not usable, or
        if the surroundings do not change from pixel to pixel at all.

    Returns
    -------
    FlatPatches
        Of both sides a margin of 8 pixels only surrounds; none of a window below 32 pixels.
    """
    counts = tuple((length - 2 * _MARGIN_PX) // PATCH_PX for length in pixels.shape)
    if min(counts) < 1:
        empty = np.empty(0)
        rows = empty.astype(int)
        return FlatPatches(np.empty((0, PATCH_PX, PATCH_PX)), empty, empty, empty, rows)
    rows, columns = (count * PATCH_PX + 2 * _MARGIN_PX for count in counts)
    grey = pixels[:rows, :columns].astype(np.float64)
    number = counts[0] * counts[1]
    inner = grey[_MARGIN_PX : rows - _MARGIN_PX, _MARGIN_PX : columns - _MARGIN_PX]
    cores = inner.reshape(counts[0], PATCH_PX, counts[1], PATCH_PX).swapaxes(1, 2)
    cores = cores.reshape(number, -1)
    smooth, squares, present = (
        _surroundings(values, counts) for values in (grey, grey**2, usable[:rows, :columns])
    )
    ring = _ring()
    around = smooth[:, ring] @ _without_plane(_OUTER_PX // _BLOCK_PX, ring)
    between = (around**2).sum(axis=1) / (np.count_nonzero(ring) - _PLANE_PARAMETERS)
    fine = (squares - smooth**2)[:, ring].mean(axis=1)
    kept = (present.mean(axis=1) >= _LEAST_USABLE) & (fine > 0)
    return FlatPatches(
        residuals=(cores @ _without_plane(PATCH_PX)).reshape(-1, PATCH_PX, PATCH_PX)[kept],
        greys=cores.mean(axis=1)[kept],
        unevenness=between[kept] / fine[kept],
        between=between[kept],
        rows=np.repeat(np.arange(counts[0]), counts[1])[kept],
    )


def choose_flat(patches: FlatPatches, *, part: float, least: int) -> FlatPatches:
    """Return the flattest part of patches, but no fewer than `least` if there are as many."""
    count = max(int(part * len(patches.greys)), min(least, len(patches.greys)))
    return patches.chosen(np.argsort(patches.unevenness, kind="stable")[:count])


def covariances(
    patches: FlatPatches, scale: np.ndarray | float = 1.0
) -> dict[tuple[int, int], float]:
    """Return the covariance of the noise with itself at offsets of (rows, columns).

    Two things are corrected. The plane that was taken from each patch took a part of the noise with
    it; how much follows exactly if noise is correlated along rows and columns only and no further
    than three pixels. And even flat patches hold structure, the more of it the more uneven their
    surroundings are: a line through the covariances against the variance between blocks in the
    surroundings leads to where that variance is what noise of such covariances gives by itself.

    Parameters
    ----------
    patches : FlatPatches
        At least two.
    scale : numpy.ndarray, float64, shape (patches,), optional
        How strong the noise of each patch is in comparison, as a variance, where it depends on the
        grey: else dark patches of little noise would pass for even ones.

    Returns
    -------
    dict of (int, int) to float
        At the mean scale, for the offsets (0, 0), (0, 1) to (0, 3), and (1, 0) to (3, 0).
    """
    grey = patches.residuals
    measured = [
        (grey[:, y:, x:] * grey[:, : PATCH_PX - y, : PATCH_PX - x]).mean(axis=(1, 2))
        for y, x in _OFFSETS
    ]
    each = np.linalg.solve(_seen(), measured / (scale / np.mean(scale))).T
    around = patches.between / (scale / np.mean(scale))
    # The error of a variance grows with the variance.
    slopes, starts = np.polyfit(around, each, 1, w=1 / around)
    limit = between = np.median(around)
    for _ in range(_ROUNDS):
        found = starts + slopes * between
        between = min(_between_blocks(found), limit)
    return dict(zip(_OFFSETS, found.tolist(), strict=True))


def _between_blocks(covariance):
    """Return the variance of means of 4 x 4 pixels of noise that has these covariances.

    Between pixels that lie in neither one row nor one column the correlation is taken for the
    product of those along the row and the column.
    """
    if covariance[0] <= 0:
        return 0.0
    correlation = np.clip(covariance[1:] / covariance[0], -1, 1).reshape(2, -1)
    weights = 1 - np.array(LAGS) / _BLOCK_PX
    factors = (1 + 2 * correlation @ weights) / _BLOCK_PX
    return float(covariance[0] * np.maximum(factors, 0).prod())


def line_variance(patches: FlatPatches) -> float:
    """Return the variance of the offsets of rows, which patches beside each other share.

    The products of the steps from row to row in two patches of one row of patches: noise of the
    pixels drops out on average. 0 where the mean is less than three of its standard errors.
    """
    steps = np.diff(patches.residuals[:, :, _SIDES].mean(axis=2), axis=1)
    order = np.argsort(patches.rows, kind="stable")
    numbers, starts = np.unique(patches.rows[order], return_index=True)
    if not len(numbers):
        return 0.0
    counts = np.diff([*starts, len(order)])
    sums = np.add.reduceat(steps[order], starts)
    squares = np.add.reduceat((steps[order] ** 2).sum(axis=1), starts)
    products = (sums**2).sum(axis=1) - squares
    pairs = counts * (counts - 1) * steps.shape[1]
    if not pairs.any():
        return 0.0
    mean = products.sum() / pairs.sum()
    error = np.sqrt(((products - mean * pairs) ** 2).sum()) / pairs.sum()
    return float(mean / _seen_of_steps()) if mean > _DEVIATIONS_OF_LINES * error else 0.0


def _surroundings(values, counts):
    """Return the means of blocks of 4 x 4 pixels in and around each patch, (patches, 64)."""
    shape = (values.shape[0] // _BLOCK_PX, _BLOCK_PX, values.shape[1] // _BLOCK_PX, _BLOCK_PX)
    blocks = values.reshape(shape).mean(axis=(1, 3))
    size, step = _OUTER_PX // _BLOCK_PX, PATCH_PX // _BLOCK_PX
    around = sliding_window_view(blocks, (size, size))[::step, ::step]
    return around.reshape(counts[0] * counts[1], -1)


@functools.cache
def _ring():
    inner = np.zeros((_OUTER_PX // _BLOCK_PX,) * 2, bool)
    edge = _MARGIN_PX // _BLOCK_PX
    inner[edge:-edge, edge:-edge] = True
    return ~inner.ravel()


def _without_plane(size, which=slice(None)):
    """Return the matrix that takes from the values of a square the plane that fits them best."""
    row, column = np.indices((size, size)) - (size - 1) / 2
    basis = np.stack([np.ones(size * size), row.ravel(), column.ravel()], axis=1)[which]
    return np.eye(len(basis)) - basis @ np.linalg.pinv(basis)


@functools.cache
def _seen():
    """Return how each covariance of the noise (column) shows in those of residuals (row)."""
    row, column = (place.ravel() for place in np.indices((PATCH_PX, PATCH_PX)))
    rows, columns = row[:, None] - row, column[:, None] - column
    pairs = [(rows == y) & (columns == x) for y, x in _OFFSETS]
    taken = _without_plane(PATCH_PX)
    seen = np.empty((len(_OFFSETS),) * 2)
    for index, (y, x) in enumerate(_OFFSETS):
        noise = ((np.abs(rows) == y) & (np.abs(columns) == x)).astype(float)
        shown = taken @ noise @ taken
        seen[:, index] = [shown[pair].mean() for pair in pairs]
    return seen


@functools.cache
def _seen_of_steps():
    """Return how much of the variance of row offsets steps between rows show; about 2."""
    row = np.arange(PATCH_PX)
    basis = np.stack([np.ones(PATCH_PX), row - row.mean()], axis=1)
    steps = np.diff(np.eye(PATCH_PX) - basis @ np.linalg.pinv(basis), axis=0)
    return float((steps**2).sum(axis=1).mean())
