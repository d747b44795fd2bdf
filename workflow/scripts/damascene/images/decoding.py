"""Decode image files strip by strip, and turn what they hold into grey values."""

import math
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import imagecodecs
import numpy as np
import tifffile

from damascene import InputError
from damascene.images.image_header import ImageHeader
from damascene.images.jpeg_data import JPEG_IN_TIFF, require_whole_jpeg
from damascene.images.orientation import ROWS_STAY, SWAPPED, turned
from damascene.images.tiff_pages import image_page, open_tiff

# High enough to be quick, low enough that the intermediate values of a colour strip stay small.
STRIP_ROWS = 128
_LARGEST_8_BIT = 255


class Strip(NamedTuple):
    """Consecutive rows of a picture.

    `grey` has the shape (rows, width) and is uint8 or uint16, 0 outside the picture. `coloured`
    counts pixels whose three channels differ. `covered`, bool, tells where the picture is, None for
    everywhere.
    """

    grey: np.ndarray
    coloured: int
    covered: np.ndarray | None


def grey_strips(header: ImageHeader, *, threads: int = 1) -> Iterator[Strip]:
    """Decode the picture of a file from top to bottom, without the data bar below it.

    As `grey_rows`, for the rows 0 to `header.height_px`.
    """
    return grey_rows(header, bottom=header.height_px, threads=threads)


def colours_of(header: ImageHeader) -> np.ndarray | None:
    """Decode the colours of a picture as it is to be shown, None where it has none.

    Memory holds the whole picture.

    Parameters
    ----------
    header : ImageHeader

    Returns
    -------
    numpy.ndarray or None
        uint8 or uint16, shape (height, width, 3): red, green, blue. Where `grey_strips` could
        decode the picture, so can this.
    """
    bands = _shown_bands(header, 0, header.height_px + header.data_bar_px, 1)
    pixels = np.concatenate([band for _, band, _ in bands])[: header.height_px]
    if pixels.ndim != 3 or pixels.shape[2] != 3:
        return None
    differs = (pixels != pixels[..., :1]).any()
    return pixels if differs else None


def grey_rows(
    header: ImageHeader, *, top: int = 0, bottom: int | None = None, threads: int = 1
) -> Iterator[Strip]:
    """Decode rows of an image as grey values of its own bit depth.

    TIFF is read by strips or rows of tiles; PNG, JPEG, and images that their orientation turns are
    decoded whole. Colour becomes the luminance of ITU-R BT.601, which leaves pixels with three
    equal channels as they are; colour tables are applied; "white is zero" is inverted, and so is
    what the sample sheet says to invert; fewer than 8 bits are spread over 8. Pixels whose alpha
    is below a half, and parts of a TIFF that were never written, are not part of the picture.

    Parameters
    ----------
    header : ImageHeader
    top, bottom : int, optional
        First row and the row after the last; all rows that are stored, a data bar included, if
        not given.
    threads : int, optional
        Segments of a TIFF decoded at the same time.

    Yields
    ------
    Strip
        Of at most 128 rows.

    Raises
    ------
    InputError
        If the pixels cannot be decoded, or an alpha channel has another full scale than its image.
    """
    stored_px = header.height_px + header.data_bar_px
    bottom = stored_px if bottom is None else bottom
    try:
        # Bands are whole segments: the first may begin above the rows that are asked for.
        for first, band, covered in _shown_bands(header, top, bottom, threads):
            if band.shape[1] != header.width_px:
                raise ValueError(f"{band.shape[1]} columns instead of {header.width_px}")
            if first + len(band) > stored_px:
                raise ValueError(f"{first + len(band)} rows instead of {stored_px}")
            for start in range(max(top - first, 0), max(bottom - first, 0), STRIP_ROWS):
                rows = slice(start, min(start + STRIP_ROWS, bottom - first))
                if len(band[rows]):
                    shown = None if covered is None else covered[rows]
                    yield _strip(band[rows], shown, header)
        if first + len(band) < bottom:
            raise ValueError(f"{first + len(band)} rows instead of {stored_px}")
    except InputError:
        raise
    # A decoder fails on damaged data in its own ways: zlib.error, PngError, struct.error, ...
    except Exception as error:
        raise InputError(
            f"{header.path} is damaged, its pixels cannot be decoded ({error}). "
            "Copy the file again from its source."
        ) from error


