"""Descriptors of the candidates and labels of panoramas, from the pixels that were counted."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from damascene.clips.pictures import cut_clips, images_of_sites, resample
from damascene.clips.windows import clip_window, window_px
from damascene.clustering.runs import Runs
from damascene.contracts.candidate_runs import CANDIDATE_RUNS
from damascene.contracts.descriptors import DESCRIPTOR_NAMES
from damascene.contracts.table import read_table
from damascene.descriptors import CLIP_PX, DESCRIPTOR_WINDOW
from damascene.descriptors.descriptors import describe_clips
from damascene.descriptors.shape import SHAPE_NAMES, shapes_of
from damascene.images.store import TiledImage, Window

# Sites of which the clips are in memory at the same time.
_BATCH = 64


def describe_sites(image: TiledImage, sites: pd.DataFrame, *, runs: pd.DataFrame) -> np.ndarray:
    """Describe sites of a panorama; clips are cut a few at a time.

    A candidate is described by the pixels that its area counts, so that it is the same site under
    any settings of the detection. A label on no candidate has none: there the dark part nearest to
    it is described, below a limit that follows the levels of the window.

    Parameters
    ----------
    image : TiledImage
    sites : pandas.DataFrame
        `site_id`, `x_px` and `y_px`, the column and row round which the window is cut; n rows.
    runs : pandas.DataFrame
        `CANDIDATE_RUNS` of the panorama.

    Returns
    -------
    numpy.ndarray, float32, shape (n, len(DESCRIPTOR_NAMES))

    Raises
    ------
    InputError
        If the panorama is smaller than the window.
    """
    edge_px = window_px(DESCRIPTOR_WINDOW, pixel_size_nm=image.pixel_size_nm)
    x_px, y_px = sites["x_px"].to_numpy(float), sites["y_px"].to_numpy(float)
    columns = (runs[name].to_numpy() for name in ("y_px", "left_px", "right_px"))
    pixels = Runs(**dict(zip(("row", "first", "last"), columns, strict=True)))
    # None for a label on no candidate.
    numbers = sites["site_id"].to_numpy()
    ranges = np.searchsorted(runs["site_id"].to_numpy(), np.stack([numbers, numbers + 1], axis=1))

    def batch(start):
        own = slice(start, start + _BATCH)
        clips = cut_clips(image, x_px[own], y_px[own], window_px=edge_px, size_px=CLIP_PX)
        parts = [pixels[first:last] for first, last in ranges[own].tolist()]
        masks = np.zeros(clips.shape, bool)
        for mask, part, x, y in zip(masks, parts, x_px[own], y_px[own], strict=True):
            window = clip_window(x, y, window_px=edge_px, shape=image.shape)
            mask[:] = mask_in_clip(part, window)
        shapes = _shapes(parts, pixel_um=image.pixel_size_nm / 1000)
        return describe_clips(clips, masks, shapes)

    # One after the other: threads only wait for each other here, and processes take as long to
    # start as a thousand sites.
    values = np.empty((len(sites), len(DESCRIPTOR_NAMES)), np.float32)
    for start in range(0, len(sites), _BATCH):
        values[start : start + _BATCH] = batch(start)
    return values


def _shapes(parts, *, pixel_um):
    """Return `shapes_of` sites, NaN for those without pixels."""
    lengths = np.array([len(part.row) for part in parts])
    counted = lengths > 0
    shapes = np.full((len(parts), len(SHAPE_NAMES)), np.nan)
    site = np.repeat(np.arange(counted.sum()), lengths[counted])
    shapes[counted] = shapes_of(Runs.joined(parts), site, pixel_um=pixel_um)
    return shapes


def mask_in_clip(runs: Runs, window: Window) -> np.ndarray:
    """Return the pixels of a site in a clip.

    The clip has another resolution than the panorama. Its pixels that the site covers most are
    taken, as many as have the area of the site, so that a thin slit neither breaks nor grows; of
    pixels that are covered alike all or none.

    Parameters
    ----------
    runs : Runs
        The pixels of the site in the panorama.
    window : Window
        That of the clip in the panorama.

    Returns
    -------
    numpy.ndarray, bool, shape (CLIP_PX, CLIP_PX)
        All False where the site lies outside.
    """
    (height, width), (rows, columns) = window.shape, runs.pixels()
    rows, columns = rows - window.top, columns - window.left
    inside = (rows >= 0) & (rows < height) & (columns >= 0) & (columns < width)
    mask = np.zeros(window.shape, np.uint8)
    mask[rows[inside], columns[inside]] = 255
    covered = resample(mask[np.newaxis], size_px=CLIP_PX)[0]
    touched = covered[covered > 0]
    count = min(max(round(inside.sum() * (CLIP_PX / height) ** 2), 1), len(touched))
    if not count:
        return np.zeros(covered.shape, bool)
    return covered >= np.partition(touched, -count)[-count]


def describe_labels(
    split: pd.DataFrame,
    *,
    panoramas: Sequence[str],
    images: Sequence[str | Path],
    runs: Sequence[str | Path],
) -> np.ndarray:
    """Measure the descriptors of labelled sites in any number of panoramas.

    Parameters
    ----------
    split : pandas.DataFrame
        `SPLIT`.
    panoramas, images, runs : sequences
        All panoramas, their images and their tables `CANDIDATE_RUNS`, in the same order.

    Returns
    -------
    numpy.ndarray, float32, shape (n, len(DESCRIPTOR_NAMES))
        In the row order of `split`.
    """
    values = np.empty((len(split), len(DESCRIPTOR_NAMES)), np.float32)
    runs_of = dict(zip(panoramas, runs, strict=True))
    for rows, image in images_of_sites(split, panoramas=panoramas, paths=images):
        part = split[rows]
        sites = part.assign(x_px=part["clip_x_px"], y_px=part["clip_y_px"])
        own = read_table(runs_of[part["panorama"].iloc[0]], CANDIDATE_RUNS)
        values[rows] = describe_sites(image, sites, runs=own)
    return values
