"""How the edges and the dark parts of a panorama look: blur and noise for what is drawn into it."""

from collections.abc import Callable

import numpy as np
import pandas as pd
from scipy import ndimage, special

from damascene.images.store import TiledImage, Window
from damascene.restoration.noise import measure_noise

#: Blur where no candidate shows it, in pixels.
USUAL_BLUR_PX = 0.8
_MOST_LOOKED_AT = 30
_LEAST_AREA_PX = 60
_REACH_PX = 4
_BLURS_PX = np.arange(0.2, 4.1, 0.2)


def edge_blur_px(image: TiledImage, candidates: pd.DataFrame, runs: pd.DataFrame) -> float:
    """Return the blur of the edges of dark sites: the standard deviation of a Gauss curve.

    The mean grey at each distance from the outline of a site rises like the integral of a Gauss
    curve; the width that fits best is taken for each of up to 30 large sites, and of these the
    lower quartile, as soft shadows and uneven outlines only make edges wider.

    Parameters
    ----------
    image : TiledImage
    candidates, runs : pandas.DataFrame
        `CANDIDATES` and `CANDIDATE_RUNS`.

    Returns
    -------
    float
        In pixels; `USUAL_BLUR_PX` where fewer than five sites are large enough.
    """
    large = candidates[(candidates["area_px"] >= _LEAST_AREA_PX) & ~candidates["touches_border"]]
    if len(large) > _MOST_LOOKED_AT:
        chosen = np.linspace(0, len(large) - 1, _MOST_LOOKED_AT).round().astype(int)
        large = large.iloc[chosen]
    own = {number: part for number, part in runs.groupby("site_id") if number in set(large.site_id)}
    widths = []
    for site in large.itertuples():
        window = Window(
            top=site.top_px,
            left=site.left_px,
            bottom=site.top_px + site.height_px,
            right=site.left_px + site.width_px,
        ).grown(margin=_REACH_PX + 1, within=image.shape)
        mask = np.zeros(window.shape, bool)
        for run in own[site.site_id].itertuples():
            mask[
                run.y_px - window.top, run.left_px - window.left : run.right_px - window.left + 1
            ] = True
        widths.append(_fitted_blur(image.read(window), mask))
    widths = [each for each in widths if each is not None]
    return float(np.quantile(widths, 0.25)) if len(widths) >= 5 else USUAL_BLUR_PX


def _fitted_blur(pixels, mask):
    inside = ndimage.distance_transform_edt(mask)
    outside = ndimage.distance_transform_edt(~mask)
    distance = np.where(mask, 0.5 - inside, outside - 0.5)
    near = np.abs(distance) <= _REACH_PX
    # Grey against distance: dark level, height, place of the edge, width.
    place, grey = distance[near], pixels[near].astype(float)
    bins = np.rint(place * 2).astype(int)
    bins -= bins.min()
    count = np.bincount(bins)
    used = count > 0
    x = np.bincount(bins, place)[used] / count[used]
    y = np.bincount(bins, grey)[used] / count[used]
    weight = np.sqrt(count[used])
    best = None
    for blur in _BLURS_PX:
        for shift in (-0.5, 0.0, 0.5, 1.0):
            rise = 0.5 * (1 + special.erf((x - shift) / (blur * np.sqrt(2))))
            design = np.column_stack([np.ones_like(x), rise]) * weight[:, None]
            levels, *_ = np.linalg.lstsq(design, y * weight, rcond=None)
            error = ((design @ levels - y * weight) ** 2).sum()
            if levels[1] > 0 and (best is None or error < best[0]):
                best = (error, blur)
    return None if best is None else best[1]


def void_noise(image: TiledImage, valid: TiledImage) -> Callable[[float], float]:
    """Return a function: the standard deviation of the noise at a grey value, in grey levels.

    By the line through the variances of flat areas where there is one, else that of all of them.
    """
    noise = measure_noise(image, valid, panorama="")
    level = noise.sigma_grey or noise.fine_grey or 0.0
    if noise.variance_slope is None:
        return lambda grey: level
    # Not below a quarter of the usual variance: the line is measured among brighter greys.
    return lambda grey: float(
        np.sqrt(max(noise.variance_intercept + noise.variance_slope * grey, level**2 / 4))
    )
