"""What the page is told of the sites of a panorama: columns, answers of people, outlines."""

import itertools
import json
from collections.abc import Iterable, Sequence

import numpy as np
import pandas as pd

from damascene.contracts.attention import CELLS, Attention
from damascene.contracts.phase_descriptors import PHASE_DESCRIPTORS
from damascene.contracts.sites import PREDICTIONS, PROBABILITIES
from damascene.viewer.packs import pack_script

#: Digits behind the point of the numbers that the page shows; others are left out.
DIGITS = {
    "x_px": 2,
    "y_px": 2,
    "area_um2": 4,
    "equivalent_diameter_um": 3,
    "aspect_ratio": 2,
    "orientation_deg": 1,
    "convexity": 3,
    "mean_grey": 1,
    "minimum_grey": 0,
    "confidence": 4,
    **dict.fromkeys(PROBABILITIES, 4),
}
#: Whole numbers, and flags.
WHOLE = ("site_id", "area_px", "left_px", "top_px", "width_px", "height_px", "fragments")
FLAGS = ("touches_border", "touches_mask")
#: Few words that many sites share.
WORDS = ("class", "predicted_class", "label", "prediction_set")
#: Of the phases round a site, and the digits behind the point.
PHASE_DIGITS = {
    "distance_um": 2,
    "hard_0.25um": 3,
    "hard_1um": 3,
    "hard_square": 3,
    "contact_hard": 3,
    "own_damage": 3,
}
_PLACE = "place"
#: Of an answer, what the page needs not be told; where it lies is told where no candidate is.
_POSITION = {"x_px", "y_px"}
_NOT_TOLD = {
    *("panorama", "order", "given_site_id"),
    *("left_px", "top_px", "width_px", "height_px"),
}


def sites_script(
    key: str,
    sites: pd.DataFrame,
    *,
    phases: pd.DataFrame | None = None,
    answers: pd.DataFrame | None = None,
    attention: Sequence[Attention] = (),
) -> str:
    """Return the script that hands the sites of a panorama to the page.

    Parameters
    ----------
    key : str
        Path of the script below the folder of the page.
    sites : pandas.DataFrame
        `SITES`, or `CANDIDATES` where nothing was classified.
    phases : pandas.DataFrame, optional
        `PHASE_DESCRIPTORS` of the same sites.
    answers : pandas.DataFrame, optional
        `ANSWERS` of people on this panorama.
    attention : sequence of Attention, optional
        What each network looks at in labelled sites of this panorama; see `attention_script`.

    Returns
    -------
    str
        A call of `damascene.data.receive` with `columns` (a list for each column, in the order of
        the sites), `words` (for each column of words its different words, and a list of their
        places), `answers` (an object for each), `astray` (answers that mean no candidate, with
        their positions), `attention` (an object for each network) and `meanings` of columns.
    """
    sites = sites.sort_values("site_id", kind="stable")
    columns = {name: sites[name].astype(int).tolist() for name in (*WHOLE, *FLAGS)}
    columns |= {
        name: _rounded(sites[name], digits) for name, digits in DIGITS.items() if name in sites
    }
    words = {name: _coded(sites[name]) for name in WORDS if name in sites}
    meanings = {name: PREDICTIONS.columns[name].description for name in DIGITS}
    if phases is not None:
        rows = phases.set_index("site_id").reindex(sites["site_id"])
        columns |= {name: _rounded(rows[name], digits) for name, digits in PHASE_DIGITS.items()}
        words[_PLACE] = _coded(rows[_PLACE].fillna("unknown"))
        told = (*PHASE_DIGITS, _PLACE)
        meanings |= {name: PHASE_DESCRIPTORS.columns[name].description for name in told}
    content = {
        "columns": columns,
        "words": words,
        "answers": [] if answers is None else told_answers(answers[answers["site_id"] >= 0]),
        "astray": [] if answers is None else told_astray(answers[answers["site_id"] < 0]),
        "attention": [_told_attention(each) for each in attention if len(each.site_id)],
        "meanings": meanings,
    }
    # Twice as fast as an object that is written out, as JSON is a small language.
    text = json.dumps(content, ensure_ascii=True, allow_nan=False, separators=(",", ":"))
    quoted = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"damascene.data.receive({json.dumps(key)},JSON.parse('{quoted}'));\n"


