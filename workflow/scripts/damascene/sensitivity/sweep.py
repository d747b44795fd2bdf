"""How the number of candidates depends on the parameters of detection."""

import itertools
import logging
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from damascene.clustering.dbscan import neighbour_half_widths
from damascene.clustering.pixels import Pixels, Strips
from damascene.config.detection import Detection
from damascene.config.sensitivity import Sensitivity
from damascene.contracts.panorama_record import PanoramaRecord
from damascene.detection.candidates import choose_sites
from damascene.detection.clusters import STRIP_ROWS, clusters_of_strips, find_clusters
from damascene.detection.darkness import dark_pixels_by_strip, reference_histogram
from damascene.detection.parameters import DetectionParameters
from damascene.detection.settings import parameters_of
from damascene.images.store import TiledImage
from damascene.units import area_px, length_px

logger = logging.getLogger(__name__)

#: Rows of the table that belong to no preset: the study's own settings, and all others.
STUDY, GRID = "study", "grid"
#: Columns of the table that say with which parameters the candidates were counted.
PARAMETERS = ("threshold", "eps_px", "min_samples", "minimum_area_px", "merge_distance_px")
# What a rule for dark pixels is scaled by.
_LEVELS = {"relative": "depth", "fixed": "grey", "matched": "grey"}


def sweep_panorama(
    image: TiledImage,
    valid: TiledImage,
    *,
    record: PanoramaRecord,
    settings: Detection,
    grid: Sensitivity,
    presets: Mapping[str, Detection],
    reference: tuple[str | Path, str | Path],
    threads: int = 1,
) -> pd.DataFrame:
    """Count the candidates of a panorama with other settings around its own, and published ones.

    Parameters
    ----------
    image, valid : TiledImage
    record : PanoramaRecord
        Of the panorama.
    settings, grid
        See `sweep_grid`.
    presets
        See `count_presets`.
    reference : (image, mask)
        Paths of the panorama whose histogram matched thresholds refer to.
    threads : int, optional

    Returns
    -------
    pandas.DataFrame
        `SENSITIVITY`.
    """
    options = {
        "area_mm2": record.valid_area_mm2,
        "reference": reference_histogram(reference, threads=threads),
        "threads": threads,
    }
    counts = pd.concat(
        [
            sweep_grid(image, valid, settings=settings, grid=grid, **options),
            count_presets(image, valid, presets=presets, **options),
        ]
    )
    counts.insert(0, "panorama", record.panorama)
    return counts


def sweep_grid(
    image: TiledImage,
    valid: TiledImage,
    *,
    settings: Detection,
    grid: Sensitivity,
    area_mm2: float,
    reference: np.ndarray | None = None,
    threads: int = 1,
) -> pd.DataFrame:
    """Count the candidates of a panorama for all combinations of a grid of parameters.

    Dark pixels are found once for each threshold and wait in temporary files; they are clustered
    once for each eps and min_samples; size limits and merging go through these clusters.

    Parameters
    ----------
    image, valid : TiledImage
        Grey values, and codes of `images.valid_area`; same shape.
    settings : Detection
        Settings of the study: values that the grid does not vary, and one value more of each that
        it does.
    grid : Sensitivity
        Merging at a distance above 0 is done in the way of the study, `corrected` where the study
        does not merge. Combinations in which no pixel can have `min_samples` neighbours are left
        out.
    area_mm2 : float
        Valid area of the panorama.
    reference : numpy.ndarray, int64, shape (256,), optional
        See `settings.parameters_of`.
    threads : int, optional
        Strips read at the same time; no effect on the result.

    Returns
    -------
    pandas.DataFrame
        One row a combination: `settings` (`study` for that of the study, else `grid`),
        `combination` (its number in the grid, the same for panoramas of any pixel size),
        `rule` of the threshold and `threshold` (its grey or depth), `eps_px`, `min_samples`,
        `minimum_area_px`, `merge_distance_px` (0: not merged), `clusters` of any size,
        `candidates` (missing where merging as published would stop with an error), `area_mm2`,
        `candidates_per_mm2`.
    """
    size = {"pixel_size_nm": image.pixel_size_nm}
    base = parameters_of(settings, reference=reference, **size)
    level = _LEVELS[settings.threshold.rule]
    own_distance = "0 px" if settings.merge == "none" else settings.merge_distance
    way = "corrected" if settings.merge == "none" else settings.merge
    factors = list(dict.fromkeys([*grid.threshold, 1.0]))
    reaches = _distinct([*grid.eps, settings.eps], length_px)
    numbers = list(dict.fromkeys([*grid.min_samples, settings.min_samples]))
    areas = _distinct([*grid.minimum_area, settings.minimum_area], area_px)
    distances = _distinct([*grid.merge_distance, own_distance], length_px)
    own = (1.0, settings.eps, settings.min_samples, settings.minimum_area, own_distance)
    smallest_px = min(area_px(area, **size) for area in areas)

    rows, started = [], time.perf_counter()
    combinations = enumerate(itertools.product(factors, reaches, numbers, areas, distances))
    for factor, of_factor in itertools.groupby(combinations, key=lambda item: item[1][0]):
        with tempfile.TemporaryDirectory() as folder:
            # The deeper, the lower: a factor above 1 always finds more pixels dark.
            change = 1 / factor if level == "depth" else factor
            dark = replace(base.dark, **{level: getattr(base.dark, level) * change})
            found = _dark_strips(image, valid, parameters=replace(base, dark=dark), threads=threads)
            strips = _Stored(Path(folder), found)
            for (eps, number), of_clusters in itertools.groupby(
                of_factor, key=lambda item: item[1][1:3]
            ):
                parameters = replace(
                    base,
                    dark=dark,
                    eps_px=length_px(eps, **size),
                    min_samples=number,
                    minimum_area_px=smallest_px,
                )
                if number > _most_neighbours(parameters):
                    continue
                clusters = clusters_of_strips(strips, shape=image.shape, parameters=parameters)
                for index, combination in of_clusters:
                    distance_px = length_px(combination[4], **size)
                    chosen = replace(
                        parameters,
                        minimum_area_px=area_px(combination[3], **size),
                        merge=way if distance_px > 0 else "none",
                        merge_distance_px=distance_px,
                    )
                    _, counts = choose_sites(clusters, parameters=chosen)
                    rows.append(
                        {
                            "settings": STUDY if combination == own else GRID,
                            "combination": index,
                            **_values(chosen, rule=settings.threshold.rule),
                            **_counted(counts, area_mm2=area_mm2),
                        }
                    )
        logger.info(
            "threshold x %g: %d combinations counted, %.0f s",
            *(factor, len(rows), time.perf_counter() - started),
        )
    return _typed(rows)


