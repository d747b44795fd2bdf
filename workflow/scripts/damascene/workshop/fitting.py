"""Fits by least squares: lines, polynomials that see too little or too much, and ridge."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

# A wave of one period, as tests and figures know it.
_PERIOD = 2 * np.pi


def least_squares(inputs: np.ndarray, outputs: np.ndarray, *, penalty: float = 0.0) -> np.ndarray:
    """Return the weights with the least squared error, and perhaps a price on large weights.

    The normal equation, w = (X'X + penalty I)^-1 X'y.

    Parameters
    ----------
    inputs : numpy.ndarray, float, shape (n, features)
    outputs : numpy.ndarray, float, shape (n,)
    penalty : float, optional
        Weight of the sum of the squared weights (ridge, Tikhonov).

    Returns
    -------
    numpy.ndarray, float64, shape (features,)
    """
    if not penalty:
        return np.linalg.lstsq(inputs, outputs, rcond=None)[0]
    square = inputs.T @ inputs + penalty * np.eye(inputs.shape[1])
    return np.linalg.solve(square, inputs.T @ outputs)


def slopes_both_ways(
    x: np.ndarray, y: np.ndarray, *, classes: np.ndarray | None = None
) -> pd.DataFrame:
    """Return the slope of the line that tells y from x, and of the one that tells x from y.

    Both in axes of x and y. Where both scatter, the first is flatter and the second steeper than
    the relation between them; their ratio is the squared correlation.

    Parameters
    ----------
    x, y : numpy.ndarray, float, shape (n,)
    classes : numpy.ndarray of str, shape (n,), optional
        Adds a row for each class.

    Returns
    -------
    pandas.DataFrame
        `examples` (`all`, or a class), `number`, `y from x`, `x from y`. No number where nothing
        scatters.
    """
    parts = {"all": np.ones(len(x), bool)}
    if classes is not None:
        parts |= {str(name): classes == name for name in sorted(set(classes.tolist()))}
    rows = []
    for name, chosen in parts.items():
        (of_x, both), (_, of_y) = np.cov(x[chosen], y[chosen])
        rows.append(
            {
                "examples": name,
                "number": int(chosen.sum()),
                "y from x": both / of_x if of_x else np.nan,
                "x from y": of_y / both if both else np.nan,
            }
        )
    return pd.DataFrame(rows)


def powers(x: np.ndarray, *, degree: int) -> np.ndarray:
    """Return 1, x, x^2 ... up to a degree, as columns (n, degree + 1)."""
    return np.vander(x, degree + 1, increasing=True)


def noisy_wave(number: int, *, noise: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return points of one period of a sine with noise, for x from -1 to 1."""
    random = np.random.default_rng(seed)
    x = np.sort(random.uniform(-1, 1, number))
    return x, np.sin(_PERIOD * x / 2) + random.normal(0, noise, number)


def polynomial_errors(
    training: tuple[np.ndarray, np.ndarray],
    test: tuple[np.ndarray, np.ndarray],
    *,
    degrees: Sequence[int],
) -> pd.DataFrame:
    """Fit polynomials and return their errors on what they saw, and on what they did not.

    Parameters
    ----------
    training, test : (numpy.ndarray, numpy.ndarray)
        x and y.
    degrees : sequence of int

    Returns
    -------
    pandas.DataFrame
        `degree`, `training`, `test`: root mean squared errors.
    """
    rows = []
    for degree in degrees:
        weights = least_squares(powers(training[0], degree=degree), training[1])
        errors = [
            float(np.sqrt(np.mean((powers(x, degree=degree) @ weights - y) ** 2)))
            for x, y in (training, test)
        ]
        rows.append({"degree": degree, "training": errors[0], "test": errors[1]})
    return pd.DataFrame(rows)


def ridge_path(
    training: tuple[np.ndarray, np.ndarray],
    test: tuple[np.ndarray, np.ndarray],
    *,
    degree: int,
    penalties: Sequence[float],
) -> tuple[np.ndarray, pd.DataFrame]:
    """Fit one polynomial with rising prices on large weights.

    The constant has no price: the mean of y costs nothing.

    Parameters
    ----------
    training, test
        See `polynomial_errors`.
    degree : int
    penalties : sequence of float
        See `least_squares`.

    Returns
    -------
    weights : numpy.ndarray, float64, shape (penalties, degree)
        Of x, x^2 ...
    errors : pandas.DataFrame
        `penalty`, `training`, `test`.
    """
    inputs = powers(training[0], degree=degree)[:, 1:]
    centre, mean = inputs.mean(axis=0), training[1].mean()
    path, rows = [], []
    for penalty in penalties:
        weights = least_squares(inputs - centre, training[1] - mean, penalty=penalty)
        errors = [
            float(
                np.sqrt(
                    np.mean((mean + (powers(x, degree=degree)[:, 1:] - centre) @ weights - y) ** 2)
                )
            )
            for x, y in (training, test)
        ]
        path.append(weights)
        rows.append({"penalty": penalty, "training": errors[0], "test": errors[1]})
    return np.array(path), pd.DataFrame(rows)
