"""Measure block by block by how much another scan is shifted against a panorama."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from damascene import InputError
from damascene.images.stitching.offsets import Offset, Strip, measure_offset
from damascene.images.store import TiledImage, Window

#: Edge of the blocks that get a shift of their own.
BLOCK_PX = 512
# The first look compares levels of the pyramids of about this size.
_OVERVIEW_PX = 2048
# By how much a block may have drifted against what the first look found.
_DRIFT_PX = 24
# What is left where the other blocks tell the place already.
_SECOND_SEARCH_PX = 12
# A block further from what its neighbours say shows another place, or a repeating texture.
_FROM_NEIGHBOURS_PX = 4.0
_FITS = 4


@dataclass(frozen=True, kw_only=True)
class Shifts:
    """By how much the scan is shifted: pixel (y, x) of the panorama is (y - dy, x - dx) of it.

    Attributes
    ----------
    rows, columns : numpy.ndarray, float64, shapes (R,) and (C,)
        Centres of the blocks in the panorama.
    dy, dx : numpy.ndarray, float64, shape (R, C)
        Of each block, in pixels; those of blocks that could not be registered follow from the
        others.
    registered : numpy.ndarray of bool, shape (R, C)
        Whether the block itself says so.
    asked : numpy.ndarray of bool, shape (R, C)
        Whether most of the block is valid in the panorama.
    correlation : float
        Of grey values, without noise and shading; median of the registered blocks.
    residual_px : float
        Root mean square distance of the shift of a block from the median of its neighbours'.
    """

    rows: np.ndarray
    columns: np.ndarray
    dy: np.ndarray
    dx: np.ndarray
    registered: np.ndarray
    asked: np.ndarray
    correlation: float
    residual_px: float


def measure_shifts(
    image: TiledImage, valid: TiledImage, scan: TiledImage, scan_valid: TiledImage, *, threads: int
) -> Shifts:
    """Measure by how much a scan of the same place is shifted against a panorama.

    The overviews tell the shift of the whole, at most half the longer edge. Each block of the
    panorama is then compared with its surroundings there by `measure_offset`. Blocks that show
    nothing clear are looked at once more where a plane through the others says.

    Parameters
    ----------
    image, valid : TiledImage
        The panorama and its mask.
    scan, scan_valid : TiledImage
        The other scan and its mask; of any size.
    threads : int
        Blocks worked on at the same time.

    Raises
    ------
    InputError
        If the overviews do not show one place, or no block can be registered.
    """
    level = _overview_level(image, scan)
    whole = _compare_overviews(image, valid, scan, scan_valid, level=level)
    tops, lefts = (block_edges(length) for length in image.shape)
    rows, columns = (edges[:-1] + np.diff(edges) / 2 for edges in (tops, lefts))
    blocks = [(row, column) for row in range(len(rows)) for column in range(len(columns))]

    def look(expected: Callable, search_px: int, which):
        def one(block):
            row, column = block
            window = Window(
                top=int(tops[row]),
                left=int(lefts[column]),
                bottom=int(tops[row + 1]),
                right=int(lefts[column + 1]),
            )
            return _look_at(
                image, valid, scan, window, expected=expected(row, column), search_px=search_px
            )

        with ThreadPoolExecutor(max_workers=threads) as pool:
            return dict(zip(which, pool.map(one, which), strict=True))

    search_px = max(_DRIFT_PX, 4 * 2**level)
    found = look(lambda *_: whole, search_px, blocks)
    asked = np.zeros((len(rows), len(columns)), bool)
    for block, offset in found.items():
        asked[block] = offset is not None
    dy, dx = _completed(found, rows, columns, asked.shape)[:2]
    again = [block for block in blocks if asked[block] and found[block].fault]
    found |= look(
        lambda row, column: np.rint([dx[row, column], dy[row, column]]).astype(np.int64),
        _SECOND_SEARCH_PX,
        again,
    )
    dy, dx, registered, residual_px = _completed(found, rows, columns, asked.shape)
    if not registered.any():
        raise InputError(_ANOTHER_PLACE)
    return Shifts(
        rows=rows,
        columns=columns,
        dy=dy,
        dx=dx,
        registered=registered,
        asked=asked,
        correlation=float(np.median([found[b].correlation for b in blocks if registered[b]])),
        residual_px=residual_px,
    )


_ANOTHER_PLACE = (
    "the scan does not show the place of the panorama: no shift makes their structures agree. Name "
    "a scan of the same place with the same signal and magnification, not turned or mirrored, or "
    "leave the cell empty."
)


def block_edges(length: int) -> np.ndarray:
    """Return where blocks begin, and the end of the last, which takes up a small remainder."""
    count = max(round(length / BLOCK_PX), 1)
    return np.append(np.arange(count) * BLOCK_PX, length)


def _overview_level(image, scan):
    wanted = 0
    while max(image.shape) >> wanted > _OVERVIEW_PX:
        wanted += 1
    return min(wanted, image.level_count - 1, scan.level_count - 1)


def _compare_overviews(image, valid, scan, scan_valid, *, level):
    """Return the corner (x, y) of the scan in the panorama, in whole pixels."""
    one = _overview(image.path, valid, level)
    other = _overview(scan.path, scan_valid, level)
    offset = measure_offset(
        Strip(pixels=one, corner=np.zeros(2, np.int64)),
        Strip(pixels=other, corner=np.zeros(2, np.int64)),
        expected=np.zeros(2, np.int64),
        search_px=max(one.shape) // 2,
    )
    if offset.fault:
        raise InputError(_ANOTHER_PLACE)
    return np.rint(np.array([offset.dx_px, offset.dy_px]) * 2**level).astype(np.int64)


def _overview(path: Path, valid, level):
    """Return a level of the pyramid in which what is not valid shows no structure."""
    with TiledImage(path, level=level) as image:
        pixels = image.read()
    step = 2**level
    usable = np.zeros(pixels.shape, bool)
    for top in range(0, valid.shape[0], BLOCK_PX * step):
        window = Window(
            top=top,
            left=0,
            bottom=min(top + BLOCK_PX * step, valid.shape[0]),
            right=valid.shape[1],
        )
        part = valid.read(window)[::step, ::step] == 255
        rows = slice(top // step, min(top // step + len(part), len(usable)))
        usable[rows, : part.shape[1]] = part[: rows.stop - rows.start, : usable.shape[1]]
    return _without_holes(pixels, usable)


def _without_holes(pixels, usable):
    if usable.all() or not usable.any():
        return pixels
    return np.where(usable, pixels, np.uint8(round(pixels[usable].mean())))


def _look_at(image, valid, scan, window, *, expected, search_px) -> Offset | None:
    """Return the offset of a block; None where most of it is not valid."""
    usable = valid.read(window) == 255
    if usable.mean() < 0.5:
        return None
    corner = np.array([window.left, window.top])
    height, width = scan.shape
    low = np.clip(corner - expected - search_px, 0, (width, height))
    high = np.clip([window.right, window.bottom] - expected + search_px, low, (width, height))
    there = Window(top=int(low[1]), left=int(low[0]), bottom=int(high[1]), right=int(high[0]))
    return measure_offset(
        Strip(pixels=_without_holes(image.read(window), usable), corner=corner),
        Strip(pixels=scan.read(there), corner=low),
        expected=np.asarray(expected),
        search_px=search_px,
    )


def _completed(found, rows, columns, shape):
    """Return the shifts of all blocks, which of them count, and how far neighbours disagree."""
    measured = np.full((2, *shape), np.nan)
    for block, offset in found.items():
        if offset is not None and not offset.fault:
            measured[:, *block] = offset.dy_px, offset.dx_px
    plane, counted = _plane(measured, rows, columns)
    rest = np.where(counted, measured - plane, np.nan)
    around = _median_around(rest)
    apart = np.linalg.norm(rest - around, axis=0)
    registered = counted & ~(apart > _FROM_NEIGHBOURS_PX)
    rest[:, ~registered] = np.nan
    around = np.nan_to_num(_median_around(rest))
    dy, dx = plane + np.where(registered, np.nan_to_num(rest), around)
    apart = apart[registered & np.isfinite(apart)]
    return dy, dx, registered, float(np.sqrt(np.mean(apart**2))) if apart.size else 0.0


def _plane(measured, rows, columns):
    """Fit a plane to the shifts of most blocks; return it everywhere, and which blocks are near.

    A plane is a shift, a small turn and a difference of magnification.
    """
    y, x = np.meshgrid(rows - rows.mean(), columns - columns.mean(), indexing="ij")
    design = np.stack([np.ones_like(y), y / BLOCK_PX, x / BLOCK_PX], axis=-1)
    good = np.isfinite(measured).all(axis=0)
    if not good.any():
        return np.zeros_like(measured), good
    counted = good
    for _ in range(_FITS):
        if counted.sum() < 6:
            # Too few to tell a turn from a wrong block.
            plane = np.broadcast_to(
                np.median(measured[:, counted], axis=1)[:, None, None], measured.shape
            ).copy()
        else:
            factors = np.linalg.lstsq(design[counted], measured[:, counted].T, rcond=None)[0]
            plane = np.moveaxis(design @ factors, -1, 0)
        apart = np.linalg.norm(measured - plane, axis=0)
        spread = 1.4826 * np.median(apart[counted])
        # Drift bends the plane; what is many times further away than most shows another place.
        counted = good & (apart <= 6 * spread + 2 * _FROM_NEIGHBOURS_PX)
    return plane, counted


def _median_around(values):
    """Return, for each block, the median of its eight neighbours, NaN where none counts."""
    padded = np.pad(values, ((0, 0), (1, 1), (1, 1)), constant_values=np.nan)
    rows, columns = values.shape[1:]
    near = np.stack(
        [
            padded[:, i : i + rows, j : j + columns]
            for i in range(3)
            for j in range(3)
            if (i, j) != (1, 1)
        ]
    )
    known = np.isfinite(near).any(axis=0)
    return np.where(known, np.nanmedian(np.where(known, near, 0.0), axis=0), np.nan)
