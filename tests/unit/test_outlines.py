"""Outlines along the edges of pixels; shapely is the oracle."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from damascene.exchange.outlines import outline

shapely = pytest.importorskip("shapely")


def pixels_of(text):
    return np.nonzero([[letter == "#" for letter in line] for line in text.split()])


def test_one_pixel():
    assert outline(np.array([7]), np.array([5])) == [[[(5, 7), (6, 7), (6, 8), (5, 8)]]]


@pytest.mark.parametrize(
    ("text", "parts", "holes"),
    [
        ("###", 1, 0),
        ("#. .#", 2, 0),
        ("### #.# ###", 1, 1),
        # Two holes that touch by a corner.
        ("#### #.## ##.# ####", 1, 2),
        # A hole that touches the outside by a corner.
        (".## #.# ###", 1, 1),
        ("##.. #.#. .... ####", 3, 0),
        ("##. #.# .##", 2, 0),
    ],
)
def test_parts_and_holes(text, parts, holes):
    polygons = outline(*pixels_of(text))
    assert len(polygons) == parts
    assert sum(len(polygon) - 1 for polygon in polygons) == holes


@given(st.lists(st.lists(st.booleans(), min_size=7, max_size=7), min_size=1, max_size=7))
@settings(max_examples=200, deadline=None)
def test_outlines_are_valid_and_enclose_the_pixels(mask):
    rows, columns = np.nonzero(mask)
    if not len(rows):
        return
    polygons = outline(rows + 3, columns + 100)
    area = shapely.MultiPolygon([(rings[0], rings[1:]) for rings in polygons])
    pixels = shapely.union_all(
        [shapely.box(x + 100, y + 3, x + 101, y + 4) for y, x in zip(rows, columns, strict=True)]
    )
    assert area.is_valid and area.equals(pixels)
    for outer, *inner in polygons:
        # With rows counted downwards, clockwise on the screen.
        assert shapely.LinearRing(outer).is_ccw
        assert not any(shapely.LinearRing(ring).is_ccw for ring in inner)
        # Each corner is a turn.
        for ring in (outer, *inner):
            steps = np.diff([*ring, ring[0]], axis=0)
            assert ((steps != 0).sum(axis=1) == 1).all()
            assert (np.diff((steps[:, 0] != 0).astype(int)) != 0).all()
