"""Why the candidates of a panorama may not be what they seem, and what to do about it."""

import numpy as np
import pandas as pd

from damascene.contracts.quality_record import Caveat
from damascene.detection.darkness import DarkLimit
from damascene.detection.phase_greys import USUAL_STEP
from damascene.quality.blocks import Quality

# Fewer blocks than this part show both phases: most thresholds come from elsewhere.
_LEAST_MEASURED = 0.5
# Of blocks that must show both phases, to tell which of them is the larger one.
_LEAST_SHOWN = 0.25
# Cavities, shadows and inclusions together take up a few hundredths of a strained steel.
_MUCH_DARK = 0.1
# Bright pixels that make a picture without dark sites look like a negative.
_FEW_BRIGHT = 1e-5
_INVERT = "If cavities are bright in it, enter 'yes' in the sample sheet, column invert"


def caveats(
    quality: Quality,
    blocks: pd.DataFrame,
    *,
    limit: DarkLimit,
    dark_pixels: int,
    pixel_size_nm: float,
) -> list[Caveat]:
    """Return what speaks against the candidates of a panorama.

    Parameters
    ----------
    quality : Quality
        Of the panorama.
    blocks : pandas.DataFrame
        `QUALITY`.
    limit : DarkLimit
        Below which pixels were dark.
    dark_pixels : int
    pixel_size_nm : float
    """
    valid_px = int(quality.histogram.sum())
    if not valid_px:
        return []
    found = [
        ("no_levels", _no_levels(limit)),
        ("few_levels", _few_levels(limit)),
        ("inverted", _inverted(quality, blocks)),
        ("much_dark", _much_dark(dark_pixels / valid_px)),
    ]
    if not blocks["candidates"].sum():
        area_mm2 = valid_px * (pixel_size_nm * 1e-6) ** 2
        found.append(("no_candidates", _no_candidates(quality, blocks, area_mm2)))
    return [Caveat(kind=kind, text=text) for kind, text in found if text]


def _no_levels(limit):
    levels = limit.levels
    if levels is None or levels.measured.any() or not levels.judged.any():
        return ""
    part = np.median(limit.greys[levels.judged] / levels.ferrite[levels.judged])
    return (
        "no part of the image shows the two grey levels of ferrite and martensite. It was assumed "
        f"that martensite is brighter by {USUAL_STEP:g} times the grey of ferrite, so that dark is "
        f"what lies below {100 * part:.0f} % of that grey; counts depend on this guess. Denoise "
        "the image (key denoise) or scan longer; for a steel without martensite, set a fixed "
        "threshold"
    )


def _few_levels(limit):
    levels = limit.levels
    if levels is None or not levels.measured.any():
        return ""
    judged, measured = int(levels.judged.sum()), int(levels.measured.sum())
    if measured >= _LEAST_MEASURED * judged:
        return ""
    return (
        f"only {measured} of {judged} blocks show the two grey levels of ferrite and martensite; "
        "the thresholds of the others are those of the nearest that do. Denoise the image (key "
        "denoise) or enlarge the blocks (detection: threshold: block)"
    )


def _inverted(quality, blocks):
    """Ferrite, the darker phase, is the larger one; in a negative it is the brighter one."""
    measured = blocks["median_grey"].notna()
    shown = blocks["martensite_grey"].notna()
    if shown.sum() <= _LEAST_SHOWN * measured.sum():
        return ""
    middle = (blocks["ferrite_grey"] + blocks["martensite_grey"])[shown] / 2
    bright = float((blocks["median_grey"][shown] > middle).mean())
    if bright <= 0.5 or _skewness(quality.histogram) >= 0:
        return ""
    return (
        f"the brighter phase is the larger one in {100 * bright:.0f} % of the blocks, as in a "
        f"negative. {_INVERT}; if martensite does take up more than half of the steel, look at "
        "the thresholds on the page of its quality"
    )


def _skewness(histogram):
    """Third standardised moment of the greys: positive where the smaller phase is brighter."""
    greys = np.arange(len(histogram))
    mean = np.average(greys, weights=histogram)
    return np.average((greys - mean) ** 3, weights=histogram)


def _much_dark(part):
    if part <= _MUCH_DARK:
        return ""
    return (
        f"{100 * part:.0f} % of the valid area is dark, more than cavities take up. The threshold "
        "is too high for this image, or a part of it is no picture of the steel"
    )


def _no_candidates(quality, blocks, area_mm2):
    text = f"no dark site was found in {area_mm2:.3g} mm²"
    top = blocks["martensite_grey"].fillna(blocks["median_grey"]).median()
    depth = (blocks["ferrite_grey"] - blocks["threshold_grey"]).median()
    # Too bright by as much as cavities are too dark.
    bright = quality.histogram[np.arange(256) > top + abs(depth)].sum() / quality.histogram.sum()
    if bright < _FEW_BRIGHT:
        return text
    return (
        f"{text}, but {100 * bright:.2g} % of it is brighter than the steel by as much as cavities "
        f"should be darker. {_INVERT}"
    )
