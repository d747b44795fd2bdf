"""How well annotators agree on each class, over all that they answered."""

import itertools
from collections.abc import Sequence

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
            named = (table == name).sum(axis=1).to_numpy()
            sums = _sums(named, (table != "").sum(axis=1).to_numpy(), member, groups=number)
            told = {
                "class": name,
                "comparison": comparison,
                "annotators": ", ".join(people),
                "sites": len(table),
                "named": int((named > 0).sum()),
            }
            for score, function, least, matters in (
                # Groups in which nobody named the class leave positive agreement as it is.
                ("positive_agreement", _positive, 0.0, sums[:, 0] > 0),
                ("kappa", _kappa, -1.0, np.ones(number, bool)),
            ):
                value = float(function(sums.sum(axis=0)))
                low, high = jackknife_interval(
                    value,
                    function(sums.sum(axis=0) - sums[matters]),
                    confidence=confidence,
                    bounds=(least, 1.0),
                )
                interval = {"low": low, "high": high, "groups": int(matters.sum())}
                rows.append(told | {"score": score, "value": value} | interval)
    if not rows:
        return empty_table(CLASS_AGREEMENT)
    return check_table(pd.DataFrame(rows), CLASS_AGREEMENT, source="agreement on classes")


def _sums(named, answers, member, *, groups):
    """Return, for each group of sites, what both scores follow from, float (groups, 4).

    How many answers name the class, how many of the others on their sites do so, too, taken for
    each as a share; how many answers there are, and how many of the others differ from each.
    """
    of_sites = np.column_stack(
        [
            named,
            named * (named - 1) / (answers - 1),
            answers,
            2 * named * (answers - named) / (answers - 1),
        ]
    )
    sums = np.zeros((groups, of_sites.shape[1]))
    np.add.at(sums, member, of_sites)
    return sums


def _positive(sums):
    """Return the share of other answers that name the class where one does."""
    with np.errstate(invalid="ignore"):
        return sums[..., 1] / sums[..., 0]


def _kappa(sums):
    """Return the agreement on whether a site is of the class, beyond chance."""
    with np.errstate(invalid="ignore", divide="ignore"):
        share = sums[..., 0] / sums[..., 2]
        return 1 - sums[..., 3] / (2 * share * (1 - share) * sums[..., 2])
