"""TESCAN: lines `Key=Value` in SI units, in a tag or in a file beside the image.

In the tag they stand in blocks between binary block headers, in the file (`a-tif.hdr` or `a.hdr`)
in sections.
"""

import re

from damascene.images.microscopes.common import (
    Acquisition,
    VendorHeader,
    date,
    plain_text,
    positive,
    scaled,
    statement,
)

#: What a side file holds.
SIGN = re.compile(r"^PixelSizeX\s*=", re.MULTILINE)


def parse_tescan(value: bytes | str, *, width_px: int, height_px: int) -> VendorHeader:
    """Read the tag, or the text of a side file."""
    data = value.encode("latin-1", "replace") if isinstance(value, str) else bytes(value)

    def text(key):
        # A key begins a line, or follows the last byte of a block header.
        found = re.search(rb"(?<![\w ])" + key.encode() + rb"[ \t]*=([^\r\n\0]*)", data)
        return plain_text(found[1].decode("utf-8", "replace")) if found else None

    given = [text(key) for key in ("PixelSizeX", "PixelSizeY")]
    size = [scaled(positive(one), 1e9) for one in given]
    volts = positive(text("HV")) or positive(text("AcceleratorVoltage"))
    model = text("Device") or text("DeviceModel")
    rows = text("ImageStripSize") or ""
    return VendorHeader(
        acquisition=Acquisition(
            microscope=" ".join(["TESCAN", *(model or "").removeprefix("TESCAN").split()]),
            accelerating_voltage_kv=scaled(volts, 1e-3),
            working_distance_mm=scaled(positive(text("WD")), 1e3),
            detector=text("Detector"),
            dwell_time_ns=scaled(positive(text("DwellTime")), 1e9),
            acquired=date(f"{text('Date')} {text('Time')}", "%Y-%m-%d %H:%M:%S"),
        ),
        size=statement("the TESCAN header", size, given=given),
        data_bar_px=int(rows) if rows.isdecimal() else None,
    )
