"""Size and shape of a site from its pixels, at the resolution of the panorama."""

import numpy as np

from damascene.clustering.geometry import shapes
from damascene.clustering.runs import Runs

#: Columns of `shapes_of`: descriptors, and the angle of the longer axis against the x axis.
SHAPE_NAMES = (
    "log_area",
    "aspect_ratio",
    "along_load",
    "across_load",
    "directed_eccentricity",
    "solidity",
    "log_length",
    "log_breadth",
    "log_height",
    "log_width",
    "log_height_to_width",
    "axis",
)


def shapes_of(runs: Runs, site: np.ndarray, *, pixel_um: float) -> np.ndarray:
    """Return size and shape of sites.

    Parameters
    ----------
    runs : Runs
        int64, sorted by site and within a site row-major.
    site : numpy.ndarray, int64, shape (runs,)
        Numbers from 0, each with a run.
    pixel_um : float
        Edge of a pixel.

    Returns
    -------
    numpy.ndarray, float64, shape (sites, len(SHAPE_NAMES))
        `axis` in radians, counted from x towards y.
    """
    if not len(site):
        return np.empty((0, len(SHAPE_NAMES)))
    measured = shapes(runs, site)
    first = np.flatnonzero(np.diff(site, prepend=-1))
    last = np.append(first[1:], len(site)) - 1
    height = (runs.row[last] - runs.row[first] + 1) * pixel_um
    left, right = np.minimum.reduceat(runs.first, first), np.maximum.reduceat(runs.last, first)
    width = (right - left + 1) * pixel_um
    axis = np.radians(measured["orientation_deg"])
    eccentricity = np.sqrt(1 - measured["aspect_ratio"] ** -2)
    values = {
        "log_area": np.log(measured["area_px"] * pixel_um**2),
        "aspect_ratio": measured["aspect_ratio"],
        "along_load": abs(np.cos(axis)),
        "across_load": abs(np.sin(axis)),
        "directed_eccentricity": -eccentricity * np.cos(2 * axis),
        "solidity": measured["convexity"],
        "log_length": np.log(measured["major_px"] * pixel_um),
        "log_breadth": np.log(measured["minor_px"] * pixel_um),
        "log_height": np.log(height),
        "log_width": np.log(width),
        "log_height_to_width": np.log(height / width),
        "axis": axis,
    }
    return np.column_stack([values[name] for name in SHAPE_NAMES])
