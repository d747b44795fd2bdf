"""How dense sites are from place to place: by kernel, and by the fraction of the hard phase."""

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from damascene.images.store import TiledImage
from damascene.space.area import Area, cell_px, strips, summed

#: Sites on which each value of a density map rests on average.
SITES_PER_VALUE = 10
_BINS = 50
_STEPS = 500
# Part of the mean density that is left where there is no hard phase at all: one over the density
# is the weight of a site, and a single one must not outweigh all others.
_LEAST_CONSTANT = 0.05


@dataclass(frozen=True, kw_only=True, eq=False)
class DensityMap:
    """Density of sites over a panorama.

    Attributes
    ----------
    per_mm2 : numpy.ndarray, float64, shape (rows, columns)
        NaN where less than half of a cell is valid.
    cell_um, bandwidth_um : float
        Edge of a cell; standard deviation of the kernel.
    sites : int
    """

    per_mm2: np.ndarray
    cell_um: float
    bandwidth_um: float
    sites: int


def density_map(points_um: np.ndarray, area: Area) -> DensityMap:
    """Estimate the density of sites with a normal kernel.

    The kernel is as wide as makes its effective area, 4 pi times the squared standard deviation,
    hold `SITES_PER_VALUE` sites on average, so that values scatter by about a third where sites are
    random. It is divided by the part of it that lies in valid area (uniform edge correction).

    Parameters
    ----------
    points_um : numpy.ndarray, shape (n, 2)
        One at least.
    area : Area

    References
    ----------
    Diggle, Applied Statistics 34 (1985) 138-147, 10.2307/2347366.
    """
    bandwidth_um = np.sqrt(SITES_PER_VALUE * area.um2 / len(points_um) / (4 * np.pi))
    rows, columns = area.valid.shape
    counts = np.histogram2d(
        points_um[:, 1] / area.cell_um,
        points_um[:, 0] / area.cell_um,
        bins=(np.arange(rows + 1), np.arange(columns + 1)),
    )[0]
    sigma = bandwidth_um / area.cell_um
    smooth, seen = (
        ndimage.gaussian_filter(values, sigma, mode="constant") for values in (counts, area.valid)
    )
    per_um2 = np.divide(smooth, seen * area.cell_um**2, where=seen > 1e-3, out=np.zeros_like(seen))
    return DensityMap(
        per_mm2=np.where(area.valid >= 0.5, 1e6 * per_um2, np.nan),
        cell_um=area.cell_um,
        bandwidth_um=float(bandwidth_um),
        sites=len(points_um),
    )


def local_fraction(
    phases: TiledImage, *, hard: int, damage: int, square_um: float, area: Area
) -> np.ndarray:
    """Return the fraction of the hard phase in a square around each cell.

    Parameters
    ----------
    phases : TiledImage
        Map of the same panorama: 0 outside, then phases from 1.
    hard, damage : int
        Numbers of the hard phase and of damage, which is no phase of the steel; 0 for none.
    square_um : float
        Edge of the square.
    area : Area

    Returns
    -------
    numpy.ndarray, float64, shape of the cells
        0 to 1; the mean of the panorama where nothing is mapped.
    """
    edge_px = cell_px(phases.shape)
    inside, steel = [], []
    for window in strips(phases.shape, edge_px):
        strip = phases.read(window)
        inside.append(summed((strip == hard).view(np.uint8), edge_px))
        steel.append(summed(((strip > 0) & (strip != damage)).view(np.uint8), edge_px))
    inside, steel = np.concatenate(inside), np.concatenate(steel)
    mean = inside.sum() / max(steel.sum(), 1)
    size = max(round(square_um / area.cell_um), 1)
    near, whole = (
        ndimage.uniform_filter(values, size, mode="constant") for values in (inside, steel)
    )
    return np.divide(near, whole, where=whole > 1e-6, out=np.full(near.shape, mean))


def fitted_intensity(
    fraction: np.ndarray, at_points: np.ndarray, area: Area
) -> tuple[np.ndarray, np.ndarray]:
    """Fit the density of sites as a constant and a part proportional to a fraction.

    Both are not negative and follow from maximum likelihood (a Poisson process, by expectation and
    maximisation): proportional if the constant comes out as 0, homogeneous if the other part does.
    The constant is 5 % of the mean density at least.

    Parameters
    ----------
    fraction : numpy.ndarray, shape of the cells
        0 to 1.
    at_points : numpy.ndarray, shape (patterns, n)
        The fraction at the sites of each pattern.
    area : Area

    Returns
    -------
    constant, slope : numpy.ndarray, shape (patterns, 1)
        Sites per um²; constant + slope * fraction has as many sites over the area as the pattern.
    """
    um2 = area.um2
    weighted_um2 = float((fraction * area.valid).sum()) * area.cell_um**2
    patterns, count = at_points.shape
    if weighted_um2 <= 0:
        return np.full((patterns, 1), count / um2), np.zeros((patterns, 1))
    level = (np.arange(_BINS) + 0.5) / _BINS
    place = np.clip((at_points * _BINS).astype(int), 0, _BINS - 1)
    place += np.arange(patterns)[:, None] * _BINS
    counts = np.bincount(place.ravel(), minlength=patterns * _BINS).reshape(patterns, _BINS)
    constant = np.full((patterns, 1), count / um2 / 2)
    slope = np.full((patterns, 1), count / weighted_um2 / 2)
    for _ in range(_STEPS):
        of_constant = constant / (constant + slope * level)
        before = constant
        constant = (counts * of_constant).sum(axis=1, keepdims=True) / um2
        slope = (counts * (1 - of_constant)).sum(axis=1, keepdims=True) / weighted_um2
        if (np.abs(constant - before) * um2 < 1e-4 * count).all():
            break
    constant = np.maximum(constant, _LEAST_CONSTANT * count / um2)
    return constant, (count - constant * um2) / weighted_um2
