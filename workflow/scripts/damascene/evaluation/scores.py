"""How well predicted classes agree with the labels."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from damascene.classes import ALL, SITE_CLASSES, SITE_LABELS
from damascene.statistics.intervals import proportion_interval
from damascene.statistics.jackknife import LEAST_GROUPS, jackknife_interval, numbered


def confusion_table(
    truth: Sequence[str],
    predicted: Sequence[str],
    *,
    groups: Sequence[str],
    confidence: float,
) -> pd.DataFrame:
    """Count predicted classes for each true class, with an interval for every share.

    Parameters
    ----------
    truth : sequence of str
        Classes of `SITE_CLASSES`.
    predicted : sequence of str
        Classes of `SITE_LABELS`, so with `not_classified`.
    groups, confidence
        See `score_table`.

    Returns
    -------
    pandas.DataFrame
        `CONFUSION`: one row for every pair, in the order of the classes. The share and its
        interval are missing where the class has no site. Where the groups give no interval it is
        the exact one of a binomial count, as if sites were independent of each other.

    References
    ----------
    Clopper & Pearson, The use of confidence or fiducial limits, 10.1093/biomet/26.4.404.
    """
    member, number = numbered(groups)
    per_group = _counts(truth, predicted, member, groups=number)
    rows = []
    for true_class, of_class in zip(SITE_CLASSES, per_group.swapaxes(0, 1), strict=True):
        # Groups without a site of the class say nothing of its shares.
        of_class = of_class[of_class.sum(axis=1) > 0]
        total = of_class.sum(axis=0)
        for predicted_class, count, of_groups in zip(SITE_LABELS, total, of_class.T, strict=True):
            share = share_with_interval(of_groups, of_class.sum(axis=1), confidence=confidence)
            rows.append(
                {"true_class": true_class, "predicted_class": predicted_class, "count": count}
                | share
            )
    return pd.DataFrame(rows)


def share_with_interval(
    counts: np.ndarray, totals: np.ndarray, *, confidence: float
) -> dict[str, float | int | str]:
    """Return a share of sites with the interval that their groups give, or the exact one.

    Parameters
    ----------
    counts, totals : numpy.ndarray, int, shape (groups,)
        Sites that count, and all sites, of each group; no group is empty.
    confidence : float

    Returns
    -------
    dict
        share, low, high, groups, interval (`groups`, `sites` or empty, see `CONFUSION`).
    """
    count, total = int(counts.sum()), int(totals.sum())
    if not total:
        nothing = dict.fromkeys(("share", "low", "high"), np.nan)
        return nothing | {"groups": 0, "interval": ""}
    low = high = np.nan
    if len(counts) >= LEAST_GROUPS:
        left_out = (count - counts) / (total - totals)
        low, high = jackknife_interval(count / total, left_out, confidence=confidence)
    kind = "sites" if np.isnan(low) else "groups"
    if kind == "sites":
        low, high = map(float, proportion_interval(count, total, confidence=confidence))
    told = {"share": count / total, "low": low, "high": high}
    return told | {"groups": len(counts), "interval": kind}


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


def score_difference(
    truth: Sequence[str],
    one: Sequence[str],
    other: Sequence[str],
    *,
    groups: Sequence[str],
    confidence: float,
    each_class: bool = False,
) -> pd.DataFrame:
    """Score the first answers less the second on the same sites, with paired intervals.

    Parameters
    ----------
    truth, one, other : sequences of str
        True classes and two answers to each site, see `confusion_table`.
    groups, confidence
        See `score_table`. A group is left out of both answers at once.
    each_class : bool, optional
        Whether scores of single classes are among them.

    Returns
    -------
    pandas.DataFrame
        class, score, value, low, high, groups; of the class `all` if nothing else is asked for.
    """
    member, number = numbered(groups)
    first, second = (_counts(truth, answers, member, groups=number) for answers in (one, other))
    totals = [_scores(counts.sum(axis=0)[None]) for counts in (first, second)]
    left_out = [_scores(counts.sum(axis=0) - counts) for counts in (first, second)]
    rows = []
    for key in totals[0]:
        name, score = key
        if name != ALL and not each_class:
            continue
        value = float(totals[0][key][0] - totals[1][key][0])
        matters = _matters(first, name, score) | _matters(second, name, score)
        # The difference of two kappas may reach 2 either way.
        bound = 2.0 if score == "kappa" else 1.0
        low, high = jackknife_interval(
            value,
            (left_out[0][key] - left_out[1][key])[matters],
            confidence=confidence,
            bounds=(-bound, bound),
        )
        told = {"class": name, "score": score, "value": value, "low": low, "high": high}
        rows.append(told | {"groups": int(matters.sum())})
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
