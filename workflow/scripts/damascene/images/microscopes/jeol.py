"""JEOL: lines `$KEY value` in a text file beside the image.

The micron bar is drawn so many pixels long (`$$SM_MICRON_BAR`) and means a length such as `5um`
(`$$SM_MICRON_MARKER`). Newer instruments also state the field of view, in micrometres, and the
pixel size.
"""

import re

from damascene.images.microscopes.common import (
    NM,
    Acquisition,
    VendorHeader,
    bar_below,
    date,
    plain_text,
    positive,
    scaled,
    statement,
)
from damascene.images.pixel_sizes import Statement, agree

SIGN = re.compile(r"^\$CM_\w+ ", re.MULTILINE)
_ORIGIN = "the JEOL side file"
# Columns and rows, by the age of the instrument.
_STORED = ("CM_IMAGE_SIZE", "CM_FULL_SIZE", "CM_IMAGE_RES")
_LENGTHS = ("CM_FIELD_OF_VIEW", "CM_PIXEL_SIZE", "SM_MICRON_MARKER")
_LENGTH = re.compile(r"([\d.]+)\s*([^\W\d]*)\s*")
# A bar is a whole number of pixels long.
_WITHIN_PX = 1.0


def parse_jeol(text: str, *, width_px: int, height_px: int) -> VendorHeader:
    """Read the text of the side file."""
    entries = dict(re.findall(r"^\$+(\w+)[ \t]+(.*?)\s*$", text, re.MULTILINE))
    stored = next((entries[name] for name in _STORED if entries.get(name)), "")
    columns, rows = (*map(positive, re.split(r"[xX\s]+", stored)), None, None)[:2]
    model = plain_text(entries.get("CM_INSTRUMENT"))
    taken = f"{entries.get('CM_DATE')} {entries.get('CM_TIME')}"
    return VendorHeader(
        acquisition=Acquisition(
            microscope=f"JEOL {model}" if model else "JEOL",
            accelerating_voltage_kv=positive(entries.get("CM_ACCEL_VOLT")),
            working_distance_mm=positive(entries.get("SM_WD")),
            detector=plain_text(entries.get("CM_SIGNAL")),
            acquired=date(taken, "%Y/%m/%d %H:%M:%S", "%Y-%m-%d %H:%M:%S", "%m/%d/%Y %I:%M:%S %p"),
        ),
        size=_size(entries, columns=columns, rows=rows),
        # Where it does not lie below the picture, the data bar covers part of it, or there is none.
        data_bar_px=bar_below(rows, height_px=height_px) or None if columns == width_px else None,
    )


def _size(entries, *, columns, rows):
    given = [entries.get(name) for name in _LENGTHS]
    field, marker = _lengths_nm(given[0]), _lengths_nm(given[2])
    # Without a unit it could be in nanometres as well.
    pixel = _lengths_nm(given[1], unit=None)
    bar_px = positive(entries.get("SM_MICRON_BAR"))
    ways = {
        "field of view": _edges(field, columns, rows),
        "pixel size": _edges(pixel, 1, 1),
        "micron bar": _edges(marker, bar_px, bar_px),
    }
    ways = {way: edges for way, edges in ways.items() if edges}
    first, size_nm = next(iter(ways.items()), (None, (None, None)))
    for way, (width_nm, _) in ways.items():
        if way == "micron bar":
            fits = abs(marker[0] / size_nm[0] - bar_px) <= _WITHIN_PX
        else:
            fits = agree(width_nm, size_nm[0])
        if not fits:
            doubt = (
                f"{_ORIGIN} states {width_nm:g} nm by its {way}, {size_nm[0]:g} nm by its {first}"
            )
            return Statement(origin=_ORIGIN, size_nm=None, doubt=doubt)
    return statement(_ORIGIN, size_nm, columns, given=given)


def _edges(lengths_nm, columns, rows):
    """Return width and height of a pixel where so many share the lengths; a single one is both."""
    if not lengths_nm or not columns:
        return None
    width = scaled(lengths_nm[0], 1 / columns)
    return width, scaled(lengths_nm[1], 1 / rows) if lengths_nm[1:] and rows else width


def _lengths_nm(text, *, unit="um"):
    """Return lengths with their units as in `5um`, or else in that unit."""
    text = text or ""
    parts = _LENGTH.findall(text)
    # Nothing but lengths: a decimal comma would cut a number in two.
    if _LENGTH.sub("", text).strip():
        return []
    return [
        float(number) * NM[own or unit]
        for number, own in parts
        if (own or unit) in NM and positive(number)
    ]
