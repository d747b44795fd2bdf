"""What microscopes write into TIFF files: how an image was taken, and which rows are a data bar.

Zeiss (tag 34118) and FEI or Thermo Fisher (tags 34680 and 34682) are parsed by tifffile. TESCAN
(tag 50431) writes blocks of lines `Key=Value`, in SI units, between binary block headers.
Numbers that cannot be read or make no sense count as not stated.
"""

import math
import re
from dataclasses import dataclass
from datetime import datetime

import tifffile

from damascene.images.pixel_sizes import Statement

_ZEISS, _FEI_SFEG, _FEI_HELIOS, _TESCAN = 34118, 34680, 34682, 50431
NM = {
    "pm": 1e-3,
    "Å": 0.1,
    "nm": 1.0,
    "µm": 1e3,
    "μm": 1e3,
    "um": 1e3,
    "micron": 1e3,
    "microns": 1e3,
    "\\u00B5m": 1e3,
    "mm": 1e6,
    "cm": 1e7,
    "m": 1e9,
}
_VOLT = {"V": 1.0, "kV": 1e3}
_SECOND = {"ns": 1e-9, "µs": 1e-6, "us": 1e-6, "ms": 1e-3, "s": 1.0, "Secs": 1.0}
_ZEISS_VIEW_PX = 1024
# The beam needs part of the time of a line to fly back; it never needs half of it.
_LEAST_SHARE_OF_LINE = 0.5


@dataclass(frozen=True, kw_only=True)
class Acquisition:
    """How an image was taken, as far as its header says; None where it does not.

    `dwell_time_ns` is the time a pixel got; where Zeiss states only the time of a line, that over
    its pixels, with averaging and fly-back. `acquired` is an ISO 8601 date and time without zone.
    """

    microscope: str | None = None
    accelerating_voltage_kv: float | None = None
    working_distance_mm: float | None = None
    detector: str | None = None
    dwell_time_ns: float | None = None
    acquired: str | None = None


NOTHING_STATED = Acquisition()


@dataclass(frozen=True, kw_only=True)
class VendorHeader:
    """The part of a vendor's header that is used.

    `size` is its statement of the pixel size, `data_bar_px` the rows of the data bar at the
    bottom; both are None where the header does not say.
    """

    acquisition: Acquisition
    size: Statement | None = None
    data_bar_px: int | None = None


def read_vendor_header(page: tifffile.TiffPage) -> VendorHeader | None:
    """Read the header that a microscope left in a page of a TIFF; None if there is none."""
    for code, parse in (
        (_ZEISS, _zeiss),
        (_FEI_HELIOS, _fei),
        (_FEI_SFEG, _fei),
        (_TESCAN, _tescan),
    ):
        value = page.tags.valueof(code)
        if value:
            return parse(value, width_px=page.imagewidth, height_px=page.imagelength)
    return None


def _zeiss(entries, *, width_px, height_px):
    if not isinstance(entries, dict):
        return VendorHeader(acquisition=NOTHING_STATED)

    def quantity(name, units):
        entry = entries.get(name, ())
        number = _positive(entry[1]) if len(entry) > 2 else None
        return number * units[entry[2]] if number and entry[2] in units else None

    def text(name):
        entry = entries.get(name, ())
        return _text(entry[1]) if len(entry) > 1 else None

    # Without "image" in its name it is the size at the resolution of the live view.
    size = quantity("ap_image_pixel_size", NM)
    size = size or _scaled(quantity("ap_pixel_size", NM), _ZEISS_VIEW_PX / width_px)
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
            accelerating_voltage_kv=_scaled(quantity("ap_actualkv", _VOLT), 1e-3),
            working_distance_mm=_scaled(quantity("ap_wd", NM), 1e-6),
            detector=text("dp_detector_channel"),
            dwell_time_ns=_scaled(dwell, 1e9),
            acquired=_date(f"{text('ap_date')} {text('ap_time')}", "%d %b %Y %H:%M:%S"),
        ),
        size=_statement("the Zeiss header", [size, size], stored and int(stored[0])),
    )


