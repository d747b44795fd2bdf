"""COCO: one JSON file with images, categories and annotations.

A box is left, top, width and height, from the corner of the upper left pixel; one pixel in column 7
is [7, ..., 1, ...]. Polygons count alike. Masks (RLE) list runs of pixels down the columns. See
https://cocodataset.org/#format-data and `maskApi.c` of pycocotools.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from damascene import InputError
from damascene.classes import SITE_CLASSES
from damascene.exchange import CORNER
from damascene.exchange.marks import (
    Mark,
    centroid,
    finite_all,
    point_edges,
    read_json,
    turned,
    whole_size,
)
from damascene.exchange.sites import Site, classified
from damascene.problems import Problems

SUFFIXES = (".json",)
# Sums of their numbers stay exact; no image has as many.
_MOST_PIXELS = 2**40
_PARTS = ("images", "annotations", "categories")
_CATEGORIES = {name: number for number, name in enumerate(SITE_CLASSES, 1)}


def read_coco(path: Path, *, file: str, problems: Problems) -> Iterator[Mark]:
    """Yield the annotations of a file: the centre of the box, or without a box of the area.

    Areas that are marked as crowds are no sites and have no label.

    Parameters
    ----------
    path : pathlib.Path
    file : str
        Its name in tables.
    problems : Problems
        Takes the annotations that cannot be read.

    Raises
    ------
    InputError
        If it is no JSON, or no COCO.
    """
    content = read_json(path, what="COCO file")
    if isinstance(content, list):
        raise InputError(
            f"{path} is a list, as the results of networks are. Labels of people are in a file "
            "with images, annotations and categories (instances): give that."
        )
    missing = [
        part
        for part in _PARTS
        if not isinstance(content, dict) or not isinstance(content.get(part), list)
    ]
    if missing:
        raise InputError(
            f"{path}: no COCO file of instances, as the list '{missing[0]}' is missing. Export it "
            "again as COCO, or correct the key 'format'."
        )
    images = _by_id(content["images"], "images", "file_name", path=path, problems=problems)
    categories = _by_id(content["categories"], "categories", "name", path=path, problems=problems)
    names = {key: each.get("name") for key, each in categories.items()}
    for number, one in enumerate(content["annotations"], 1):
        one = one if isinstance(one, dict) else {}
        place = f"{path}, annotation {number} (id {one.get('id')})"
        image, name = images.get(_key(one, "image_id")), names.get(_key(one, "category_id"))
        size = whole_size(image.get("width"), image.get("height")) if image else None
        edges = _edges(one, size)
        if image is None or not isinstance(image.get("file_name"), str):
            problems.add(
                f"{place}: image_id {one.get('image_id')} is no image with a file_name in the "
                "list 'images'. Correct it, or export the file again."
            )
        elif not isinstance(name, str):
            problems.add(
                f"{place}: category_id {one.get('category_id')} is not in the list 'categories'. "
                "Correct it, or export the file again."
            )
        elif edges is None:
            problems.add(
                f"{place}: neither bbox (left, top, width, height) nor segmentation (polygons, "
                "or RLE of the size of the image) gives a place. Draw it again, or remove the "
                "annotation."
            )
        else:
            yield Mark(
                **edges,
                label="" if one.get("iscrowd") == 1 else name,
                images=(image["file_name"],),
                size_px=size,
                annotator=one["annotator"] if isinstance(one.get("annotator"), str) else "",
                file=file,
                row=number,
                place=place,
            )


def _by_id(entries, part, name, *, path, problems):
    """Return the entries of a list by their ids; two of one id are told."""
    found = {}
    for one in entries:
        key = _key(one, "id") if isinstance(one, dict) else None
        if key is not None and found.setdefault(key, one).get(name) != one.get(name):
            problems.add(
                f"{path}: in the list '{part}' id {key} is '{found[key].get(name)}' and "
                f"'{one.get(name)}'. Give each an id of its own."
            )
    return found


def _key(entry, name):
    """Return an id, which some programs write as text or with a point; None if there is none."""
    value = entry.get(name)
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return str(value) if isinstance(value, int | str) and not isinstance(value, bool) else None


def _edges(one, size):
    box = finite_all(one.get("bbox"), 4)
    if box is not None and min(box[2:]) >= 0 and any(box):
        left, top, width, height = box
        return {"left": left, "top": top, "right": left + width, "bottom": top + height}
    outline = one.get("segmentation")
    point = _mask_centre(outline, size) if isinstance(outline, dict) else _polygons_centre(outline)
    return None if point is None else point_edges(*point)


def _polygons_centre(outline):
    rings = [finite_all(ring) for ring in outline] if isinstance(outline, list) else []
    if not rings or any(ring is None or len(ring) < 6 or len(ring) % 2 for ring in rings):
        return None
    return centroid([turned(list(zip(ring[::2], ring[1::2], strict=True))) for ring in rings])


def _mask_centre(mask, of_image):
    size = finite_all(mask.get("size"), 2)
    counts = mask.get("counts")
    counts = from_text(counts) if isinstance(counts, str) else finite_all(counts)
    if size is None or not counts or any(number % 1 or number < 0 for number in (*size, *counts)):
        return None
    if sum(counts) != size[0] * size[1] or sum(counts) > _MOST_PIXELS:
        return None
    # Rows first; positions in an image of another size mean nothing.
    if of_image is not None and tuple(size[::-1]) != of_image:
        return None
    ends = np.cumsum(np.array(counts, np.int64))
    starts, ends = ends[: len(ends) // 2 * 2 : 2], ends[1::2]
    total = int((ends - starts).sum())
    if not total:
        return None
    # By sums over runs, as the pixels of a large mask would fill the memory.
    height = int(size[0])
    columns = _sum_until(ends, height) - _sum_until(starts, height)
    places = (ends - starts) * (starts + ends - 1) / 2
    column = columns.sum() / total
    return float(column) + CORNER, float((places.sum() - height * columns.sum()) / total) + CORNER


def _sum_until(stop, height):
    """Return the sum of the columns of all pixels below a number, counted down the columns."""
    column, row = np.divmod(stop, height)
    return height * column * (column - 1) / 2 + row * column


def from_text(text: str) -> list[int] | None:
    """Return the counts of a compressed mask, None if the text is no such mask.

    Each count is written in groups of five bits, the lowest first, as its difference to the count
    two before it (`rleFrString` in `maskApi.c`).
    """
    counts: list[int] = []
    value = shift = 0
    for letter in text:
        bits = ord(letter) - 48
        if not 0 <= bits < 64:
            return None
        value |= (bits & 31) << shift
        shift += 5
        if bits & 32:
            continue
        if bits & 16:
            value -= 1 << shift
        counts.append(value + (counts[-2] if len(counts) > 2 else 0))
        value = shift = 0
    return None if shift else counts


def mask_counts(
    rows: np.ndarray, columns: np.ndarray, *, height_px: int, width_px: int
) -> list[int]:
    """Return the counts of a mask that is not compressed.

    Parameters
    ----------
    rows, columns : numpy.ndarray of int
        Of its pixels, each once.
    height_px, width_px : int
        Of the image.
    """
    place = np.sort(columns.astype(np.int64) * height_px + rows)
    breaks = np.flatnonzero(np.diff(place) != 1)
    starts = place[np.r_[0, breaks + 1]]
    ends = place[np.r_[breaks, len(place) - 1]] + 1
    edges = np.c_[starts, ends].ravel()
    return np.diff(np.r_[0, edges, height_px * width_px]).tolist()


def coco_labels(sites: Sequence[Site], *, image: str, size_px: tuple[int, int]) -> dict[str, Any]:
    """Return what people said of the sites of an image, as instances of COCO.

    Masks have the very pixels of each site. `name`, `site_id` and `annotators` are further keys.

    Parameters
    ----------
    sites : sequence of Site
    image : str
        Name of its file.
    size_px : (int, int)
        Its width and height.
    """
    width, height = size_px
    annotations = [
        {
            "id": number,
            "image_id": 1,
            "category_id": _CATEGORIES[site.label],
            "bbox": list(site.box),
            "area": len(site.rows),
            "segmentation": {
                "size": [height, width],
                "counts": mask_counts(site.rows, site.columns, height_px=height, width_px=width),
            },
            "iscrowd": 0,
            "name": site.name,
            "site_id": site.site_id,
            "annotators": list(site.annotators),
        }
        for number, site in enumerate((site for site in sites if site.label), 1)
    ]
    return {
        "info": {"description": "Classes that people gave to sites"},
        "images": [{"id": 1, "file_name": image, "width": width, "height": height}],
        "annotations": annotations,
        "categories": [
            {"id": number, "name": name, "supercategory": "site"}
            for name, number in _CATEGORIES.items()
        ],
    }


def coco_results(sites: Sequence[Site]) -> list[dict[str, Any]]:
    """Return the classes that networks gave, as results of COCO that belong to `coco_labels`."""
    return [
        {
            "image_id": 1,
            "category_id": _CATEGORIES[site.predicted],
            "bbox": list(site.box),
            "score": round(site.score, 6),
            "name": site.name,
            "site_id": site.site_id,
        }
        for site in sites
        if classified(site)
    ]
