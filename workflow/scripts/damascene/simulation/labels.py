"""Labels as an annotator would draw them, from the truth of a simulation."""

import numpy as np
import pandas as pd

from damascene.classes import SITE_CLASSES
from damascene.contracts.labels import LABELS, SIMULATED_ANNOTATOR
from damascene.contracts.table import check_table


def draw_labels(
    truth: pd.DataFrame,
    *,
    panorama_width_px: int,
    labelled_fraction: float,
    labels_per_class: int,
    minimum_area_px: float = 0,
    seed: int,
) -> pd.DataFrame:
    """Label some sites of the left part of a panorama with their true class.

    Parameters
    ----------
    truth : pandas.DataFrame
        `TRUTH` of one panorama.
    panorama_width_px : int
    labelled_fraction : float
        Part of the width, from the left, in which the annotator worked.
    labels_per_class : int
        Most labels of one class.
    minimum_area_px : float, optional
        Sites are labelled that have more pixels than this: a person labels what was found.
    seed : int

    Returns
    -------
    pandas.DataFrame
        `LABELS`, in the order of the truth.
    """
    random = np.random.default_rng(seed)
    seen = truth[
        (truth["x_px"] < labelled_fraction * panorama_width_px - 0.5)
        & (truth["area_px"] > minimum_area_px)
    ]
    chosen = []
    for label in SITE_CLASSES:
        positions = np.flatnonzero(seen["true_class"] == label)
        chosen.extend(random.permutation(positions)[:labels_per_class])
    labels = seen.iloc[sorted(chosen)].rename(columns={"true_class": "label"})
    return check_table(
        labels.assign(annotator=SIMULATED_ANNOTATOR),
        LABELS,
        source="simulated labels",
    )
