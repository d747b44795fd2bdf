"""The quality of a panorama block by block."""

import logging
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pandas as pd

from damascene.contracts.quality import QUALITY
from damascene.contracts.table import check_table
from damascene.detection.darkness import DarkLimit
from damascene.detection.phase_greys import split_phases
from damascene.images.store import TiledImage, Window
from damascene.images.valid_area import BLANK, CHARGING, NO_IMAGE, VALID
from damascene.quality.measures import quantile, sharpness
from damascene.restoration.noise import noise_of

#: Edge of a block: several grains and bands wide, narrower than drift and defocus.
BLOCK_UM = 20.0
# Fewer pixels than this carry no reliable noise and sharpness.
_LEAST_BLOCK_PX = 128
_LEAST_VALID_FRACTION = 0.25
_WINDOW_PX = 2048
_REASONS = {"no_image": NO_IMAGE, "blank": BLANK, "charging": CHARGING}
_logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Quality:
    """Quality of a panorama.

    Attributes
    ----------
    blocks : pandas.DataFrame
        `QUALITY`, one row per block.
    histogram : numpy.ndarray, int64, shape (256,)
        Valid pixels by grey.
    fractions : dict of float
        Of the panorama: `valid`, and by reason what is not.
    """

    blocks: pd.DataFrame
    histogram: np.ndarray
    fractions: dict[str, float]


def block_edges(length_px: int, *, pixel_size_nm: float) -> np.ndarray:
    """Cut a side of a panorama into blocks of nearly equal size, as near to 20 µm as possible.

    Returns
    -------
    numpy.ndarray, int64, shape (blocks + 1,)
        From 0 to `length_px`.
    """
    wanted = max(BLOCK_UM * 1000 / pixel_size_nm, _LEAST_BLOCK_PX)
    blocks = max(round(length_px / wanted), 1)
    return np.arange(blocks + 1) * length_px // blocks


def measure_blocks(
    image: TiledImage, valid: TiledImage, *, panorama: str, threads: int = 1
) -> Quality:
    """Measure brightness, phase levels, noise and sharpness of each block of a panorama.

    Blocks of which less than a quarter is valid have no values (NaN). The columns for thresholds
    and candidates are left for `with_detection`.

    Parameters
    ----------
    image, valid : TiledImage
        Grey values, and the mask of valid pixels; same shape.
    panorama : str
    threads : int, optional
        Windows worked on at the same time; no effect on the result.

    Returns
    -------
    Quality
    """
    rows, columns = (block_edges(n, pixel_size_nm=image.pixel_size_nm) for n in image.shape)
    window_rows = list(_grouped(rows))
    windows = [(below, beside) for below in window_rows for beside in _grouped(columns)]
    histogram, codes = np.zeros(256, np.int64), np.zeros(256, np.int64)
    records = []

    def work(edges):
        return _measure_window(image, valid, *edges)

    with ThreadPoolExecutor(max_workers=threads) as pool:
        for done, (measured, greys, mask_codes) in enumerate(pool.map(work, windows), start=1):
            records += measured
            histogram += greys
            codes += mask_codes
            if done * 10 // len(windows) > (done - 1) * 10 // len(windows):
                _logger.info("measured %d %% of %s", 100 * done // len(windows), panorama)
    blocks = pd.DataFrame.from_records(records).assign(panorama=panorama)
    fractions = {name: float(codes[code] / codes.sum()) for name, code in _REASONS.items()}
    return Quality(
        blocks.sort_values(["top_px", "left_px"], ignore_index=True),
        histogram,
        {"valid": float(codes[VALID] / codes.sum()), **fractions},
    )


def _grouped(edges) -> Iterator[np.ndarray]:
    """Join blocks so that windows are about as wide as is good for reading."""
    step = max(1, round(_WINDOW_PX / (edges[1] - edges[0])))
    for first in range(0, len(edges) - 1, step):
        yield edges[first : first + step + 1]


def _measure_window(image, valid, rows, columns):
    window = Window(top=rows[0], left=columns[0], bottom=rows[-1], right=columns[-1])
    pixels, mask = image.read(window), valid.read(window)
    inside = mask == VALID
    records, total = [], np.zeros(256, np.int64)
    for top, bottom in pairwise(rows):
        for left, right in pairwise(columns):
            place = Window(top=top, left=left, bottom=bottom, right=right).slices(origin=window)
            counts = np.bincount(pixels[place][inside[place]], minlength=256)
            total += counts
            records.append(
                {
                    "left_px": left,
                    "top_px": top,
                    "width_px": right - left,
                    "height_px": bottom - top,
                    "valid_fraction": counts.sum() / inside[place].size,
                    **_measure_block(pixels[place], inside[place], counts),
                }
            )
    return records, total, np.bincount(mask.ravel(), minlength=256)


def _measure_block(pixels, inside, counts):
    names = ["median_grey", "ferrite_grey", "martensite_grey", "noise_grey", "sharpness"]
    if counts.sum() < _LEAST_VALID_FRACTION * inside.size:
        return dict.fromkeys(names, float("nan"))
    ferrite, martensite = (float(level) for level in split_phases(counts))
    # Black and white pixels are clipped and carry no noise.
    noise = noise_of(pixels, inside & (pixels > 0) & (pixels < 255))
    values = [quantile(counts, 0.5), ferrite, martensite, noise, sharpness(pixels, inside)]
    return dict(zip(names, values, strict=True))


def with_detection(
    blocks: pd.DataFrame,
    candidates: pd.DataFrame,
    *,
    limit: DarkLimit,
    pixel_size_nm: float,
) -> pd.DataFrame:
    """Add to each block the threshold at its middle and the candidates whose centroid it holds.

    Parameters
    ----------
    blocks : pandas.DataFrame
        As measured.
    candidates : pandas.DataFrame
        `CANDIDATES` of the panorama.
    limit : DarkLimit
        Below which pixels of the searched image are dark.
    pixel_size_nm : float

    Returns
    -------
    pandas.DataFrame
        `QUALITY`.
    """
    tops, lefts = (np.unique(blocks[name]) for name in ("top_px", "left_px"))
    row = np.searchsorted(tops, candidates["y_px"] + 0.5, side="right") - 1
    column = np.searchsorted(lefts, candidates["x_px"] + 0.5, side="right") - 1
    counts = np.bincount(row * len(lefts) + column, minlength=len(blocks))
    side_mm = pixel_size_nm * 1e-6
    area = blocks["valid_fraction"] * blocks["width_px"] * blocks["height_px"] * side_mm**2
    measured = blocks["median_grey"].notna()
    middles = (
        (blocks[start] + blocks[length] // 2).to_numpy()
        for start, length in (("top_px", "height_px"), ("left_px", "width_px"))
    )
    thresholds, origins = _threshold_at(limit, *middles)
    added = blocks.assign(
        threshold_grey=np.where(measured, thresholds, np.nan),
        levels_from=np.where(measured, origins, ""),
        candidates=counts,
        candidates_per_mm2=(counts / area).where(measured),
    )
    return check_table(added, QUALITY, source="quality by block")


def _threshold_at(limit, rows, columns):
    """Return the threshold at pixels, and where its levels come from."""
    thresholds = limit.at(rows, columns)
    if limit.levels is None:
        return thresholds, np.full(len(rows), "")
    measured = limit.levels.measured
    if not measured.any():
        return thresholds, np.full(len(rows), "assumed")
    own = measured[rows // limit.block_px, columns // limit.block_px]
    return thresholds, np.where(own, "block", "nearest")
