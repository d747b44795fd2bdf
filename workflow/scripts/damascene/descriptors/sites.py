"""Descriptors of the candidates and labels of panoramas, from the pixels that were counted."""

from collections.abc import Sequence
from pathlib import Path

import joblib
import numpy as np
import pandas as pd

from damascene.clips.pictures import cut_clips, images_of_sites, resample
from damascene.clips.windows import clip_window, window_px
from damascene.clustering.runs import Runs
from damascene.contracts.candidate_runs import CANDIDATE_RUNS
from damascene.contracts.descriptors import DESCRIPTOR_NAMES
from damascene.contracts.table import read_table
from damascene.descriptors import DESCRIPTOR_WINDOW
from damascene.descriptors.descriptors import CLIP_PX, describe_clips
from damascene.descriptors.shape import SHAPE_NAMES, shapes_of
from damascene.images.store import TiledImage, Window

# Sites described by one task of a process: enough to outweigh handing them over.
_BATCH = 32


def describe_sites(
    image: TiledImage,
    sites: pd.DataFrame,
    *,
    runs: pd.DataFrame,
    threads: int = 1,
) -> np.ndarray:
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
    threads : int, optional
        Processes that share the work.

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
    pixels = [_runs_of(runs, number) for number in sites["site_id"]]

    def batch(start):
        own = slice(start, start + _BATCH)
        clips = cut_clips(image, x_px[own], y_px[own], window_px=edge_px, size_px=CLIP_PX)
        masks = np.zeros(clips.shape, bool)
        shapes = np.full((len(clips), len(SHAPE_NAMES)), np.nan)
        counted = [index for index, of_site in enumerate(pixels[own]) if len(of_site.row)]
        for index in counted:
            place = start + index
            window = clip_window(x_px[place], y_px[place], window_px=edge_px, shape=image.shape)
            masks[index] = mask_in_clip(pixels[place], window)
        if counted:
            parts = [pixels[start + index] for index in counted]
            site = np.repeat(np.arange(len(parts)), [len(part.row) for part in parts])
            shapes[counted] = shapes_of(
                Runs.joined(parts), site, pixel_um=image.pixel_size_nm / 1000
            )
        return clips, masks, shapes

    batches = map(batch, range(0, len(x_px), _BATCH))
    described = joblib.Parallel(n_jobs=threads)(
        joblib.delayed(describe_clips)(*each) for each in batches
    )
    return np.concatenate([np.empty((0, len(DESCRIPTOR_NAMES)), np.float32), *described])


def _runs_of(runs, site_id):
    """Return the pixels of one site, none for a label on no candidate."""
    first, last = np.searchsorted(runs["site_id"].to_numpy(), [site_id, site_id + 1])
    columns = (runs[name].to_numpy()[first:last] for name in ("y_px", "left_px", "right_px"))
    return Runs(**dict(zip(("row", "first", "last"), columns, strict=True)))


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
    count = max(round(inside.sum() * (CLIP_PX / height) ** 2), 1)
    least = np.partition(covered, -count, axis=None)[-count]
    return covered >= max(least, 1)


def describe_labels(
    split: pd.DataFrame,
    *,
    panoramas: Sequence[str],
    images: Sequence[str | Path],
    runs: Sequence[str | Path],
    threads: int = 1,
) -> np.ndarray:
    """Measure the descriptors of labelled sites in any number of panoramas.

    Parameters
    ----------
    split : pandas.DataFrame
        `SPLIT`.
    panoramas, images, runs : sequences
        All panoramas, their images and their tables `CANDIDATE_RUNS`, in the same order.
    threads : int, optional

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
        values[rows] = describe_sites(image, sites, runs=own, threads=threads)
    return values
