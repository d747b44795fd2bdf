"""Clips drawn from the sites of each class, for the gallery."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from damascene.classes import DAMAGE_CLASSES, NOT_CLASSIFIED, SITE_LABELS
from damascene.clips.pictures import cut_shown_clips
from damascene.images.store import TiledImage

_SIZE_PX = 96


def sample_clips(
    sites: pd.DataFrame,
    images: Mapping[str, TiledImage],
    masks: Mapping[str, TiledImage],
    *,
    window_um: float,
    per_class: int,
    seed: int,
) -> dict[str, tuple[np.ndarray, list[str]]]:
    """Cut clips of sites drawn at random from each class.

    Parameters
    ----------
    sites : pandas.DataFrame
        `SITES` of all panoramas.
    images, masks : mapping of panorama to TiledImage
        With the masks of their valid pixels.
    window_um : float
        Edge of the windows.
    per_class : int
        Most clips of a class.
    seed : int

    Returns
    -------
    dict of str to (numpy.ndarray, list of str)
        For every class, uint8 (n, 96, 96) and in words the `site_id`, behind the number of the
        panorama among `images` where there are several, and the probability of that class; for
        `not_classified` the largest probability of a damage class. `label` where a person gave it.
    """
    rng = np.random.default_rng(seed)
    samples = {}
    for label in SITE_LABELS:
        of_label = sites[sites["class"] == label]
        chosen = of_label.iloc[np.sort(rng.permutation(len(of_label))[:per_class])]
        clips = cut_shown_clips(
            chosen[["panorama", "x_px", "y_px"]].itertuples(index=False),
            images,
            window_um=window_um,
            size_px=_SIZE_PX,
            masks=masks,
        )
        told = [
            f"{name}: {'label' if given else f'{value:.2f}'}"
            for name, given, value in zip(
                _names(chosen, images), chosen["label"], _probability(chosen, label), strict=True
            )
        ]
        samples[label] = (clips, told)
    return samples


def _names(sites, images):
    if len(images) == 1:
        return [str(site_id) for site_id in sites["site_id"]]
    place = {panorama: index for index, panorama in enumerate(images, 1)}
    pairs = zip(sites["panorama"], sites["site_id"], strict=True)
    return [f"{place[panorama]}/{site_id}" for panorama, site_id in pairs]


def _probability(sites, label):
    if label != NOT_CLASSIFIED:
        return sites[f"p_{label}"]
    return sites[[f"p_{name}" for name in DAMAGE_CLASSES]].max(axis=1)
