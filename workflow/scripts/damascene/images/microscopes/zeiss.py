"""Zeiss: a tag with entries such as `AP_WD`, which tifffile parses."""

import re

from damascene.images.microscopes.common import (
    NM,
    NOTHING_STATED,
    Acquisition,
    VendorHeader,
    date,
    plain_text,
    positive,
    scaled,
    statement,
)

_VOLT = {"V": 1.0, "kV": 1e3}
_SECOND = {"ns": 1e-9, "µs": 1e-6, "us": 1e-6, "ms": 1e-3, "s": 1.0, "Secs": 1.0}
_VIEW_PX = 1024
# The beam needs part of the time of a line to fly back; it never needs half of it.
_LEAST_SHARE_OF_LINE = 0.5


def parse_zeiss(entries: object, *, width_px: int, height_px: int) -> VendorHeader:
    """Read what tifffile made of the tag."""
    if not isinstance(entries, dict):
        return VendorHeader(acquisition=NOTHING_STATED)

    def quantity(name, units):
        entry = entries.get(name, ())
        number = positive(entry[1]) if len(entry) > 2 else None
        return number * units[entry[2]] if number and entry[2] in units else None

    def text(name):
        entry = entries.get(name, ())
        return plain_text(entry[1]) if len(entry) > 1 else None

    # Without "image" in its name it is the size at the resolution of the live view.
    size = quantity("ap_image_pixel_size", NM)
    size = size or scaled(quantity("ap_pixel_size", NM), _VIEW_PX / width_px)
    # The stated dwell time is often that of another scan mode; the time of a line tells.
    dwell, line = quantity("dp_dwell_time", _SECOND), quantity("ap_line_time", _SECOND)
    stored = re.match(r"\d+", text("dp_image_store") or "")
    if not line or not stored or int(stored[0]) != width_px:
        dwell = None
    elif not dwell or not _LEAST_SHARE_OF_LINE <= dwell * width_px / line <= 1:
        dwell = line / width_px
    model = text("dp_sem") or text("sv_serial_number")
    return VendorHeader(
        acquisition=Acquisition(
            microscope=f"Zeiss {model}" if model else "Zeiss",
            accelerating_voltage_kv=scaled(quantity("ap_actualkv", _VOLT), 1e-3),
            working_distance_mm=scaled(quantity("ap_wd", NM), 1e-6),
            detector=text("dp_detector_channel"),
            dwell_time_ns=scaled(dwell, 1e9),
            acquired=date(f"{text('ap_date')} {text('ap_time')}", "%d %b %Y %H:%M:%S"),
        ),
        size=statement(
            "the Zeiss header",
            [size, size],
            stored and int(stored[0]),
            given=[text("ap_image_pixel_size"), text("ap_pixel_size")],
        ),
    )
