"""Scores under the settings of the study beside those under settings chosen without each fold."""

import numpy as np
import pandas as pd

from damascene.classes import SITE_CLASSES
from damascene.contracts.labels import ANSWER_SEPARATOR
from damascene.evaluation.scores import score_table


def score_selections(
    study: pd.DataFrame, nested: pd.DataFrame, *, confidence: float
) -> pd.DataFrame:
    """Score the answers under the settings of the study and under those chosen without each fold.

    Parameters
    ----------
    study, nested : pandas.DataFrame
        Labelled sites with `label`, `answers`, `group` and `predicted_class`.
    confidence : float
        See `scores.score_table`.

    Returns
    -------
    pandas.DataFrame
        `NESTED_SCORES`; without rows for unanimous sites where no two people labelled one.
    """
    parts = []
    for selection, answered in (("study", study), ("nested", nested)):
        for sites, chosen in (("all", answered), ("unanimous", answered[unanimous(answered)])):
            if len(chosen):
                table = score_table(
                    chosen["label"],
                    chosen["predicted_class"],
                    groups=chosen["group"],
                    confidence=confidence,
                )
                table.insert(0, "selection", selection)
                table.insert(1, "sites", sites)
                parts.append(table)
    return pd.concat(parts, ignore_index=True)


def unanimous(sites: pd.DataFrame) -> np.ndarray:
    """Say on which sites at least two answers were given and all are the same class."""
    answers = [
        [answer for answer in text.split(ANSWER_SEPARATOR) if answer in SITE_CLASSES]
        for text in sites["answers"]
    ]
    return np.array([len(given) > 1 and len(set(given)) == 1 for given in answers], bool)
