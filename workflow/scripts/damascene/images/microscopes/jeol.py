"""JEOL: lines `$KEY value` in a text file beside the image.

The micron bar is drawn so many pixels long (`$$SM_MICRON_BAR`) and means a length such as `5um`
(`$$SM_MICRON_MARKER`). Newer instruments state the field of view, in micrometres.
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
from damascene.images.pixel_sizes import Statement

SIGN = re.compile(r"^\$CM_\w+ ", re.MULTILINE)
_ORIGIN = "the JEOL side file"
_LENGTH = re.compile(r"([\d.]+)\s*([^\W\d]*)\s*")
# A bar is a whole number of pixels long.
_WITHIN_PX = 1.0


def parse_jeol(text: str, *, width_px: int, height_px: int) -> VendorHeader:
    """Read the text of the side file."""
    entries = dict(re.findall(r"^\$+(\w+)[ \t]+(.*?)\s*$", text, re.MULTILINE))
    size = entries.get("CM_IMAGE_SIZE") or entries.get("CM_FULL_SIZE") or ""
    columns, rows = (*map(positive, size.split()), None, None)[:2]
    model = plain_text(entries.get("CM_INSTRUMENT"))
    taken = f"{entries.get('CM_DATE')} {entries.get('CM_TIME')}"
    return VendorHeader(
        acquisition=Acquisition(
            microscope=f"JEOL {model}" if model else "JEOL",
            accelerating_voltage_kv=positive(entries.get("CM_ACCEL_VOLT")),
            working_distance_mm=positive(entries.get("SM_WD")),
            detector=plain_text(entries.get("CM_SIGNAL")),
            acquired=date(taken, "%Y/%m/%d %H:%M:%S", "%Y-%m-%d %H:%M:%S"),
        ),
        size=_size(entries, columns=columns),
        data_bar_px=bar_below(rows, height_px=height_px) if columns == width_px else None,
    )


def _size(entries, *, columns):
    given = [entries.get(name) for name in ("SM_MICRON_MARKER", "CM_FIELD_OF_VIEW")]
    bar_px = positive(entries.get("SM_MICRON_BAR"))
    marker, field = map(_lengths_nm, given)
    by_bar = marker[0] / bar_px if marker and bar_px else None
    by_field = field[0] / columns if field and columns else None
    if by_bar and by_field and abs(marker[0] / by_field - bar_px) > _WITHIN_PX:
        doubt = f"{_ORIGIN} states {by_bar:g} nm by its micron bar, {by_field:g} nm by its field"
        return Statement(origin=_ORIGIN, size_nm=None, doubt=doubt)
    size_nm = scaled(by_field or by_bar, 1)
    return statement(_ORIGIN, (size_nm, size_nm), columns, given=given)


def _lengths_nm(text):
    """Return lengths with their units as in `5um`, micrometres if none is given."""
    text = text or ""
    parts = _LENGTH.findall(text)
    # Nothing but lengths: a decimal comma would cut a number in two.
    if _LENGTH.sub("", text).strip():
        return []
    return [
        float(number) * NM[unit or "um"]
        for number, unit in parts
        if (unit or "um") in NM and positive(number)
    ]
