"""JSON of Label Studio: tasks with the annotations of people and the predictions of networks.

Positions are percent of the width and of the height of the image, from its upper left corner. See
https://labelstud.io/guide/task_format.
"""

import math
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from damascene import InputError
from damascene.classes import CLASSES, SITE_CLASSES, UNCLEAR
from damascene.exchange.marks import (
    Mark,
    centroid,
    finite,
    point_edges,
    read_json,
    turned,
    whole_size,
)
from damascene.exchange.sites import Site, classified
from damascene.problems import Problems

SUFFIXES = (".json",)
_CHOICES = "choices"
_IMAGE = re.compile(r"\.(tiff?|png|jpe?g|jp2|bmp|gif|webp)$", re.IGNORECASE)


def read_label_studio(path: Path, *, file: str, problems: Problems) -> Iterator[Mark]:
    """Yield the regions that people drew: centres of boxes and ellipses, points, and centroids.

    Annotations that were cancelled have no labels, and predictions are not read.

    Parameters
    ----------
    path : pathlib.Path
    file : str
        Its name in tables.
    problems : Problems
        Takes the regions that cannot be read.

    Raises
    ------
    InputError
        If it is no JSON, or no export of Label Studio.
    """
    tasks = read_json(path, what="file of Label Studio")
    tasks = [tasks] if isinstance(tasks, dict) else tasks
    sound = isinstance(tasks, list) and all(
        isinstance(task, dict) and isinstance(task.get("data"), dict) for task in tasks
    )
    if not sound:
        raise InputError(
            f"{path}: no tasks of Label Studio with 'data' and 'annotations'. Export them as JSON, "
            "not as JSON-MIN, or correct the key 'format'."
        )
    number = 0
    for task in tasks:
        images = tuple(_images(task["data"]))
        for annotation in _dicts(task.get("annotations") or task.get("completions")):
            about = {
                "images": images,
                "annotator": _who(annotation.get("completed_by")),
                "time": _text(annotation.get("updated_at") or annotation.get("created_at")),
                "file": file,
            }
            for region in _regions(annotation.get("result")):
                number += 1
                place = f"{path}, region {number} (task {task.get('id')}, id {region.get('id')})"
                mark = _mark(region, place, problems)
                if mark is not None:
                    if annotation.get("was_cancelled") is True:
                        mark["label"] = ""
                    yield Mark(**mark, **about, row=number, place=place)


def _mark(region, place, problems):
    size = whole_size(region.get("original_width"), region.get("original_height"))
    if size is None:
        problems.add(
            f"{place}: original_width and original_height are missing, so that percent are no "
            "pixels. Export the tasks again as JSON."
        )
        return None
    if finite(region.get("image_rotation") or 0) != 0:
        problems.add(
            f"{place}: it was drawn on an image that was turned by {region['image_rotation']} "
            "degrees, where percent count otherwise. Turn the image back in Label Studio, and "
            "export the tasks again."
        )
        return None
    names = region["names"]
    if len(names) > 1:
        problems.add(
            f"{place}: it has {len(names)} classes ({', '.join(names)}), and a site has one. Leave "
            "one, or 'unclear'."
        )
        return None
    edges = _edges(region["value"], size)
    if edges is None:
        problems.add(
            f"{place}: a region of the type '{region.get('type')}' gives no place. Use boxes, "
            "points, ellipses or polygons."
        )
        return None
    return {**edges, "label": names[0] if names else "", "size_px": size}


def _edges(value, size):
    """Return the edges of a region in pixels; of one that is turned, its centre."""

    def pixels(*names):
        numbers = [finite(value.get(name)) for name in names]
        if None in numbers:
            return None
        return [number * edge / 100 for number, edge in zip(numbers, size, strict=True)]

    corner, points = pixels("x", "y"), value.get("points")
    if corner is None:
        if not isinstance(points, list) or len(points) < 3:
            return None
        corners = [
            [finite(part) for part in point] if isinstance(point, list) else [] for point in points
        ]
        if any(len(point) != 2 or None in point for point in corners):
            return None
        scaled = [(x * size[0] / 100, y * size[1] / 100) for x, y in corners]
        return point_edges(*centroid([turned(scaled)]))
    extent = pixels("width", "height")
    if extent is None or "radiusX" in value or "ellipselabels" in value:
        # A point, which has a width for its drawing, or the centre of an ellipse.
        return point_edges(*corner)
    if "keypointlabels" in value:
        return point_edges(*corner)
    (left, top), (width, height) = corner, extent
    # Clockwise about the upper left corner.
    turn = finite(value.get("rotation") or 0)
    if turn is None:
        return None
    turn = math.radians(turn)
    if turn:
        x = left + width / 2 * math.cos(turn) - height / 2 * math.sin(turn)
        y = top + width / 2 * math.sin(turn) + height / 2 * math.cos(turn)
        return point_edges(x, y)
    return {"left": left, "top": top, "right": left + width, "bottom": top + height}


