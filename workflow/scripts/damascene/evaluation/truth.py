"""Sites compared with a simulation's truth: what was found, and under which name."""

from collections.abc import Sequence

import pandas as pd

from damascene.classes import ALL, SITE_CLASSES, SITE_LABELS
from damascene.detection.matching import match_to_outlines
from damascene.evaluation.scores import confusion_table, score_table
from damascene.statistics.intervals import proportion_interval

#: Parts of the panoramas for which scores are given.
SCOPES = ("all", "outside_labelled_area")

_KEY = ["panorama", "site_id"]
_TRUTH_KEY = ["panorama", "truth_id"]


def compare_with_truth(
    sites: Sequence[pd.DataFrame],
    truth: Sequence[pd.DataFrame],
    *,
    panoramas: Sequence[str],
    tolerance_px: float,
    labelled_until_px: float,
    minimum_area_px: float,
    confidence: float,
    seed: int,
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Score detection and classification of simulated panoramas.

    Parameters
    ----------
    sites, truth : sequence of pandas.DataFrame
        `SITES` and `TRUTH` of each panorama.
    panoramas : sequence of str
        Their names, in the same order.
    tolerance_px : float
        See `match_to_outlines`.
    labelled_until_px : float
        Labels were drawn to the left of this column; classes are scored to the right of it.
    minimum_area_px, confidence
        See `detection_scores`.
    seed : int
        Of the bootstrap of the scores.

    Returns
    -------
    detection, confusion, scores : pandas.DataFrame
        From `detection_scores`, `scores.confusion_table` and `scores.score_table`.
    """
    matches = pd.concat(
        [
            match_to_outlines(found, true, tolerance_px=tolerance_px).assign(panorama=name)
            for name, found, true in zip(panoramas, sites, truth, strict=True)
        ],
        ignore_index=True,
    )
    sites, truth = (
        (table := pd.concat(part, ignore_index=True)).assign(
            in_labelled_area=table["x_px"] < labelled_until_px
        )
        for part in (sites, truth)
    )
    chosen = {"minimum_area_px": minimum_area_px}
    detection = detection_scores(sites, truth, matches, confidence=confidence, **chosen)
    matched = matched_classes(sites, truth, matches, **chosen)
    unseen = matched[~matched["in_labelled_area"]]
    scores = score_table(
        unseen["true_class"],
        unseen["predicted_class"],
        # Sites are placed independently of each other, so each is a group of its own.
        groups=unseen["panorama"] + "/" + unseen["site_id"].astype(str),
        confidence=confidence,
        seed=seed,
    )
    return detection, confusion_table(unseen["true_class"], unseen["predicted_class"]), scores


def detection_scores(
    sites: pd.DataFrame,
    truth: pd.DataFrame,
    matches: pd.DataFrame,
    *,
    minimum_area_px: float,
    confidence: float = 0.95,
) -> pd.DataFrame:
    """Score the detection: recall by true class, precision by assigned class.

    Recall is the fraction of true sites of more than `minimum_area_px` that are matched, by a site
    of any class. Precision is the fraction of sites that are matched to such a true site, of
    any class; sites matched to smaller true sites alone are neither right nor wrong and are
    left out. All panoramas are taken together.

    Parameters
    ----------
    sites : pandas.DataFrame
        `SITES` with a further column `in_labelled_area` (bool).
    truth : pandas.DataFrame
        `TRUTH` of the same panoramas with a further column `in_labelled_area` (bool).
    matches : pandas.DataFrame
        panorama, site_id, truth_id: one row per pair of a site and a true site in the same place,
        as `detection.matching.match_to_outlines` finds them panorama by panorama.
    minimum_area_px : float
        True sites that are scored have more pixels than this.
    confidence : float, optional
        Coverage of the exact binomial intervals.

    Returns
    -------
    pandas.DataFrame
        scope ("all" or "outside_labelled_area"), score ("recall" or "precision"), class (true class
        for recall, predicted class for precision, or "all"), matched, total, value (NaN without
        sites), low, high, confidence.
    """
    scored_truth = truth[truth["area_px"] > minimum_area_px]
    found = _is_in(scored_truth, matches, keys=_TRUTH_KEY)
    real_matches = matches[_is_in(matches, scored_truth, keys=_TRUTH_KEY)]
    real = _is_in(sites, real_matches, keys=_KEY)
    small = _is_in(sites, matches, keys=_KEY) & ~real
    rows = []
    for scope in SCOPES:
        for score, table, column, hit, names in (
            ("recall", scored_truth, "true_class", found, SITE_CLASSES),
            ("precision", sites[~small], "predicted_class", real[~small], SITE_LABELS),
        ):
            scored = table[column].notna() if scope == "all" else ~table["in_labelled_area"]
            for name in (*names, ALL):
                chosen = scored if name == ALL else scored & (table[column] == name)
                rows.append(
                    {
                        "scope": scope,
                        "score": score,
                        "class": name,
                        "matched": int((hit & chosen).sum()),
                        "total": int(chosen.sum()),
                    }
                )
    scores = pd.DataFrame(rows)
    low, high = proportion_interval(scores["matched"], scores["total"], confidence=confidence)
    return scores.assign(
        value=scores["matched"] / scores["total"], low=low, high=high, confidence=confidence
    )


def matched_classes(
    sites: pd.DataFrame, truth: pd.DataFrame, matches: pd.DataFrame, *, minimum_area_px: float
) -> pd.DataFrame:
    """Set the assigned beside the true class of every matched site.

    Should a site have several true sites, it is compared with the largest of them (the first of
    equals); should a true site have several sites, each of them gives a row.

    Parameters
    ----------
    sites, truth, matches, minimum_area_px
        As for `detection_scores`.

    Returns
    -------
    pandas.DataFrame
        panorama, site_id, truth_id, true_class, predicted_class, in_labelled_area (that of the
        site), in the order of panorama and site_id.
    """
    scored = truth.loc[truth["area_px"] > minimum_area_px, [*_TRUTH_KEY, "true_class", "area_px"]]
    pairs = (
        # A table without rows need not know that its numbers are integers.
        matches[[*_KEY, "truth_id"]]
        .astype({"site_id": "int64", "truth_id": "int64"})
        .merge(
            sites[[*_KEY, "predicted_class", "in_labelled_area"]],
            on=_KEY,
        )
        .merge(scored, on=_TRUTH_KEY)
        .sort_values([*_KEY, "area_px", "truth_id"], ascending=[True, True, False, True])
        .drop_duplicates(_KEY)
        .reset_index(drop=True)
    )
    columns = [*_KEY, "truth_id", "true_class", "predicted_class", "in_labelled_area"]
    return pairs[columns]


def _is_in(table, other, *, keys):
    """Tell which rows of a table have their key among those of another."""
    known = pd.MultiIndex.from_frame(other[keys])
    return pd.Series(pd.MultiIndex.from_frame(table[keys]).isin(known), index=table.index)
