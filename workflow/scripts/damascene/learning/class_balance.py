"""How much each class counts in training."""

import math
from collections.abc import Sequence

import numpy as np

_POWERS = {"natural": 1, "square_root": 0.5, "equal": 0}


def class_proportions(counts: Sequence[int], *, rule: str) -> np.ndarray:
    """Return the proportion of each class in an epoch.

    Parameters
    ----------
    counts : sequence of int, length classes
        Sites of each class; a class without sites has none.
    rule : {"natural", "square_root", "equal"}
        See `config.training.Training.class_shares`.

    Returns
    -------
    numpy.ndarray, float64, shape (classes,)
        Its sum is one.
    """
    counts = np.asarray(counts, float)
    proportions = np.where(counts > 0, counts ** _POWERS[rule], 0)
    return proportions / proportions.sum()


def class_weights(members: np.ndarray, proportions: Sequence[float]) -> np.ndarray:
    """Return the weight of a site of each class that gives the classes their proportions.

    The weights of all sites add up to their number; a class without sites does not count.

    Parameters
    ----------
    members : numpy.ndarray, int, shape (n,)
        Class of each site.
    proportions : sequence of float, length classes
        See `class_proportions`.

    Returns
    -------
    numpy.ndarray, float64, shape (classes,)
    """
    proportions = np.asarray(proportions, float)
    counts = np.bincount(members, minlength=len(proportions))
    present = np.where(counts > 0, proportions, 0)
    return present / present.sum() * len(members) / np.maximum(counts, 1)


def draw_balanced(
    rows: np.ndarray,
    members: np.ndarray,
    *,
    proportions: Sequence[float],
    rng: np.random.Generator,
) -> np.ndarray:
    """Draw as many rows as there are, by the proportions of the classes, evenly within a class.

    Parameters
    ----------
    rows, members : numpy.ndarray, int, shape (n,)
        Rows to draw from, and the class of each.
    proportions : sequence of float, length classes
        See `class_proportions`.
    rng : numpy.random.Generator

    Returns
    -------
    numpy.ndarray, int, shape (n,)
        In random order.
    """
    drawn = []
    for member, proportion in enumerate(proportions):
        of_class = rng.permutation(rows[members == member])
        if len(of_class):
            drawn.append(np.resize(of_class, math.ceil(proportion * len(rows) - 1e-9)))
    return rng.permutation(np.concatenate(drawn))[: len(rows)]
