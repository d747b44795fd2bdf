"""Register all frames: measure the offsets of neighbours, then solve for positions."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import pandas as pd

from damascene.images.stitching.frames import FrameSet, decode, neighbours
from damascene.images.stitching.offsets import Offset, Strip, measure_offset, overlap_windows
from damascene.images.stitching.positions import Positions, solve_positions

#: Largest error of the nominal distance of two frames, as a part of the longer edge of a frame.
SEARCH = 0.1
# Within this distance the second look searches where the other offsets tell the place already.
_SECOND_SEARCH_PX = 12
_UNUSED = "contradicts the other offsets"


@dataclass(frozen=True, kw_only=True)
class Registration:
    """Pairs of neighbours (indices of frames), what their overlaps say, and where frames lie."""

    pairs: np.ndarray
    offsets: list[Offset]
    positions: Positions


def register_frames(
    opened: FrameSet, *, search_px: int | None = None, threads: int = 1
) -> Registration:
    """Find the positions of overlapping frames.

    Offsets that were not found at first are searched once more where the positions solved
    from the others say, and in a smaller range if these connect both frames: there a weaker peak
    is significant, and a repeating texture may be resolved.

    Memory holds the strips of one row of frames.

    Parameters
    ----------
    opened : FrameSet
    search_px : int, optional
        By how much the nominal distance of two neighbours may be wrong; a tenth of the longer edge
        of a frame if not given.
    threads : int, optional
        Frames and pairs worked on at the same time.

    Returns
    -------
    Registration
    """
    size = np.array([opened.width_px, opened.height_px])
    search_px = search_px or round(SEARCH * size.max())
    nominal = opened.nominal_px
    pairs = neighbours(nominal, width_px=size[0], height_px=size[1])
    everywhere = np.full(len(pairs), search_px)
    offsets = _measure(opened, pairs, _steps(nominal, pairs), everywhere, threads=threads)
    common = np.clip(size - np.abs(nominal[pairs[:, 1]] - nominal[pairs[:, 0]]), 0, None)
    area = (common / size).prod(axis=1)
    positions = _solve(nominal, pairs, offsets, area)
    again = np.flatnonzero(~positions.used)
    if len(again) and positions.used.any():
        group = positions.group[pairs[again]]
        reach = np.where(group[:, 0] == group[:, 1], min(_SECOND_SEARCH_PX, search_px), search_px)
        steps = _steps(positions.corners_px, pairs[again])
        for index, offset in zip(
            again, _measure(opened, pairs[again], steps, reach, threads=threads), strict=True
        ):
            # A first look that found nothing is worth no less in the table than a second one.
            if not offset.fault or np.isnan(offsets[index].correlation):
                offsets[index] = offset
        positions = _solve(nominal, pairs, offsets, area)
    return Registration(pairs=pairs, offsets=offsets, positions=positions)


def pair_table(opened: FrameSet, registration: Registration) -> pd.DataFrame:
    """Return what was measured between neighbouring frames, one row per pair.

    Returns
    -------
    pandas.DataFrame
        `first`, `second`: files. `nominal_dx_px`, `nominal_dy_px`, `measured_dx_px`,
        `measured_dy_px`: corner of the second frame minus that of the first. `correlation`,
        `peak`, `first_level`, `second_level`: as `Offset`. `accepted`: whether the positions rest
        on it; `fault`: why not. `residual_px`: measured offset against that of the positions.
    """
    names = np.array([frame.name for frame in opened.frames])
    pairs, positions = registration.pairs, registration.positions
    nominal = opened.nominal_px[pairs[:, 1]] - opened.nominal_px[pairs[:, 0]]
    offsets = registration.offsets
    faults = [
        offset.fault or ("" if used else _UNUSED)
        for offset, used in zip(offsets, positions.used, strict=True)
    ]
    return pd.DataFrame(
        {
            "first": names[pairs[:, 0]],
            "second": names[pairs[:, 1]],
            "nominal_dx_px": nominal[:, 0],
            "nominal_dy_px": nominal[:, 1],
            "measured_dx_px": [offset.dx_px for offset in offsets],
            "measured_dy_px": [offset.dy_px for offset in offsets],
            "correlation": [offset.correlation for offset in offsets],
            "peak": [offset.peak for offset in offsets],
            "first_level": [offset.first_level for offset in offsets],
            "second_level": [offset.second_level for offset in offsets],
            "accepted": positions.used,
            "fault": faults,
            "residual_px": positions.residual_px,
        }
    )


def _steps(corners, pairs):
    return np.rint(corners[pairs[:, 1]] - corners[pairs[:, 0]]).astype(np.int64)


def _solve(nominal, pairs, offsets, area):
    measured = np.array([(offset.dx_px, offset.dy_px) for offset in offsets], float).reshape(-1, 2)
    clear = np.array([0.0 if offset.fault else offset.correlation**2 for offset in offsets])
    return solve_positions(nominal, pairs, measured, clear * area)


def _measure(opened, pairs, expected, search_px, *, threads) -> list[Offset]:
    """Measure the offsets of pairs; each frame is decoded once."""

    def measure(index, first, second):
        reach = int(search_px[index])
        return measure_offset(first, second, expected=expected[index], search_px=reach)

    offsets: list = [None] * len(pairs)
    with ThreadPoolExecutor(max_workers=threads) as pool:
        waiting = {}
        for ready in _strips(opened, pairs, expected, search_px, pool=pool, batch=2 * threads):
            complete = []
            for index, side, strip in ready:
                if index in waiting:
                    other = waiting.pop(index)
                    complete.append((index, *((other, strip) if side else (strip, other))))
                else:
                    waiting[index] = strip
            for (index, *_), offset in zip(
                complete,
                pool.map(measure, *zip(*complete, strict=True)) if complete else (),
                strict=True,
            ):
                offsets[index] = offset
    return offsets


def _strips(opened, pairs, expected, search_px, *, pool, batch) -> Iterator[list]:
    """Yield, a few frames at a time from top to bottom: pair, side (0 or 1), strip."""
    size = np.array([opened.width_px, opened.height_px])
    of_frame = {}
    for index, (first, second) in enumerate(pairs):
        of_frame.setdefault(first, []).append((index, 0))
        of_frame.setdefault(second, []).append((index, 1))
    nominal = opened.nominal_px
    order = sorted(of_frame, key=lambda frame: (nominal[frame, 1], nominal[frame, 0]))

    def cut(frame):
        pixels = decode(opened.frames[frame].header)
        strips = []
        for index, side in of_frame[frame]:
            low, high = overlap_windows(
                expected[index], size=size, search_px=int(search_px[index])
            )[side]
            # A copy, so that the frame itself can go.
            part = pixels[low[1] : high[1], low[0] : high[0]].copy()
            strips.append((index, side, Strip(pixels=part, corner=low)))
        return strips

    for start in range(0, len(order), batch):
        yield [strip for strips in pool.map(cut, order[start : start + batch]) for strip in strips]
