"""Calibrated probabilities of the phases of pixels.

References
----------
Guo, Pleiss, Sun & Weinberger, On Calibration of Modern Neural Networks, arXiv 1706.04599
(temperature); Alexandari, Kundaje & Shrikumar, Maximum Likelihood with Bias-Corrected Calibration
is Hard-To-Beat at Label Shift Adaptation, arXiv 1901.06852 (with an offset for each class).
"""

import numpy as np
from scipy.optimize import minimize

_SMALLEST = 1e-6
_BINS = 15


def fit_calibration(probabilities: np.ndarray, labels: np.ndarray) -> tuple[float, np.ndarray]:
    """Return the temperature and the offsets under which probabilities say what is true.

    Class weights in a training make rare phases too probable; the offsets take that back.

    Parameters
    ----------
    probabilities : numpy.ndarray, float, shape (n, phases)
    labels : numpy.ndarray, int, shape (n,)

    Returns
    -------
    temperature : float
        The logarithms of the probabilities are divided by it.
    offsets : numpy.ndarray, float64, shape (phases,)
        Then added to them; they add up to 0. A phase that no label has keeps the offset 0.
    """
    logits = np.log(np.maximum(probabilities, _SMALLEST)).astype(np.float64)
    classes = logits.shape[1]
    present = np.bincount(labels, minlength=classes) > 0
    target = np.eye(classes)[labels]

    def loss(values):
        inverse, offsets = np.exp(-values[0]), values[1:] * present
        scaled = logits * inverse + offsets
        scaled -= scaled.max(axis=1, keepdims=True)
        total = np.log(np.exp(scaled).sum(axis=1))
        nll = (total - (scaled * target).sum(axis=1)).mean()
        excess = np.exp(scaled - total[:, None]) - target
        by_offset = excess.mean(axis=0) * present
        by_temperature = -inverse * (excess * logits).sum(axis=1).mean()
        # The offsets are known up to a constant; this holds their sum at 0.
        held = offsets.sum()
        return nll + 0.5 * held**2, np.concatenate([[by_temperature], by_offset + held * present])

    found = minimize(loss, np.zeros(classes + 1), jac=True, method="L-BFGS-B").x
    return float(np.exp(found[0])), found[1:] * present


def calibrated(probabilities: np.ndarray, temperature: float, offsets: np.ndarray) -> np.ndarray:
    """Return probabilities (n, phases) under a temperature and offsets."""
    logits = np.log(np.maximum(probabilities, _SMALLEST)) / temperature + offsets
    scaled = np.exp(logits - logits.max(axis=1, keepdims=True))
    return scaled / scaled.sum(axis=1, keepdims=True)


def expected_calibration_error(probabilities: np.ndarray, labels: np.ndarray) -> float:
    """Return how far the probability of the chosen phase is from the share that is right.

    The mean over fifteen bins of the probability, weighted by their pixels.
    """
    chosen, highest = probabilities.argmax(axis=1), probabilities.max(axis=1)
    right = chosen == labels
    which = np.minimum((highest * _BINS).astype(int), _BINS - 1)
    count = np.bincount(which, minlength=_BINS)
    apart = np.bincount(which, right - highest, minlength=_BINS)
    return float(np.abs(apart).sum() / max(count.sum(), 1))
