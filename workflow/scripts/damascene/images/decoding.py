"""Decode image files strip by strip, and turn what they hold into grey values."""

import math
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import imagecodecs
import numpy as np
import tifffile

from damascene import InputError
from damascene.images.formats import ImageHeader
from damascene.images.tiff_pages import image_page

# High enough to be quick, low enough that the intermediate values of a colour strip stay small.
STRIP_ROWS = 128


def grey_strips(header: ImageHeader, *, threads: int = 1) -> Iterator[tuple[np.ndarray, int]]:
    """Decode the picture of a file from top to bottom, without the data bar below it.

    As `grey_rows`, for the rows 0 to `header.height_px`.
    """
    return grey_rows(header, bottom=header.height_px, threads=threads)


def grey_rows(
    header: ImageHeader, *, top: int = 0, bottom: int | None = None, threads: int = 1
) -> Iterator[tuple[np.ndarray, int]]:
    """Decode rows of an image as grey values of its own bit depth.

    TIFF is read by strips or rows of tiles, PNG and JPEG are decoded whole. Colour becomes the
    luminance of ITU-R BT.601, which leaves pixels with three equal channels as they are; an alpha
    channel is left out; colour tables are applied; "white is zero" is inverted.

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
    grey : numpy.ndarray, uint8 or uint16, shape (at most 128, width)
    coloured : int
        Pixels of the strip whose three channels differ.

    Raises
    ------
    InputError
        If the pixels cannot be decoded.
    """
    decode = _tiff_bands if header.kind == "TIFF" else _whole
    stored_px = header.height_px + header.data_bar_px
    bottom = stored_px if bottom is None else bottom
    try:
        # Bands are whole segments: the first may begin above the rows that are asked for.
        for first, band in decode(header, top, bottom, threads):
            if band.shape[1] != header.width_px:
                raise ValueError(f"{band.shape[1]} columns instead of {header.width_px}")
            if first + len(band) > stored_px:
                raise ValueError(f"{first + len(band)} rows instead of {stored_px}")
            asked = band[max(top - first, 0) : max(bottom - first, 0)]
            for start in range(0, len(asked), STRIP_ROWS):
                yield _grey(asked[start : start + STRIP_ROWS])
        if first + len(band) < bottom:
            raise ValueError(f"{first + len(band)} rows instead of {stored_px}")
    # A decoder fails on damaged data in its own ways: zlib.error, PngError, struct.error, ...
    except Exception as error:
        raise InputError(
            f"{header.path} is damaged, its pixels cannot be decoded ({error}). "
            "Copy the file again from its source."
        ) from error


def _whole(header, top, bottom, threads):
    encoded = header.path.read_bytes()
    decode = imagecodecs.png_decode if header.kind == "PNG" else imagecodecs.jpeg8_decode
    yield 0, decode(encoded)


def _grey(strip):
    if strip.ndim == 2:
        return strip, 0
    if strip.shape[2] < 3:
        return strip[..., 0], 0
    red, green, blue = (strip[..., channel] for channel in range(3))
    coloured = np.count_nonzero((red != green) | (green != blue))
    if not coloured:
        return red, 0
    luminance = red.astype(np.uint32) * 299
    luminance += green.astype(np.uint32) * 587
    luminance += blue.astype(np.uint32) * 114
    # The weights add up to 1,000: equal channels keep their value exactly.
    return ((luminance + 500) // 1000).astype(strip.dtype), coloured


def _tiff_bands(header, top, bottom, threads):
    with tifffile.TiffFile(header.path) as tiff:
        page = image_page(tiff, header.path, page=header.page)
        for first, band in _stored_bands(tiff, page, top, bottom, threads):
            if page.colormap is not None:
                # Colour tables have 16 bits a channel, of which 8-bit programs fill the upper.
                band = np.moveaxis(page.colormap >> 8, 0, -1).astype(np.uint8)[band]
            elif page.photometric == tifffile.PHOTOMETRIC.MINISWHITE:
                band = np.iinfo(band.dtype).max - band
            yield first, band


def _stored_bands(tiff, page, top, bottom, threads):
    if page.samplesperpixel > 1 and page.planarconfig == tifffile.PLANARCONFIG.SEPARATE:
        yield 0, np.moveaxis(page.asarray(), 0, -1)
        return
    if page.is_memmappable:
        dtype = page.dtype.newbyteorder(tiff.byteorder)
        row_values = math.prod(page.shape[1:])
        for first in range(top, bottom, STRIP_ROWS):
            rows = min(STRIP_ROWS, bottom - first)
            # Read, not mapped: pages of a mapped file count as memory of the process.
            tiff.filehandle.seek(page.dataoffsets[0] + first * row_values * dtype.itemsize)
            stored = tiff.filehandle.read_array(dtype, rows * row_values)
            yield first, stored.reshape(rows, *page.shape[1:]).astype(page.dtype, copy=False)
        return
    # A band is a row of tiles, or as many strips as make a good height.
    if page.is_tiled:
        step, rows = -(-page.imagewidth // page.tilewidth), page.tilelength
    else:
        # Zeiss writes the largest number there is where it means all rows.
        strip_rows = min(page.rowsperstrip, page.imagelength)
        step = max(STRIP_ROWS // strip_rows, 1)
        rows = step * strip_rows
    lock = threading.Lock()

    def segment(index):
        with lock:
            tiff.filehandle.seek(page.dataoffsets[index])
            encoded = tiff.filehandle.read(page.databytecounts[index])
        decoded, _, shape = page.decode(encoded, index, jpegtables=page.jpegtables)
        pixels = decoded[0, : shape[1], : shape[2]]
        return pixels[..., 0] if page.samplesperpixel == 1 else pixels

    with ThreadPoolExecutor(max_workers=threads) as pool:
        for band in range(top // rows, -(-bottom // rows)):
            first = band * step
            indices = range(first, min(first + step, len(page.dataoffsets)))
            segments = list(pool.map(segment, indices))
            if not page.is_tiled:
                yield band * rows, np.concatenate(segments)
                continue
            # Tiles at the right and lower borders are stored whole.
            rows_left = page.imagelength - band * rows
            yield band * rows, np.concatenate(segments, axis=1)[:rows_left, : page.imagewidth]
