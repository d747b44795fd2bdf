"""Curves of patterns of sites against distance, for one pattern or many at once."""

from dataclasses import dataclass

import numpy as np

from damascene.space.area import Area
from damascene.space.intensity import fitted_intensity
from damascene.space.nearest import (
    clark_evans,
    hanisch_weights,
    nearest_distribution,
    nearest_um,
)
from damascene.space.pairs import (
    Pairs,
    Shared,
    find_pairs,
    pair_correlation,
    ring_sums,
    ripley_k,
    ripley_l,
)

#: Rings of distance, and steps of the curve of nearest distances.
RINGS = 20


@dataclass(frozen=True, kw_only=True, eq=False)
class Setting:
    """What the curves of all classes of a panorama share.

    Attributes
    ----------
    area : Area
    shared : function
        Of `Area.covariance`.
    edges_um : numpy.ndarray, shape (RINGS + 1,)
        From the least distance of two sites to the reach.
    direction_deg : float
        Of the bands, counter-clockwise from x as seen.
    fraction : numpy.ndarray, shape of the cells, or None
        Local fraction of the hard phase.
    """

    area: Area
    shared: Shared
    edges_um: np.ndarray
    direction_deg: float
    fraction: np.ndarray | None


@dataclass(frozen=True, kw_only=True, eq=False)
class Curves:
    """Curves of some patterns of n sites.

    Attributes
    ----------
    by_name : dict of str to numpy.ndarray, shape (patterns, RINGS)
    clark_evans : numpy.ndarray, shape (patterns,)
    pairs : Pairs
    nearest_um, weights : numpy.ndarray, shape (patterns * n,)
        Distances to the nearest site, and their weights.
    """

    by_name: dict[str, np.ndarray]
    clark_evans: np.ndarray
    pairs: Pairs
    nearest_um: np.ndarray
    weights: np.ndarray


def distances_um(name: str, setting: Setting, *, count: int) -> np.ndarray:
    """Return the distances at which a curve of a pattern of `count` sites has its values."""
    edges = setting.edges_um
    if name == "nearest":
        # Random sites have a neighbour within the last of them in 999 of 1,000 cases.
        last = 1.5 * np.sqrt(setting.area.um2 / count)
        return np.linspace(edges[0], max(last, 1.1 * edges[0]), RINGS + 1)[1:]
    return edges[1:] if name.startswith("ripley") else (edges[1:] + edges[:-1]) / 2


def homogeneous_curves(patterns_um: np.ndarray, setting: Setting) -> Curves:
    """Return the curves of patterns under one intensity everywhere.

    Parameters
    ----------
    patterns_um : numpy.ndarray, shape (patterns, n, 2)
    setting : Setting

    Returns
    -------
    Curves
        `nearest` (G), `ripley_l` (L less the distance, in um), `pair_correlation`, and the latter
        `_along` and `_across` the bands.
    """
    number, count, _ = patterns_um.shape
    points, pattern = patterns_um.reshape(-1, 2), np.repeat(np.arange(number), count)
    pairs, sums = _summed(points, pattern, number, setting)
    edges, um2 = setting.edges_um, setting.area.um2
    both = sums.sum(axis=0)
    scale = {"count": count, "area_um2": um2}
    nearest = nearest_um(points, pattern)
    weights = hanisch_weights(points, nearest, setting.area)
    of_each = {"pattern": pattern, "patterns": number}
    at_um = distances_um("nearest", setting, count=count)
    return Curves(
        by_name={
            "nearest": nearest_distribution(nearest, weights, at_um, **of_each),
            "ripley_l": (ripley_l(ripley_k(both, **scale)) - edges)[:, 1:],
            "pair_correlation": pair_correlation(both, edges, **scale),
            **{
                f"pair_correlation_{name}": pair_correlation(each, edges, **scale, part=0.5)
                for name, each in zip(("along", "across"), sums, strict=True)
            },
        },
        clark_evans=clark_evans(nearest, weights, **scale, **of_each),
        pairs=pairs,
        nearest_um=nearest,
        weights=weights,
    )


def inhomogeneous_curves(patterns_um: np.ndarray, setting: Setting) -> dict[str, np.ndarray]:
    """Return the curves of patterns whose density follows the hard phase, fitted to each.

    A pair counts with one over the product of the densities at both sites (Baddeley, Møller &
    Waagepetersen 2000, 10.1111/1467-9574.00144), over the mean of it (Stoyan & Stoyan,
    Scandinavian Journal of Statistics 27 (2000) 641-656).

    Returns
    -------
    dict of str to numpy.ndarray, shape (patterns, RINGS)
        `ripley_l_inhomogeneous` and `pair_correlation_inhomogeneous`.
    """
    number, count, _ = patterns_um.shape
    points, pattern = patterns_um.reshape(-1, 2), np.repeat(np.arange(number), count)
    at_points = setting.area.at(setting.fraction, points).reshape(number, count)
    constant, slope = fitted_intensity(setting.fraction, at_points, setting.area)
    expected = constant + slope * at_points
    # Relative to their mean: one over the density sums up to the area, on average only, and pairs
    # scatter much less once they are divided by what it sums up to (Stoyan & Stoyan 2000).
    marks = 1 / np.maximum(expected, 1e-300)
    marks /= marks.mean(axis=1, keepdims=True)
    _, sums = _summed(points, pattern, number, setting, marks=marks.ravel())
    both, edges = sums.sum(axis=0), setting.edges_um
    scale = {"count": count, "area_um2": setting.area.um2}
    return {
        "ripley_l_inhomogeneous": (ripley_l(ripley_k(both, **scale)) - edges)[:, 1:],
        "pair_correlation_inhomogeneous": pair_correlation(both, edges, **scale),
    }


def intensity_of(points_um: np.ndarray, setting: Setting) -> np.ndarray:
    """Return the density in each cell that follows from the hard phase, fitted to sites (n, 2)."""
    at_points = setting.area.at(setting.fraction, points_um)[None]
    constant, slope = fitted_intensity(setting.fraction, at_points, setting.area)
    return constant[0, 0] + slope[0, 0] * setting.fraction


def _summed(points, pattern, number, setting, *, marks=None):
    pairs = find_pairs(
        points,
        reach_um=setting.edges_um[-1],
        shared=setting.shared,
        pattern=pattern,
        direction_deg=setting.direction_deg,
    )
    sums = ring_sums(pairs, setting.edges_um, pattern=pattern, patterns=number, marks=marks)
    return pairs, sums
