"""The piece of an image that all pages of the workshop look at."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from damascene import InputError
from damascene.files import written_whole
from damascene.images.decoding import colours_of, grey_strips
from damascene.images.headers import read_header
from damascene.images.store import TiledImage, Window
from damascene.study.workshop import SMALLEST_PX, check_place
from damascene.units import split_quantity


@dataclass(frozen=True, kw_only=True)
class Cut:
    """A piece of an image.

    Attributes
    ----------
    grey : numpy.ndarray, uint8, shape (rows, columns)
    valid : numpy.ndarray, bool, same shape
        Pixels that show steel, or whatever the picture shows.
    colour : numpy.ndarray, uint8, shape (rows, columns, 3), or None
        Red, green and blue, where the picture has colours.
    pixel_um : float or None
        Edge of a pixel in micrometres, None where nobody knows it.
    place : tuple of int
        Row and column of its upper left corner in the whole image.
    """

    grey: np.ndarray
    valid: np.ndarray
    colour: np.ndarray | None
    pixel_um: float | None
    place: tuple[int, int]


def place_of_cut(
    shape: tuple[int, int],
    *,
    edge_px: int,
    wanted: tuple[int, int] | None = None,
    valid: np.ndarray | None = None,
) -> Window:
    """Return the window of a cut within an image.

    Parameters
    ----------
    shape : tuple of int
        Rows and columns of the image.
    edge_px : int
        Edge of the cut; what is beyond the image is left out.
    wanted : tuple of int, optional
        Row and column of its upper left corner. Without it, the place nearest to the middle among
        those where most pixels are valid, to which the cut moves in steps of half its edge.
    valid : numpy.ndarray, bool, optional
        Valid pixels of the image, or of a reduced image; all by default.

    Raises
    ------
    InputError
        If less than 64 pixels are left at the wanted place.
    """
    rows, columns = (min(edge_px, length) for length in shape)
    if wanted is not None:
        top, left = wanted
        check_place(wanted, shape, image="the image")
        rows, columns = min(rows, shape[0] - top), min(columns, shape[1] - left)
        return Window(top=top, left=left, bottom=top + rows, right=left + columns)
    middle = ((shape[0] - rows) // 2, (shape[1] - columns) // 2)
    places = ((top, left) for top in _steps(middle[0], rows) for left in _steps(middle[1], columns))

    def order(place):
        share = 1 if valid is None else _valid_share(valid, shape, place, (rows, columns))
        distance = abs(place[0] - middle[0]) + abs(place[1] - middle[1])
        # A pixel more or less moves no cut.
        return -round(100 * share), distance, place

    top, left = min(places, key=order)
    return Window(top=top, left=left, bottom=top + rows, right=left + columns)


def _steps(middle, length):
    """Return places of a cut along one axis: the middle, steps of half its edge, and both ends."""
    step = max(length // 2, 1)
    reach = middle // step
    last = 2 * middle
    return sorted({0, last, *(middle + number * step for number in range(-reach, reach + 1))})


def _valid_share(valid, shape, place, size):
    down, across = (reduced / whole for reduced, whole in zip(valid.shape, shape, strict=True))
    rows = slice(int(place[0] * down), max(int((place[0] + size[0]) * down), 1))
    columns = slice(int(place[1] * across), max(int((place[1] + size[1]) * across), 1))
    return float(valid[rows, columns].mean())


def cut_panorama(
    image: str | Path,
    valid: str | Path,
    *,
    pixel_size_nm: float,
    edge_px: int,
    wanted: tuple[int, int] | None,
) -> Cut:
    """Return the cut of a panorama of the study.

    Parameters
    ----------
    image, valid : path
        Tiled images: the greys, and the mask of valid pixels.
    pixel_size_nm : float
    edge_px, wanted
        As in `place_of_cut`.
    """
    with TiledImage(image) as greys, TiledImage(valid) as mask:
        with TiledImage(valid, level=mask.level_count - 1) as reduced:
            window = place_of_cut(
                greys.shape, edge_px=edge_px, wanted=wanted, valid=reduced.read() > 0
            )
        return Cut(
            grey=greys.read(window),
            valid=mask.read(window) > 0,
            colour=None,
            pixel_um=pixel_size_nm / 1000,
            place=(window.top, window.left),
        )


def cut_picture(
    path: str | Path, *, edge_px: int, wanted: tuple[int, int] | None, pixel_size: str = ""
) -> Cut:
    """Return the cut of a picture of the user, in any colours.

    It is turned as viewers turn it. Greys of 16 bits are scaled by the bits that they fill, so
    that white stays white; colours become grey by their luminance.

    Parameters
    ----------
    path : path
        PNG, JPEG or TIFF.
    edge_px, wanted
        As in `place_of_cut`.
    pixel_size : str, optional
        Edge of a pixel in nm or um; empty takes what the header says, if it says anything.

    Raises
    ------
    InputError
        If the file cannot be read, or the picture is smaller than 64 pixels.
    """
    header = read_header(path)
    strips = list(grey_strips(header))
    grey = _eight_bits(np.concatenate([strip.grey for strip in strips]), header)
    valid = np.concatenate(
        [
            np.ones(strip.grey.shape, bool) if strip.covered is None else strip.covered
            for strip in strips
        ]
    )
    if min(grey.shape) < SMALLEST_PX:
        raise InputError(
            f"{path} has {grey.shape[0]} rows and {grey.shape[1]} columns; the workshop needs at "
            f"least {SMALLEST_PX} of each. Take a larger picture for workshop.image."
        )
    colours = colours_of(header)
    window = place_of_cut(grey.shape, edge_px=edge_px, wanted=wanted, valid=valid)
    part = window.slices()
    return Cut(
        grey=grey[part],
        valid=valid[part],
        colour=None if colours is None else _eight_bits(colours[part], header),
        pixel_um=_pixel_um(header, pixel_size),
        place=(window.top, window.left),
    )


def require_contrast(cut: Cut, *, origin: str) -> None:
    """Refuse a cut in which there is nothing to look at.

    Raises
    ------
    InputError
        If no pixel is valid, or all have one grey.
    """
    greys = np.unique(cut.grey[cut.valid])
    if len(greys) < 2:
        found = f"one grey, {greys[0]}" if len(greys) else "no valid pixel"
        raise InputError(
            f"The cut of {origin} at row {cut.place[0]}, column {cut.place[1]} holds {found}: "
            "nothing to look at. Set workshop.place to a spot that shows something, or take "
            "another workshop.panorama or workshop.image."
        )


def _eight_bits(pixels, header):
    """Return greys or colours of 8 bits; black stays 0, and the full scale becomes 255."""
    if pixels.dtype == np.uint8:
        return np.ascontiguousarray(pixels)
    scaled = np.minimum(pixels.astype(np.float32) * (255 / header.full_scale), 255)
    return scaled.astype(np.uint8)


def _pixel_um(header, pixel_size):
    if not pixel_size:
        return None if header.pixel_size_nm is None else header.pixel_size_nm / 1000
    value, unit = split_quantity(pixel_size, ("nm", "um"), "30 nm")
    return value / 1000 if unit == "nm" else value


def write_cut(cut: Cut, path: str | Path) -> None:
    """Write a cut as one file of arrays."""
    with written_whole(path) as (part,), part.open("wb") as file:
        np.savez_compressed(
            file,
            grey=cut.grey,
            valid=cut.valid,
            colour=np.zeros((0, 0, 3), np.uint8) if cut.colour is None else cut.colour,
            pixel_um=np.nan if cut.pixel_um is None else cut.pixel_um,
            place=cut.place,
        )


def read_cut(path: str | Path) -> Cut:
    """Read what `write_cut` wrote."""
    with np.load(path) as arrays:
        pixel_um = float(arrays["pixel_um"])
        return Cut(
            grey=arrays["grey"],
            valid=arrays["valid"],
            colour=arrays["colour"] if arrays["colour"].size else None,
            pixel_um=None if np.isnan(pixel_um) else pixel_um,
            place=tuple(map(int, arrays["place"])),
        )
