"""Clips: the pixels of windows round sites, brought to the size that is asked for."""

import functools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.sparse import csr_array

from damascene.clips.windows import clip_window, window_px
from damascene.images.filling import fill_gaps, gaps_in, shown_gaps
from damascene.images.store import TiledImage

# Gaps up to this part of a window are filled where it is looked at.
_NARROW = 0.1


def cut_clip(image: TiledImage, x_px: float, y_px: float, *, window_px: int) -> np.ndarray:
    """Return the pixels of the window round one site, uint8 (window_px, window_px)."""
    return image.read(clip_window(x_px, y_px, window_px=window_px, shape=image.shape))


def cut_clips(
    image: TiledImage,
    x_px: Sequence[float],
    y_px: Sequence[float],
    *,
    window_px: int,
    size_px: int,
    shown: TiledImage | None = None,
) -> np.ndarray:
    """Cut the windows round sites and resample them to the size of a network's input.

    A larger window is reduced by area averages, a smaller one enlarged by linear interpolation.

    Parameters
    ----------
    image : TiledImage
    x_px, y_px : sequences of float
        Columns and rows of the sites.
    window_px : int
        Edge of the windows in the panorama.
    size_px : int
        Edge of the clips.
    shown : TiledImage, optional
        Mask of the panorama, for clips that are looked at and not measured: `shown_gaps`.

    Returns
    -------
    numpy.ndarray, uint8, shape (sites, size_px, size_px)

    Raises
    ------
    InputError
        If the panorama is smaller than the window.
    """
    clips = np.empty((len(x_px), size_px, size_px), np.uint8)
    for index, (x, y) in enumerate(zip(x_px, y_px, strict=True)):
        window = clip_window(x, y, window_px=window_px, shape=image.shape)
        clip = image.read(window) if shown is None else _shown(image, shown, window)
        clips[index] = resample(clip[np.newaxis], size_px=size_px)[0]
    return clips


def _shown(image, valid, window):
    width_px = max(round(_NARROW * window.shape[0]), 2)
    # What surrounds the window tells whether a gap at its border is narrow.
    outer = window.grown(margin=width_px, within=image.shape)
    pixels, gaps = image.read(outer), gaps_in(valid, outer)
    if gaps is not None:
        pixels, _ = shown_gaps(pixels, gaps, width_px=width_px)
    return pixels[window.slices(origin=outer)]


def images_of_sites(
    sites: pd.DataFrame, *, panoramas: Sequence[str], paths: Sequence[str | Path]
) -> Iterator[tuple[np.ndarray, TiledImage]]:
    """Open one panorama after the other, and say which sites lie in it.

    Parameters
    ----------
    sites : pandas.DataFrame
        With a column `panorama`.
    panoramas, paths : sequences
        All panoramas and their images, in the same order. Those without sites are passed over.

    Yields
    ------
    numpy.ndarray, bool, shape (sites,)
        The sites of this panorama.
    TiledImage
        Open until the next is asked for.
    """
    for name, path in zip(panoramas, paths, strict=True):
        rows = (sites["panorama"] == name).to_numpy()
        if rows.any():
            with TiledImage(path, by_windows=True) as image:
                yield rows, image


def cut_shown_clips(
    places: Iterable[tuple[str, float, float]],
    images: Mapping[str, TiledImage],
    *,
    window_um: float,
    size_px: int,
    masks: Mapping[str, TiledImage] | None = None,
) -> np.ndarray:
    """Cut the clips of a figure, one after the other, each from its panorama.

    Parameters
    ----------
    places : iterable of (str, float, float)
        Panorama, column and row of each site.
    images : mapping of panorama to TiledImage
    window_um : float
        Edge of the windows.
    size_px : int
        Edge of the clips.
    masks : mapping of panorama to TiledImage, optional
        With them, gaps narrower than a tenth of the window are filled from their surroundings, and
        wider ones are white.

    Returns
    -------
    numpy.ndarray, uint8, shape (sites, size_px, size_px)
    """
    masks = masks or {}
    clips = [
        cut_clips(
            images[panorama],
            [x_px],
            [y_px],
            window_px=window_px(f"{window_um} um", pixel_size_nm=images[panorama].pixel_size_nm),
            size_px=size_px,
            shown=masks.get(panorama),
        )
        for panorama, x_px, y_px in places
    ]
    return np.concatenate([np.empty((0, size_px, size_px), np.uint8), *clips])


