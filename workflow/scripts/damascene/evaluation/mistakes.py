"""Labelled sites that the networks get wrong, the surest mistakes first."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from damascene.classification.calibration import (
    class_indices,
    probability_of_class,
    site_probabilities,
)
from damascene.clips.pictures import cut_shown_clips
from damascene.clips.windows import common_window_um
from damascene.contracts.mistakes import MISTAKES
from damascene.images.store import TiledImage


def mistake_clips(
    mistakes: pd.DataFrame, images: Mapping[str, TiledImage], *, window: str, size_px: int
) -> tuple[np.ndarray, float]:
    """Cut clips of mistakes, to be looked at.

    Parameters
    ----------
    mistakes : pandas.DataFrame
        From `worst_mistakes`.
    images : mapping of panorama to TiledImage
    window : str
        Edge of the windows, such as `5 um`.
    size_px : int
        Edge of the clips.

    Returns
    -------
    clips : numpy.ndarray, uint8, shape (mistakes, size_px, size_px)
    window_um : float
        Edge of the windows in micrometres.
    """
    window_um = common_window_um(window, images)
    places = mistakes[["panorama", "clip_x_px", "clip_y_px"]].itertuples(index=False)
    return cut_shown_clips(places, images, window_um=window_um, size_px=size_px), window_um


def worst_mistakes(predictions: pd.DataFrame) -> pd.DataFrame:
    """List the sites that were given another class than that of the label.

    Either the network is wrong or the label is: both are worth a second look. Sites that were
    given no class are not among them.

    Parameters
    ----------
    predictions : pandas.DataFrame
        `HELD_OUT`.

    Returns
    -------
    pandas.DataFrame
        `MISTAKES`, by falling probability of the mistake.
    """
    probabilities = site_probabilities(predictions)
    own, given = (class_indices(predictions[of]) for of in ("label", "predicted_class"))
    table = predictions.assign(
        probability=probability_of_class(probabilities, given),
        p_label=probability_of_class(probabilities, own),
    )
    wrong = table.loc[(given >= 0) & (given != own), list(MISTAKES.columns)]
    return wrong.sort_values("probability", ascending=False, kind="stable").reset_index(drop=True)
