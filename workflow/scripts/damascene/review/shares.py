"""Shares of classes from labels: those drawn at random are an honest sample of all, others not."""

import numpy as np
import pandas as pd

from damascene.classes import SITE_CLASSES
from damascene.contracts.labels import UNCLEAR
from damascene.contracts.review_order import RANDOM
from damascene.contracts.reviewed_shares import (
    ALL_LABELS,
    NETWORKS,
    RANDOM_PART,
    REVIEWED_SHARES,
)
from damascene.contracts.table import check_table
from damascene.labels.votes import counting
from damascene.review.order import chances
from damascene.statistics.intervals import proportion_interval

# Where more of the first sites by chance are without an answer, they are another draw than this
# study's: then sites count that were marked as random when they were labelled.
_MOST_UNANSWERED = 0.2
_KEY = ["panorama", "site_id"]
_CONTRADICTING = "contradicting"


def reviewed_shares(
    sites: pd.DataFrame,
    answers: pd.DataFrame,
    labels: pd.DataFrame,
    *,
    seed: int,
    confidence: float,
) -> pd.DataFrame:
    """Estimate the share of each class from the random part of a review, and from all labels.

    The sites of the lowest chances are a simple random sample of all, whoever labelled them and
    why. It ends with the last of them that the gallery drew at random and a person answered. A
    site within it that was labelled before, for another reason, belongs to it: without these,
    later rounds of a review would lack what earlier ones asked about.

    Parameters
    ----------
    sites : pandas.DataFrame
        All sites of the study: panorama and site_id, and predicted_class where there are networks.
    answers, labels : pandas.DataFrame
        `ANSWERS` and `LABELLED_SITES`.
    seed : int
        That of the order, see `order.chances`.
    confidence : float

    Returns
    -------
    pandas.DataFrame
        `REVIEWED_SHARES`; without the random part where nothing was drawn at random.
    """
    table = sites[_KEY].reset_index(drop=True)
    table["chance"] = 0
    table["chance"] = table["chance"].astype(np.uint64)
    for name, part in table.groupby("panorama"):
        table.loc[part.index, "chance"] = chances(name, part["site_id"].to_numpy(), seed=seed)
    table["rank"] = table["chance"].rank(method="first")
    said = answers[answers["counts"]].assign(random=lambda each: each["drawn_by"] == RANDOM)
    marked = said.groupby(_KEY)["random"].any().rename("marked")
    table = table.join(marked, on=_KEY).join(labels.set_index(_KEY)["label"], on=_KEY)
    answered, marked = table["marked"].notna(), table["marked"].eq(True)
    # Without a label: nobody could tell, or they contradict each other.
    votes = counting(answers)
    named = votes[votes["answer"] != UNCLEAR].groupby(_KEY).size().rename("named")
    table = table.join(named, on=_KEY)
    without = answered & table["label"].isna()
    table["label"] = table["label"].fillna("")
    table.loc[without, "label"] = np.where(table["named"][without] > 0, _CONTRADICTING, UNCLEAR)
    rows = []
    if marked.any():
        first = table["rank"] <= table["rank"][marked].max()
        missing = int((first & ~answered).sum())
        part = first & answered if missing <= _MOST_UNANSWERED * first.sum() else marked
        rows += _rows(RANDOM_PART, table["label"][part], missing, confidence=confidence)
    if answered.any():
        rows += _rows(ALL_LABELS, table["label"][answered], 0)
    if "predicted_class" in sites:
        rows += _rows(NETWORKS, sites["predicted_class"], 0)
    found = pd.DataFrame(rows, columns=list(REVIEWED_SHARES.columns))
    return check_table(found, REVIEWED_SHARES, source="reviewed shares")


def _rows(origin, labels, unanswered, *, confidence=None):
    """Yield the row of each class; with a confidence with intervals."""
    named = labels[labels.isin(SITE_CLASSES)]
    for name in SITE_CLASSES:
        count, low, high = int((named == name).sum()), np.nan, np.nan
        if confidence is not None:
            low, high = map(float, proportion_interval(count, len(named), confidence=confidence))
        yield {
            "from": origin,
            "class": name,
            "sites": count,
            "of": len(named),
            "share": count / len(named) if len(named) else 0.0,
            "low": low,
            "high": high,
            "unclear": int((labels == UNCLEAR).sum()),
            "contradicting": int((labels == _CONTRADICTING).sum()),
            "unanswered": unanswered,
        }
