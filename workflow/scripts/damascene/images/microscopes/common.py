"""What the headers of all microscopes have in common: what is read, and how values are read.

Numbers that make no sense count as not stated. That a pixel size cannot be read, as with a decimal
comma, is told.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from damascene.images.pixel_sizes import Statement

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


def statement(
    origin: str,
    size_nm: Sequence[float | None],
    width_px: float | None = None,
    *,
    given: Iterable[object] = (),
) -> Statement | None:
    """Return what a microscope states of the width and height of a pixel, None if it does not.

    Parameters
    ----------
    origin : str
    size_nm : sequence of float or None
        None where a size is missing or could not be read.
    width_px : float, optional
        Of the image for which it was written.
    given : iterable, optional
        The entries of the header from which the sizes were to be read.
    """
    if not all(size_nm):
        unread = [one for one in given if isinstance(one, str) and _is_unread(one)]
        if not unread:
            return None
        doubt = f"{origin} gives the size '{unread[0]}', which cannot be read"
        return Statement(origin=origin, size_nm=None, doubt=doubt)
    return Statement(
        origin=origin, size_nm=tuple(size_nm), width_px=int(width_px) if width_px else None
    )


def _is_unread(text):
    try:
        float(text)
    except ValueError:
        return any(map(str.isdigit, text))
    return False


def bar_below(rows: float | None, *, height_px: int) -> int | None:
    """Return the rows below those that were scanned, None where the header does not fit."""
    bar = height_px - int(rows) if rows else -1
    return bar if bar >= 0 else None


def positive(value: object) -> float | None:
    """Return a number above 0, None for all else."""
    try:
        number = float(value)
    except (TypeError, ValueError):
        return None
    return number if 0 < number < math.inf and value is not True else None


def scaled(number: float | None, factor: float) -> float | None:
    """Return a number in another unit."""
    # Twelve digits hide that 5.0 * 1e-3 has no exact form.
    return None if number is None else float(f"{number * factor:.12g}")


def plain_text(value: object) -> str | None:
    """Return a text, None if there is none."""
    if value is None or isinstance(value, bool):
        return None
    # Symbols that the encoding of the header lacks come out as a quotation mark.
    return str(value).replace('"', "").strip() or None


def date(value: str, *patterns: str) -> str | None:
    """Return a date and time as ISO 8601, None if it follows none of the patterns."""
    for pattern in patterns:
        try:
            return datetime.strptime(str(value), pattern).isoformat()
        except ValueError:
            continue
    return None
