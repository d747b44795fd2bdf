"""For whom scores hold: how labelled sites differ from the candidates that nobody labelled."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from damascene.classes import ALL, SITE_LABELS
from damascene.evaluation.scores import share_with_interval
from damascene.statistics.intervals import proportion_interval

_PERCENTILES = (5, 95)


def scope_table(
    split: pd.DataFrame,
    predictions: pd.DataFrame,
    sites: Sequence[pd.DataFrame],
    *,
    confidence: float,
) -> pd.DataFrame:
    """Set the labelled sites beside the candidates without a label, class by class.

    Labels are often given to large sites first, or so that each class has enough. Nobody knows the
    true classes of the other candidates; compared is therefore what the networks say of both: of
    the labelled sites by networks that never saw them. Where these shares differ clearly, accuracy,
    kappa and precision of the labels are not those of the panoramas.

    Parameters
    ----------
    split, predictions : pandas.DataFrame
        `SPLIT` and `HELD_OUT`.
    sites : sequence of pandas.DataFrame
        `SITES` of all panoramas.
    confidence : float
        Of the intervals: over groups for labelled sites, exact binomial ones for the others.

    Returns
    -------
    pandas.DataFrame
        `SCOPE`.
    """
    sites = pd.concat(sites, ignore_index=True)
    key = ["panorama", "site_id"]
    others = sites[sites["label"] == ""]
    labelled = split[[*key, "label"]].merge(sites[[*key, "equivalent_diameter_um"]], on=key)
    by_group = predictions.groupby("group").size()
    rows = []
    for name in (*SITE_LABELS, ALL):
        given = split["label"].isin(_named(name))
        answered = predictions["predicted_class"].isin(_named(name))
        counts = answered.groupby(predictions["group"]).sum().reindex(by_group.index)
        of_labels = share_with_interval(
            counts.to_numpy(int), by_group.to_numpy(), confidence=confidence
        )
        called = others["predicted_class"].isin(_named(name))
        low, high = np.nan, np.nan
        if name == ALL:
            of_labels |= {"low": np.nan, "high": np.nan}
        elif len(others):
            low, high = proportion_interval(called.sum(), len(others), confidence=confidence)
        rows.append(
            {
                "class": name,
                "labels": given.sum(),
                "label_share": given.mean() if len(given) else 0.0,
                "answered": answered.sum(),
                "answered_share": of_labels["share"],
                "answered_share_low": of_labels["low"],
                "answered_share_high": of_labels["high"],
                "others": called.sum(),
                "other_share": called.mean() if len(others) else np.nan,
                "other_share_low": float(low),
                "other_share_high": float(high),
                "differs": bool(of_labels["high"] < low or high < of_labels["low"]),
                **_diameters("label", labelled[labelled["label"].isin(_named(name))]),
                **_diameters("other", others[called]),
            }
        )
    return pd.DataFrame(rows)


def outside_of_sizes(
    split: pd.DataFrame, sites: Sequence[pd.DataFrame], scope: pd.DataFrame
) -> tuple[float, float]:
    """Return which fractions of the candidates without a label are small and large for the labels.

    Parameters
    ----------
    split, sites
        See `scope_table`.
    scope : pandas.DataFrame
        `SCOPE`.

    Returns
    -------
    below, above : float
        Below the 5th and above the 95th percentile of the labelled sites; NaN without candidates.
    """
    every = scope.set_index("class").loc[ALL]
    sites = pd.concat(sites, ignore_index=True)
    diameters = sites.loc[sites["label"] == "", "equivalent_diameter_um"]
    if not len(diameters):
        return np.nan, np.nan
    low, high = every["label_diameter_5_um"], every["label_diameter_95_um"]
    return float((diameters < low).mean()), float((diameters > high).mean())


def _named(name):
    return SITE_LABELS if name == ALL else [name]


def _diameters(whose, sites):
    diameters = sites["equivalent_diameter_um"]
    return {
        f"{whose}_diameter_{percent}_um": diameters.quantile(percent / 100)
        if len(sites)
        else np.nan
        for percent in _PERCENTILES
    }
