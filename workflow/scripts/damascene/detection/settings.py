"""From the configuration's lengths to the pixels of one panorama."""

import numpy as np

from damascene.config.detection import Detection
from damascene.detection.candidates import Found, find_candidates
from damascene.detection.darkness import (
    DarkRule,
    FixedThreshold,
    MatchedThreshold,
    RelativeThreshold,
)
from damascene.detection.parameters import DetectionParameters
from damascene.detection.phase_greys import phase_greys
from damascene.images.store import TiledImage
from damascene.units import area_px, length_px

# Beyond the blur of the edge of a cavity, within the slope of a soft shadow.
_EDGE_DISTANCE_NM = 200
# Pieces of one particle are closer, however large it is; damage beside it is further away.
_FOOTPRINT_GAP_NM = 600


def dark_rule(
    settings: Detection, *, pixel_size_nm: float, reference: np.ndarray | None = None
) -> DarkRule:
    """Return the rule for dark pixels that the configuration asks for; see `parameters_of`."""
    threshold = settings.threshold
    if threshold.rule == "fixed":
        return FixedThreshold(grey=threshold.grey, inclusive=threshold.inclusive)
    if threshold.rule == "matched":
        if reference is None:
            raise ValueError("a matched threshold needs the histogram of the reference")
        return MatchedThreshold(
            grey=threshold.grey, inclusive=threshold.inclusive, reference_histogram=reference
        )
    block_px = round(length_px(threshold.block, pixel_size_nm=pixel_size_nm))
    return RelativeThreshold(depth=threshold.depth, block_px=max(block_px, 1))


def parameters_of(
    settings: Detection, *, pixel_size_nm: float, reference: np.ndarray | None = None
) -> DetectionParameters:
    """Return the parameters of detection in pixels of one panorama.

    Parameters
    ----------
    settings : Detection
    pixel_size_nm : float
        Edge of a pixel of the panorama.
    reference : numpy.ndarray, int64, shape (256,), optional
        Histogram of the valid greys of the reference panorama (`darkness.valid_histogram`), needed
        for `matched` thresholds.
    """
    return DetectionParameters(
        dark=dark_rule(settings, pixel_size_nm=pixel_size_nm, reference=reference),
        fill_holes=settings.fill_holes,
        eps_px=length_px(settings.eps, pixel_size_nm=pixel_size_nm),
        min_samples=settings.min_samples,
        metric=settings.metric,
        passes=settings.passes,
        sites=settings.sites,
        minimum_area_px=area_px(settings.minimum_area, pixel_size_nm=pixel_size_nm),
        minimum_edge=settings.minimum_edge,
        edge_distance_px=max(round(_EDGE_DISTANCE_NM / pixel_size_nm), 1),
        merge=settings.merge,
        merge_distance_px=length_px(settings.merge_distance, pixel_size_nm=pixel_size_nm),
        drop_rim_fragments=settings.drop_rim_fragments,
        footprint_gap_px=_FOOTPRINT_GAP_NM / pixel_size_nm,
    )


def find_candidates_of(
    image: TiledImage,
    valid: TiledImage,
    *,
    panorama: str,
    settings: Detection,
    reference: np.ndarray | None = None,
    threads: int = 1,
) -> Found:
    """Find the candidates of a panorama with the settings of a study.

    `settings` and `reference` as for `parameters_of`, all else as for `find_candidates`.
    """
    parameters = parameters_of(settings, pixel_size_nm=image.pixel_size_nm, reference=reference)
    found = find_candidates(image, valid, panorama=panorama, parameters=parameters, threads=threads)
    return with_levels(found, image, valid, dark=parameters.dark, threads=threads)


def with_levels(
    found: Found, image: TiledImage, valid: TiledImage, *, dark: DarkRule, threads: int = 1
) -> Found:
    """Note among the counts of a search where its threshold was measured."""
    if not isinstance(dark, RelativeThreshold):
        return found
    # Once more, from the reduced image: a small part of the search.
    levels = phase_greys(image, valid, block_px=dark.block_px, threads=threads)
    return found._replace(counts=found.counts.model_copy(update={"levels": levels.summary}))
