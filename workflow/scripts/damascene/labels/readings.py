"""Other ways to read positions: what a file may have meant whose labels miss the sites."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

_SAME = "as they are"
#: Turns and mirror images: whether x and y change places first, and which then count backwards.
_TURNS = {
    _SAME: (False, False, False),
    "with x and y exchanged": (True, False, False),
    "with y counted upwards": (False, False, True),
    "with x counted from the right": (False, True, False),
    "with both counted from the lower right corner": (False, True, True),
    "in a view turned by a quarter to the left": (True, True, False),
    "in a view turned by a quarter to the right": (True, False, True),
    "with x and y exchanged and counted from the lower right corner": (True, True, True),
}
_UNITS_NM = {"millimetres": 1e6, "micrometres": 1e3, "nanometres": 1.0}
_BINNINGS = {
    2.0: "in an image of half as many pixels along each edge",
    4.0: "in an image of a quarter as many pixels along each edge",
    0.5: "in an image of twice as many pixels along each edge",
    0.25: "in an image of four times as many pixels along each edge",
}


@dataclass(frozen=True, kw_only=True)
class Reading:
    """Positions as they would be if a file meant something else.

    Attributes
    ----------
    words : str
        As in "89 of 92 fit with x and y exchanged".
    points : numpy.ndarray, float, shape (labels, 2)
        x and y in pixels of the panorama.
    """

    words: str
    points: np.ndarray


def other_readings(
    points: np.ndarray, frames: np.ndarray, *, pixel_size_nm: float
) -> Iterator[Reading]:
    """Yield the other readings of positions.

    Parameters
    ----------
    points : numpy.ndarray, float, shape (labels, 2)
        x and y as they were read, in pixels of the panorama.
    frames : numpy.ndarray, shape (labels, 4)
        Left, top, width and height of the image from whose corner each counts: the panorama, or a
        tile of it.
    pixel_size_nm : float
    """
    frames = np.asarray(frames, float)
    corners, sizes = frames[:, :2], frames[:, 2:]
    given = points - corners
    units = {name: factor / pixel_size_nm for name, factor in _UNITS_NM.items()}
    scales = {factor: f"in {name}" for name, factor in units.items()} | _BINNINGS | {1.0: ""}
    for factor, unit in scales.items():
        for turn, (exchanged, from_right, from_below) in _TURNS.items():
            if factor == 1 and turn == _SAME:
                continue
            # Counted in pixels of its own size, an image of other pixels has other edges.
            read = factor * (given[:, ::-1] if exchanged else given)
            backwards = np.array([from_right, from_below])
            read = np.where(backwards, sizes - 1 - read, read)
            words = " and ".join(part for part in (unit, turn) if part and part != _SAME)
            yield Reading(words=words, points=corners + read)
    if corners.any():
        yield Reading(words="as positions in the panorama, without `tile`", points=given)
