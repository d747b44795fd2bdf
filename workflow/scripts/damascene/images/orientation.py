"""How an image is turned between its file and a screen: orientation 1 to 8 of TIFF and Exif."""

import re
import struct
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from damascene import InputError

#: The rows of the file are those of the screen.
UPRIGHT = 1
#: What is done to the stored rows, for the record of a panorama.
TURNS = {
    2: "mirrored left to right",
    3: "turned by 180 degrees",
    4: "mirrored top to bottom",
    5: "mirrored at the diagonal from the upper left",
    6: "turned by 90 degrees clockwise",
    7: "mirrored at the diagonal from the upper right",
    8: "turned by 90 degrees anticlockwise",
}
#: Orientations that leave every row where it is, so that rows can be read one after the other.
ROWS_STAY = frozenset((UPRIGHT, 2))
#: Orientations whose columns are the rows of the file.
SWAPPED = frozenset((5, 6, 7, 8))
_ORIENTATION = 274
# Types of a number in Exif: SHORT, and LONG, which some programs write.
_NUMBERS = {3: "H", 4: "I"}
_IN_XMP = re.compile(rb"tiff:Orientation(?:\s*=\s*[\"']|>)\s*(\d+)")


def turned(pixels: np.ndarray, orientation: int) -> np.ndarray:
    """Return an image as it is to be shown, a view of the array, shape (rows, columns, ...)."""
    if orientation in SWAPPED:
        pixels = pixels.swapaxes(0, 1)
    if orientation in (3, 4, 7, 8):
        pixels = pixels[::-1]
    if orientation in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    return pixels


def known_orientation(value: object) -> int:
    """Return an orientation, or that of an upright image where the value is none."""
    return value if value in TURNS else UPRIGHT


def exif_orientation(exif: bytes) -> int | None:
    """Return the orientation that an Exif block states, without the name `Exif` before it.

    None where it states none, or is broken: viewers leave the image as it is then.
    """
    order = {b"II": "<", b"MM": ">"}.get(exif[:2])
    try:
        (start,) = struct.unpack_from(f"{order}I", exif, 4)
        (entries,) = struct.unpack_from(f"{order}H", exif, start)
        for index in range(entries):
            place = start + 2 + 12 * index
            tag, kind = struct.unpack_from(f"{order}HH", exif, place)
            if tag == _ORIENTATION:
                # A short number stands in the first half of its place, whatever the order.
                (value,) = struct.unpack_from(f"{order}{_NUMBERS.get(kind, 'H')}", exif, place + 8)
                return known_orientation(value)
    except struct.error:
        pass
    return None


def xmp_orientation(xmp: bytes) -> int | None:
    """Return the orientation that XMP states, None where it states none."""
    found = _IN_XMP.search(xmp)
    return found and known_orientation(int(found[1]))


def agreed_orientation(
    path: str | Path, *, header: Iterable[int | None], xmp: Iterable[int | None]
) -> int:
    """Return the orientation of an image from all that it states.

    Parameters
    ----------
    path : path of the image
    header : iterable of int or None
        What the tag of a TIFF or each Exif block states.
    xmp : iterable of int or None
        What XMP states.

    Raises
    ------
    InputError
        If programs show the image in different ways: two statements differ, or XMP alone turns it,
        which some read and others do not.
    """
    stated = {value for value in header if value} or {UPRIGHT}
    stated |= {value for value in xmp if value}
    if len(stated) > 1:
        raise InputError(
            f"{path} states several orientations ({', '.join(map(str, sorted(stated)))}; Exif and "
            "XMP, or a missing one), so that programs show it in different ways. Save it upright, "
            "without an orientation."
        )
    return stated.pop()
