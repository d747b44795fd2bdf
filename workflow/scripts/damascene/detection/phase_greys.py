"""Local grey levels of ferrite and martensite."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import chain

import numpy as np
from scipy import ndimage

from damascene.contracts.candidate_counts import ThresholdLevels
from damascene.images.store import TiledImage, Window
from damascene.images.tiles import tile_windows
from damascene.images.valid_area import VALID

# Means of 2 x 2 pixels cost a quarter and have half the noise: the coarsest level of the pyramid
# is read in which a block is still this wide.
_LEAST_BLOCK_PX = 100
_WINDOW_PX = 1024
# Fewer valid pixels than this proportion of a block say too little about it.
_LEAST_VALID_SHARE = 0.25
# The darker class is ferrite if it is at least this proportion; less are cavities.
_LEAST_FERRITE = 0.2
_LEAST_MARTENSITE = 0.05
# Share of the variance between the classes: 0.64 if a single normal peak is cut in two, 0.8 in
# dual-phase steel.
_LEAST_SEPARATION = 0.7
#: Step from ferrite to martensite over ferrite, where no block shows both.
USUAL_STEP = 1.5


@dataclass(frozen=True, kw_only=True)
class PhaseGreys:
    """Grey of ferrite, and the step from it to martensite, by block.

    Attributes
    ----------
    ferrite, step : numpy.ndarray, float64, shape (block rows, block columns)
        0 where not a single pixel of the panorama is valid.
    block_px : int
        Edge of a block in pixels of the panorama; the grid begins at its upper left pixel.
    judged, measured : numpy.ndarray, bool, same shape
        Which blocks have enough valid pixels, and which of these show both phases. All others have
        the levels of the nearest that does; if none does, the step is assumed.
    """

    ferrite: np.ndarray
    step: np.ndarray
    block_px: int
    judged: np.ndarray
    measured: np.ndarray

    @property
    def summary(self) -> ThresholdLevels:
        """How many blocks there are of each kind."""
        return ThresholdLevels(
            blocks=int(self.judged.sum()), measured_blocks=int(self.measured.sum())
        )


def phase_greys(
    image: TiledImage, valid: TiledImage, *, block_px: int, threads: int = 1
) -> PhaseGreys:
    """Return the levels of ferrite and martensite in blocks of a panorama.

    In each block Otsu's threshold [1]_ parts the greys; the levels are the medians of both sides.
    Blocks that do not show two phases, or have few valid pixels, take the levels of the nearest
    that do; if no block does, the step is taken for 1.5 times the grey of ferrite. A median over
    3 x 3 blocks then takes out a block filled by an inclusion. After a change of brightness and
    contrast, a * grey + b, measured levels are changed in the same way.

    Parameters
    ----------
    image, valid : TiledImage
        Grey values, and codes of `images.valid_area`; same shape.
    block_px : int
        Edge of a block.
    threads : int, optional
        Windows worked on at the same time; no effect on the result.

    References
    ----------
    .. [1] N. Otsu, A threshold selection method from gray-level histograms, IEEE Transactions on
       Systems, Man, and Cybernetics 9 (1979) 62, doi:10.1109/TSMC.1979.4310076
    """
    counts = block_histograms(image, valid, block_px=block_px, threads=threads)
    ferrite, martensite = split_phases(counts)
    pixels = counts.sum(axis=-1)
    # A panorama smaller than a block has to make do with what it has.
    enough = pixels >= max(_LEAST_VALID_SHARE * pixels.max(), 1)
    known = measured = enough & np.isfinite(martensite)
    grid = {"block_px": block_px, "judged": enough, "measured": measured}
    step = martensite - ferrite
    if not known.any():
        known, step = enough, USUAL_STEP * ferrite
    if not known.any():
        nothing = np.zeros(pixels.shape)
        return PhaseGreys(ferrite=nothing, step=nothing, **grid)
    nearest = tuple(
        ndimage.distance_transform_edt(~known, return_distances=False, return_indices=True)
    )
    ferrite, step = (
        ndimage.median_filter(level[nearest], size=3, mode="nearest") for level in (ferrite, step)
    )
    return PhaseGreys(ferrite=ferrite, step=step, **grid)


def split_phases(counts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the levels of ferrite and martensite in grey histograms.

    Parameters
    ----------
    counts : numpy.ndarray of int, shape (..., 256)

    Returns
    -------
    ferrite, martensite : numpy.ndarray, float64, shape (...)
        Where there are no two phases, `martensite` is NaN and `ferrite` the lower quartile of all
        but cavities; NaN for an empty histogram.
    """
    greys = np.arange(256)
    threshold, separation = _otsu(counts)
    bright = np.where(greys > threshold[..., None], counts, 0)
    # Cavities are a class of their own in blocks with little or no martensite.
    total = counts.sum(axis=-1)
    bright_proportion = bright.sum(axis=-1) / np.maximum(total, 1)
    cavities = bright_proportion > 1 - _LEAST_FERRITE
    if cavities.any():
        again = np.where(cavities[..., None], bright, counts)
        threshold, separation = _otsu(again)
        bright = np.where(greys > threshold[..., None], again, 0)
        bright_proportion = bright.sum(axis=-1) / np.maximum(again.sum(axis=-1), 1)
        counts = again
    two = (
        (separation > _LEAST_SEPARATION)
        & (bright_proportion >= _LEAST_MARTENSITE)
        & (bright_proportion <= 1 - _LEAST_FERRITE)
    )
    ferrite = np.where(two, _quantile(counts - bright, 0.5), _quantile(counts, 0.25))
    return ferrite, np.where(two, _quantile(bright, 0.5), np.nan)


