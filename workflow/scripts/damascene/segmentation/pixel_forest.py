"""Phase maps by a random forest on filters of several scales, pixel by pixel.

References
----------
Breiman, Random Forests, Machine Learning 45, 10.1023/A:1010933404324; as a classifier of pixels on
filters of several scales: Arganda-Carreras et al., Trainable Weka Segmentation,
10.1093/bioinformatics/btx180.
"""

import itertools
from collections.abc import Callable, Iterator, Sequence

import numpy as np
from skimage.feature import multiscale_basic_features
from sklearn.ensemble import RandomForestClassifier

from damascene.images.blocks import BLOCK_PX, mixed_blocks
from damascene.images.store import TiledImage, Window
from damascene.images.tiles import WHOLE, tile_windows

# Largest standard deviation of the Gaussian filters, in pixels.
_LARGEST_SIGMA_PX = 16
#: How far a pixel's features see: the Gaussian is cut at four standard deviations, and the slopes
#: and curvatures on it reach two pixels further.
HALO_PX = 4 * _LARGEST_SIGMA_PX + 2
FEATURES = 20
_TREES = 50
_PIXELS_IN_LEAF = 20
#: Pixels that one forest learns from, and blocks of 512 pixels that they are drawn from at most.
PIXELS, BLOCKS = 100_000, 100
# Between the natural proportions of the phases (0) and equal ones (1).
_BALANCE = 0.5


def pixel_features(grey: np.ndarray) -> np.ndarray:
    """Describe each pixel by the grey values, slopes and curvatures round it at five scales.

    Parameters
    ----------
    grey : numpy.ndarray, uint8, shape (rows, columns)

    Returns
    -------
    numpy.ndarray, float32, shape (rows, columns, FEATURES)
        Those further than `HALO_PX` from the edge do not depend on what is beyond it.
    """
    return multiscale_basic_features(
        grey, sigma_min=1, sigma_max=_LARGEST_SIGMA_PX, workers=1
    ).astype(np.float32, copy=False)


def draw_pixels(
    panoramas: Sequence[tuple[TiledImage, Callable[[Window], np.ndarray]]],
    *,
    phase_count: int,
    pixels: int = PIXELS,
    blocks: int = BLOCKS,
    seed: int,
) -> tuple[np.ndarray, np.ndarray]:
    """Draw pixels from which a forest learns, those of rare phases more often.

    Parameters
    ----------
    panoramas : sequence of (image, labels)
        `labels` returns, for a window, 0 where nothing is known or may be learned from, else the
        number of the phase from 1.
    phase_count : int
    pixels, blocks : int, optional
        How many pixels to draw, and from how many blocks at most.
    seed : int

    Returns
    -------
    features : numpy.ndarray, float32, shape (about `pixels`, FEATURES)
    phases : numpy.ndarray, int
        Numbers from 0.
    """
    rng = np.random.default_rng(seed)
    # Where every phase is: a block in which one is rare may be the only one that has it.
    known, counts = [], []
    for image, labels in panoramas:
        for window in itertools.chain(*tile_windows(image.shape, tile_px=BLOCK_PX)):
            found = np.bincount(labels(window).ravel(), minlength=phase_count + 1)[1:]
            if found.any():
                known.append((image, labels, window))
                counts.append(found)
    if not known:
        return np.zeros((0, FEATURES), np.float32), np.zeros(0, int)
    chosen = np.sort(rng.permutation(len(known))[:blocks])
    total = np.sum([counts[index] for index in chosen], axis=0)
    part = _parts(total, pixels=pixels)
    features, phases = [], []
    for index in chosen:
        image, labels, window = known[index]
        number = labels(window).ravel()
        places = np.flatnonzero(rng.random(number.size) < part[number])
        features.append(_features_in(image, window).reshape(-1, FEATURES)[places])
        phases.append(number[places].astype(int) - 1)
    return np.concatenate(features), np.concatenate(phases)


def grow_pixel_forest(
    features: np.ndarray, phases: np.ndarray, *, seed: int
) -> RandomForestClassifier:
    """Grow a random forest on pixels, as `draw_pixels` returns them."""
    forest = RandomForestClassifier(
        _TREES,
        min_samples_leaf=_PIXELS_IN_LEAF,
        max_features="sqrt",
        # Two threads may sum in another order.
        n_jobs=1,
        random_state=seed,
    )
    return forest.fit(features, phases)


def forest_answers(
    forest: Callable[[np.ndarray], np.ndarray],
    image: TiledImage,
    *,
    phase_count: int,
    wanted: Callable[[Window], bool] = lambda window: True,
    threads: int = 1,
    strip: tuple[int, int] = WHOLE,
) -> Iterator[np.ndarray]:
    """Yield what a forest answers for each pixel of a panorama.

    Parameters
    ----------
    forest : callable
        Takes features, float32 (pixels, FEATURES), returns the probability of each phase, (pixels,
        phase_count).
    image : TiledImage
    phase_count : int
    wanted : callable, optional
        Tells for a block whether it is to be answered; the answers in others are 0.
    threads, strip
        See `blocks.mixed_blocks`.

    Yields
    ------
    numpy.ndarray, float32, shape (rows, width, phase_count)
    """

    def work(window):
        if not wanted(window):
            return np.zeros((*window.shape, phase_count), np.float32)
        answers = forest(_features_in(image, window).reshape(-1, FEATURES))
        return answers.reshape(*window.shape, phase_count)

    return mixed_blocks(
        work, image.shape, channels=phase_count, overlap_px=0, threads=threads, strip=strip
    )


def _features_in(image, window):
    outer = window.grown(margin=HALO_PX, within=image.shape)
    return pixel_features(image.read(outer))[window.slices(origin=outer)]


def _parts(counts, *, pixels):
    """Return which part of the pixels without a phase (none) and of each phase is drawn."""
    share = counts / counts.sum()
    weights = np.zeros(len(counts) + 1)
    weights[1:][counts > 0] = share[counts > 0] ** -_BALANCE
    return np.minimum(pixels * weights / (weights[1:] * counts).sum(), 1)
