"""Hitachi: lines `Key=Value` below `[SemImageFile]` in a text file beside the image."""

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

SIGN = re.compile(r"^\[SemImageFile\]", re.MULTILINE)
_NUMBER = re.compile(r"([-+.\deE]+)\s*([^\W\d]*)")
_STORED = re.compile(r"(\d+)\s*[xX]\s*(\d+)")
_VOLT = {"Volt": 1.0, "V": 1.0, "kV": 1e3}


def parse_hitachi(text: str, *, width_px: int, height_px: int) -> VendorHeader:
    """Read the text of the side file; `PixelSize` is in nanometres."""
    entries = dict(re.findall(r"^(\w+)[ \t]*=[ \t]*(.*?)\s*$", text, re.MULTILINE))

    def quantity(name, units, default):
        found = _NUMBER.fullmatch(entries.get(name, ""))
        unit = found and (found[2] or default)
        return positive(found[1]) and float(found[1]) * units[unit] if unit in units else None

    stored = _STORED.fullmatch(entries.get("DataSize", ""))
    columns, rows = map(positive, stored.groups()) if stored else (None, None)
    size_nm = scaled(quantity("PixelSize", NM, "nm"), 1)
    model = plain_text(entries.get("InstructName"))
    taken = f"{entries.get('Date')} {entries.get('Time')}"
    return VendorHeader(
        acquisition=Acquisition(
            microscope=f"Hitachi {model}" if model else "Hitachi",
            accelerating_voltage_kv=scaled(quantity("AcceleratingVoltage", _VOLT, "V"), 1e-3),
            working_distance_mm=scaled(quantity("WorkingDistance", NM, "um"), 1e-6),
            detector=plain_text(entries.get("SignalName")),
            acquired=date(taken, "%Y/%m/%d %H:%M:%S"),
        ),
        size=statement(
            "the Hitachi side file", [size_nm] * 2, columns, given=[entries.get("PixelSize")]
        ),
        # Where it does not lie below the picture, the data bar covers part of it, or there is none.
        data_bar_px=bar_below(rows, height_px=height_px) or None if columns == width_px else None,
    )
