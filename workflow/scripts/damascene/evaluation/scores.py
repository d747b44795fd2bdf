"""How well predicted classes agree with the labels."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from sklearn.metrics import confusion_matrix

from damascene.classes import ALL, SITE_CLASSES, SITE_LABELS
from damascene.evaluation.bootstrap import RESAMPLES, draw_groups, percentile_interval


def confusion_table(truth: Sequence[str], predicted: Sequence[str]) -> pd.DataFrame:
    """Count predicted classes for each true class.

    Parameters
    ----------
    truth : sequence of str
        Classes of `SITE_CLASSES`.
    predicted : sequence of str
        Classes of `SITE_LABELS`, so with `not_classified`.

    Returns
    -------
    pandas.DataFrame
        true_class, predicted_class, count, and share of the count in its true class (missing where
        the class has no site); one row for every pair, in the order of the classes.
    """
    counts = _counts(truth, predicted)
    totals = counts.sum(axis=1, keepdims=True)
    proportions = np.divide(counts, totals, out=np.full(counts.shape, np.nan), where=totals > 0)
    pairs = pd.MultiIndex.from_product(
        [SITE_CLASSES, SITE_LABELS], names=["true_class", "predicted_class"]
    )
    table = pd.DataFrame({"count": counts.ravel(), "share": proportions.ravel()}, index=pairs)
    return table.reset_index()


def score_table(
    truth: Sequence[str],
    predicted: Sequence[str],
    *,
    groups: Sequence[str],
    confidence: float,
    seed: int,
) -> pd.DataFrame:
    """Score predicted classes against labels, with bootstrap intervals over groups.

    `not_classified` is a wrong answer: it lowers the recall of the true class, and with it F1 and
    accuracy, but not the precision of any class; Cohen's kappa takes it as an answer of its own
    that no label ever gives. Means over classes run over the classes that have a label; a
    precision without a prediction counts as 0.

    Parameters
    ----------
    truth, predicted : sequences of str
        See `confusion_table`.
    groups : sequence of str
        Sites of a group are drawn together, because they resemble each other.
    confidence : float
        Of the percentile intervals, for instance 0.95.
    seed : int

    Returns
    -------
    pandas.DataFrame
        class, score, value, low, high, support. Scores of a class: `precision`, `recall`, `f1`;
        of the class `all`: `macro_f1`, `accuracy`, `balanced_accuracy`, `kappa`. Values that do
        not exist (a class without labels) are missing.

    References
    ----------
    Cohen, A coefficient of agreement for nominal scales, 10.1177/001316446002000104.
    """
    truth, predicted = np.asarray(truth, dtype=object), np.asarray(predicted, dtype=object)
    member, drawn = draw_groups(groups, resamples=RESAMPLES, seed=seed)
    per_group = np.array(
        [
            _counts(truth[member == index], predicted[member == index])
            for index in range(drawn.shape[1])
        ]
    ).reshape(-1, len(SITE_CLASSES), len(SITE_LABELS))
    values = _scores(per_group.sum(axis=0)[None])
    resampled = _scores(np.tensordot(drawn, per_group, axes=1)) if drawn.shape[1] else values
    support = per_group.sum(axis=(0, 2))
    rows = []
    for (name, score), value in values.items():
        draws = resampled[name, score]
        draws = draws[np.isfinite(draws)]
        low, high = percentile_interval(draws, confidence=confidence)
        rows.append(
            {
                "class": name,
                "score": score,
                "value": value[0],
                "low": low,
                "high": high,
                "support": int(support.sum() if name == ALL else support[SITE_CLASSES.index(name)]),
            }
        )
    return pd.DataFrame(rows)


def _counts(truth, predicted):
    """Return the confusion matrix (true classes, predicted classes and not_classified)."""
    if not len(truth):
        return np.zeros((len(SITE_CLASSES), len(SITE_LABELS)), int)
    labels = list(SITE_LABELS)
    square = confusion_matrix(list(truth), list(predicted), labels=labels)
    return square[: len(SITE_CLASSES)]


def _scores(counts):
    """Score confusion matrices (n, classes, classes and not_classified) all at once."""
    classes = len(SITE_CLASSES)
    hits = np.diagonal(counts, axis1=1, axis2=2).astype(float)
    labelled = counts.sum(axis=2)
    answered = counts.sum(axis=1)
    total = labelled.sum(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        recall = hits / labelled
        precision = np.where(labelled > 0, hits / np.maximum(answered[:, :classes], 1), np.nan)
        f1 = np.where(labelled > 0, 2 * hits / (labelled + answered[:, :classes]), np.nan)
        accuracy = hits.sum(axis=1) / total
        chance = (labelled * answered[:, :classes]).sum(axis=1) / total**2
        kappa = (accuracy - chance) / (1 - chance)
        occurring = (labelled > 0).sum(axis=1)
        macro_f1 = np.nansum(f1, axis=1) / occurring
        balanced = np.nansum(recall, axis=1) / occurring
    scores = {}
    for index, name in enumerate(SITE_CLASSES):
        scores[name, "precision"] = precision[:, index]
        scores[name, "recall"] = recall[:, index]
        scores[name, "f1"] = f1[:, index]
    scores[ALL, "macro_f1"] = macro_f1
    scores[ALL, "accuracy"] = accuracy
    scores[ALL, "balanced_accuracy"] = balanced
    scores[ALL, "kappa"] = kappa
    return scores
