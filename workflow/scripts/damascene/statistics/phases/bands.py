"""Bands of a phase: their direction and how strong it is, their distance and their width.

The direction is that of the structure tensor of the local fraction of the phase. Directions of
gradients are doubled, weighted by their square and averaged (Mardia & Jupp, Directional Statistics,
10.1002/9780470316979); the length of the mean is the strength: 0 where all directions are alike, 1
where there is one. It is the coherence of the tensor over the whole map (Rezakhaniha et al.,
10.1007/s10237-011-0325-z).

Distance and width are counted as in ASTM E1268 (10.1520/E1268-19): lines across the bands meet N of
them on a length L; their mean distance from centre to centre is L / N, and their mean width the
part of the lines in bands times that. A band is where the local fraction, averaged more along the
bands than across them, is high; islands and grains alone then make none.
"""

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from damascene.statistics.phases.cells import Cells

# Standard deviations of the weights by which local fractions are averaged, in cells.
_ACROSS, _ALONG = 1.5, 10.0
#: Strength below which nobody would call a structure banded.
LEAST_STRENGTH = 0.1
# Strength over its scatter by chance: passed once in 500 by structures without a direction.
_CHANCE = 3.5
# Parts of the map whose scatter tells how much the direction depends on chance.
_PARTS = 5
# A band ends where the fraction is halfway between that of the ferrite-like and the band-like part,
# these quantiles, and counts if it passes this level by a part of their difference.
_QUANTILES = (0.02, 0.98)
_HYSTERESIS = 0.05
# Smallest extent of a map in which bands can be measured, in cells.
_LEAST_CELLS = 30
# Part of a cell that must be mapped, and of the weights of an average.
_LEAST_MAPPED = 0.5


@dataclass(frozen=True, kw_only=True)
class Bands:
    """Bands of a phase.

    Attributes
    ----------
    found : {"bands", "no_bands", "not_measured"}
        `not_measured`: the map is too small, or of one phase.
    strength : float
        0 to 1; NaN where not measured.
    angle_deg : float
        From the x axis, counter-clockwise as seen, above -90 and up to 90; NaN without bands.
    spacing_um, width_um : float
        NaN without bands.
    across : float
        Extent of the map across the bands over their spacing: so many lie side by side.
    """

    found: str
    strength: float = np.nan
    angle_deg: float = np.nan
    spacing_um: float = np.nan
    width_um: float = np.nan
    across: float = np.nan


def measure_bands(cells: Cells, phase: int) -> Bands:
    """Measure the bands of a phase.

    Parameters
    ----------
    cells : Cells
    phase : int
        From 1.
    """
    whole = cells.whole_of(phase)
    known = whole > _LEAST_MAPPED * cells.edge_px**2
    if min(cells.shape) < _LEAST_CELLS or known.sum() < _LEAST_CELLS**2:
        return Bands(found="not_measured")
    fraction = np.divide(
        cells.pixels[phase - 1], whole, where=known, out=np.zeros(cells.shape, np.float32)
    )
    if np.ptp(fraction[known]) == 0:
        return Bands(found="not_measured")
    strength, across, chance = direction(fraction, known)
    if not strength > max(LEAST_STRENGTH, _CHANCE * chance):
        return Bands(found="no_bands", strength=strength)
    # Rows of an image count downwards, angles of people upwards.
    # Adding 0 turns -0 into 0.
    angle = 90 - np.degrees(across + np.pi) % 180 + 0.0
    count, length, part = count_bands(fraction, known, across=across)
    if not count:
        return Bands(found="no_bands", strength=strength)
    spacing = length / count
    extent = abs(np.cos(across)) * cells.shape[1] + abs(np.sin(across)) * cells.shape[0]
    return Bands(
        found="bands",
        strength=strength,
        angle_deg=angle,
        spacing_um=spacing * cells.edge_um,
        width_um=part * spacing * cells.edge_um,
        across=extent / spacing,
    )


