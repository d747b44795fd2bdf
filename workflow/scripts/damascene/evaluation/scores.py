"""How well predicted classes agree with the labels."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from damascene.classes import ALL, SITE_CLASSES, SITE_LABELS
from damascene.statistics.jackknife import jackknife_interval, numbered


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
    counts = _counts(truth, predicted, np.zeros(len(truth), int), groups=1)[0]
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
) -> pd.DataFrame:
    """Score predicted classes against labels, with intervals over groups.

    `not_classified` is a wrong answer: it lowers the recall of the true class, and with it F1 and
    accuracy, but not the precision of any class; Cohen's kappa takes it as an answer of its own
    that no label ever gives. Means over classes run over the classes that have a label; a
    precision without a prediction counts as 0.

    Parameters
    ----------
    truth, predicted : sequences of str
        See `confusion_table`.
    groups : sequence of str
        Sites of a group resemble each other, those of two groups do not.
    confidence : float
        Of the intervals, for instance 0.95; see `jackknife.jackknife_interval`.

    Returns
    -------
    pandas.DataFrame
        class, score, value, low, high, groups (that matter to the score: an interval needs three),
        support. Scores of a class: `precision`, `recall`, `f1`;
        of the class `all`: `macro_f1`, `accuracy`, `balanced_accuracy`, `kappa`. Values that do
        not exist (a class without labels) are missing.

    References
    ----------
    Cohen, A coefficient of agreement for nominal scales, 10.1177/001316446002000104.
    """
    member, groups = numbered(groups)
    per_group = _counts(truth, predicted, member, groups=groups)
    total = per_group.sum(axis=0)
    values, left_out = _scores(total[None]), _scores(total - per_group)
    support = total.sum(axis=1)
    rows = []
    for (name, score), value in values.items():
        matters = _matters(per_group, name, score)
        low, high = jackknife_interval(
            value[0],
            left_out[name, score][matters],
            confidence=confidence,
            bounds=(-1.0, 1.0) if score == "kappa" else (0.0, 1.0),
        )
        rows.append(
            {
                "class": name,
                "score": score,
                "value": value[0],
                "low": low,
                "high": high,
                "groups": int(matters.sum()),
                "support": int(support.sum() if name == ALL else support[SITE_CLASSES.index(name)]),
            }
        )
    return pd.DataFrame(rows)


def _counts(truth, predicted, member, *, groups):
    """Return the confusion matrix of each group, int (groups, classes, site labels)."""
    counts = np.zeros((groups, len(SITE_CLASSES), len(SITE_LABELS)), int)
    rows = [SITE_CLASSES.index(name) for name in truth]
    columns = [SITE_LABELS.index(name) for name in predicted]
    np.add.at(counts, (member, rows, columns), 1)
    return counts


def _matters(per_group, name, score):
    """Tell which groups hold a site that enters a score."""
    if name == ALL:
        return np.ones(len(per_group), bool)
    index = SITE_CLASSES.index(name)
    labelled, answered = per_group[:, index].sum(axis=1), per_group[:, :, index].sum(axis=1)
    entering = {"recall": labelled, "precision": answered, "f1": labelled + answered}
    return entering[score] > 0


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
