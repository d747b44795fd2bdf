"""The clips of many sites in one file."""

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from damascene.clips.pictures import cut_pictures, images_of_sites
from damascene.clips.windows import window_px
from damascene.files import written_whole
from damascene.networks import network_named


def store_clips(
    path: str | Path,
    sites: pd.DataFrame,
    *,
    panoramas: Sequence[str],
    images: Sequence[str | Path],
    masks: Sequence[str | Path],
    network: str,
    window: str,
    centre: float,
) -> tuple[int, int, int, int]:
    """Cut what a network sees of sites in any number of panoramas, and write it to a file.

    Parameters
    ----------
    path : path of the `.npy` file to write
        Written as they are cut: many sites of large clips need no memory.
    sites : pandas.DataFrame
        With `panorama`, `clip_x_px` and `clip_y_px`.
    panoramas, images, masks : sequences
        All panoramas, their images and the masks of their valid pixels, in the same order.
    network : str
        Decides on size and scales.
    window : str
        Edge of the windows, such as `5 um`.
    centre : float
        Edge of the centre as a part of that of the window; 1 leaves it out.

    Returns
    -------
    tuple of int
        Shape of what was written, uint8: (sites, size, size, scales).
    """
    spec = network_named(network)
    two_scales = spec.scales > 1 and centre < 1
    with written_whole(path) as (part,):
        clips = np.lib.format.open_memmap(
            part,
            mode="w+",
            dtype=np.uint8,
            shape=(len(sites), spec.input_px, spec.input_px, 2 if two_scales else 1),
        )
        # A mapped file that finds the disk full later on ends the process without a word.
        with part.open("rb+") as file:
            os.posix_fallocate(file.fileno(), 0, part.stat().st_size)
        named = {"panoramas": panoramas}
        for (rows, image), (_, valid) in zip(
            images_of_sites(sites, paths=images, **named),
            images_of_sites(sites, paths=masks, **named),
            strict=True,
        ):
            clips[rows] = cut_pictures(
                image,
                sites.loc[rows, "clip_x_px"],
                sites.loc[rows, "clip_y_px"],
                window_px=window_px(window, pixel_size_nm=image.pixel_size_nm),
                centre=centre if two_scales else None,
                size_px=spec.input_px,
                valid=valid,
            )
        clips.flush()
    return clips.shape
