"""Which way elongated sites point: directions without a head, as cracks have them.

Angles are doubled, so that a direction and its opposite are one, and then treated as directions on
the circle.

References
----------
Mardia & Jupp, Directional Statistics (1999), 10.1002/9780470316979: 9.4.1 (standard error of the
mean direction), 6.3.1 (Rayleigh test) and 6.3.2 (Kuiper test).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

#: Longer over shorter axis from which on a site has a direction.
LEAST_ASPECT_RATIO = 1.5
#: Elongated sites below which no direction is given.
LEAST_SITES = 10
_KUIPER_TERMS = 100


@dataclass(frozen=True, kw_only=True)
class Directions:
    """Mean direction of axes and whether there is one.

    Attributes
    ----------
    mean_deg : float
        Above -90 and up to 90; NaN where Rayleigh's test finds none.
    half_width_deg : float
        Half of the confidence interval of the mean; NaN where it would be wider than 45 degrees.
    resultant : float
        Length of the mean of the doubled directions: 0 where all are alike, 1 where there is one.
    rayleigh_p, kuiper_p : float
        Against directions that are all alike: for one preferred direction, and for any departure.
    """

    mean_deg: float
    half_width_deg: float
    resultant: float
    rayleigh_p: float
    kuiper_p: float


def mean_direction(angles_deg: ArrayLike, *, confidence: float = 0.95) -> Directions:
    """Return the mean of axial directions with its interval and tests.

    Parameters
    ----------
    angles_deg : array_like of float, shape (n,)
        Directions of axes; 180 degrees more are the same. Any sense of rotation.
    confidence : float, optional
        Of the interval, and of Rayleigh's test without which no direction is given.
    """
    doubled = np.radians(2 * np.asarray(angles_deg, float))
    count = len(doubled)
    mean = np.exp(1j * doubled).mean()
    resultant = float(np.abs(mean))
    rayleigh_p = _rayleigh(count, resultant)
    direction = half = np.nan
    if rayleigh_p <= 1 - confidence:
        # -90 and 90 are one direction; the latter is written.
        direction = 90 - (90 - np.degrees(np.angle(mean)) / 2) % 180
        spread = (1 - np.cos(2 * (doubled - np.angle(mean))).mean()) / (2 * resultant**2)
        sine = stats.norm.ppf((1 + confidence) / 2) * np.sqrt(spread / count)
        half = float(np.degrees(np.arcsin(sine)) / 2) if sine < 1 else np.nan
    return Directions(
        mean_deg=float(direction),
        half_width_deg=half,
        resultant=resultant,
        rayleigh_p=rayleigh_p,
        kuiper_p=_kuiper(doubled),
    )


def _rayleigh(count, resultant):
    """Return the p value with the second-order correction for small numbers."""
    z = count * resultant**2
    correction = (2 * z - z**2) / (4 * count)
    higher = (24 * z - 132 * z**2 + 76 * z**3 - 9 * z**4) / (288 * count**2)
    return float(np.clip(np.exp(-z) * (1 + correction - higher), 0, 1))


def _kuiper(doubled):
    ordered = np.sort(doubled % (2 * np.pi)) / (2 * np.pi)
    count = len(ordered)
    steps = np.arange(1, count + 1) / count
    distance = (steps - ordered).max() + (ordered - steps + 1 / count).max()
    value = distance * (np.sqrt(count) + 0.155 + 0.24 / np.sqrt(count))
    terms = (np.arange(1, _KUIPER_TERMS) * value) ** 2
    series = 2 * ((4 * terms - 1) * np.exp(-2 * terms)).sum()
    # The series does not converge where the distance is too small to matter.
    return float(np.clip(series, 0, 1)) if value > 0.4 else 1.0
