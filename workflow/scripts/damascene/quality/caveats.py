"""Why the candidates of a panorama may not be what they seem, and what to do about it."""

import numpy as np
import pandas as pd

from damascene.contracts.quality_record import Caveat
from damascene.detection.darkness import DarkLimit
from damascene.detection.phase_greys import USUAL_STEP
from damascene.quality.blocks import Quality
from damascene.quality.measures import quantile

# Fewer blocks than this part show both phases: most thresholds come from elsewhere.
_LEAST_MEASURED = 0.5
# Of blocks that must show both phases, to tell which of them is the larger one.
_LEAST_SHOWN = 0.25
# Cavities, shadows and inclusions together take up a few hundredths of a strained steel.
_MUCH_DARK = 0.1
# In 23 real and simulated pictures the asymmetry is 0.17 to 0.62, and has the other sign in their
# negatives.
_NEGATIVE = -0.1
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
        text = (
            "nothing in it is valid, so that nothing was searched: it is blank, saturated or "
            "transparent. Look at the image, and at the notes in results/panoramas"
        )
        return [Caveat(kind="nothing_valid", text=text)]
    found = [
        ("no_levels", _no_levels(limit)),
        ("few_levels", _few_levels(limit)),
        ("inverted", _inverted(quality, blocks, limit)),
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


def _inverted(quality, blocks, limit):
    """Martensite, the brighter phase, is the smaller one; in a negative it is the darker one."""
    measured = int(blocks["median_grey"].notna().sum())
    too_few = blocks["martensite_grey"].notna().sum() < _LEAST_SHOWN * measured
    if too_few or _few_levels(limit) or _no_levels(limit):
        return ""
    if _asymmetry(quality.histogram) > _NEGATIVE:
        return ""
    return (
        "the greys spread further to the dark side than to the bright one, as in a negative: the "
        f"brighter phase seems to be the larger one. {_INVERT}; if martensite does take up more "
        "than half of the steel, look at the thresholds on the page of its quality"
    )


def _asymmetry(histogram):
    """Where the middle lies between the outer tenths, from 1 (dark) to -1; cavities are beyond."""
    low, middle, high = (quantile(histogram, part) for part in (0.1, 0.5, 0.9))
    return (low + high - 2 * middle) / max(high - low, 1)


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
