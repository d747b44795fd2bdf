"""Why the number of inclusions may seem to change: what is taken for one, and what is missed."""

from collections.abc import Mapping

import pandas as pd

from damascene.classes import DAMAGE_MECHANISMS, INCLUSION
from damascene.statistics.intervals import proportion_interval


def control_errors(
    sites: pd.DataFrame,
    truth: pd.DataFrame,
    matches: pd.DataFrame,
    matched: pd.DataFrame,
    *,
    strains_percent: Mapping[str, float],
    confidence: float,
) -> pd.DataFrame:
    """Count, panorama by panorama, the errors that change the number of inclusions.

    Parameters
    ----------
    sites, truth, matches
        See `truth.detection_scores`; outside the labelled area alone they are counted.
    matched : pandas.DataFrame
        From `truth.matched_classes`.
    strains_percent : mapping of panorama to float
    confidence : float
        Of the exact binomial intervals, which take sites as independent of each other.

    Returns
    -------
    pandas.DataFrame
        `TRUTH_CONTROL`.
    """
    sites = sites[~sites["in_labelled_area"]]
    truth = truth[truth["is_scored"] & ~truth["in_labelled_area"]]
    matched = matched[~matched["in_labelled_area"]]
    found = truth.merge(matches[["panorama", "truth_id"]].drop_duplicates()).assign(is_found=True)
    rows = []
    for name, strain in strains_percent.items():
        true, own = (table[table["panorama"] == name] for table in (truth, matched))
        called = own[own["predicted_class"] == INCLUSION]
        inclusions = own[own["true_class"] == INCLUSION]
        known = true[true["true_class"] == INCLUSION]
        is_damage = own["true_class"].isin(DAMAGE_MECHANISMS)
        missed = (
            len(known) - ((found["panorama"] == name) & (found["true_class"] == INCLUSION)).sum()
        )
        invented = sites[(sites["panorama"] == name) & (sites["predicted_class"] == INCLUSION)]
        unmatched = ~invented["site_id"].isin(matches.loc[matches["panorama"] == name, "site_id"])
        for error, count, total in (
            ("damage_called_inclusion", is_damage.loc[called.index].sum(), is_damage.sum()),
            (
                "shadow_called_inclusion",
                (called["true_class"] == "shadowing").sum(),
                (own["true_class"] == "shadowing").sum(),
            ),
            ("nothing_called_inclusion", unmatched.sum(), len(invented)),
            ("inclusion_missed", missed, len(known)),
            (
                "inclusion_called_otherwise",
                (inclusions["predicted_class"] != INCLUSION).sum(),
                len(inclusions),
            ),
        ):
            rows.append(
                {
                    "panorama": name,
                    "strain_percent": strain,
                    "error": error,
                    "count": int(count),
                    "total": int(total),
                }
            )
    table = pd.DataFrame(rows)
    low, high = proportion_interval(table["count"], table["total"], confidence=confidence)
    share = table["count"] / table["total"].where(table["total"] > 0)
    return table.assign(value=share, low=low, high=high, confidence=confidence)
