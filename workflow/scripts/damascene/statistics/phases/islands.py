"""Islands: connected regions of one phase, found strip by strip, and the borders between phases.

A strip becomes horizontal runs of one phase. Runs of neighbouring rows that share the phase and an
edge or a corner are joined. Only the regions that reach the last row of a strip stay open, so a
region is one region however many strips it crosses, and memory holds the runs of one strip.
"""

from dataclasses import dataclass

import numpy as np

from damascene.clustering.runs import joined, overlaps
from damascene.statistics.phases.strips import OUTSIDE


@dataclass(frozen=True, kw_only=True)
class Islands:
    """Connected regions (of eight neighbours) as arrays of one length.

    Attributes
    ----------
    phase : numpy.ndarray, int64
        From 1.
    area_px : numpy.ndarray, int64
    cut : numpy.ndarray, bool
        Whether the region touches the border of the map or what is outside of the valid area, so
        that its whole size is not known.
    marked_px : numpy.ndarray, int64
        Pixels of it that were marked.
    """

    phase: np.ndarray
    area_px: np.ndarray
    cut: np.ndarray
    marked_px: np.ndarray

    def __len__(self) -> int:  # noqa: D105
        return len(self.phase)

    def __getitem__(self, chosen) -> "Islands":  # noqa: D105
        return Islands(**{name: values[chosen] for name, values in vars(self).items()})

    @classmethod
    def joined(cls, parts: list["Islands"]) -> "Islands":
        """Return the regions of several lists in one."""
        return cls(
            **{
                name: np.concatenate([getattr(part, name) for part in parts])
                for name in cls.__dataclass_fields__
            }
        )


def _no_islands():
    none = np.empty(0, np.int64)
    return Islands(phase=none, area_px=none, cut=none.astype(bool), marked_px=none)


class IslandFinder:
    """Takes the strips of a map from top to bottom.

    Parameters
    ----------
    phases : int
        Values 1 to this number are phases, 0 is outside.

    Attributes
    ----------
    borders : numpy.ndarray, int64, shape (2, phases + 1)
        Neighbouring pixels of which one has the phase and the other another phase: one above the
        other, and side by side.
    """

    def __init__(self, phases: int):
        self.borders = np.zeros((2, phases + 1), np.int64)
        self._row = None
        self._region_of_run = np.empty(0, np.int64)
        self._open = _no_islands()
        self._complete = []

    def take(self, strip: np.ndarray, marks: np.ndarray | None = None) -> None:
        """Take the next rows.

        Parameters
        ----------
        strip : numpy.ndarray, uint8, shape (rows, width)
        marks : numpy.ndarray, bool, shape (rows, width), optional
            Pixels to be counted in each region.
        """
        carried = self._row is not None
        # The last row of the strip before comes again, on top, to be joined to this one.
        rows = np.concatenate([self._row[None], strip]) if carried else strip
        width = rows.shape[1]
        start = _run_starts(rows)
        row, first = np.divmod(start, width)
        last = np.append(start[1:], rows.size) - 1 - row * width
        phase = rows.ravel()[start].astype(np.int64)
        area, marked = last - first + 1, np.zeros(len(start), np.int64)
        if marks is not None and marks.any():
            above = np.zeros((int(carried), width), bool)
            flat = np.concatenate([above, marks]).ravel()
            marked = np.add.reduceat(flat, start, dtype=np.int64)
        known = len(self._region_of_run)
        area[:known] = 0

        # A column that is empty keeps runs at the ends of rows apart.
        line = row * (width + 2)
        upper, lower = overlaps(line + first, line + last, below=width + 2, margin=1)
        beside = np.flatnonzero(row[1:] == row[:-1])
        beside = beside[beside >= known - 1]
        cut = (first == 0) | (last == width - 1)
        if not carried:
            cut |= row == 0
        for one, other in ((upper, lower), (beside, beside + 1)):
            cut[one[phase[other] == OUTSIDE]] = True
            cut[other[phase[one] == OUTSIDE]] = True
        self._count_borders(rows, phase[beside], phase[beside + 1])

        alike = phase[upper] == phase[lower]
        region = joined(
            np.concatenate([upper[alike], np.arange(known)]),
            np.concatenate([lower[alike], len(start) + self._region_of_run]),
            nodes=len(start) + len(self._open),
        )
        regions = _united(
            region,
            Islands.joined(
                [Islands(phase=phase, area_px=area, cut=cut, marked_px=marked), self._open]
            ),
        )
        of_last_row = region[: len(start)][row == len(rows) - 1]
        is_open = np.zeros(len(regions), bool)
        is_open[of_last_row] = True
        self._complete.append(regions[~is_open & (regions.phase != OUTSIDE)])
        self._open = regions[is_open]
        self._region_of_run = (np.cumsum(is_open) - 1)[of_last_row]
        self._row = rows[-1].copy()

    def finish(self) -> Islands:
        """Return all regions, once the last strip has been taken."""
        rest = self._open[self._open.phase != OUTSIDE]
        at_bottom = Islands(**(vars(rest) | {"cut": np.ones(len(rest), bool)}))
        return Islands.joined([*self._complete, at_bottom])

    def _count_borders(self, rows, left, right):
        count = self.borders.shape[1]
        above, below = rows[:-1], rows[1:]
        differ = np.flatnonzero(above != below)
        pairs = ((above.ravel()[differ], below.ravel()[differ]), (left, right))
        for total, (one, other) in zip(self.borders, pairs, strict=True):
            both = (one != OUTSIDE) & (other != OUTSIDE)
            for side in (one, other):
                total += np.bincount(side[both], minlength=count)


def _run_starts(rows):
    starts = np.ones(rows.shape, bool)
    np.not_equal(rows[:, 1:], rows[:, :-1], out=starts[:, 1:])
    return np.flatnonzero(starts)


def _united(region, parts):
    """Add up parts that belong to one region; `region` numbers them from 0."""
    count = int(region.max(initial=-1)) + 1
    phase = np.empty(count, np.int64)
    phase[region] = parts.phase
    sums = {
        # Numbers of pixels are exact in float64.
        name: np.bincount(region, weights=getattr(parts, name), minlength=count).astype(np.int64)
        for name in ("area_px", "cut", "marked_px")
    }
    return Islands(phase=phase, **(sums | {"cut": sums["cut"] > 0}))
