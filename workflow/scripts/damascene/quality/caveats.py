"""Why the candidates of a panorama may not be what they seem, and what to do about it."""

import numpy as np
import pandas as pd

from damascene.contracts.quality_record import Caveat
from damascene.detection.darkness import DarkLimit
from damascene.detection.phase_greys import USUAL_STEP
from damascene.quality.blocks import Quality
from damascene.quality.measures import quantile
from damascene.quality.summary import evened_candidates, outlying

# Fewer blocks than this part show both phases: most thresholds come from elsewhere.
_LEAST_MEASURED = 0.5
# Of blocks that must show both phases, to tell which of them is the larger one.
_LEAST_SHOWN = 0.25
# Cavities, shadows and inclusions together take up a few hundredths of a strained steel.
_MUCH_DARK = 0.1
# A threshold is far above the others if it is so by this part of theirs.
_HIGH_THRESHOLD = 0.2
_SHOWN_BLOCKS = 3
# The panoramas of the default and the small study and of DP800 have an asymmetry of 0.44 to 0.55,
# one that is half martensite 0.04; negatives have the other sign.
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
        ("dark_ferrite", _dark_ferrite(blocks)),
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


def _dark_ferrite(blocks):
    """Where little ferrite is in a block, the levels may be those of two greys of martensite."""
    high = outlying(blocks["threshold_grey"].to_numpy(float), sign=1, least_change=_HIGH_THRESHOLD)
    crowded = outlying(evened_candidates(blocks), sign=1, least_change=0, least_deviation=1)
    doubtful = blocks[high & crowded]
    if doubtful.empty:
        return ""
    places = ", ".join(
        f"x {block.left_px} to {block.left_px + block.width_px}, "
        f"y {block.top_px} to {block.top_px + block.height_px} px ({block.candidates} candidates)"
        for block in doubtful.head(_SHOWN_BLOCKS).itertuples()
    )
    more = f" and {len(doubtful) - _SHOWN_BLOCKS} more" if len(doubtful) > _SHOWN_BLOCKS else ""
    return (
        "ferrite may have been taken for dark where the threshold and the number of candidates are "
        f"both far above those of the other blocks: {places}{more}. Look at the sites there in the "
        "overview. Larger blocks (detection: threshold: block) always hold ferrite"
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
