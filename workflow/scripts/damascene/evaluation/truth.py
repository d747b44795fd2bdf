"""Sites compared with a simulation's truth: what was found, and under which name."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy.spatial import KDTree

from damascene.classes import ALL, SITE_CLASSES, SITE_LABELS
from damascene.detection.matching import match_to_outlines
from damascene.evaluation.scores import confusion_table, score_table
from damascene.evaluation.truth_control import control_errors
from damascene.statistics.intervals import proportion_interval
from damascene.units import area_px, length_px

#: Edge of the blocks whose sites count as a group for the intervals of the scores: brightness,
#: bands and noise are alike within one.
GROUP_BLOCK = "30 um"
#: Parts of the panoramas for which scores are given.
SCOPES = ("all", "outside_labelled_area")

_KEY = ["panorama", "site_id"]
_TRUTH_KEY = ["panorama", "truth_id"]


def compare_with_truth(
    sites: Sequence[pd.DataFrame],
    truth: Sequence[pd.DataFrame],
    *,
    panoramas: Sequence[str],
    pixel_sizes_nm: Sequence[float],
    strains_percent: Sequence[float],
    labelled_px: float,
    windows: Sequence[str],
    tolerance: str,
    minimum_area: str,
    confidence: float,
    labels: pd.DataFrame | None = None,
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Score detection and classification of simulated panoramas.

    Classes are those of the networks, also where a label names the site: a label drawn from the
    truth would score itself.

    Parameters
    ----------
    sites, truth : sequence of pandas.DataFrame
        `PREDICTIONS` and `TRUTH` of each panorama.
    panoramas : sequence of str
        Their names, in the same order.
    pixel_sizes_nm : sequence of float
        Of each panorama; lengths and areas are converted for each by its own.
    strains_percent : sequence of float
        Of each panorama.
    labelled_px : float
        Labels were drawn to the left of this column; classes are scored where no window shares a
        pixel with the window of a labelled site.
    windows : sequence of str
        Edges of the windows from which something about a site is learned.
    tolerance : str
        A length: how far a site may lie outside a true outline and still be that site.
    minimum_area : str
        Detection limit: true sites that are scored are larger.
    confidence : float
        See `detection_scores`.
    labels : pandas.DataFrame, optional
        `LABELLED_SITES`. People may have labelled beyond that column: where a window of such a site
        reaches, nothing is scored either.

    Returns
    -------
    detection, confusion, scores, errors : pandas.DataFrame
        From `detection_scores`, `scores.confusion_table`, `scores.score_table` and
        `truth_control.control_errors`.
    """
    parts = [
        _one_panorama(
            name,
            found,
            true.assign(is_scored=true["area_px"] > area_px(minimum_area, pixel_size_nm=size_nm)),
            tolerance_px=length_px(tolerance, pixel_size_nm=size_nm),
            labelled_px=labelled_px,
            block_px=length_px(GROUP_BLOCK, pixel_size_nm=size_nm),
            labelled_xy=_places(labels, name),
            window_px=max(length_px(window, pixel_size_nm=size_nm) for window in windows),
        )
        for name, found, true, size_nm in zip(panoramas, sites, truth, pixel_sizes_nm, strict=True)
    ]
    sites, truth, matches = (
        pd.concat(tables, ignore_index=True) for tables in zip(*parts, strict=True)
    )
    detection = detection_scores(sites, truth, matches, confidence=confidence)
    matched = matched_classes(sites, truth, matches)
    unseen = matched[~matched["in_labelled_area"]]
    classes = unseen["true_class"], unseen["predicted_class"]
    options = {"groups": unseen["group"], "confidence": confidence}
    scores = score_table(*classes, **options)
    confusion = confusion_table(*classes, **options)
    errors = control_errors(
        sites,
        truth,
        matches,
        matched,
        strains_percent=dict(zip(panoramas, strains_percent, strict=True)),
        confidence=confidence,
    )
    return detection, confusion, scores, errors


def _places(labels, name):
    """Return where people labelled sites of a panorama, float (sites, 2)."""
    if labels is None:
        return np.empty((0, 2))
    own = labels[labels["panorama"] == name]
    return own[["clip_x_px", "clip_y_px"]].to_numpy(float)


