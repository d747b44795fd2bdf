"""Pixels as horizontal runs, the form in which links between them are found.

Runs are sorted row-major and apart from each other, so that those which reach into an interval of
a row are a range of the list: two binary searches find them, however many pixels they hold.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components


@dataclass(frozen=True, kw_only=True)
class Runs:
    """Horizontal runs of pixels: row, first and last column (inclusive), one value a run."""

    row: np.ndarray
    first: np.ndarray
    last: np.ndarray

    @property
    def length(self) -> np.ndarray:
        """Pixels of each run."""
        return self.last - self.first + 1

    def __getitem__(self, chosen) -> "Runs":  # noqa: D105
        return Runs(row=self.row[chosen], first=self.first[chosen], last=self.last[chosen])

    def astype(self, dtype: np.dtype) -> "Runs":
        """Return the same runs as numbers of another type."""
        return Runs(**{name: values.astype(dtype) for name, values in vars(self).items()})

    def followed_by(self, others: "Runs") -> "Runs":
        """Return these runs and, behind them, others."""
        return Runs.joined([self, others])

    @classmethod
    def joined(cls, parts: Sequence["Runs"]) -> "Runs":
        """Return the runs of several lists, one list behind the other."""
        return cls(
            row=np.concatenate([part.row for part in parts]),
            first=np.concatenate([part.first for part in parts]),
            last=np.concatenate([part.last for part in parts]),
        )

    def pixels(self) -> tuple[np.ndarray, np.ndarray]:
        """Return rows and columns of all pixels, run by run."""
        length = self.length
        columns = np.arange(length.sum())
        columns += np.repeat(self.first - (np.cumsum(length) - length), length)
        return np.repeat(self.row, length), columns


def run_starts(rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """Mark the pixels, of a row-major list, that do not follow on their predecessor.

    Parameters
    ----------
    rows, columns : numpy.ndarray, int64, shape (pixels,)

    Returns
    -------
    numpy.ndarray, bool, shape (pixels,)
    """
    starts = np.ones(len(rows), bool)
    np.not_equal(columns[1:], columns[:-1] + 1, out=starts[1:])
    starts[1:] |= rows[1:] != rows[:-1]
    return starts


def runs_of(rows: np.ndarray, columns: np.ndarray) -> Runs:
    """Join pixels in row-major order to runs."""
    starts = np.flatnonzero(run_starts(rows, columns))
    ends = np.append(starts[1:], len(rows)) - 1 if len(rows) else starts
    return Runs(row=rows[starts], first=columns[starts], last=columns[ends])


def united(runs: Runs, site: np.ndarray) -> tuple[Runs, np.ndarray]:
    """Return the pixels of sites as their longest runs, each pixel of a site once.

    Parameters
    ----------
    runs : Runs
        In any order; those of one site may overlap.
    site : numpy.ndarray of int, shape (runs,)
        Numbers from 0.

    Returns
    -------
    runs : Runs
        int64, sorted by site and within a site row-major; neither overlapping nor touching.
    site : numpy.ndarray, int64, shape (runs,)
    """
    if not len(site):
        none = np.empty(0, np.int64)
        return Runs(row=none, first=none, last=none), none
    runs = runs.astype(np.int64)
    # A line is a row of a site; an empty column ends each, so that runs never touch across lines.
    height, stride = int(runs.row.max()) + 1, int(runs.last.max()) + 2
    line = (site.astype(np.int64) * height + runs.row) * stride
    first, last = line + runs.first, line + runs.last
    order = np.argsort(first, kind="stable")
    first, reach = first[order], np.maximum.accumulate(last[order])
    starts = np.flatnonzero(np.append(True, first[1:] > reach[:-1] + 1))
    first, last = first[starts], reach[np.append(starts[1:], len(first)) - 1]
    line = first // stride
    return (
        Runs(row=line % height, first=first % stride, last=last % stride),
        line // height,
    )


def linked_runs(runs: Runs, *, half_widths: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return pairs of runs that hold neighbouring pixels.

    Parameters
    ----------
    runs : Runs
        In row-major order.
    half_widths : numpy.ndarray, int64, shape (reach + 1,)
        A pixel's neighbours `dy` rows away lie at most `half_widths[dy]` columns away.

    Returns
    -------
    earlier, later : numpy.ndarray, int64, shape (pairs,)
        Of the runs of one row only consecutive ones are paired: the rest follows from these.
    """
    if not len(runs.row):
        return np.empty(0, np.int64), np.empty(0, np.int64)
    # Empty columns between the rows keep a widened run from reaching into the next row.
    stride = int(runs.last.max()) + 1 + int(half_widths.max())
    first, last = runs.row * stride + runs.first, runs.row * stride + runs.last
    near = np.flatnonzero(
        (runs.row[1:] == runs.row[:-1]) & (runs.first[1:] - runs.last[:-1] <= half_widths[0])
    )
    earlier, later = [near], [near + 1]
    for dy, width in enumerate(half_widths[1:].tolist(), start=1):
        upper, lower = overlaps(first, last, below=dy * stride, margin=width)
        earlier.append(upper)
        later.append(lower)
    return np.concatenate(earlier), np.concatenate(later)


def overlaps(
    first: np.ndarray,
    last: np.ndarray,
    *,
    below: int,
    margin: int = 0,
    upper: np.ndarray | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Return pairs of intervals that overlap once the first is moved by `below` and widened.

    Parameters
    ----------
    first, last : numpy.ndarray, int64, shape (intervals,)
        Inclusive ends of intervals that are sorted and apart.
    below : int
        Added to the ends of the first interval of a pair.
    margin : int, optional
        By which it is widened on both sides.
    upper : numpy.ndarray, int64, optional
        Numbers of the intervals that may be the first of a pair; all without.

    Returns
    -------
    upper, lower : numpy.ndarray, int64, shape (pairs,)
    """
    if upper is None:
        upper = np.arange(len(first))
    begin = np.searchsorted(last, first[upper] + (below - margin))
    end = np.searchsorted(first, last[upper] + (below + margin), side="right")
    count = np.maximum(end - begin, 0)
    within = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count)
    return np.repeat(upper, count), np.repeat(begin, count) + within


def joined(first: np.ndarray, second: np.ndarray, *, nodes: int) -> np.ndarray:
    """Return the connected component of each node, numbered by its first node.

    Parameters
    ----------
    first, second : numpy.ndarray, int64, shape (links,)
        The nodes that each link joins.
    nodes : int

    Returns
    -------
    numpy.ndarray, int64, shape (nodes,)
    """
    graph = coo_array((np.ones(len(first), bool), (first, second)), shape=(nodes, nodes))
    count, component = connected_components(graph, directed=False)
    # Backwards, so that the first node of a component is the one that is written last.
    first_node = np.empty(count, np.int64)
    first_node[component[::-1]] = np.arange(nodes - 1, -1, -1)
    number = np.empty(count, np.int64)
    number[np.argsort(first_node)] = np.arange(count)
    return number[component]
