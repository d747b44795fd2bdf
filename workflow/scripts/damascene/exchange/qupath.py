"""GeoJSON of QuPath: an object with an outline and a classification is a feature.

Coordinates count in pixels from the upper left corner of the image at full resolution, so that the
upper left pixel reaches from 0 to 1. See
https://qupath.readthedocs.io/en/stable/docs/advanced/exporting_annotations.html.
"""

import uuid
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from damascene import InputError
from damascene.classes import CLASSES
from damascene.exchange.marks import Mark, centroid, finite_all, point_edges, read_json, turned
from damascene.exchange.outlines import outline
from damascene.exchange.sites import NETWORK, PEOPLE, Site
from damascene.problems import Problems

SUFFIXES = (".geojson", ".json")
# Between the parts of a classification. What a network said is shown as "notch: network".
_BETWEEN = ": "
_COLOURS = {
    each.name: [int(each.colour[start : start + 2], 16) for start in (1, 3, 5)] for each in CLASSES
}


def read_qupath(path: Path, *, file: str, problems: Problems) -> Iterator[Mark]:
    """Yield the objects of a file: each point, and the centroid of each area.

    What a network said, and nobody changed, has no label.

    Parameters
    ----------
    path : pathlib.Path
    file : str
        Its name in tables.
    problems : Problems
        Takes the objects that cannot be read.

    Raises
    ------
    InputError
        If it is no JSON, or no GeoJSON.
    """
    content = read_json(path, what="GeoJSON file")
    features = content.get("features") if isinstance(content, dict) else content
    if isinstance(content, dict) and content.get("type") == "Feature":
        features = [content]
    if not isinstance(features, list):
        raise InputError(
            f"{path}: no GeoJSON of QuPath, as it has no list of features. Export the objects "
            "again (File > Export objects as GeoJSON), or correct the key 'format'."
        )
    for number, feature in enumerate(features, 1):
        feature = feature if isinstance(feature, dict) else {}
        said = feature.get("properties")
        said = said if isinstance(said, dict) else {}
        name = f" ('{said['name']}')" if isinstance(said.get("name"), str) else ""
        place = f"{path}, object {number}{name}"
        points = _points(feature.get("geometry"))
        if points is None:
            problems.add(
                f"{place}: it is no point and no area with numbers for its corners. Draw a point, "
                "rectangle or polygon, or remove the object."
            )
            continue
        for x, y in points:
            yield Mark(**point_edges(x, y), label=_label(said), file=file, row=number, place=place)


def _label(said):
    given = said.get("classification")
    if isinstance(given, str):
        return given
    if not isinstance(given, dict):
        return ""
    names = given.get("names")
    if not isinstance(names, list):
        names = str(given.get("name") or "").split(_BETWEEN)
    names = [str(name) for name in names]
    return "" if names[1:] == [NETWORK] else _BETWEEN.join(names)


def _points(geometry):
    """Return the places that a geometry means, None if it has none."""
    if not isinstance(geometry, dict):
        return None
    kind, inner = geometry.get("type"), geometry.get("coordinates")
    if kind in ("Point", "MultiPoint"):
        points = [_point(one) for one in ([inner] if kind == "Point" else _list(inner))]
        return points if points and None not in points else None
    if kind not in ("Polygon", "MultiPolygon"):
        return None
    rings = []
    for polygon in [inner] if kind == "Polygon" else _list(inner):
        for number, ring in enumerate(_list(polygon)):
            corners = [_point(one) for one in _list(ring)]
            if len(corners) < 3 or None in corners:
                return None
            # The first corner stands at the end once more.
            corners = corners[:-1] if corners[0] == corners[-1] else corners
            rings.append(turned(corners, hole=number > 0))
    return [centroid(rings)] if rings else None


def _point(value):
    numbers = finite_all(value[:2] if isinstance(value, list) else None, 2)
    return None if numbers is None else tuple(numbers)


def _list(value):
    return value if isinstance(value, list) else []


def qupath_objects(sites: Sequence[Site]) -> dict[str, Any]:
    """Return sites as annotations of QuPath, with their outlines, names and coloured classes.

    A class that networks gave has the second part `network`, until somebody changes it.
    """
    return {"type": "FeatureCollection", "features": [_feature(site) for site in sites]}


def _feature(site):
    rings = [
        [[list(corner) for corner in (*ring, ring[0])] for ring in polygon]
        for polygon in outline(site.rows, site.columns)
    ]
    kind = "Polygon" if len(rings) == 1 else "MultiPolygon"
    by = "" if site.said_by == PEOPLE else f"{_BETWEEN}{NETWORK}"
    measured = {"site_id": site.site_id, "area_px": len(site.rows)}
    if site.score == site.score:
        measured["probability"] = round(site.score, 6)
    return {
        "type": "Feature",
        "id": str(uuid.uuid5(uuid.NAMESPACE_OID, site.name)),
        "geometry": {"type": kind, "coordinates": rings[0] if kind == "Polygon" else rings},
        "properties": {
            "objectType": "annotation",
            "name": site.name,
            "classification": {
                "name": f"{site.site_class}{by}",
                "color": _COLOURS[site.site_class],
            },
            "measurements": measured,
        },
    }
