"""A Markov random field that smooths a map: neighbouring pixels want the same name.

References
----------
Besag, On the statistical analysis of dirty pictures, Journal of the Royal Statistical Society B 48
(1986) 259 (iterated conditional modes). Ising, Zeitschrift für Physik 31 (1925) 253,
10.1007/BF02980577 (two names); Potts, Mathematical Proceedings of the Cambridge Philosophical
Society 48 (1952) 106, 10.1017/S0305004100027419 (more).
"""

import numpy as np
from skimage.filters import threshold_multiotsu
from skimage.measure import label

_STEPS = ((-1, 0), (1, 0), (0, -1), (0, 1))
# Neighbours of less scatter would make one class swallow nothing but its own grey.
_LEAST_SPREAD = 1.0


def grey_costs(pixels: np.ndarray, *, classes: int) -> np.ndarray:
    """Return what it costs to give each pixel each class, by its grey alone.

    Classes are divided by multi-Otsu; each is taken as a normal law of its mean and its scatter:
    the cost is - ln of its density, without the share that is the same for all.

    Parameters
    ----------
    pixels : numpy.ndarray, uint8, shape (rows, columns)
    classes : int
        2 to 5, from dark to bright. An image with fewer greys has as many classes as greys.

    Returns
    -------
    numpy.ndarray, float64, shape (rows, columns, classes)
    """
    greys = np.unique(pixels)
    limits = greys[1:] if len(greys) <= classes else threshold_multiotsu(pixels, classes) + 1
    parts = np.digitize(pixels, limits)
    costs = np.empty((*pixels.shape, len(limits) + 1))
    for number in range(len(limits) + 1):
        own = pixels[parts == number].astype(float)
        spread = max(own.std(), _LEAST_SPREAD)
        costs[..., number] = (pixels - own.mean()) ** 2 / (2 * spread**2) + np.log(spread)
    return costs


def energy(names: np.ndarray, costs: np.ndarray, *, coupling: float) -> float:
    """Return the energy of a map: its costs, and the coupling for each pair that differs.

    Parameters
    ----------
    names : numpy.ndarray of int, shape (rows, columns)
        Class of each pixel, from 0.
    costs : numpy.ndarray, float, shape (rows, columns, classes)
    coupling : float
        Price of two neighbours (of four) with different names, not negative.
    """
    own = np.take_along_axis(costs, names[..., None], axis=2).sum()
    pairs = (names[1:] != names[:-1]).sum() + (names[:, 1:] != names[:, :-1]).sum()
    return float(own + coupling * pairs)


def smooth(
    costs: np.ndarray, *, coupling: float, sweeps: int = 20
) -> tuple[np.ndarray, list[float]]:
    """Smooth a map by iterated conditional modes.

    Each pixel takes the name that is cheapest while its neighbours keep theirs. The fields of a
    chessboard take turns: a white field has black neighbours only, so that all white ones can be
    renamed at once and the energy never rises.

    Parameters
    ----------
    costs : numpy.ndarray, float, shape (rows, columns, classes)
    coupling : float
        0 gives each pixel its cheapest name.
    sweeps : int
        At most; it ends when no pixel changes.

    Returns
    -------
    names : numpy.ndarray, int64, shape (rows, columns)
    energies : list of float
        Before the first sweep and after each.
    """
    names = costs.argmin(axis=2)
    rows, columns = np.indices(names.shape)
    white = (rows + columns) % 2 == 0
    energies = [energy(names, costs, coupling=coupling)]
    for _ in range(sweeps):
        before = names
        for field in (white, ~white):
            alike = like_neighbours(names, classes=costs.shape[2])
            names = np.where(field, (costs - coupling * alike).argmin(axis=2), names)
        energies.append(energy(names, costs, coupling=coupling))
        if (names == before).all():
            break
    return names, energies


def like_neighbours(names: np.ndarray, *, classes: int) -> np.ndarray:
    """Return how many of the four neighbours of each pixel have each name.

    Returns
    -------
    numpy.ndarray, int64, shape (rows, columns, classes)
    """
    padded = np.pad(names, 1, constant_values=-1)
    rows, columns = names.shape
    count = np.zeros((rows, columns, classes), int)
    for down, right in _STEPS:
        beside = padded[1 + down : 1 + down + rows, 1 + right : 1 + right + columns]
        count += beside[..., None] == np.arange(classes)
    return count


def islands(names: np.ndarray) -> int:
    """Return how many connected areas of one name a map has."""
    return int(label(names + 1, connectivity=1, background=-1).max())