def _one_panorama(
    name, found, true, *, tolerance_px, labelled_px, block_px, labelled_xy, window_px
):
    """Return sites, with their block as `group`, and true sites, and their matches.

    Both say what lies `in_labelled_area`.
    """
    matches = match_to_outlines(found, true, tolerance_px=tolerance_px).assign(panorama=name)

    def is_near(table):
        places = table[["x_px", "y_px"]].to_numpy(float)
        near = places[:, 0] < labelled_px + window_px
        if len(labelled_xy):
            apart, _ = KDTree(labelled_xy).query(places, p=np.inf)
            near |= apart < window_px
        return near

    found, true = (table.assign(in_labelled_area=is_near(table)) for table in (found, true))
    blocks = np.floor(found[["y_px", "x_px"]] / block_px).astype(int).astype(str)
    group = name + "/" + blocks["y_px"] + "/" + blocks["x_px"]
    return found.assign(group=group), true, matches


def detection_scores(
    sites: pd.DataFrame,
    truth: pd.DataFrame,
    matches: pd.DataFrame,
    *,
    confidence: float = 0.95,
) -> pd.DataFrame:
    """Score the detection: recall by true class, precision by assigned class.

    Recall is the fraction of true sites above the detection limit that are matched, by a site of
    any class. Precision is the fraction of sites that are matched to such a true site, of any
    class; sites matched to smaller true sites alone are neither right nor wrong and are left out.
    All panoramas are taken together. Simulated steel has no dust and no scratches: all that is
    dark in it is a site, so that its precision is an upper bound for that on real steel.

    Parameters
    ----------
    sites : pandas.DataFrame
        `PREDICTIONS` with further columns `in_labelled_area` (bool) and `group` (text).
    truth : pandas.DataFrame
        `TRUTH` of the same panoramas with further columns `in_labelled_area` and `is_scored`: it is
        above the detection limit of its panorama (bool).
    matches : pandas.DataFrame
        panorama, site_id, truth_id: one row per pair of a site and a true site in the same place,
        as `detection.matching.match_to_outlines` finds them panorama by panorama.
    confidence : float, optional
        Coverage of the exact binomial intervals. They take sites as independent of each other:
        whether a site is found depends on its own contrast and size, which the simulator draws for
        each by itself.

    Returns
    -------
    pandas.DataFrame
        scope ("all" or "outside_labelled_area"), score ("recall" or "precision"), class (true class
        for recall, predicted class for precision, or "all"), matched, total, value (NaN without
        sites), low, high, confidence.
    """
    scored_truth = truth[truth["is_scored"]]
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
    sites: pd.DataFrame, truth: pd.DataFrame, matches: pd.DataFrame
) -> pd.DataFrame:
    """Set the assigned beside the true class of every matched site.

    Should a site have several true sites, it is compared with the largest of them (the first of
    equals); should a true site have several sites, each of them gives a row.

    Parameters
    ----------
    sites, truth, matches
        As for `detection_scores`.

    Returns
    -------
    pandas.DataFrame
        panorama, site_id, truth_id, true_class, predicted_class, in_labelled_area and group (of the
        site), in the order of panorama and site_id.
    """
    scored = truth.loc[truth["is_scored"], [*_TRUTH_KEY, "true_class", "area_px"]]
    pairs = (
        # A table without rows need not know that its numbers are integers.
        matches[[*_KEY, "truth_id"]]
        .astype({"site_id": "int64", "truth_id": "int64"})
        .merge(
            sites[[*_KEY, "predicted_class", "in_labelled_area", "group"]],
            on=_KEY,
        )
        .merge(scored, on=_TRUTH_KEY)
        .sort_values([*_KEY, "area_px", "truth_id"], ascending=[True, True, False, True])
        .drop_duplicates(_KEY)
        .reset_index(drop=True)
    )
    columns = [*_KEY, "truth_id", "true_class", "predicted_class", "in_labelled_area", "group"]
    return pairs[columns]


def _is_in(table, other, *, keys):
    """Tell which rows of a table have their key among those of another."""
    known = pd.MultiIndex.from_frame(other[keys])
    return pd.Series(pd.MultiIndex.from_frame(table[keys]).isin(known), index=table.index)