def _fei(sections, *, width_px, height_px):
    if not isinstance(sections, dict):
        return VendorHeader(acquisition=NOTHING_STATED)

    def entry(section, name):
        found = sections.get(section)
        return found.get(name) if isinstance(found, dict) else None

    beam = entry("Beam", "Beam")
    scan = [_scaled(_positive(entry("Scan", name)), 1e9) for name in ("PixelWidth", "PixelHeight")]
    volts = _positive(entry("Beam", "HV")) or _positive(entry(beam, "HV"))
    metres = _positive(entry(beam, "WD")) or _positive(entry("Stage", "WorkingDistance"))
    dwell = _positive(entry("Scan", "Dwelltime"))
    model = _text(entry("System", "SystemType"))
    created = _date(entry("PrivateFei", "TimeOfCreation"), "%d.%m.%Y %H:%M:%S")
    # With AM and PM the order of day and month is the American one; without it is anybody's guess.
    user_date = f"{entry('User', 'Date')} {entry('User', 'Time')}"
    # The data bar is stored below the rows that were scanned.
    rows = _positive(entry("Image", "ResolutionY"))
    bar = (
        height_px - int(rows)
        if rows and _positive(entry("Image", "ResolutionX")) == width_px
        else -1
    )
    return VendorHeader(
        acquisition=Acquisition(
            microscope=f"FEI {model}" if model else "FEI",
            accelerating_voltage_kv=_scaled(volts, 1e-3),
            working_distance_mm=_scaled(metres, 1e3),
            detector=_text(entry("Detectors", "Name")),
            dwell_time_ns=_scaled(dwell, 1e9),
            acquired=created or _date(user_date, "%m/%d/%Y %I:%M:%S %p"),
        ),
        size=_statement("the FEI header", scan, _positive(entry("Image", "ResolutionX"))),
        data_bar_px=bar if bar >= 0 else None,
    )


def _tescan(value, *, width_px, height_px):
    data = value.encode("latin-1", "replace") if isinstance(value, str) else bytes(value)

    def text(key):
        # A key begins a line, or follows the last byte of a block header.
        found = re.search(rb"(?<![\w ])" + key.encode() + rb"=([^\r\n\0]*)", data)
        return _text(found[1].decode("utf-8", "replace")) if found else None

    size = [_scaled(_positive(text(key)), 1e9) for key in ("PixelSizeX", "PixelSizeY")]
    volts = _positive(text("HV")) or _positive(text("AcceleratorVoltage"))
    model = text("DeviceModel") or text("Device")
    rows = text("ImageStripSize") or ""
    return VendorHeader(
        acquisition=Acquisition(
            microscope=" ".join(["TESCAN", *(model or "").removeprefix("TESCAN").split()]),
            accelerating_voltage_kv=_scaled(volts, 1e-3),
            working_distance_mm=_scaled(_positive(text("WD")), 1e3),
            detector=text("Detector"),
            dwell_time_ns=_scaled(_positive(text("DwellTime")), 1e9),
            acquired=_date(f"{text('Date')} {text('Time')}", "%Y-%m-%d %H:%M:%S"),
        ),
        size=_statement("the TESCAN header", size),
        data_bar_px=int(rows) if rows.isdecimal() and int(rows) < height_px else None,
    )


def _statement(origin, size_nm, width_px=None):
    if not all(size_nm):
        return None
    return Statement(
        origin=origin, size_nm=tuple(size_nm), width_px=int(width_px) if width_px else None
    )


def _positive(value):
    try:
        number = float(value)
    except (TypeError, ValueError):
        return None
    return number if 0 < number < math.inf and value is not True else None


def _scaled(number, factor):
    # Twelve digits hide that 5.0 * 1e-3 has no exact form.
    return None if number is None else float(f"{number * factor:.12g}")


def _text(value):
    if value is None or isinstance(value, bool):
        return None
    # Symbols that the encoding of the header lacks come out as a quotation mark.
    return str(value).replace('"', "").strip() or None


def _date(value, pattern):
    try:
        return datetime.strptime(str(value), pattern).isoformat()
    except ValueError:
        return None
