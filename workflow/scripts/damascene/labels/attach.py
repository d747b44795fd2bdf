"""Tie labels to the candidates they mean."""

import pandas as pd

from damascene.contracts.labels import ANSWER_SEPARATOR, LABELLED_SITES
from damascene.contracts.table import check_table, empty_table
from damascene.detection.matching import match_points


def attach_labels(
    labels: pd.DataFrame, candidates: dict[str, pd.DataFrame], *, tolerance_px: dict[str, float]
) -> pd.DataFrame:
    """Give each label the candidate it means, so that clips are centred as they will be later.

    A label without a candidate near it keeps its own position: it still shows the networks its
    class.
    Several labels on one candidate become one, with the class that most of them have and all their
    answers; where no class has a majority, all are dropped, because it is not known which is right.

    Parameters
    ----------
    labels : pandas.DataFrame
        `LABELS`.
    candidates : dict of str to pandas.DataFrame
        `CANDIDATES` of every panorama.
    tolerance_px : dict of str to float
        How far outside a candidate's bounding box its label may lie, by panorama.

    Returns
    -------
    pandas.DataFrame
        `LABELLED_SITES`, sorted by panorama, row and column.
    """
    parts = []
    for name, part in labels.groupby("panorama", sort=True):
        found = candidates[name].set_index("site_id")
        site_ids = match_points(
            part[["x_px", "y_px"]].to_numpy(), candidates[name], tolerance_px=tolerance_px[name]
        )
        matched = part.assign(site_id=site_ids)
        on_candidate = matched["site_id"] >= 0
        centres = found.reindex(matched["site_id"])
        matched["clip_x_px"] = centres["x_px"].to_numpy()
        matched["clip_y_px"] = centres["y_px"].to_numpy()
        matched.loc[~on_candidate, "clip_x_px"] = matched["x_px"]
        matched.loc[~on_candidate, "clip_y_px"] = matched["y_px"]
        parts.append(_one_label_each(matched))
    table = pd.concat(parts) if parts else empty_table(LABELLED_SITES)
    table = table.sort_values(["panorama", "y_px", "x_px", "label"], kind="stable")
    alone = table["site_id"] < 0
    table.loc[alone, "site_id"] = -1 - table[alone].groupby("panorama").cumcount()
    return check_table(table, LABELLED_SITES, source="labels")


def _one_label_each(matched):
    on_candidate = matched["site_id"] >= 0
    kept = [matched[~on_candidate]]
    for _, same in matched[on_candidate].groupby("site_id"):
        leading = same["label"].mode()
        if len(leading) == 1:
            first = same[same["label"] == leading[0]].head(1)
            kept.append(first.assign(answers=ANSWER_SEPARATOR.join(same["answers"])))
    return pd.concat(kept)
