"""How well annotators agree on each class, over all that they answered."""

import itertools
from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd

from damascene.classes import SITE_CLASSES
from damascene.contracts.agreement import CLASS_AGREEMENT
from damascene.contracts.panorama_record import PanoramaRecord
from damascene.contracts.table import check_table, empty_table
from damascene.evaluation.agreement import answer_table
from damascene.labels.groups import groups_of_answers
from damascene.statistics.jackknife import jackknife_interval, numbered


def measure_class_agreement(
    answers: pd.DataFrame,
    records: Sequence[PanoramaRecord],
    *,
    group_by: str,
    block: str,
    confidence: float,
) -> pd.DataFrame:
    """Return `class_agreement` of a study; parameters as `agreement.measure_agreement`."""
    groups = groups_of_answers(answers, records, group_by=group_by, block=block)
    return class_agreement(answers, groups=groups, confidence=confidence)


def class_agreement(answers: pd.DataFrame, *, groups: pd.Series, confidence: float) -> pd.DataFrame:
    """Score how well annotators agree on each class.

    All sites count that two or more annotators answered, whether a majority agrees or not.

    Parameters
    ----------
    answers : pandas.DataFrame
        `ANSWERS`.
    groups : pandas.Series
        Group of each site, by panorama and site_id. Sites of a group resemble each other.
    confidence : float
        See `jackknife.jackknife_interval`.

    Returns
    -------
    pandas.DataFrame
        `CLASS_AGREEMENT`: every pair of annotators, and with three or more all of them.

    References
    ----------
    Cicchetti & Feinstein, High agreement but low kappa II, 10.1016/0895-4356(90)90159-M (positive
    agreement, of a pair the same as Dice's coefficient).
    Fleiss, Measuring nominal scale agreement among many raters, 10.1037/h0031619 (kappa of a class;
    here each answer weighs the same, so that people may leave out sites).
    """
    answered = answer_table(answers)
    names = list(answered.columns)
    compared = [
        (f"pair {one + 1}-{other + 1}", [names[one], names[other]])
        for one, other in itertools.combinations(range(len(names)), 2)
    ]
    if len(names) > 2:
        compared.append(("all", names))
    rows = []
    for comparison, people in compared:
        table = answered[people]
        table = table[(table != "").sum(axis=1) > 1]
        member, number = numbered(groups.loc[table.index])
        for name in SITE_CLASSES:
            counts = np.column_stack([(table == name).sum(axis=1), (table != "").sum(axis=1)])
            named = counts[:, 0] > 0
            told = {
                "class": name,
                "comparison": comparison,
                "annotators": ", ".join(people),
                "sites": len(table),
                "named": int(named.sum()),
            }
            for score, function, least in (
                ("positive_agreement", _positive, 0.0),
                ("kappa", _kappa, -1.0),
            ):
                scored = _scored(
                    function, counts, member, number, least=least, confidence=confidence
                )
                rows.append(told | {"score": score} | scored)
    if not rows:
        return empty_table(CLASS_AGREEMENT)
    return check_table(pd.DataFrame(rows), CLASS_AGREEMENT, source="agreement on classes")


def _scored(
    score: Callable, counts: np.ndarray, member: np.ndarray, number: int, *, least, confidence
):
    """Return a score with its interval from leaving out each group that has a part in it."""
    # Groups in which nobody named the class leave positive agreement as it is.
    matters = range(number)
    if score is _positive:
        matters = np.unique(member[counts[:, 0] > 0])
    value = score(counts)
    low, high = jackknife_interval(
        value,
        [score(counts[member != one]) for one in matters],
        confidence=confidence,
        bounds=(least, 1.0),
    )
    return {"value": value, "low": low, "high": high, "groups": len(matters)}


def _positive(counts):
    """Return the share of second answers that name the class where a first one does.

    Of how many answers named the class on each site, and how many there were (sites, 2).
    """
    named, answers = counts.T.astype(float)
    # Sites with more answers have more pairs; each answer weighs as one.
    possible = named.sum()
    if not possible:
        return np.nan
    return float((named * (named - 1) / (answers - 1)).sum() / possible)


def _kappa(counts):
    """Return the agreement on whether a site is of the class, beyond chance."""
    named, answers = counts.T.astype(float)
    share = named.sum() / answers.sum() if len(counts) else 0.0
    if not 0 < share < 1:
        return np.nan
    differing = (2 * named * (answers - named) / (answers - 1)).sum()
    expected = 2 * share * (1 - share) * answers.sum()
    return float(1 - differing / expected)
