"""Holes in dark pixels: what no way leads out of, from pixel to pixel through shared edges.

A hole is a set of gaps between the runs of a row, joined with gaps of the rows above and below,
none of which reaches past the ends of the runs there. Working on runs costs as much as there are
dark pixels, however large a hole.
"""

from dataclasses import dataclass

import numpy as np

from damascene.clustering.pixels import FILLED, Pixels, Strips
from damascene.clustering.runs import Runs, joined, overlaps, runs_of


def fill_strips(strips: Strips, *, height: int) -> Strips:
    """Fill the holes in the mask of dark pixels, as `scipy.ndimage.binary_fill_holes` does.

    A strip is held back from the row on in which a gap begins whose end is not known yet, so that
    the result does not depend on the strips. Invalid pixels are filled as others are: a particle
    that is masked because it charges, in the hole it sits in, belongs to the inclusion.

    Parameters
    ----------
    strips : iterator of (Pixels, int)
        Dark pixels, and the row below the last one known.
    height : int
        Rows of the image.

    Yields
    ------
    (Pixels, int)
        Dark and filled pixels, the latter with the grey `FILLED`; strips of other heights.

    Raises
    ------
    InputError
        If more pixels than any site has surround a gap whose end is not known.
    """
    held = Pixels.none()
    known_outside = np.empty(0, bool)
    for pixels, bottom in strips:
        resumed = int(held.rows[0]) if len(held) else None
        pixels = held.followed_by(pixels)
        runs = runs_of(pixels.rows, pixels.columns)
        gaps = _gaps(runs, np.zeros(len(runs.row), np.int64))
        open_row = bottom - 1 if bottom < height else None
        outside, undecided = _decide(
            gaps, known_outside=known_outside, resumed=resumed, open_row=open_row
        )
        hole = ~outside & ~undecided
        if hole.any():
            pixels = _with_filled(pixels, gaps.runs[hole])
        row = gaps.runs.row
        ready = bottom if open_row is None else int(row[undecided].min(initial=open_row))
        cut = int(np.searchsorted(pixels.rows, ready))
        yield pixels[:cut], ready
        held = pixels[cut:]
        held.check_waiting()
        known_outside = outside[~hole & (row >= ready)]


def holes_of_sites(runs: Runs, site: np.ndarray) -> tuple[Runs, np.ndarray]:
    """Return the holes of sites, each filled by itself, as runs and the site of each run.

    Parameters
    ----------
    runs : Runs
        Sorted by site and within a site row-major.
    site : numpy.ndarray, int64, shape (runs,)
    """
    gaps = _gaps(runs, site)
    outside, _ = _decide(gaps, known_outside=np.empty(0, bool), resumed=None, open_row=None)
    return gaps.runs[~outside], gaps.site[~outside]


@dataclass(frozen=True, kw_only=True)
class _Gaps:
    """Gaps between the runs of a line, that is of one row of one site."""

    runs: Runs
    site: np.ndarray
    line: np.ndarray
    line_site: np.ndarray
    line_row: np.ndarray
    line_first: np.ndarray
    line_last: np.ndarray


def _gaps(runs, site):
    new_line = np.ones(len(site), bool)
    new_line[1:] = (site[1:] != site[:-1]) | (runs.row[1:] != runs.row[:-1])
    starts = np.flatnonzero(new_line)
    ends = np.append(starts[1:], len(site)) - 1 if len(site) else starts
    before = np.flatnonzero(~new_line[1:])
    return _Gaps(
        runs=Runs(
            row=runs.row[before], first=runs.last[before] + 1, last=runs.first[before + 1] - 1
        ),
        site=site[before],
        line=np.cumsum(new_line)[before] - 1,
        line_site=site[starts],
        line_row=runs.row[starts],
        line_first=runs.first[starts],
        line_last=runs.last[ends],
    )


def _decide(gaps, *, known_outside, resumed, open_row):
    """Tell which gaps a way leads out of, and which go on in rows that are not known yet.

    `resumed` is the first row if rows above it are not there any more, `known_outside` what is
    known from them about the first gaps; `open_row` the last row if more will follow.
    """
    gap, count = gaps.runs, len(gaps.runs.row)
    if not count:
        return np.empty(0, bool), np.empty(0, bool)

    def beside(step):
        """Tell which gaps have a line of their site in the next row, and which lead out."""
        other = np.clip(gaps.line + step, 0, len(gaps.line_row) - 1)
        faces = (gaps.line_site[other] == gaps.site) & (gaps.line_row[other] == gap.row + step)
        past_ends = (gap.first < gaps.line_first[other]) | (gap.last > gaps.line_last[other])
        return faces, ~faces | past_ends

    _, leaves_up = beside(-1)
    faces_down, leaves_down = beside(1)
    leaves = (leaves_up & (gap.row != resumed)) | (leaves_down & (gap.row != open_row))
    leaves[: len(known_outside)] |= known_outside

    stride = int(gap.last.max()) + 1
    upper, lower = overlaps(
        gaps.line * stride + gap.first,
        gaps.line * stride + gap.last,
        below=stride,
        upper=np.flatnonzero(faces_down),
    )
    # One node more than there are gaps stands for the outside.
    leaving = np.flatnonzero(leaves)
    component = joined(
        np.concatenate([upper, leaving]),
        np.concatenate([lower, np.full(len(leaving), count)]),
        nodes=count + 1,
    )
    outside = component[:count] == component[count]
    goes_on = np.zeros(count + 1, bool)
    goes_on[component[:count][gap.row == open_row]] = True
    return outside, goes_on[component[:count]] & ~outside


def _with_filled(pixels, holes):
    rows, columns = holes.pixels()
    both = pixels.followed_by(
        Pixels(
            rows=rows,
            columns=columns,
            greys=np.full(len(rows), FILLED, np.int16),
            beside_invalid=np.zeros(len(rows), bool),
            around=None if pixels.around is None else np.zeros((len(rows), 3), np.float32),
        )
    )
    stride = int(both.columns.max()) + 1
    return both[np.argsort(both.rows * stride + both.columns, kind="stable")]
