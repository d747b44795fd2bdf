"""What held-out labels tell of the answers of the networks, and when they are too few to tell."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats

from damascene.classes import SITE_CLASSES, SITE_LABELS
from damascene.classification.calibration import class_indices, site_probabilities
from damascene.contracts.sites import PROBABILITIES
from damascene.correction.estimates import answer_matrix, calibrated, fit_bias_corrected

#: Labels of each class, and groups in which they lie, without which nothing is corrected; see
#: docs/statistics.md for the coverage on which these limits rest.
LEAST_LABELS, LEAST_GROUPS = 15, 5
#: Above this condition the answers to two classes are too much alike to be told apart.
MOST_CONDITION = 20.0
# Labels that are added to each class in all, evenly over the answers: a confusion that did not
# occur among few labels may still occur.
_PRIOR_LABELS = 1.0
_RIGHT_PRIOR = 0.5


@dataclass(frozen=True, kw_only=True)
class HeldOut:
    """Answers to labelled sites by networks that did not learn from them.

    Attributes
    ----------
    targets : numpy.ndarray, float64, shape (n, classes)
        One for the class of the label, in the order of `SITE_CLASSES`.
    answers : numpy.ndarray, float64, shape (n, classes + 1)
        One for the answer, in the order of `SITE_LABELS`: not classified is an answer.
    scores : numpy.ndarray, float64, shape (n, classes)
        Calibrated probabilities, by temperature and a bias for each class.
    member : numpy.ndarray of int, shape (n,)
        Group of each site.
    temperature : float
    biases : numpy.ndarray, float64, shape (classes,)
    """

    targets: np.ndarray
    answers: np.ndarray
    scores: np.ndarray
    member: np.ndarray
    temperature: float
    biases: np.ndarray

    @property
    def groups(self) -> int:
        """How many groups there are."""
        return int(self.member.max()) + 1

    @property
    def shares(self) -> np.ndarray:
        """Share of each class among the labels, to which the scores are calibrated."""
        return self.targets.mean(axis=0)

    def scores_of(self, probabilities: np.ndarray) -> np.ndarray:
        """Return calibrated probabilities of other sites, shape (n, classes)."""
        return calibrated(probabilities, temperature=self.temperature, biases=self.biases)

    def matrix(self, kind: str) -> np.ndarray:
        """Return P(answer | class) for `answers`, or the mean score by class for `scores`."""
        weights = np.ones(len(self.targets))
        return answer_matrix(getattr(self, kind), self.targets, weights)


def held_out_answers(predictions: pd.DataFrame) -> HeldOut:
    """Return the answers of a table `HELD_OUT`, which holds at least one site."""
    indices = class_indices(predictions["label"])
    targets = np.eye(len(SITE_CLASSES))[indices]
    answers = answers_of(predictions["predicted_class"])
    probabilities = site_probabilities(predictions)
    temperature, biases = fit_bias_corrected(probabilities, targets, np.ones(len(targets)))
    _, member = np.unique(predictions["group"].to_numpy(str), return_inverse=True)
    return HeldOut(
        targets=targets,
        answers=answers,
        scores=calibrated(probabilities, temperature=temperature, biases=biases),
        member=member,
        temperature=temperature,
        biases=biases,
    )


def answers_of(classes: pd.Series) -> np.ndarray:
    """Return answers as ones and zeros, float64 (n, answers), in the order of `SITE_LABELS`."""
    return (classes.to_numpy(str)[:, None] == np.array(SITE_LABELS)).astype(float)


def why_not_corrected(predictions: pd.DataFrame | None) -> str:
    """Return why held-out labels do not suffice to correct counts; empty where they do.

    Parameters
    ----------
    predictions : pandas.DataFrame or None
        `HELD_OUT`; None where there are no such labels.
    """
    if predictions is None or not len(predictions):
        return "no labels test the networks, so that nothing is known of what they confuse"
    unanswered = int(predictions[list(PROBABILITIES)].isna().any(axis=1).sum())
    if unanswered:
        return (
            f"the networks gave {unanswered} of {len(predictions)} held-out labels no probability"
        )
    few = []
    for name in SITE_CLASSES:
        own = predictions[predictions["label"] == name]
        labels, groups = len(own), own["group"].nunique()
        if labels < LEAST_LABELS or groups < LEAST_GROUPS:
            few.append(f"{name} {labels} in {groups}")
    if few:
        return (
            f"too few held-out labels to tell what the networks confuse: {', '.join(few)} groups; "
            f"needed are {LEAST_LABELS} of each class in {LEAST_GROUPS} groups. Label more, "
            "and hold out all labels in turn ('split: cross_validate: true') if that is not set"
        )
    held_out = held_out_answers(predictions)
    condition = np.linalg.cond(held_out.matrix("scores"))
    if not condition <= MOST_CONDITION:
        first, second = _alike(held_out.matrix("scores"))
        return (
            f"the networks answer {first} and {second} too much alike to tell their numbers apart "
            f"(condition of the matrix of answers {condition:.3g}, at most {MOST_CONDITION:g})"
        )
    return ""


def _alike(matrix):
    """Return the two classes whose answers differ least."""
    distance = np.abs(matrix[:, :, None] - matrix[:, None, :]).sum(axis=0)
    np.fill_diagonal(distance, np.inf)
    first, second = np.unravel_index(distance.argmin(), distance.shape)
    return SITE_CLASSES[first], SITE_CLASSES[second]


def matrix_replicates(
    held_out: HeldOut, kind: str, *, replicates: int, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return the matrix of answers with its prior, and replicates of it.

    A smooth bootstrap over groups: each group has a random weight of mean 1 (Rubin's Bayesian
    bootstrap). The variance of the weights makes up for few groups: by groups over groups - 1, and
    by Student's t over the normal quantile. One label a class is added, half of it rightly answered
    and the rest spread over all answers, with a random weight too, because a confusion that did not
    occur among few labels may still occur.

    Parameters
    ----------
    held_out : HeldOut
    kind : {"answers", "scores"}
    replicates, seed : int

    Returns
    -------
    matrix : numpy.ndarray, float64, shape (answers, classes)
    drawn : numpy.ndarray, float64, shape (replicates, answers, classes)

    References
    ----------
    Rubin, The Bayesian bootstrap, 10.1214/aos/1176345338.
    """
    each, targets = getattr(held_out, kind), held_out.targets
    outer = each[:, :, None] * targets[:, None, :]
    by_group = np.zeros((held_out.groups, *outer.shape[1:]))
    np.add.at(by_group, held_out.member, outer)
    kinds, classes = by_group.shape[1:]
    prior = np.full((kinds, classes), (1 - _RIGHT_PRIOR) * _PRIOR_LABELS / kinds)
    prior[np.arange(classes), np.arange(classes)] += _RIGHT_PRIOR * _PRIOR_LABELS
    random = np.random.default_rng(seed)
    # The class in fewest groups decides how much their number tells.
    groups = max(int((by_group.sum(axis=1) > 0).sum(axis=0).min()), 2)
    variance = weight_variance(groups)
    weights = random.gamma(1 / variance, variance, size=(replicates, held_out.groups))
    drawn = np.einsum("rg,gac->rac", weights, by_group, optimize=True)
    drawn = drawn + random.gamma(np.broadcast_to(prior, drawn.shape))
    matrix = by_group.sum(axis=0) + prior
    return matrix / matrix.sum(axis=0), drawn / drawn.sum(axis=1, keepdims=True)


def weight_variance(groups: int) -> float:
    """Return the variance of weights by which few groups scatter as widely as they should."""
    t = stats.t.ppf(0.975, groups - 1) / stats.norm.ppf(0.975)
    return float(groups / (groups - 1) * t**2)
