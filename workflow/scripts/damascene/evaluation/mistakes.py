"""Labelled sites that the networks get wrong, the surest mistakes first."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from damascene.classes import SITE_CLASSES
from damascene.classification.calibration import class_indices, site_probabilities
from damascene.clips.pictures import cut_shown_clips
from damascene.clips.windows import common_window_um
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
    """List the sites whose most probable class is not that of the label.

    Either the network is wrong or the label is: both are worth a second look.

    Parameters
    ----------
    predictions : pandas.DataFrame
        From `held_out.classify_held_out`.

    Returns
    -------
    pandas.DataFrame
        panorama, x_px, y_px, label, answers, most_probable, its probability, p_label (that of the
        label's class), site_id, clip_x_px, clip_y_px; by falling probability of the mistake.
    """
    joined = site_probabilities(predictions)
    names = predictions["label"].to_numpy()
    own = class_indices(names)
    most = joined.argmax(axis=1)
    table = predictions[["panorama", "x_px", "y_px", "label", "answers"]].assign(
        most_probable=[SITE_CLASSES[index] for index in most],
        probability=joined.max(axis=1),
        p_label=joined[range(len(own)), own],
        site_id=predictions["site_id"],
        clip_x_px=predictions["clip_x_px"],
        clip_y_px=predictions["clip_y_px"],
    )
    wrong = table[most != own]
    return wrong.sort_values("probability", ascending=False, kind="stable").reset_index(drop=True)