def direction(fraction: np.ndarray, known: np.ndarray) -> tuple[float, float, float]:
    """Return the mean direction of the gradients of local fractions.

    Parameters
    ----------
    fraction : numpy.ndarray, float32, shape (rows, columns)
    known : numpy.ndarray, bool, shape (rows, columns)

    Returns
    -------
    strength : float
        0 to 1.
    angle : float
        Direction across the bands in radians, from the columns towards the rows.
    chance : float
        Standard deviation of the strength by chance, along each of two axes, from parts of the map.
    """
    known_part = known.astype(np.float32)
    field = np.where(known, fraction, 0).astype(np.float32)

    def derived(values, order):
        return ndimage.gaussian_filter(values, _ACROSS, order=order, mode="constant")

    weight, total = derived(known_part, 0), derived(field, 0)
    # Where an average lacks neighbours it has an edge of its own.
    whole = weight > 0.95
    down, across = (
        np.where(whole, derived(field, order) * weight - total * derived(known_part, order), 0)
        for order in ((1, 0), (0, 1))
    )
    doubled = (across + 1j * down) ** 2
    energy = np.abs(doubled)
    edges = [np.linspace(0, n, _PARTS + 1).astype(int)[:-1] for n in fraction.shape]
    sums, energies = (
        np.add.reduceat(np.add.reduceat(values, edges[0], axis=0), edges[1], axis=1).ravel()
        for values in (doubled, energy)
    )
    total = energies.sum()
    if not total > 0:
        return 0.0, 0.0, np.inf
    mean = sums.sum() / total
    residual = sums - mean * energies
    chance = np.sqrt((np.abs(residual) ** 2).sum() / 2) / total
    return float(np.abs(mean)), float(np.angle(mean) / 2), float(chance)


def count_bands(
    fraction: np.ndarray, known: np.ndarray, *, across: float
) -> tuple[float, float, float]:
    """Count bands along lines across them.

    Parameters
    ----------
    fraction, known : numpy.ndarray, shape (rows, columns)
    across : float
        Direction across the bands, from `direction`.

    Returns
    -------
    count : float
        Bands that lines meet; one in which a line begins or ends counts half.
    length : float
        Of the lines, in cells.
    part : float
        Part of this length that lies in bands.
    """
    turned, inside = _turned(fraction, known, across=across)
    smooth, weight = _averaged(turned, inside, (_ACROSS, _ALONG))
    inside &= weight > _LEAST_MAPPED
    if not inside.any() or np.ptp(smooth[inside]) == 0:
        return 0.0, 0.0, 0.0
    low, high = np.quantile(smooth[inside], _QUANTILES)
    level, margin = (low + high) / 2, _HYSTERESIS * (high - low)
    state = np.zeros(smooth.shape, np.int8)
    state[inside & (smooth > level + margin)] = 1
    state[inside & (smooth < level - margin)] = -1
    # A line starts anew behind a gap.
    state[~inside] = 2
    lines = np.arange(len(state))[:, None]
    last = np.maximum.accumulate(np.where(state != 0, lines, 0), axis=0)
    held = np.take_along_axis(state, last, axis=0)
    ends = int((np.abs(held[1:] - held[:-1]) == 2).sum())
    steps = inside[1:] & inside[:-1]
    return ends / 2, float(steps.sum()), _part_above(smooth, steps, level)


def _part_above(values, steps, level):
    """Return the part of lines above a level, interpolated between their points."""
    one, other = values[:-1][steps] - level, values[1:][steps] - level
    lower, upper = np.minimum(one, other), np.maximum(one, other)
    above = np.divide(upper, upper - lower, where=upper > lower, out=(upper > 0).astype(float))
    return float(np.clip(above, 0, 1).mean())


def _turned(fraction, known, *, across):
    """Resample a field so that bands lie along its rows."""
    height, width = fraction.shape
    reach = int(np.ceil(np.hypot(height, width) / 2))
    v, u = np.arange(-reach, reach + 1.0), np.arange(-reach, reach + 1.0)
    sine, cosine = np.sin(across), np.cos(across)
    rows = (height - 1) / 2 + v[:, None] * sine + u[None, :] * cosine
    columns = (width - 1) / 2 + v[:, None] * cosine - u[None, :] * sine
    places = np.stack([rows, columns])
    turned = ndimage.map_coordinates(fraction, places, order=1, mode="nearest")
    inside = ndimage.map_coordinates(known.view(np.uint8), places, order=0, cval=0) > 0
    return turned, inside


def _averaged(field, known, sigma):
    """Return weighted means over what is known, and the sum of the weights there."""
    weight = ndimage.gaussian_filter(known.astype(np.float32), sigma, mode="constant")
    total = ndimage.gaussian_filter(np.where(known, field, 0), sigma, mode="constant")
    return np.divide(total, weight, where=weight > 1e-3, out=np.zeros_like(total)), weight