def cut_pictures(
    image: TiledImage,
    x_px: Sequence[float],
    y_px: Sequence[float],
    *,
    window_px: int,
    centre: float | None,
    size_px: int,
    valid: TiledImage | None = None,
) -> np.ndarray:
    """Cut what a network sees of each site: its window and, for two scales, the enlarged centre.

    Where a window reaches into a missing cell of the panorama, it is filled with the mirror image
    of the steel beside it: black there is no cavity. Other gaps are filled with the means of what
    surrounds them (`filling.fill_gaps`).

    Parameters
    ----------
    image, x_px, y_px, window_px, size_px
        See `cut_clips`.
    centre : float or None
        Edge of the centre as a part of that of the window; None for networks of one scale.
    valid : TiledImage, optional
        Mask of the panorama; without it only missing cells are filled.

    Returns
    -------
    numpy.ndarray, uint8, shape (sites, size_px, size_px, scales)
        One scale or two: the window, then its centre.

    Raises
    ------
    InputError
        If the panorama is smaller than the window.
    """
    edges_px = [window_px]
    if centre is not None:
        edges_px.append(max(round(window_px * centre), 1))
    pictures = np.empty((len(x_px), size_px, size_px, len(edges_px)), np.uint8)
    for index, (x, y) in enumerate(zip(x_px, y_px, strict=True)):
        outer = clip_window(x, y, window_px=window_px, shape=image.shape)
        gaps = gaps_in(valid, outer) if valid else None
        filled = without_gaps(image.read(outer), gaps)
        for scale, edge_px in enumerate(edges_px):
            window = clip_window(x, y, window_px=edge_px, shape=image.shape)
            top, left = window.top - outer.top, window.left - outer.left
            clip = filled[top : top + edge_px, left : left + edge_px]
            pictures[index, ..., scale] = resample(clip[np.newaxis], size_px=size_px)[0]
    return pictures


def without_gaps(clip: np.ndarray, gaps: np.ndarray | None = None) -> np.ndarray:
    """Fill the parts of a clip in which there is no steel.

    Sides that lie in missing cells get the mirror image of what is beside. Missing cells are black
    without noise and have straight edges: whole rows or columns of zeros from the border on, and
    behind them one of which at most half is zero. The outline of a large cavity bends, so that its
    last black row has mostly black beside it. All other gaps get the means of their surroundings.

    Parameters
    ----------
    clip : numpy.ndarray, uint8, shape (rows, columns)
    gaps : numpy.ndarray of bool, same shape, optional
        Where there is no picture, by the mask of the panorama.

    Returns
    -------
    numpy.ndarray
        The clip itself where nothing is missing.
    """
    for _ in range(2):
        start, stop = _present(clip == 0)
        if (start, stop) != (0, len(clip)):
            sides = ((start, len(clip) - stop), (0, 0))
            clip = np.pad(clip[start:stop], sides, mode="symmetric")
            gaps = None if gaps is None else np.pad(gaps[start:stop], sides, mode="symmetric")
        clip, gaps = clip.T, None if gaps is None else gaps.T
    return clip if gaps is None else fill_gaps(clip, gaps)


def _present(black):
    """Return the first row that is not missing, and the one behind the last."""
    full = black.all(axis=1)
    steel = np.flatnonzero(~full)
    if not len(steel):
        return 0, len(black)
    start, stop = steel[0], steel[-1] + 1
    # Within a missing column all rows count as partly black; the columns come afterwards.
    seen = ~black[start:stop].all(axis=0)
    start = start if start and black[start, seen].mean() <= 0.5 else 0
    stop = stop if stop < len(black) and black[stop - 1, seen].mean() <= 0.5 else len(black)
    return start, stop


def resample(clips: np.ndarray, *, size_px: int) -> np.ndarray:
    """Bring square clips, uint8 (n, size, size), to another edge: (n, size_px, size_px)."""
    if clips.shape[1] == size_px:
        return clips
    weights = _resampling_weights(clips.shape[1], size_px)
    resampled = np.empty((len(clips), size_px, size_px), np.uint8)
    for target, clip in zip(resampled, clips, strict=True):
        target[:] = np.rint((weights @ (weights @ clip.astype(np.float32)).T).T)
    return resampled


@functools.lru_cache
def _resampling_weights(source_px, target_px):
    """Return the matrix (target, source) that resamples one axis; its rows add up to one.

    It is sparse, as a pixel is made of its neighbours alone: a full matrix takes 2 to 10 times as
    long, and its products run in threads that get in the way of other jobs.
    `skimage.transform.resize_local_mean` gives the same clips, a test holds it to that, and takes
    8 to 16 times as long (0.03 against 0.3 ms from 150 to 128 pixels).
    """
    scale = source_px / target_px
    if scale < 1:
        # The pixels of both grids are centred on halves.
        positions = (np.arange(target_px) + 0.5) * scale - 0.5
        weights = [np.interp(positions, np.arange(source_px), row) for row in np.eye(source_px)]
        return csr_array(np.transpose(weights).astype(np.float32))
    edges = np.arange(target_px + 1) * scale
    pixels = np.arange(source_px)
    shared = np.minimum(edges[1:, None], pixels + 1) - np.maximum(edges[:-1, None], pixels)
    return csr_array((np.maximum(shared, 0) / scale).astype(np.float32))
