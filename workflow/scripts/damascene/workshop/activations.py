"""The functions that a layer applies to each of its sums."""

import numpy as np


def relu(x: np.ndarray) -> np.ndarray:
    """Return max(0, x)."""
    return np.maximum(x, 0)


def sigmoid(x: np.ndarray) -> np.ndarray:
    """Return 1 / (1 + exp(-x)), which lies between 0 and 1."""
    # By the hyperbolic tangent, which does not overflow for large negative numbers.
    return 0.5 * (1 + np.tanh(0.5 * np.asarray(x, float)))


def tanh(x: np.ndarray) -> np.ndarray:
    """Return the hyperbolic tangent, which lies between -1 and 1."""
    return np.tanh(x)


def leaky_relu(x: np.ndarray, *, slope: float = 0.1) -> np.ndarray:
    """Return max(slope x, x)."""
    return np.maximum(slope * np.asarray(x), x)


def elu(x: np.ndarray, *, alpha: float = 1.0) -> np.ndarray:
    """Return x where it is positive, and alpha (exp(x) - 1) where it is negative."""
    x = np.asarray(x, float)
    return np.where(x >= 0, x, alpha * np.expm1(np.minimum(x, 0)))


def maxout(x: np.ndarray, *, weights: np.ndarray, biases: np.ndarray) -> np.ndarray:
    """Return the largest of several linear functions, whose weights are learned.

    Parameters
    ----------
    x : numpy.ndarray
        Shape (n, features).
    weights : numpy.ndarray
        Shape (features, pieces).
    biases : numpy.ndarray
        Shape (pieces,).

    Returns
    -------
    numpy.ndarray
        Shape (n,).
    """
    return (np.asarray(x) @ np.asarray(weights) + biases).max(axis=-1)