def _otsu(counts):
    """Return the last grey of the darker class and the part of the variance between both."""
    greys = np.arange(256)
    below = np.cumsum(counts, axis=-1, dtype=np.float64)
    sums = np.cumsum(counts * greys, axis=-1, dtype=np.float64)
    total, total_sum = below[..., -1:], sums[..., -1:]
    with np.errstate(invalid="ignore", divide="ignore"):
        apart = (sums * total - below * total_sum) ** 2 / (below * (total - below))
        variance = (counts * greys**2).sum(axis=-1) * total[..., 0] - total_sum[..., 0] ** 2
        apart = np.nan_to_num(apart, nan=0, posinf=0)
        # The middle of the greys that part equally well, as where there are none between.
        best = apart >= apart.max(axis=-1, keepdims=True) * (1 - 1e-12)
        threshold = (best * greys).sum(axis=-1) // best.sum(axis=-1)
        separation = np.nan_to_num(apart.max(axis=-1) / variance)
    return threshold, separation


def _quantile(counts, proportion):
    """Quantile of histograms, each grey spread evenly over its bin."""
    cumulated = np.cumsum(counts, axis=-1)
    wanted = proportion * cumulated[..., -1:]
    place = np.minimum((cumulated < wanted).sum(axis=-1, keepdims=True), 255)
    inside = np.take_along_axis(counts, place, axis=-1)
    before = np.take_along_axis(cumulated, place, axis=-1) - inside
    with np.errstate(invalid="ignore", divide="ignore"):
        return (place - 0.5 + (wanted - before) / inside)[..., 0]


def block_histograms(
    image: TiledImage, valid: TiledImage, *, block_px: int, threads: int = 1
) -> np.ndarray:
    """Return the grey histogram of each block, from a reduced image where that is enough.

    Returns
    -------
    numpy.ndarray, int64, shape (block rows, block columns, 256)
        Pixels of the reduced image count where all pixels below them are valid.
    """
    level = int(np.clip(np.log2(block_px / _LEAST_BLOCK_PX), 0, image.level_count - 1))
    scale = 2**level
    with TiledImage(image.path, level=level) as reduced:
        edges = [
            _edges(full, small, block_px=block_px, scale=scale)
            for full, small in zip(image.shape, reduced.shape, strict=True)
        ]
        counts = np.zeros((len(edges[0]) - 1, len(edges[1]) - 1, 256), np.int64)

        def work(part):
            rows = edges[0][part.top : part.bottom + 1]
            columns = edges[1][part.left : part.right + 1]
            window = Window(top=rows[0], left=columns[0], bottom=rows[-1], right=columns[-1])
            pixels = reduced.read(window)
            inside = _all_valid(valid, window, scale=scale)
            for row, column in np.ndindex(part.shape):
                cut = Window(
                    top=rows[row],
                    left=columns[column],
                    bottom=rows[row + 1],
                    right=columns[column + 1],
                ).slices(origin=window)
                chosen = pixels[cut].ravel() if inside is None else pixels[cut][inside[cut]]
                place = part.top + row, part.left + column
                counts[place] = np.bincount(chosen, minlength=256)

        # Several blocks at a time, so that stored tiles are not read many times.
        together = max(1, round(_WINDOW_PX * scale / block_px))
        parts = chain.from_iterable(tile_windows(counts.shape[:2], tile_px=together))
        with ThreadPoolExecutor(max_workers=threads) as pool:
            list(pool.map(work, parts))
    return counts


def _edges(full, small, *, block_px, scale):
    """Bounds of the blocks in pixels of the reduced image; its last pixel may be cut off."""
    edges = np.arange(0, full + block_px, block_px)
    return np.minimum(np.ceil(edges / scale - 0.5).astype(int), small).tolist()


def _all_valid(valid, window, *, scale):
    """Tell which reduced pixels lie on valid ones alone; None for all."""
    rows, columns = window.shape
    below = Window(
        top=window.top * scale,
        left=window.left * scale,
        bottom=min(window.bottom * scale, valid.shape[0]),
        right=min(window.right * scale, valid.shape[1]),
    )
    if valid.holds_only(below, VALID):
        return None
    mask = valid.read(below)
    missing = (rows * scale - mask.shape[0], columns * scale - mask.shape[1])
    mask = np.pad(mask, ((0, missing[0]), (0, missing[1])), mode="edge") == VALID
    return mask.reshape(rows, scale, columns, scale).all(axis=(1, 3))