def _shown_bands(header, top, bottom, threads):
    """Yield bands of the picture as it is to be shown: first row, pixels, where the picture is."""
    decode = _tiff_bands if header.kind == "TIFF" else _whole
    if header.orientation in ROWS_STAY:
        for first, band, covered in decode(header, top, bottom, threads):
            yield first, *(_turned(part, header.orientation) for part in (band, covered))
        return
    stored_px = header.height_px + header.data_bar_px
    rows = header.width_px if header.orientation in SWAPPED else stored_px
    _, bands, covers = zip(*decode(header, 0, rows, threads), strict=True)
    covered = None
    if any(cover is not None for cover in covers):
        pairs = zip(bands, covers, strict=True)
        covered = np.concatenate(
            [np.ones(band.shape[:2], bool) if cover is None else cover for band, cover in pairs]
        )
    yield 0, *(_turned(part, header.orientation) for part in (np.concatenate(bands), covered))


def _turned(pixels, orientation):
    return None if pixels is None else turned(pixels, orientation)


def _whole(header, top, bottom, threads):
    encoded = header.path.read_bytes()
    if header.kind == "JPEG":
        require_whole_jpeg(encoded)
        pixels = imagecodecs.jpeg8_decode(encoded)
    else:
        pixels = imagecodecs.png_decode(encoded)
    full = np.iinfo(pixels.dtype).max
    if header.alpha:
        _require_scale(int(pixels[..., -1].max()), header, full=full)
    yield 0, *_without_alpha(pixels, header.alpha, full=full)


def _without_alpha(pixels, alpha, *, full):
    """Return the colours of pixels (rows, width, channels), and which of them are picture."""
    if alpha is None:
        return pixels, None
    colours, opacity = pixels[..., :-1], pixels[..., -1]
    # Programs that rotate or blend leave half transparent pixels at the edge of a picture.
    covered = opacity >= (full + 1) // 2
    if alpha == "associated" and (partly := covered & (opacity < full)).any():
        colours = colours.copy()
        weighted = colours[partly].astype(np.uint32) * full / opacity[partly][:, None]
        colours[partly] = np.rint(weighted.clip(0, full))
    return colours, covered


def _require_scale(most_opaque, header, *, full):
    """Refuse an image in which something is visible a bit, but nothing by a half."""
    if 0 < most_opaque < (full + 1) // 2:
        raise InputError(
            f"{header.path}: its alpha channel goes up to {most_opaque} only, of {full}, by which "
            "all of the image were transparent. Its full scale is probably another one. Save the "
            "image without an alpha channel."
        )


def _strip(pixels, covered, header):
    if pixels.ndim == 3 and pixels.shape[2] == 3:
        grey, coloured = _luminance(pixels, covered)
    else:
        grey, coloured = pixels.reshape(pixels.shape[:2]), 0
    full = np.iinfo(grey.dtype).max
    if header.inverted_by_sheet:
        grey = full - grey
    if header.inverted and header.full_scale < full:
        # Turned round within the bits of a pixel, of which the greys fill a part.
        black = full - header.full_scale
        grey = np.maximum(grey, black) - grey.dtype.type(black)
    if covered is None or covered.all():
        return Strip(grey, coloured, None)
    return Strip(np.where(covered, grey, 0).astype(grey.dtype), coloured, covered)


