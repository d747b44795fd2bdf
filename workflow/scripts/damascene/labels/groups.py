"""Groups of all sites that people answered, with a label or without."""

from collections.abc import Sequence

import pandas as pd

from damascene.contracts.panorama_record import PanoramaRecord
from damascene.labels.split import assign_groups, block_edges_px


def groups_of_answers(
    answers: pd.DataFrame, records: Sequence[PanoramaRecord], *, group_by: str, block: str
) -> pd.Series:
    """Return the group of each site that was answered, whether it got a label or not.

    Parameters
    ----------
    answers : pandas.DataFrame
        `ANSWERS`.
    records : sequence of PanoramaRecord
        Of all panoramas.
    group_by, block
        See `split.assign_groups`.

    Returns
    -------
    pandas.Series of str
        By panorama and site_id.
    """
    key = ["panorama", "site_id"]
    sites = answers.groupby(key, as_index=False)[["x_px", "y_px"]].mean()
    grouped = assign_groups(
        sites.rename(columns={"x_px": "clip_x_px", "y_px": "clip_y_px"}),
        group_by=group_by,
        block_px=block_edges_px(block, {one.panorama: one.pixel_size_nm for one in records}),
    )
    return grouped.set_index(key)["group"]