def told_answers(answers: pd.DataFrame) -> list[dict]:
    """Return what each person said of which site, in the order of time, as JSON can hold it."""
    return _told(answers, leave_out=_NOT_TOLD | _POSITION)


def told_astray(answers: pd.DataFrame) -> list[dict]:
    """Return answers that mean no candidate as `told_answers` does, with their positions."""
    return _told(answers, leave_out=_NOT_TOLD)


def _told(answers, *, leave_out):
    ordered = answers.sort_values("order", kind="stable")
    told = [name for name in ordered.columns if name not in leave_out]
    return json.loads(ordered[told].to_json(orient="records"))


def outlines_script(key: str, runs: pd.DataFrame, sites: pd.DataFrame) -> bytes:
    """Return the script that hands the pixels of all sites to the page.

    Each site has one entry of a pack, in the order of `site_id`: for each run of pixels how many
    rows it lies below the one before (the first: below the top of the site), where it begins from
    the left of the site, and how many pixels it has, as numbers of seven bits a byte, the lowest
    bits first, with the eighth bit set where more follow.

    Parameters
    ----------
    key : str
        Path of the script below the folder of the page.
    runs : pandas.DataFrame
        `CANDIDATE_RUNS`.
    sites : pandas.DataFrame
        With `site_id`, `top_px` and `left_px`.
    """
    corners = sites.set_index("site_id")[["top_px", "left_px"]].sort_index()
    runs = runs.sort_values(["site_id", "y_px", "left_px"])
    ids = runs["site_id"].to_numpy()
    corner = corners.reindex(ids)
    y = runs["y_px"].to_numpy() - corner["top_px"].to_numpy()
    below = np.diff(y, prepend=0)
    first = np.diff(ids, prepend=-1) != 0
    below[first] = y[first]
    numbers = np.stack(
        [
            below,
            runs["left_px"].to_numpy() - corner["left_px"].to_numpy(),
            runs["right_px"].to_numpy() - runs["left_px"].to_numpy() + 1,
        ],
        axis=1,
    ).astype(int)
    places = np.searchsorted(ids, [*corners.index, np.iinfo(np.int64).max])
    entries = [
        seven_bits(numbers[start:stop].ravel().tolist())
        for start, stop in itertools.pairwise(places)
    ]
    return pack_script(key, entries)


def attention_script(key: str, attention: Sequence[Attention]) -> bytes:
    """Return the script that hands to the page what networks look at in labelled sites.

    Each site has an entry of a pack for each network, network by network: the maps of its scales,
    one after the other, a byte a cell.

    Parameters
    ----------
    key : str
        Path of the script below the folder of the page.
    attention : sequence of Attention
        As for `sites_script`.
    """
    return pack_script(key, [heat.tobytes() for each in attention for heat in each.heat])


def _told_attention(attention):
    """Return all but the maps, as JSON can hold it."""
    sizes = {"window_um": attention.window_um, "window_px": attention.window_px}
    return {
        "stage": attention.stage,
        **{name: None if np.isnan(value) else value for name, value in sizes.items()},
        "centre": attention.centre,
        "scales": attention.heat.shape[1],
        "cells": CELLS,
        "site_id": attention.site_id.tolist(),
        "x_px": _rounded(attention.x_px, 2),
        "y_px": _rounded(attention.y_px, 2),
        "named": attention.named.tolist(),
        "probability": _rounded(attention.probability, 3),
    }


def seven_bits(numbers: Iterable[int]) -> bytes:
    """Return whole numbers from 0 with seven bits a byte, the lowest first."""
    made = bytearray()
    for number in numbers:
        while number > 127:
            made.append(number & 127 | 128)
            number >>= 7
        made.append(number)
    return bytes(made)


def _rounded(values, digits):
    """Return numbers with few digits, None where one is missing."""
    rounded = np.round(np.asarray(values, float), digits)
    found = rounded.astype(int).tolist() if digits == 0 else rounded.tolist()
    missing = np.isnan(rounded)
    return (
        [None if absent else value for value, absent in zip(found, missing, strict=True)]
        if missing.any()
        else found
    )


def _coded(words):
    """Return the different words of a column, and for each row which of them it has."""
    codes, names = pd.factorize(words.astype(str), sort=True)
    return {"names": names.tolist(), "codes": codes.tolist()}
