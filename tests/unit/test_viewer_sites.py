"""What the page is told of sites: every number and word, and every pixel."""

import json
import re

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.made_viewer import unpacked

from damascene.contracts.candidate_runs import CANDIDATE_RUNS
from damascene.viewer.sites import outlines_script, seven_bits, sites_script, told_answers

HOSTILE = '</script><b>it\'s \\ "quoted"\u2028 and\ttabbed'


def told(script):
    """Read a script as a browser does: the quoted text, then the JSON in it."""
    key, text = re.fullmatch(
        r"damascene\.data\.receive\((\"[^\"]*\"),JSON\.parse\('(.*)'\)\);\n", script, re.DOTALL
    ).groups()
    return json.loads(key), json.loads(re.sub(r"\\(.)", r"\1", text))


def candidates(ids):
    count = len(ids)
    return pd.DataFrame(
        {
            "panorama": "one",
            "site_id": ids,
            "x_px": np.arange(count) * 100.123456,
            "y_px": 7.0,
            "fragments": 1,
            "area_px": 12,
            "area_um2": 0.0192,
            "equivalent_diameter_um": 0.156,
            "aspect_ratio": [np.nan] * count,
            "orientation_deg": 12.34,
            "convexity": 0.9,
            "left_px": np.arange(count) * 100,
            "top_px": 5,
            "width_px": 4,
            "height_px": 3,
            "mean_grey": 10.04,
            "minimum_grey": 3.0,
            "touches_border": False,
            "touches_mask": True,
        }
    )


def test_candidates_are_told_in_the_order_of_their_numbers_with_what_is_missing():
    key, found = told(sites_script("sites/one.js", candidates([5, 2, 9])))
    assert key == "sites/one.js"
    assert found["columns"]["site_id"] == [2, 5, 9]
    assert found["columns"]["x_px"] == [100.12, 0.0, 200.25]
    assert found["columns"]["aspect_ratio"] == [None] * 3
    assert (
        found["columns"]["minimum_grey"] == [3] * 3 and found["columns"]["touches_mask"] == [1] * 3
    )
    assert found["words"] == {} and found["answers"] == []
    assert "p_notch" not in found["columns"]


def test_a_panorama_without_any_site_is_told():
    _, found = told(sites_script("sites/one.js", candidates([])))
    assert found["columns"]["x_px"] == []


def test_words_are_told_once():
    sites = candidates([0, 1, 2]).assign(**{"class": ["notch", "inclusion", "notch"]})
    _, found = told(sites_script("sites/one.js", sites))
    assert found["words"]["class"] == {"names": ["inclusion", "notch"], "codes": [1, 0, 1]}


def test_what_people_wrote_comes_through_as_text():
    answers = pd.DataFrame(
        {
            "panorama": "one",
            "x_px": 1.0,
            "y_px": 2.0,
            "annotator": [HOSTILE, "B"],
            "answer": ["notch", "unclear"],
            "note": ["", HOSTILE],
            "row": [3, 2],
            "order": [2, 1],
            "site_id": [0, 0],
            "counts": [True, False],
        }
    )
    script = sites_script("sites/one.js", candidates([0]), answers=answers)
    assert "\u2028" not in script and script.isascii()
    _, found = told(script)
    assert [each["annotator"] for each in found["answers"]] == ["B", HOSTILE]
    assert found["answers"][0] == {
        "annotator": "B",
        "answer": "unclear",
        "note": HOSTILE,
        "row": 2,
        "site_id": 0,
        "counts": False,
    }
    assert told_answers(answers.iloc[:0]) == []


def test_answers_without_a_candidate_are_told_with_their_positions():
    answers = pd.DataFrame(
        {
            "panorama": "one",
            "x_px": [1.0, 20.5],
            "y_px": [2.0, 30.25],
            "annotator": "B",
            "answer": "notch",
            "order": [0, 1],
            "site_id": [0, -1],
            "tied_by": ["position", "two candidates"],
        }
    )
    _, found = told(sites_script("sites/one.js", candidates([0]), answers=answers))
    assert [each["site_id"] for each in found["answers"]] == [0]
    (astray,) = found["astray"]
    assert astray.items() >= {"site_id": -1, "x_px": 20.5, "y_px": 30.25}.items()
    assert astray["tied_by"] == "two candidates" and "x_px" not in found["answers"][0]


def decoded(entry, shape):
    """Return the mask of a site from its entry, by the words of the docstring."""
    numbers, value, shift = [], 0, 0
    for byte in entry:
        value |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            numbers.append(value)
            value = shift = 0
    mask, y = np.zeros(shape, bool), 0
    for below, left, count in np.reshape(numbers, (-1, 3)):
        y += below
        assert not mask[y, left : left + count].any()
        mask[y, left : left + count] = True
    return mask


def test_outlines_hold_every_pixel_of_every_site():
    rng = np.random.default_rng(6)
    masks, rows, sites = {}, [], []
    # Numbers have gaps, and the widest site needs numbers of more than seven bits.
    for site_id, shape in {3: (5, 4), 0: (40, 300), 8: (1, 1)}.items():
        mask = rng.random(shape) < 0.6
        mask[0, 0] = mask[-1, -1] = True
        masks[site_id] = mask
        top, left = 10 * site_id, 1000 + site_id
        sites.append({"site_id": site_id, "top_px": top, "left_px": left})
        for y, line in enumerate(mask):
            edges = np.flatnonzero(np.diff(np.r_[0, line.astype(int), 0]))
            rows += [(site_id, top + y, left + a, left + b - 1) for a, b in edges.reshape(-1, 2)]
    runs = pd.DataFrame(rows, columns=list(CANDIDATE_RUNS.columns)).sample(frac=1, random_state=1)
    _, entries = unpacked(outlines_script("sites/one.outlines.js", runs, pd.DataFrame(sites)))
    assert len(entries) == 3
    for site_id, entry in zip(sorted(masks), entries, strict=True):
        assert (decoded(entry, masks[site_id].shape) == masks[site_id]).all()


def test_no_site_has_no_outline():
    empty = pd.DataFrame(columns=list(CANDIDATE_RUNS.columns), dtype=int)
    sites = pd.DataFrame({"site_id": [], "top_px": [], "left_px": []}, dtype=int)
    assert unpacked(outlines_script("a.js", empty, sites)) == ("a.js", [])


@given(st.lists(st.integers(0, 2**40)))
def test_numbers_of_any_size_come_back(numbers):
    found, value, shift = [], 0, 0
    for byte in seven_bits(numbers):
        value |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            found.append(value)
            value = shift = 0
    assert found == numbers


@pytest.mark.parametrize("ids", [[], [4]])
def test_the_meaning_of_columns_is_told(ids):
    _, found = told(sites_script("sites/one.js", candidates(ids)))
    assert "convex" in found["meanings"]["convexity"]
