"""Choice of candidates without a label, for networks that label some of them by themselves."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.spatial import KDTree

from damascene.clips.storage import store_clips
from damascene.contracts.panorama_record import PanoramaRecord
from damascene.labels.split import assign_groups, block_edges_px
from damascene.units import length_px


def cut_unlabelled(
    path: str | Path,
    candidates: pd.DataFrame,
    split: pd.DataFrame,
    records: Sequence[PanoramaRecord],
    *,
    images: Sequence[str | Path],
    masks: Sequence[str | Path],
    distance: str,
    until_px: Mapping[str, float],
    most: int,
    seed: int,
    group_by: str,
    block: str,
    network: str,
    window: str,
    centre: float,
) -> pd.DataFrame:
    """Draw candidates without a label, and write their clips.

    Parameters
    ----------
    path : path of the clips to write
        As by `store_clips`.
    candidates : pandas.DataFrame
        `CANDIDATES` of all panoramas.
    split : pandas.DataFrame
        `SPLIT`.
    records, images, masks : sequences
        Of all panoramas, in the same order.
    distance, block : str
        Least distance from labelled sites and edge of a block of sites, such as `20 um`.
    until_px, most, seed
        See `choose_unlabelled`.
    group_by : {"panorama", "block"}
        See `split.assign_groups`.
    network, window, centre
        See `store_clips`.

    Returns
    -------
    pandas.DataFrame
        `UNLABELLED`, in the order of the clips.
    """
    sizes_nm = {one.panorama: one.pixel_size_nm for one in records}

    def in_pixels(length):
        return {name: length_px(length, pixel_size_nm=size) for name, size in sizes_nm.items()}

    rows = choose_unlabelled(
        candidates,
        split,
        distance_px=in_pixels(distance),
        until_px=until_px,
        most=most,
        seed=seed,
    )
    sites = assign_groups(
        candidates.iloc[rows].rename(columns={"x_px": "clip_x_px", "y_px": "clip_y_px"}),
        group_by=group_by,
        block_px=block_edges_px(block, sizes_nm),
    )
    store_clips(
        path,
        sites,
        panoramas=list(sizes_nm),
        images=images,
        masks=masks,
        network=network,
        window=window,
        centre=centre,
    )
    return sites


def choose_unlabelled(
    candidates: pd.DataFrame,
    labelled: pd.DataFrame,
    *,
    distance_px: Mapping[str, float],
    until_px: Mapping[str, float],
    most: int,
    seed: int,
) -> np.ndarray:
    """Draw candidates that have no label.

    Parameters
    ----------
    candidates : pandas.DataFrame
        `CANDIDATES` of all panoramas.
    labelled : pandas.DataFrame
        `LABELLED_SITES`.
    distance_px : mapping of panorama to float
        Candidates closer than this to a labelled site are left out, as are labelled ones.
    until_px : mapping of panorama to float
        Column from which a panorama is kept for a test; those not named are used as a whole.
    most : int
        Candidates drawn at most.
    seed : int

    Returns
    -------
    numpy.ndarray, int
        Rows of `candidates`, ascending.
    """
    panoramas = candidates["panorama"].to_numpy()
    centres = candidates[["x_px", "y_px"]].to_numpy(float)
    free = centres[:, 0] < candidates["panorama"].map(until_px).fillna(np.inf).to_numpy(float)
    for name, part in labelled.groupby("panorama"):
        rows = np.flatnonzero(panoramas == name)
        apart, _ = KDTree(part[["clip_x_px", "clip_y_px"]].to_numpy(float)).query(centres[rows])
        told = candidates["site_id"].iloc[rows].isin(part["site_id"]).to_numpy()
        free[rows[told | (apart < distance_px[name])]] = False
    rows = np.flatnonzero(free)
    return np.sort(np.random.default_rng(seed).permutation(rows)[:most])
