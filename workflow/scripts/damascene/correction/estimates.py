"""Shares of the classes among sites that networks answered, from what they answer of each class.

Counting answers is biased: a class that is often taken for another is counted too low, and the more
so the more frequent it is. All estimates here assume prior shift: the networks answer sites of a
class in the same way on the labels and on the panorama, only the classes have other shares.

References
----------
Forman, Quantifying counts and costs via classification, Data Mining and Knowledge Discovery 17
(2008) 164, 10.1007/s10618-008-0097-y (adjusted count).
Bella et al., Quantification via probability estimators, 10.1109/ICDM.2010.75 (PACC).
Saerens, Latinne & Decaestecker, Adjusting the outputs of a classifier to new a priori
probabilities, Neural Computation 14 (2002) 21, 10.1162/089976602753284446 (EMQ).
Alexandari, Kundaje & Shrikumar, Maximum likelihood with bias-corrected calibration is
hard-to-beat at label shift adaptation, arXiv 1901.06852.
"""

import numpy as np
from scipy.optimize import minimize, nnls

# Weight of the condition that shares add up to one, beside the residuals.
_SUM_WEIGHT = 1e4
_EMQ_STEPS = 1000
_EMQ_CHANGE = 1e-7
_SMALLEST = 1e-9


def answer_matrix(answers: np.ndarray, targets: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Return the probability of each answer for each true class.

    Parameters
    ----------
    answers : numpy.ndarray, float, shape (n, answers)
        One where the networks gave an answer, or the probability of each class.
    targets : numpy.ndarray, float, shape (n, classes)
        One for the true class.
    weights : numpy.ndarray, float, shape (n,)

    Returns
    -------
    numpy.ndarray, float64, shape (answers, classes)
        Columns add up to one where a class has labels; NaN where it has none.
    """
    counts = answers.T @ (targets * weights[:, None])
    with np.errstate(invalid="ignore", divide="ignore"):
        return counts / counts.sum(axis=0)


def adjusted_shares(matrix: np.ndarray, answered: np.ndarray) -> np.ndarray:
    """Return the shares of classes that explain the shares of the answers best.

    The least squares |matrix @ shares - answered| over shares that are not negative and add up to
    one. With answers of one class each this is the adjusted count (ACC), with mean probabilities
    its probabilistic form (PACC).

    Parameters
    ----------
    matrix : numpy.ndarray, float, shape (answers, classes)
        From `answer_matrix`.
    answered : numpy.ndarray, float, shape (answers,)
        Shares of the answers among the sites.

    Returns
    -------
    numpy.ndarray, float64, shape (classes,)
    """
    constrained = np.vstack([matrix, np.full((1, matrix.shape[1]), _SUM_WEIGHT)])
    shares, _ = nnls(constrained, np.append(answered, _SUM_WEIGHT))
    return shares / shares.sum()


def most_likely_shares(
    likelihoods: np.ndarray, weights: np.ndarray | None = None, *, start: np.ndarray | None = None
) -> np.ndarray:
    """Return the shares of classes under which what was seen is most likely.

    By expectation maximisation. With the probabilities of the networks, each divided by the share
    of its class where these are calibrated, this is EMQ (SLD).

    Parameters
    ----------
    likelihoods : numpy.ndarray, float, shape (n, classes)
        Of each site, or each kind of answer, under each class, up to a factor of its own.
    weights : numpy.ndarray, float, shape (n,), optional
        How often each row was seen; once if not given.
    start : numpy.ndarray, float, shape (classes,), optional
        Shares to start from; equal ones if not given. EM only changes how fast it is found.

    Returns
    -------
    numpy.ndarray, float64, shape (classes,)
    """
    classes = likelihoods.shape[1]
    shares = np.full(classes, 1 / classes) if start is None else np.maximum(start, 1e-3)
    shares = shares / shares.sum()
    weights = np.ones(len(likelihoods)) if weights is None else weights
    total = weights.sum()
    for _ in range(_EMQ_STEPS):
        # Posteriors are shares * likelihoods / mixture: their sum over sites is two products.
        mixture = np.maximum(likelihoods @ shares, _SMALLEST**2)
        new = shares * (likelihoods.T @ (weights / mixture)) / total
        new /= new.sum()
        if np.abs(new - shares).max() < _EMQ_CHANGE:
            return new
        shares = new
    return shares


def calibrated(probabilities: np.ndarray, *, temperature: float, biases: np.ndarray) -> np.ndarray:
    """Return softmax(log(probabilities) / temperature + biases), shape (n, classes)."""
    logits = np.log(np.maximum(probabilities, _SMALLEST)) / temperature + biases
    scaled = np.exp(logits - logits.max(axis=1, keepdims=True))
    return scaled / scaled.sum(axis=1, keepdims=True)


def fit_bias_corrected(
    probabilities: np.ndarray,
    targets: np.ndarray,
    weights: np.ndarray,
    *,
    start: tuple[float, np.ndarray] | None = None,
) -> tuple[float, np.ndarray]:
    """Return temperature and bias of each class at which the true classes are most likely.

    A weak pull towards temperature 1 and no bias (a tenth of a label's worth) keeps them finite
    where all labels are answered rightly.

    Parameters
    ----------
    probabilities : numpy.ndarray, float, shape (n, classes)
        Of sites that did not train the networks.
    targets : numpy.ndarray, float, shape (n, classes)
        One for the true class.
    weights : numpy.ndarray, float, shape (n,)
    start : (float, numpy.ndarray), optional
        Where the search begins.
    """
    logits = np.log(np.maximum(probabilities, _SMALLEST))
    logits = np.maximum(logits - logits.max(axis=1, keepdims=True), np.log(1e-6))
    classes = logits.shape[1]

    def loss(values):
        sharpness, biases = np.exp(values[0]), values[1:]
        scaled = logits * sharpness + biases
        scaled -= scaled.max(axis=1, keepdims=True)
        terms = np.exp(scaled)
        sums = terms.sum(axis=1, keepdims=True)
        likelihood = ((scaled - np.log(sums)) * targets).sum(axis=1) @ weights
        error = (terms / sums - targets) * weights[:, None]
        gradient = np.append((error * logits).sum() * sharpness, error.sum(axis=0))
        return 0.05 * values @ values - likelihood, 0.1 * values + gradient

    first = np.zeros(1 + classes)
    if start is not None:
        first = np.append(-np.log(start[0]), start[1])
    found = minimize(
        loss, first, jac=True, method="L-BFGS-B", bounds=[(-3, 3)] + [(-5, 5)] * classes
    )
    return float(np.exp(-found.x[0])), found.x[1:]