def count_presets(
    image: TiledImage,
    valid: TiledImage,
    *,
    presets: Mapping[str, Detection],
    area_mm2: float,
    reference: np.ndarray | None = None,
    threads: int = 1,
) -> pd.DataFrame:
    """Count the candidates of a panorama with published settings, each with all of its own.

    Parameters
    ----------
    image, valid, area_mm2, reference, threads
        See `sweep_grid`.
    presets : mapping of str to Detection

    Returns
    -------
    pandas.DataFrame
        As from `sweep_grid`, one row per preset with its name in `settings`; `combination` is -1.
    """
    rows = []
    for name, preset in presets.items():
        parameters = parameters_of(preset, pixel_size_nm=image.pixel_size_nm, reference=reference)
        clusters = find_clusters(image, valid, parameters=parameters, threads=threads)
        _, counts = choose_sites(clusters, parameters=parameters)
        rows.append(
            {
                "settings": name,
                "combination": -1,
                **_values(parameters, rule=preset.threshold.rule),
                **_counted(counts, area_mm2=area_mm2),
            }
        )
        logger.info("%s: %s candidates", name, counts["candidates"])
    return _typed(rows)


def _distinct(texts: Iterable[str], in_px) -> list[str]:
    """Return lengths or areas without doubles; of two that are written differently the last."""
    # What is the same at two pixel sizes is the same at any.
    same = {
        tuple(round(in_px(text, pixel_size_nm=size), 9) for size in (10, 1000)): text
        for text in texts
    }
    return list(same.values())


def _most_neighbours(parameters: DetectionParameters) -> int:
    """Return the number of pixels within eps of a pixel, itself counted."""
    widths = 2 * neighbour_half_widths(parameters.eps_px, metric=parameters.metric) + 1
    return int(2 * widths.sum() - widths[0])


def _dark_strips(image, valid, *, parameters, threads) -> Strips:
    strips = dark_pixels_by_strip(
        image,
        valid,
        dark=parameters.dark,
        strip_rows=STRIP_ROWS,
        around_px=parameters.around_px,
        threads=threads,
    )
    for number, pixels in enumerate(strips):
        yield Pixels.of(pixels), min((number + 1) * STRIP_ROWS, image.shape[0])


class _Stored:
    """Strips of dark pixels that can be gone through again and again, kept in files."""

    def __init__(self, folder: Path, strips: Strips):
        self._bottoms = {}
        for number, (pixels, bottom) in enumerate(strips):
            path = folder / f"{number}.npz"
            np.savez(path, **pixels.arrays())
            self._bottoms[path] = bottom

    def __iter__(self) -> Iterator[tuple[Pixels, int]]:
        for path, bottom in self._bottoms.items():
            with np.load(path) as arrays:
                yield Pixels(**arrays), bottom


def _values(parameters, *, rule):
    threshold = getattr(parameters.dark, _LEVELS[rule])
    distance_px = 0 if parameters.merge == "none" else parameters.merge_distance_px
    values = (
        threshold,
        parameters.eps_px,
        parameters.min_samples,
        parameters.minimum_area_px,
        distance_px,
    )
    return {"rule": rule, **dict(zip(PARAMETERS, values, strict=True))}


def _counted(counts, *, area_mm2):
    candidates = counts["candidates"]
    return {
        "clusters": counts["clusters"],
        "candidates": candidates,
        "area_mm2": area_mm2,
        "candidates_per_mm2": candidates / area_mm2
        if candidates is not None and area_mm2
        else None,
    }


def _typed(rows):
    # Whole numbers stay whole where one is missing.
    return pd.DataFrame(rows).astype({"candidates": "Int64", "candidates_per_mm2": float})
