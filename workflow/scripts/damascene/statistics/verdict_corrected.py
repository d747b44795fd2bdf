"""What the recall of the detector and the corrected counts say of the numbers of a study.

The scores of the networks know only sites that were found: a void that the detector misses is no
error of theirs, and is missing from the count all the same.
"""

import numpy as np
import pandas as pd

from damascene.classes import ALL, DAMAGE, DAMAGE_MECHANISMS

#: Recall of the detector from which raw counts may be used, and may be with care.
GOOD_RECALL, FAIR_RECALL = 0.9, 0.6
#: Upper over lower bound from which a corrected count is for care, and says next to nothing.
WIDE, TOO_WIDE = 4.0, 10.0


def lowest_recall(
    corrected: pd.DataFrame | None, detection: pd.DataFrame | None, label: str
) -> tuple[float, str] | None:
    """Return the lowest recall of the detector among panoramas, and a sentence about it.

    Parameters
    ----------
    corrected : pandas.DataFrame or None
        `CORRECTED`.
    detection : pandas.DataFrame or None
        `DETECTION_RECALL`, which says of all planted voids what is known where no site was found.
    label : str
        Class, `damage` or `all`.

    Returns
    -------
    tuple or None
        Recall from 0 to 1, and words; None where nothing is known of it.
    """
    if corrected is None:
        return None
    own = corrected[corrected["class"] == label]
    counted = own[own["count"].fillna(0) > 0]
    if counted.empty:
        return _of_planted(detection) if label in (ALL, DAMAGE) else None
    found = counted[counted["recall"].notna()]
    if found.empty:
        return None
    row = found.loc[found["recall"].idxmin()]
    where = f" in {row['panorama']}" if len(set(corrected["panorama"])) > 1 else ""
    interval = ""
    if not pd.isna(row["recall_low"]):
        interval = f" [{100 * row['recall_low']:.0f}, {100 * row['recall_high']:.0f}]"
    said = f"the detector finds {100 * row['recall']:.0f} %{interval} of such sites{where}"
    return float(row["recall"]), said


def _of_planted(detection):
    """Return what all planted voids say: sites of no panorama weigh them by size and contrast."""
    if detection is None:
        return None
    rows = detection[detection["area_from_um2"].isna() & (detection["planted"] > 0)]
    if rows.empty:
        return None
    found, planted = int(rows["found"].sum()), int(rows["planted"].sum())
    return found / planted, f"no site was found, and {found} of {planted} planted voids were"


def found_labels(labels: pd.DataFrame | None, label: str) -> tuple[int, int]:
    """Return how many labelled sites of a class the detector found, and how many there are.

    Parameters
    ----------
    labels : pandas.DataFrame or None
        `LABELLED_SITES`; a site that the detector did not find has a negative `site_id`.
    label : str
        Class or `damage`.
    """
    if labels is None:
        return 0, 0
    names = DAMAGE_MECHANISMS if label == DAMAGE else (label,)
    own = labels[labels["label"].isin(names)]
    return int((own["site_id"] >= 0).sum()), len(own)


def widths(rows: pd.DataFrame) -> pd.Series:
    """Return upper over lower bound of corrected counts, infinite where the lower one is 0."""
    low, high = rows["corrected_low_per_mm2"], rows["corrected_high_per_mm2"]
    return (high / low.where(low > 0)).fillna(np.inf)
