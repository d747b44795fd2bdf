"""Phase fractions with intervals from blocks, and how they converge with the size of a window.

The pixels of a map do not tell how sure a fraction is: neighbours belong to one island, and islands
to one band. Blocks are therefore much longer than the structure is correlated, along each axis
by itself because bands are. The fraction is a ratio of sums over blocks, so that a block with
little mapped area weighs little, and each block is left out once (see `statistics.jackknife`). Of
random banded maps of 90 x 90 to 400 x 600 µm, 92 to 97 % of the 95 % intervals held the fraction of
the steel; of 156 simulated panoramas of 246 x 164 µm, 89 %.
"""

import numpy as np
import pandas as pd

from damascene.statistics.jackknife import LEAST_GROUPS, jackknife_interval
from damascene.statistics.phases.cells import Cells

# Correlation of two places below which they count as independent, and the length of a block in
# such distances: chosen on simulated maps, where shorter blocks gave intervals that are too narrow.
_INDEPENDENT = 0.05
_BLOCK_LENGTHS = 2
# Single cells tell islands from their surroundings and hide the correlation of bands.
_JOINED = 4
#: Part of a window that must be mapped, and fewest windows of which a deviation is given.
LEAST_MAPPED = 0.75
LEAST_WINDOWS = 5
_FIRST_EDGE_UM = 5.0
#: Deviations of a fraction, in percentage points, for which the edge of a window is sought.
LIMITS_POINTS = (2, 1)


def correlation_length(cells: Cells, phase: int, *, axis: int) -> int:
    """Return from which distance on the fractions of a phase are hardly correlated.

    Parameters
    ----------
    cells : Cells
    phase : int
        From 1.
    axis : {0, 1}
        Down or across.

    Returns
    -------
    int
        In cells; the whole extent where no independent distance was found.
    """
    extent = cells.shape[axis]
    pixels = cells.summed(rows=_JOINED, columns=_JOINED)
    whole = cells.whole_of(phase, pixels)
    known = whole > LEAST_MAPPED * (_JOINED * cells.edge_px) ** 2
    if not known.any():
        return extent
    fraction = np.divide(pixels[phase - 1], whole, where=known, out=np.zeros(whole.shape))
    deviation = np.where(known, fraction - fraction[known].mean(), 0.0)
    length = deviation.shape[axis]
    products, pairs = (_products(values, axis=axis) for values in (deviation, known.astype(float)))
    # Of the transform only rounding is left where there is no pair.
    some = pairs > 0.5
    correlation = np.divide(products, pairs, where=some, out=np.zeros(length))
    if not correlation[0] > 0:
        return extent
    below = np.flatnonzero(some & (correlation < _INDEPENDENT * correlation[0]))
    return min(_JOINED * int(below[0]), extent) if len(below) else extent


def _products(values, *, axis):
    """Sum the products of values at each distance along an axis."""
    length = values.shape[axis]
    spectrum = np.abs(np.fft.rfft(values, 2 * length, axis=axis)) ** 2
    return np.fft.irfft(spectrum.sum(axis=1 - axis), 2 * length)[:length]


