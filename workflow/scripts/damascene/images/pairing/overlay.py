"""Lay a scan over a panorama: resample it where its shifts say, and match its grey values."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import numpy as np
from scipy.ndimage import map_coordinates

from damascene.images.pairing.shifts import BLOCK_PX, Shifts, block_edges
from damascene.images.store import TiledImage, Window
from damascene.images.tiles import tile_windows

#: Shifts this near to whole pixels are taken for them: they are known no better, and resampling
#: smooths noise and the edges of small voids.
WHOLE_WITHIN_PX = 0.1
# What a cubic spline reaches: its weights fall by 0.27 a pixel.
_HALO_PX = 16
_MEAN_PX = 8
_GREY_BLOCKS = 64
_CLIPPED_GREY = 8
_LEAST_MEANS = 100
# Closer than this, greys are alike; a line through noise would only move them.
_SAME_SLOPE, _SAME_OFFSET = 0.02, 1.0


@dataclass(frozen=True, kw_only=True)
class GreyLine:
    """Grey values of the panorama from those of the scan: slope times grey plus offset."""

    slope: float
    offset: float

    @property
    def changes(self) -> bool:
        """Whether greys differ by more than chance."""
        return abs(self.slope - 1) > _SAME_SLOPE or abs(self.offset) > _SAME_OFFSET


def whole_shifts(shifts: Shifts) -> Shifts:
    """Return whole shifts where all blocks are shifted by about the same whole number of pixels."""
    along = {}
    for name in ("dy", "dx"):
        values = getattr(shifts, name)
        nearest = np.rint(np.median(values))
        if np.abs(values - nearest).max() > WHOLE_WITHIN_PX:
            return shifts
        along[name] = np.full_like(values, nearest)
    return replace(shifts, **along)


def laid_over(
    scan: TiledImage, scan_valid: TiledImage, shifts: Shifts, window: Window
) -> tuple[np.ndarray, np.ndarray]:
    """Return the scan as it lies over a window of the panorama.

    Shifts follow straight lines between the centres of blocks, and on to the borders; grey values
    are interpolated by cubic splines.

    Returns
    -------
    grey : numpy.ndarray, float32, shape (rows, columns)
    usable : numpy.ndarray of bool, same shape
        Where the scan lies, is valid, and its block was registered.
    """
    rows = np.arange(window.top, window.bottom, dtype=float)
    columns = np.arange(window.left, window.right, dtype=float)
    y = rows[:, None] - _between(shifts, shifts.dy, rows, columns)
    x = columns[None, :] - _between(shifts, shifts.dx, rows, columns)
    there = Window(
        top=int(np.floor(y.min())),
        left=int(np.floor(x.min())),
        bottom=int(np.floor(y.max())) + 2,
        right=int(np.floor(x.max())) + 2,
    )
    # Nothing of the scan, or too little for a spline.
    if not (
        there.top < scan.shape[0] - 1
        and there.left < scan.shape[1] - 1
        and there.bottom > 1
        and there.right > 1
    ):
        return np.zeros(y.shape, np.float32), np.zeros(y.shape, bool)
    cut = Window(
        top=min(max(there.top, 0), scan.shape[0] - 2),
        left=min(max(there.left, 0), scan.shape[1] - 2),
        bottom=min(there.bottom, scan.shape[0]),
        right=min(there.right, scan.shape[1]),
    ).grown(margin=_HALO_PX, within=scan.shape)
    places = np.stack([y - cut.top, x - cut.left])
    grey = map_coordinates(scan.read(cut).astype(np.float32), places, order=3, mode="mirror")
    mask = (scan_valid.read(cut) == 255).astype(np.float32)
    covered = map_coordinates(mask, places, order=1, mode="constant", cval=0.0) > 1 - 1e-4
    return grey, covered & _in_registered(shifts, rows, columns)


def _between(shifts, values, rows, columns):
    """Interpolate a value of the blocks at pixels of the panorama."""
    return _hats(rows, shifts.rows) @ values @ _hats(columns, shifts.columns).T


def _hats(positions, centres):
    """Return the weight of each centre at each position, for lines through neighbouring centres."""
    weights = np.zeros((len(positions), len(centres)))
    if len(centres) == 1:
        return weights + 1
    lower = np.clip(np.searchsorted(centres, positions, side="right") - 1, 0, len(centres) - 2)
    part = (positions - centres[lower]) / (centres[lower + 1] - centres[lower])
    each = np.arange(len(positions))
    weights[each, lower], weights[each, lower + 1] = 1 - part, part
    return weights


def _in_registered(shifts, rows, columns):
    where = [
        np.minimum((positions // BLOCK_PX).astype(int), count - 1)
        for positions, count in zip((rows, columns), shifts.registered.shape, strict=True)
    ]
    return shifts.registered[np.ix_(*where)]


def grey_line(
    image: TiledImage, valid: TiledImage, scan: TiledImage, scan_valid: TiledImage, shifts: Shifts
) -> GreyLine:
    """Fit the line that turns grey values of the scan into those of the panorama.

    Means of 8 x 8 pixels, in which noise hardly counts, from up to 64 registered blocks spread over
    the panorama; those near black and white are left out. The line has the means and the spread of
    both (reduced major axis), as both have some noise.
    """
    blocks = np.argwhere(shifts.registered)
    chosen = np.unique(np.linspace(0, len(blocks) - 1, min(len(blocks), _GREY_BLOCKS)).astype(int))
    tops, lefts = (block_edges(length) for length in image.shape)
    ours, theirs = [], []
    for row, column in blocks[chosen]:
        window = Window(
            top=int(tops[row]),
            left=int(lefts[column]),
            bottom=int(tops[row + 1]),
            right=int(lefts[column + 1]),
        )
        grey, usable = laid_over(scan, scan_valid, shifts, window)
        usable &= valid.read(window) == 255
        whole = _means(usable.astype(np.float32)) == 1
        one, other = _means(image.read(window).astype(np.float32))[whole], _means(grey)[whole]
        kept = np.ones(len(one), bool)
        for values in (one, other):
            kept &= (values > _CLIPPED_GREY) & (values < 255 - _CLIPPED_GREY)
        ours.append(one[kept])
        theirs.append(other[kept])
    ours, theirs = np.concatenate(ours).astype(float), np.concatenate(theirs).astype(float)
    if len(ours) < _LEAST_MEANS or theirs.std() == 0 or ours.std() == 0:
        return GreyLine(slope=1.0, offset=0.0)
    slope = ours.std() / theirs.std()
    return GreyLine(slope=float(slope), offset=float(ours.mean() - slope * theirs.mean()))


def _means(values):
    rows, columns = (length // _MEAN_PX * _MEAN_PX for length in values.shape)
    parts = values[:rows, :columns].reshape(rows // _MEAN_PX, _MEAN_PX, -1, _MEAN_PX)
    return parts.mean(axis=(1, 3))


def overlay_strips(
    image: TiledImage,
    valid: TiledImage,
    scan: TiledImage,
    scan_valid: TiledImage,
    *,
    shifts: Shifts,
    line: GreyLine,
    threads: int,
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield strips over the full width: grey values (0 where there are none) and their mask."""
    slope, offset = (line.slope, line.offset) if line.changes else (1.0, 0.0)

    def work(window):
        grey, usable = laid_over(scan, scan_valid, shifts, window)
        usable &= valid.read(window) == 255
        grey = np.clip(np.rint(slope * grey + offset), 0, 255)
        return np.where(usable, grey, 0).astype(np.uint8), usable.astype(np.uint8) * 255

    with ThreadPoolExecutor(max_workers=threads) as pool:
        for windows in tile_windows(image.shape, tile_px=BLOCK_PX):
            parts = list(pool.map(work, windows))
            yield tuple(np.concatenate(each, axis=1) for each in zip(*parts, strict=True))