def _luminance(pixels, covered):
    red, green, blue = (pixels[..., channel] for channel in range(3))
    differ = (red != green) | (green != blue)
    coloured = np.count_nonzero(differ if covered is None else differ & covered)
    if not coloured:
        return red, 0
    luminance = red.astype(np.uint32) * 299
    luminance += green.astype(np.uint32) * 587
    luminance += blue.astype(np.uint32) * 114
    # The weights add up to 1,000: equal channels keep their value exactly.
    return ((luminance + 500) // 1000).astype(pixels.dtype), coloured


def _tiff_bands(header, top, bottom, threads):
    with open_tiff(header.path) as tiff:
        page = image_page(tiff, header.path, page=header.page)
        full = (1 << page.bitspersample) - 1
        most_opaque = 0
        for first, band, covered in _stored_bands(tiff, page, top, bottom, threads):
            if header.alpha:
                most_opaque = max(most_opaque, int(band[..., -1].max()))
            band, opaque = _without_alpha(band, header.alpha, full=full)
            if opaque is not None:
                covered = opaque if covered is None else covered & opaque
            yield first, _shades(band, page, full=full), covered
        # Only all of the image tells: its margins may be half transparent.
        if top == 0:
            _require_scale(most_opaque, header, full=full)


def _shades(band, page, *, full):
    """Return colours as numbers of 8 or 16 bits, 0 black."""
    if page.photometric == tifffile.PHOTOMETRIC.PALETTE:
        table = page.colormap
        # Tables have 16 bits a channel, but some programs write 8.
        table = table >> 8 if table.max() > _LARGEST_8_BIT else table
        return np.moveaxis(table, 0, -1).astype(np.uint8)[band.reshape(band.shape[:2])]
    if page.photometric == tifffile.PHOTOMETRIC.MINISWHITE:
        band = (full - band).astype(band.dtype)
    if full < _LARGEST_8_BIT:
        band = np.rint(np.arange(full + 1) * (_LARGEST_8_BIT / full)).astype(np.uint8)[band]
    return band


def _stored_bands(tiff, page, top, bottom, threads):
    """Yield rows as they are stored: first row, (rows, width, channels), where they are stored."""
    if page.is_memmappable and page.planarconfig == tifffile.PLANARCONFIG.CONTIG:
        dtype = page.dtype.newbyteorder(tiff.byteorder)
        shape = (page.imagewidth, page.samplesperpixel)
        for first in range(top, bottom, STRIP_ROWS):
            rows = min(STRIP_ROWS, bottom - first)
            # Read, not mapped: pages of a mapped file count as memory of the process.
            place = page.dataoffsets[0] + first * math.prod(shape) * dtype.itemsize
            tiff.filehandle.seek(place)
            stored = tiff.filehandle.read_array(dtype, rows * math.prod(shape))
            yield first, stored.reshape(rows, *shape).astype(page.dtype, copy=False), None
        return
    # A band is a row of tiles, or as many strips as make a good height.
    if page.is_tiled:
        step, rows = -(-page.imagewidth // page.tilewidth), page.tilelength
    else:
        # Zeiss writes the largest number there is where it means all rows.
        strip_rows = min(page.rowsperstrip, page.imagelength)
        step = max(STRIP_ROWS // strip_rows, 1)
        rows = step * strip_rows
    separate = page.planarconfig == tifffile.PLANARCONFIG.SEPARATE
    planes = page.samplesperpixel if separate else 1
    plane_segments = math.prod(page.chunked) // planes
    lock = threading.Lock()

    def segment(index):
        count = page.databytecounts[index]
        if count == 0:
            _, _, shape = page.decode(None, index)
            return np.zeros(shape[1:], _unsigned(page.dtype)), np.zeros(shape[1:3], bool)
        with lock:
            tiff.filehandle.seek(page.dataoffsets[index])
            encoded = tiff.filehandle.read(count)
        if page.compression in JPEG_IN_TIFF:
            require_whole_jpeg(encoded, tables=page.jpegtables)
        decoded, _, shape = page.decode(encoded, index, jpegtables=page.jpegtables)
        pixels = decoded[0, : shape[1], : shape[2]]
        return pixels.astype(_unsigned(page.dtype), copy=False), np.ones(pixels.shape[:2], bool)

    holes = 0 in page.databytecounts
    with ThreadPoolExecutor(max_workers=threads) as pool:
        for band in range(top // rows, -(-bottom // rows)):
            first = band * step
            indices = range(first, min(first + step, plane_segments))
            # Tiles at the right and lower borders are stored whole.
            rows_left = page.imagelength - band * rows
            parts = []
            for plane in range(planes):
                shifted = [plane * plane_segments + index for index in indices]
                segments = zip(*pool.map(segment, shifted), strict=True)
                parts.append(
                    [
                        np.concatenate(each, axis=int(page.is_tiled))[:rows_left, : page.imagewidth]
                        for each in segments
                    ]
                )
            pixels, covered = zip(*parts, strict=True)
            joined = np.concatenate(pixels, axis=2) if separate else pixels[0]
            yield band * rows, joined, np.logical_and.reduce(covered) if holes else None


def _unsigned(dtype):
    return np.uint8 if dtype.kind == "b" else dtype