def block_edges(cells: Cells, phase: int) -> tuple[np.ndarray, np.ndarray]:
    """Return where blocks begin and end, in cells: as many as are long enough, alike in size."""
    edges = []
    for axis, extent in enumerate(cells.shape):
        least = _BLOCK_LENGTHS * correlation_length(cells, phase, axis=axis)
        edges.append(
            np.linspace(0, extent, max(extent // max(least, 1), 1) + 1).round().astype(int)
        )
    return edges[0], edges[1]


def in_blocks(values: np.ndarray, edges: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
    """Sum values of cells in blocks; shape (blocks,)."""
    rows = np.add.reduceat(values, edges[0][:-1], axis=0, dtype=np.int64)
    return np.add.reduceat(rows, edges[1][:-1], axis=1).ravel()


def ratio_interval(
    part: np.ndarray, whole: np.ndarray, *, confidence: float
) -> tuple[float, float]:
    """Return the interval of a ratio of sums over groups, by leaving out each group.

    Parameters
    ----------
    part, whole : numpy.ndarray, shape (groups,)
        Groups of which the whole is 0 are left out.
    confidence : float

    Returns
    -------
    low, high : float
        NaN with fewer than `LEAST_GROUPS` groups.
    """
    part, whole = part[whole > 0], whole[whole > 0]
    if len(whole) < LEAST_GROUPS:
        return np.nan, np.nan
    left_out = (part.sum() - part) / (whole.sum() - whole)
    return jackknife_interval(part.sum() / whole.sum(), left_out, confidence=confidence)


def fraction_row(cells: Cells, phase: int, *, confidence: float) -> dict[str, float | str]:
    """Return the fraction of a phase and how sure it is.

    Returns
    -------
    dict
        area_um2, whole_area_um2 (see `Cells.whole_of`), fraction, low, high, no_interval (why there
        is none), groups (blocks), block_width_um, block_height_um.
    """
    edges = block_edges(cells, phase)
    part = in_blocks(cells.pixels[phase - 1], edges)
    whole = in_blocks(cells.whole_of(phase), edges)
    blocks = int((whole > 0).sum())
    height, width = (float(np.diff(each).mean()) * cells.edge_um for each in edges)
    low, high, reason = interval_or_reason(part, whole, confidence=confidence)
    if not reason and np.isnan(low):
        reason = (
            f"{blocks} {'block' if blocks == 1 else 'blocks'} of {width:.0f} x {height:.0f} um, as "
            f"long as the structure needs, and {LEAST_GROUPS} are the fewest"
        )
    pixel_um2 = cells.pixel_um**2
    return {
        "area_um2": part.sum() * pixel_um2,
        "whole_area_um2": whole.sum() * pixel_um2,
        "fraction": part.sum() / whole.sum() if blocks else np.nan,
        "low": low,
        "high": high,
        "no_interval": reason,
        "groups": blocks,
        "block_width_um": width,
        "block_height_um": height,
    }


def interval_or_reason(
    part: np.ndarray, whole: np.ndarray, *, confidence: float
) -> tuple[float, float, str]:
    """Return the interval of a fraction, or why the fraction itself forbids one.

    The reason is empty also where groups are too few.
    """
    if not whole.sum():
        return np.nan, np.nan, "nothing is mapped"
    if part.sum() in (0, whole.sum()):
        # What is nowhere in some blocks has an exact bound only if blocks were trials.
        absent = "the phase is nowhere in the map"
        return np.nan, np.nan, absent if not part.sum() else "no other phase is in the map"
    return *ratio_interval(part, whole, confidence=confidence), ""


def convergence(cells: Cells, phase: int) -> pd.DataFrame:
    """Return how much a fraction scatters between windows of one edge, for edges up to the map's.

    After Medghalchi et al., Automated segmentation of large image datasets, arXiv 2401.01147.
    Windows lie side by side from the upper left corner.

    Parameters
    ----------
    cells : Cells
    phase : int

    Returns
    -------
    pandas.DataFrame
        edge_um, windows (with at least `LEAST_MAPPED` of their area mapped), mean_fraction (of
        windows alike in weight), standard_deviation. Edges with fewer than `LEAST_WINDOWS` windows
        are left out.
    """
    rows = []
    for edge in _window_edges(cells):
        pixels = cells.summed(rows=edge, columns=edge)
        mapped = pixels.sum(axis=0)
        known = mapped >= LEAST_MAPPED * (edge * cells.edge_px) ** 2
        if known.sum() < LEAST_WINDOWS:
            continue
        whole = cells.whole_of(phase, pixels)[known]
        fractions = pixels[phase - 1][known] / np.maximum(whole, 1)
        rows.append(
            {
                "edge_um": edge * cells.edge_um,
                "windows": len(fractions),
                "mean_fraction": fractions.mean(),
                "standard_deviation": fractions.std(ddof=1),
            }
        )
    return pd.DataFrame(rows, columns=["edge_um", "windows", "mean_fraction", "standard_deviation"])


def _window_edges(cells):
    first = max(round(_FIRST_EDGE_UM / cells.edge_um), 1)
    steps = np.arange(0, 40)
    edges = np.unique((first * 2.0 ** (steps / 2)).round().astype(int))
    return edges[edges <= min(cells.shape)].tolist()


def converged_edge_um(table: pd.DataFrame, *, points: float) -> float:
    """Return from which edge on windows scatter by no more than some percentage points.

    Parameters
    ----------
    table : pandas.DataFrame
        From `convergence`.
    points : float

    Returns
    -------
    float
        NaN where even the largest windows scatter by more.
    """
    above = np.flatnonzero(table["standard_deviation"].to_numpy() > points / 100)
    first = above[-1] + 1 if len(above) else 0
    return float(table["edge_um"].iloc[first]) if first < len(table) else np.nan
