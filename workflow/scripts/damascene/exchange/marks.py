"""What any tool says of a site: where in which image, which class, who and when."""

import json
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from damascene import InputError
from damascene.exchange import CORNER
from damascene.text_files import read_lines_of

# The whole of a file is held in memory, and its parts take several times as much.
_MOST_MEGABYTES = 512
_AGAIN = "Export it again from the program that made it."
# A letter that JSON writes as two; a single one is damaged.
_HALF = re.compile(r"\\u[dD][89a-fA-F][0-9a-fA-F]{2}")
# Square pixels: corners on one line.
_NO_AREA = 1e-9


@dataclass(frozen=True, kw_only=True)
class Mark:
    """One object of a file of another tool.

    Attributes
    ----------
    left, top, right, bottom : float
        Edges of the object in its image, 0 at the corner of the upper left pixel. A point has no
        width and no height.
    label : str
        Class as the tool has it, empty without one.
    images : tuple of str
        Names of its image, the one to be trusted most first; empty if the file names none.
    size_px : (int, int) or None
        Width and height of that image, as the file states them.
    annotator, time : str
        Empty if the file does not say.
    file : str
        Name of the file, with that of its folder where a folder was given.
    row : int
        Line of the object, or its number from 1 in a file whose lines mean nothing.
    place : str
        Where it stands, for messages.
    """

    left: float
    top: float
    right: float
    bottom: float
    label: str
    images: tuple[str, ...] = ()
    size_px: tuple[int, int] | None = None
    annotator: str = ""
    time: str = ""
    file: str
    row: int
    place: str

    def centre_px(self, size_px: tuple[int, int]) -> tuple[float, float]:
        """Return column and row of the centre, from 0 at the centre of the upper left pixel.

        Of a box that reaches over the border of its image, the part inside counts.
        """
        return (
            _middle(self.left, self.right, size_px[0]),
            _middle(self.top, self.bottom, size_px[1]),
        )


def _middle(low, high, extent):
    inside = max(low, 0.0), min(high, float(extent))
    if low < high and inside[0] < inside[1]:
        low, high = inside
    return (low + high) / 2 - CORNER


def read_json(path: Path, *, what: str) -> Any:
    """Return what a JSON file holds.

    Raises
    ------
    InputError
        With the line, if it is no JSON, is cut off, or holds numbers without end.
    """
    refuse_large(path)
    again = f"{_AGAIN} It must be JSON in UTF-8."
    text = "\n".join(read_lines_of(path, what=what, save=again))
    if not text.strip():
        raise InputError(f"{path}: the {what} is empty. {_AGAIN}")
    try:
        content = json.loads(text, parse_constant=_refuse_constant)
        _refuse_half_letters(text, content)
        return content
    except json.JSONDecodeError as error:
        raise InputError(
            f"{path}, line {error.lineno}, character {error.colno}: no valid JSON ({error.msg}). "
            f"The {what} is cut off or was changed. {_AGAIN}"
        ) from error
    except RecursionError as error:
        raise InputError(f"{path}: its lists lie too deep in each other. {_AGAIN}") from error
    except ValueError as error:
        raise InputError(f"{path}: {error}. {_AGAIN}") from error


def _refuse_constant(word):
    raise ValueError(f"'{word}' is no number")


def _refuse_half_letters(text, content):
    """Refuse halves of letters, which JSON can escape and no table can hold."""
    found = _HALF.search(text)
    try:
        if found:
            json.dumps(content, ensure_ascii=False).encode()
    except UnicodeEncodeError as error:
        line = text.count("\n", 0, found.start()) + 1
        raise ValueError(f"in line {line} or below {found[0]} is half a letter") from error


def refuse_large(path: Path) -> None:
    """Raise `InputError` for a file that is larger than any that is read whole."""
    if path.is_file() and (megabytes := path.stat().st_size / 1e6) > _MOST_MEGABYTES:
        raise InputError(
            f"{path} has {megabytes:.0f} MB, and at most {_MOST_MEGABYTES} MB are read at once. "
            "Export the images in parts."
        )


def finite(value: Any) -> float | None:
    """Return a number of JSON, or a text that is one; None if it is neither or has no end."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def finite_all(values: Any, count: int | None = None) -> list[float] | None:
    """Return a list of numbers, None if one is none or there are not as many as asked."""
    if not isinstance(values, list) or (count is not None and len(values) != count):
        return None
    numbers = [finite(value) for value in values]
    return None if None in numbers else numbers


def whole_size(width: Any, height: Any) -> tuple[int, int] | None:
    """Return the size of an image, None where a file states none or 0."""
    sizes = finite(width), finite(height)
    if any(size is None or size < 1 for size in sizes):
        return None
    return round(sizes[0]), round(sizes[1])


def centroid(rings: Sequence[Sequence[tuple[float, float]]]) -> tuple[float, float]:
    """Return the centroid of the area of polygons; of their corners, if it is none within them.

    By the formula of Bourke (1988), http://paulbourke.net/geometry/polygonmesh, from the first
    corner, so that far from the origin no digits are lost.

    Parameters
    ----------
    rings : sequence of sequence of (x, y)
        Areas of rings add up, those of holes with the opposite direction are taken off.
    """
    origin = rings[0][0]
    area = x_moment = y_moment = 0.0
    # Plain numbers: most rings have few corners.
    for ring in rings:
        for (x, y), (next_x, next_y), cross in _edges(ring, origin):
            area += cross / 2
            x_moment += (x + next_x) * cross / 6
            y_moment += (y + next_y) * cross / 6
    corners = [corner for ring in rings for corner in ring]
    along = list(zip(*corners, strict=True))
    if abs(area) >= _NO_AREA:
        centre = origin[0] + x_moment / area, origin[1] + y_moment / area
        # Where lines cross, parts of the area are taken off, and little may be left of it.
        if all(min(each) <= at <= max(each) for at, each in zip(centre, along, strict=True)):
            return centre
    x, y = (sum(each) / len(corners) for each in along)
    return x, y


def turned(
    ring: Sequence[tuple[float, float]], *, hole: bool = False
) -> Sequence[tuple[float, float]]:
    """Return a ring with its corners in the direction of areas, or of holes."""
    positive = sum(cross for _, _, cross in _edges(ring, ring[0])) >= 0
    return ring if positive != hole else ring[::-1]


def _edges(ring, origin):
    """Yield both ends of each edge from an origin, and their cross product."""
    corners = [(x - origin[0], y - origin[1]) for x, y in ring]
    for start, end in zip(corners, [*corners[1:], corners[0]], strict=True):
        yield start, end, start[0] * end[1] - end[0] * start[1]


def point_edges(x: float, y: float) -> dict[str, float]:
    """Return a point as the edges of a mark."""
    return {"left": x, "top": y, "right": x, "bottom": y}


def base_name(name: str) -> str:
    """Return the last part of a path of any system, or of an address."""
    return re.split(r"[\\/]", name.rstrip("\\/"))[-1]
