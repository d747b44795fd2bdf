"""How an image is turned between its file and a screen: orientation 1 to 8 of TIFF and Exif."""

import struct

import numpy as np

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


def exif_orientation(exif: bytes) -> int:
    """Return the orientation that an Exif block states, without the name `Exif` before it."""
    order = {b"II": "<", b"MM": ">"}.get(exif[:2])
    try:
        (start,) = struct.unpack_from(f"{order}I", exif, 4)
        (entries,) = struct.unpack_from(f"{order}H", exif, start)
        for index in range(entries):
            tag, _, _, value = struct.unpack_from(f"{order}HHIH", exif, start + 2 + 12 * index)
            if tag == _ORIENTATION:
                return known_orientation(value)
    except struct.error:
        # Without the block, or with a broken one, viewers leave an image as it is.
        pass
    return UPRIGHT
