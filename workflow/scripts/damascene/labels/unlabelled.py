"""Choice of candidates without a label, for networks that label some of them by themselves."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from scipy.spatial import KDTree


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