def _regions(results):
    """Return the regions of an annotation; one id may have place and class apart."""
    found = {}
    for number, one in enumerate(_dicts(results)):
        if not isinstance(one.get("value"), dict):
            continue
        known = one.get("id") if isinstance(one.get("id"), str | int) else None
        region = found.setdefault(known or number, {"value": {}, "names": []})
        names = [
            str(name)
            for key, listed in one["value"].items()
            if key == _CHOICES or key.endswith("labels")
            for name in (listed if isinstance(listed, list) else [])
        ]
        region["names"] += [name for name in names if name not in region["names"]]
        placed = "x" in one["value"] or "points" in one["value"] or one.get("type") != _CHOICES
        if placed or "type" not in region:
            value = region["value"] | one["value"]
            region.update({**one, "value": value, "names": region["names"]})
    # What is said of a whole image has no id of a region and no place.
    return [
        one for one in found.values() if one.get("type") != _CHOICES or "x" in one.get("value", {})
    ]


def _images(data):
    """Yield the names in addresses of an image: the file, or that of a local storage."""
    texts = [value for value in data.values() if isinstance(value, str)]
    # Beside the image stand ids and remarks.
    for text in [text for text in texts if _IMAGE.search(text)] or texts:
        try:
            parts = urlsplit(text)
        except ValueError:
            # Such as one bracket of two: a name, and no address.
            yield text
            continue
        yield from parse_qs(parts.query).get("d", [])
        yield unquote(parts.path)


def _who(person):
    if isinstance(person, dict):
        name = " ".join(str(person.get(key) or "") for key in ("first_name", "last_name")).strip()
        return str(person.get("email") or person.get("username") or name or person.get("id") or "")
    return "" if person is None else f"Label Studio user {person}"


def _text(value):
    return value if isinstance(value, str) else ""


def _dicts(value):
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def label_studio_tasks(
    sites: Sequence[Site], *, image: str, size_px: tuple[int, int]
) -> list[dict[str, Any]]:
    """Return a task for an image: the annotation of people, and the prediction of networks.

    Parameters
    ----------
    sites : sequence of Site
    image : str
        Name of its file, below the folder of the local storage of Label Studio.
    size_px : (int, int)
        Its width and height.
    """
    said = [_result(site, site.label, size_px) for site in sites if site.label]
    predicted = [
        _result(site, site.predicted, size_px) | {"score": round(site.score, 6)}
        for site in sites
        if classified(site)
    ]
    task = {
        "data": {"image": f"/data/local-files/?d={image}"},
        "annotations": [{"result": said, "was_cancelled": False}] if said else [],
        "predictions": [{"model_version": "damascene", "result": predicted}] if predicted else [],
    }
    return [task]


def _result(site, name, size_px):
    left, top, width, height = site.box
    percent = {
        key: 100 * edge / extent
        for key, edge, extent in zip(
            ("x", "y", "width", "height"), (left, top, width, height), size_px * 2, strict=True
        )
    }
    return {
        "id": site.name.replace(" ", "_"),
        "type": "rectanglelabels",
        "from_name": "label",
        "to_name": "image",
        "original_width": size_px[0],
        "original_height": size_px[1],
        "image_rotation": 0,
        "value": {**percent, "rotation": 0, "rectanglelabels": [name]},
        "meta": {"text": [site.name]},
    }


def labelling_interface() -> str:
    """Return the interface of a project of Label Studio, with the classes in their colours."""
    colours = {each.name: each.colour for each in CLASSES}
    labels = "\n".join(
        f'    <Label value="{name}" background="{colours.get(name, "#8C8C8C")}"/>'
        for name in (*SITE_CLASSES, UNCLEAR)
    )
    return (
        '<View>\n  <Image name="image" value="$image" zoom="true" zoomControl="true"/>\n'
        f'  <RectangleLabels name="label" toName="image">\n{labels}\n  </RectangleLabels>\n'
        "</View>\n"
    )
