"""Whether labelled sites suffice to be divided, and how they are."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import pandas as pd

from damascene.labels.split import (
    assign_folds,
    assign_groups,
    block_edges_px,
    require_roles,
)


class Extent(NamedTuple):
    """What of a panorama decides which windows share pixels, as its record has it."""

    panorama: str
    width_px: int
    height_px: int
    pixel_size_nm: float


def grouped_labels(
    labels: pd.DataFrame, panoramas: Sequence[Extent], *, group_by: str, block: str
) -> pd.DataFrame:
    """Add the group of each labelled site.

    Parameters
    ----------
    labels, panoramas, group_by, block
        See `divide_labels`.
    """
    block_px = block_edges_px(block, {one.panorama: one.pixel_size_nm for one in panoramas})
    return assign_groups(labels, group_by=group_by, block_px=block_px)


def divide_labels(
    labels: pd.DataFrame,
    panoramas: Sequence[Extent],
    *,
    group_by: str,
    block: str,
    folds: int,
    test_folds: Iterable[int] | None,
    windows: Sequence[str],
    seed: int,
) -> pd.DataFrame:
    """Deal the groups of labelled sites into folds.

    Parameters
    ----------
    labels : pandas.DataFrame
        `LABELLED_SITES`.
    panoramas : sequence of Extent
        Or of `PanoramaRecord`, of all panoramas with labels.
    group_by, block
        See `split.assign_groups` and `split.block_edges_px`.
    folds, seed
        See `split.assign_folds`.
    test_folds, windows
        See `split.require_roles`; None where networks from elsewhere are tested as they are.

    Returns
    -------
    pandas.DataFrame
        `SPLIT`.

    Raises
    ------
    InputError
        If the labels do not suffice, as `split.assign_folds` and `split.require_roles`.
    """
    grouped = grouped_labels(labels, panoramas, group_by=group_by, block=block)
    split = assign_folds(grouped, folds=folds, seed=seed)
    if test_folds is not None:
        require_roles(split, panoramas, test_folds=test_folds, folds=folds, windows=windows)
    return split
