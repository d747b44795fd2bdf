"""How much of a panorama lies near the hard phase, and in how much of it: what counts divide by."""

from concurrent.futures import ThreadPoolExecutor
from itertools import chain

import numpy as np
import pandas as pd
from scipy import ndimage

from damascene.contracts.phase_descriptors import PHASE_AREAS
from damascene.descriptors.phase_counts import HARD, KINDS, NEITHER
from damascene.descriptors.phases import LEAST_KNOWN, kind_table, read_padded, square_half_px
from damascene.images.store import TiledImage, Window
from damascene.images.tiles import tile_windows

# How far distances are told apart: the reach of the descriptors and the radius of a large site.
_FARTHEST_UM = 4.0
_STEP_UM = 0.05
#: Bounds of the classes of local fraction.
FRACTION_EDGES = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)
# Distances are computed faster in tiles that fit into the cache of a processor.
_TILE_PX = 1024


def phase_areas(
    phases: TiledImage,
    *,
    panorama: str,
    hard: int,
    damage: int | None,
    threads: int = 1,
    tile_px: int = _TILE_PX,
) -> pd.DataFrame:
    """Measure the area by distance from the hard phase, and by its local fraction.

    Every pixel with an image counts, those of damage too: a site may lie anywhere. The distance is
    that from the middle of the pixel to the nearest edge of the hard phase.

    Parameters
    ----------
    phases : TiledImage
        Phase map: 0 outside, else the number of the phase.
    panorama : str
        Name, for the table.
    hard : int
        Number of the hard phase.
    damage : int or None
        Number of the phase that is damage, if there is one.
    threads, tile_px : int, optional
        No effect on the result.

    Returns
    -------
    pandas.DataFrame
        `PHASE_AREAS`. Places farther than 4 um from the hard phase have the upper bound infinity.
    """
    pixel_um = phases.pixel_size_nm / 1000
    half_px = square_half_px(phases.pixel_size_nm)
    farthest_px = int(np.ceil(_FARTHEST_UM / pixel_um)) + 1
    margin = max(half_px + 1, farthest_px)
    kinds_of = kind_table(hard=hard, damage=damage)
    steps = round(_FARTHEST_UM / _STEP_UM)
    # By the squared distance from the nearest pixel of hard phase: 0 inside, steps, and beyond.
    distance_um = (np.sqrt(np.arange(farthest_px**2 + 1)) - 0.5) * pixel_um
    step_of = np.minimum(np.ceil(distance_um / _STEP_UM - 1e-9), steps + 1).astype(np.int64)
    step_of[0] = 0

    def work(window):
        outer = Window(
            top=window.top - margin,
            left=window.left - margin,
            bottom=window.bottom + margin,
            right=window.right + margin,
        )
        codes = read_padded(phases, outer)
        inner = window.slices(origin=outer)
        imaged = codes[inner] != 0
        if not imaged.any():
            return [np.zeros(size, np.int64) for size in (1, steps + 2, len(FRACTION_EDGES) - 1)]
        kinds = kinds_of[codes]
        away = kinds != HARD
        squared = np.full(away.shape, len(step_of) - 1)
        if not away.all():
            distance = ndimage.distance_transform_edt(away)
            squared = np.minimum(np.rint(distance * distance), len(step_of) - 1).astype(np.int64)
        by_step = np.bincount(step_of[squared[inner][imaged]], minlength=steps + 2)
        sums = {
            kind: _square_sums(kinds == kind, half_px=half_px, inner=inner) for kind in range(KINDS)
        }
        known = (2 * half_px + 1) ** 2 - sums[NEITHER]
        enough = imaged & (known > 0) & (known >= LEAST_KNOWN * (2 * half_px + 1) ** 2)
        by_fraction = np.histogram(sums[HARD][enough] / known[enough], bins=FRACTION_EDGES)[0]
        return [np.array([np.sum(kinds[inner] != NEITHER)]), by_step, by_fraction]

    parts = chain.from_iterable(tile_windows(phases.shape, tile_px=tile_px))
    with ThreadPoolExecutor(max_workers=threads) as pool:
        steel, by_step, by_fraction = map(sum, zip(*pool.map(work, parts), strict=True))
    edges = np.round(_STEP_UM * np.arange(steps + 1), 6)
    table = pd.DataFrame(
        {
            "panorama": panorama,
            "measure": [
                "steel",
                "inside",
                *["distance"] * (steps + 1),
                *["fraction"] * len(by_fraction),
            ],
            "low": [0.0, 0.0, *edges, *FRACTION_EDGES[:-1]],
            "high": [0.0, 0.0, *edges[1:], np.inf, *FRACTION_EDGES[1:]],
            "area_mm2": np.concatenate([steel, by_step, by_fraction]) * (pixel_um / 1000) ** 2,
        }
    )
    return table[list(PHASE_AREAS.columns)]


def _square_sums(chosen, *, half_px, inner):
    """Return how many pixels are chosen in the square round each pixel of the inner part."""
    total = np.zeros(np.add(chosen.shape, 1), np.int32)
    np.cumsum(np.cumsum(chosen, axis=0, dtype=np.int32), axis=1, out=total[1:, 1:])
    rows, columns = inner
    upper = slice(rows.start - half_px, rows.stop - half_px)
    lower = slice(rows.start + half_px + 1, rows.stop + half_px + 1)
    left = slice(columns.start - half_px, columns.stop - half_px)
    right = slice(columns.start + half_px + 1, columns.stop + half_px + 1)
    return total[lower, right] - total[upper, right] - total[lower, left] + total[upper, left]
