"""Read the header of an image file, and find out which rows of it are the picture."""

from collections.abc import Iterable, MutableMapping
from dataclasses import replace
from pathlib import Path

import numpy as np

from damascene import InputError
from damascene.images.data_bar import find_data_bar
from damascene.images.decoding import grey_rows
from damascene.images.formats import parse_header
from damascene.images.found_bars import place_and_state
from damascene.images.image_header import LARGEST_DATA_BAR, ImageHeader, turned_with_bar
from damascene.images.orientation import ROWS_STAY, SWAPPED, UPRIGHT

__all__ = ["ImageHeader", "read_header"]

# PNG, JPEG and a TIFF in one compressed piece are decoded whole even for their lowest rows. No
# microscope writes frames beyond this size: larger images were put together, without data bars.
_LARGEST_WHOLE_PX = 150_000_000


def read_header(
    path: str | Path,
    page: int | None = None,
    *,
    data_bar_px: int | None = None,
    bit_depth: int | None = None,
    invert: bool = False,
    bars: MutableMapping[str, list] | None = None,
) -> ImageHeader:
    """Read the header of a TIFF, PNG or JPEG file, and take off the data bar at its bottom.

    The rows of the bar are those that the header states; without a statement, the lowest rows of
    the image are searched for a bar (`find_data_bar`). Images above 150 million pixels that could
    only be decoded whole are not searched.

    Parameters
    ----------
    path : path of the image
    page : int, optional
        Page of a TIFF, from 1; needed if it holds several images.
    data_bar_px : int, optional
        Rows of the data bar, 0 for none, where the user knows better.
    bit_depth : int, optional
        Bits that the greys of a 16-bit image fill, where the user knows better.
    invert : bool, optional
        Whether black and white are to be exchanged.
    bars : mutable mapping, optional
        Data bars found before, from `kept_bars`; new ones are added.

    Raises
    ------
    InputError
        As `formats.parse_header`, if the data bar leaves no picture, if an 8-bit image is said to
        have another bit depth, or if the lowest rows cannot be decoded.
    """
    header = _without_data_bar(parse_header(path, page=page), data_bar_px, bars)
    if bit_depth is not None:
        header = _with_depth(header, bit_depth)
    return replace(header, inverted_by_sheet=invert)


def _without_data_bar(header, data_bar_px, bars):
    stored_px = header.height_px + header.data_bar_px
    if data_bar_px is not None:
        if data_bar_px >= stored_px:
            raise InputError(
                f"{header.path} has {stored_px} rows, a data bar of {data_bar_px} leaves no "
                "picture. Correct the column data_bar_px of the sample sheet."
            )
        rows, source = data_bar_px, "sheet"
    elif header.data_bar_source or not _quickly_read(header):
        return header
    else:
        rows = _kept_rows(header, bars) if bars is not None else _searched_rows(header)
        source = "pixels" if rows else None
    return replace(header, height_px=stored_px - rows, data_bar_px=rows, data_bar_source=source)


def _with_depth(header, bit_depth):
    if header.bits > 8:
        return replace(header, bit_depth=bit_depth, bit_depth_source="sheet")
    if bit_depth != 8:
        raise InputError(
            f"{header.path} has 8 bits a pixel, not {bit_depth}. Correct the column bit_depth of "
            "the sample sheet, or leave the cell empty."
        )
    return header


def _quickly_read(header):
    return header.in_parts or header.width_px * header.height_px <= _LARGEST_WHOLE_PX


def _kept_rows(header, bars):
    place, state = place_and_state(header)
    if bars.get(place, [])[:3] != state:
        bars[place] = [*state, _searched_rows(header)]
    return bars[place][3]


def _searched_rows(header):
    if header.orientation not in ROWS_STAY and _bar_rows(_upright(header)):
        raise turned_with_bar(header.path)
    return _bar_rows(header)


def _bar_rows(header):
    return find_data_bar(_bottom(header), height_px=header.height_px, largest=LARGEST_DATA_BAR)


def _upright(header):
    """Return the header of the image as its rows are stored."""
    width, height = header.width_px, header.height_px
    if header.orientation in SWAPPED:
        width, height = height, width
    return replace(header, orientation=UPRIGHT, width_px=width, height_px=height)


def _bottom(header):
    """Return a function that gives the lowest rows, from top to bottom, as often as asked."""
    height = header.height_px
    if header.in_parts:
        return lambda rows: (strip.grey for strip in grey_rows(header, top=height - rows))
    strips = grey_rows(header, top=height - int(LARGEST_DATA_BAR * height) - 1)
    kept = np.concatenate([strip.grey for strip in strips])

    def lowest(rows: int) -> Iterable[np.ndarray]:
        return [kept[len(kept) - rows :]]

    return lowest
