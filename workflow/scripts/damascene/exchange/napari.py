"""CSV of napari: a layer of points with what is known of each, and a layer of boxes.

napari counts from the centre of the upper left pixel, as this project does, and names the row
first. See `napari.utils.io`.
"""

import csv
import io
from collections.abc import Sequence

from damascene.exchange import CORNER
from damascene.exchange.sites import Site

_POINTS = ("index", "axis-0", "axis-1", "site_id", "name", "class", "said_by", "label")
_SHAPES = ("index", "shape-type", "vertex-index", "axis-0", "axis-1")


def napari_points(sites: Sequence[Site]) -> str:
    """Return the centroids of sites; further columns are properties of the points.

    `class` is the label of people, without one the class of networks; `label` is that of people.
    """
    rows = [
        (
            number,
            site.y_px,
            site.x_px,
            site.site_id,
            site.name,
            site.site_class,
            site.said_by,
            site.label,
        )
        for number, site in enumerate(sites)
    ]
    return _text(_POINTS, rows)


def napari_shapes(sites: Sequence[Site]) -> str:
    """Return the boxes round sites, in the order of the points."""
    rows = []
    for number, site in enumerate(sites):
        left, top, width, height = site.box
        low, high = (top - CORNER, left - CORNER), (top + height - CORNER, left + width - CORNER)
        corners = (low, (low[0], high[1]), high, (high[0], low[1]))
        rows += [(number, "rectangle", corner, *place) for corner, place in enumerate(corners)]
    return _text(_SHAPES, rows)


def _text(header, rows):
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([header, *rows])
    return text.getvalue()
