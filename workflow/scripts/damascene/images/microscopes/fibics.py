"""Fibics, which also wrote Zeiss Atlas: XML in a tag of single images and of mosaics.

The steps from pixel to pixel along a row (`Ux`, `Uy`) and down a column (`Vx`, `Vy`) are vectors in
micrometres, which turn with the scan; `FOV_X` and `FOV_Y` are width and height of the image.
"""

import math
import xml.etree.ElementTree as ElementTree

from damascene.images.microscopes.common import (
    NM,
    NOTHING_STATED,
    Acquisition,
    VendorHeader,
    plain_text,
    positive,
    scaled,
    statement,
)
from damascene.images.pixel_sizes import Statement, agree

_ORIGIN = "the Fibics header"


def parse_fibics(value: bytes | str, *, width_px: int, height_px: int) -> VendorHeader:
    """Read the XML of the tag."""
    text = value if isinstance(value, str) else bytes(value).decode("utf-8", "replace")
    try:
        root = ElementTree.fromstring(text.strip("\0\r\n\t "))
    except (ElementTree.ParseError, ValueError):
        return VendorHeader(acquisition=NOTHING_STATED)

    def number(path):
        return positive(root.findtext(path))

    program = plain_text(root.findtext("Application/Version"))
    dwell = root.find("Scan/Dwell")
    in_ns = dwell is not None and dwell.get("units", "ns") == "ns"
    return VendorHeader(
        acquisition=Acquisition(
            microscope=f"Fibics {program}" if program else "Fibics",
            dwell_time_ns=scaled(positive(dwell.text), 1) if in_ns else None,
        ),
        size=_size(root, columns=number("Image/Width"), rows=number("Image/Height")),
    )


def _size(root, *, columns, rows):
    steps = [_length(root, f"Scan/{axis}x", f"Scan/{axis}y") for axis in "UV"]
    fields = [
        scaled(field, 1 / pixels) if field and pixels else None
        for field, pixels in (
            (_field(root, "Scan/FOV_X"), columns),
            (_field(root, "Scan/FOV_Y"), rows),
        )
    ]
    if all(steps) and fields[0] and not agree(steps[0], fields[0]):
        doubt = (
            f"{_ORIGIN} states steps of {steps[0]:g} nm and, with its field of view, pixels of "
            f"{fields[0]:g} nm"
        )
        return Statement(origin=_ORIGIN, size_nm=None, doubt=doubt)
    given = [root.findtext(path) for path in ("Scan/Ux", "Scan/FOV_X")]
    return statement(_ORIGIN, steps if all(steps) else fields, columns, given=given)


def _length(root, *paths):
    try:
        parts = [float(root.findtext(path, "")) for path in paths]
    except ValueError:
        return None
    return scaled(positive(math.hypot(*parts)), NM["um"])


def _field(root, path):
    found = root.find(path)
    if found is None or found.get("units", "um") not in NM:
        return None
    return scaled(positive(found.text), NM[found.get("units", "um")])
