"""How well annotators agree with each other: the ceiling of any score against their labels."""

import itertools
from collections.abc import Sequence

import numpy as np
import pandas as pd
from statsmodels.stats import inter_rater

from damascene.classes import ALL, SITE_CLASSES
from damascene.contracts.labels import ANSWER_SEPARATOR
from damascene.evaluation.scores import score_table

_SCORES = ("macro_f1", "kappa", "balanced_accuracy")
_NAMES = np.array(SITE_CLASSES, dtype=object)


def answer_table(answers: Sequence[str]) -> np.ndarray:
    """Return the class index of each annotator's answer, -1 for none, int (sites, annotators).

    Sites that fewer people answered are filled up with -1.
    """
    split = [text.split(ANSWER_SEPARATOR) for text in answers]
    annotators = max((len(one) for one in split), default=0)
    table = np.full((len(split), annotators), -1)
    for row, one in zip(table, split, strict=True):
        row[: len(one)] = [SITE_CLASSES.index(each) if each else -1 for each in one]
    return table


def fleiss_kappa(answered: np.ndarray) -> float:
    """Return Fleiss' kappa over the sites that every annotator answered; nan without any.

    References
    ----------
    Fleiss, Measuring nominal scale agreement among many raters, 10.1037/h0031619.
    """
    whole = answered[(answered >= 0).all(axis=1)]
    if not len(whole) or whole.shape[1] < 2:
        return np.nan
    if (whole == whole[0, 0]).all():
        # Nobody could disagree: agreement and chance are both 1.
        return np.nan
    counts, _ = inter_rater.aggregate_raters(whole, n_cat=len(SITE_CLASSES))
    return float(inter_rater.fleiss_kappa(counts, method="fleiss"))


def agreement_table(
    answers: Sequence[str],
    *,
    predicted: Sequence[str],
    groups: Sequence[str],
    confidence: float,
    seed: int,
) -> pd.DataFrame:
    """Score annotators against each other, and the networks in the place of each of them.

    A score against the majority cannot be compared with that of a person who had a vote in it.
    Where the label is what the others agree on, person and networks are scored on the same sites.

    Parameters
    ----------
    answers : sequence of str, length n
        See `LABELS`.
    predicted : sequence of str, length n
        What networks that did not learn from a site call it.
    groups : sequence of str, length n
        Sites of a group are drawn together in the bootstrap.
    confidence, seed
        See `evaluate.score_table`.

    Returns
    -------
    pandas.DataFrame
        comparison, sites, score, value, low, high. `pair 1-2`: proportion of equal answers
        (`agreement`) and Cohen's kappa of two annotators, numbered in their order; `all`: Fleiss'
        kappa; `3 against others`: scores of one annotator against the label on which all others,
        at least two, agree; `networks for 3`: of the networks on the same sites. Empty where one
        person labelled.
    """
    answered = answer_table(answers)
    groups, predicted = np.asarray(groups, dtype=str), np.asarray(predicted, dtype=object)
    annotators = range(answered.shape[1])
    scoring = {"confidence": confidence, "seed": seed}
    rows = []
    for one, other in itertools.combinations(annotators, 2):
        both = (answered[:, [one, other]] >= 0).all(axis=1)
        pair = f"pair {one + 1}-{other + 1}"
        scored = _scores(*_NAMES[answered[both][:, [one, other]]].T, groups[both], **scoring)
        scored = scored.rename(index={"accuracy": "agreement"}).loc[["agreement", "kappa"]]
        rows += _rows(pair, both.sum(), scored)
    for one in annotators:
        others = np.delete(answered, one, axis=1)
        if others.shape[1] < 2:
            continue
        agreed = (others >= 0).all(axis=1) & (others == others[:, :1]).all(axis=1)
        agreed &= answered[:, one] >= 0
        if agreed.any():
            names = _NAMES[answered[agreed, one]]
            for comparison, answer in (
                (f"{one + 1} against others", names),
                (f"networks for {one + 1}", predicted[agreed]),
            ):
                scored = _scores(_NAMES[others[agreed, 0]], answer, groups[agreed], **scoring)
                rows += _rows(comparison, agreed.sum(), scored.loc[list(_SCORES)])
    if answered.shape[1] > 1:
        complete = int((answered >= 0).all(axis=1).sum())
        value = fleiss_kappa(answered)
        rows.append(
            {"comparison": "all", "sites": complete, "score": "fleiss_kappa", "value": value}
        )
    return pd.DataFrame(rows, columns=["comparison", "sites", "score", "value", "low", "high"])


def _scores(truth, predicted, groups, **scoring):
    table = score_table(truth, predicted, groups=groups, **scoring)
    return table[table["class"] == ALL].set_index("score")


def _rows(comparison, sites, scored):
    return [
        {
            "comparison": comparison,
            "sites": int(sites),
            "score": score,
            "value": row["value"],
            "low": row["low"],
            "high": row["high"],
        }
        for score, row in scored.iterrows()
    ]
