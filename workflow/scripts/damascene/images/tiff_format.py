"""Parse the header of a TIFF file, without decoding pixels."""

import math
from pathlib import Path

import numpy as np
import tifffile

from damascene import InputError
from damascene.images.image_header import ImageHeader, described_by, truncated
from damascene.images.jpeg_data import JPEG_IN_TIFF
from damascene.images.orientation import (
    ROWS_STAY,
    SWAPPED,
    agreed_orientation,
    known_orientation,
    xmp_orientation,
)
from damascene.images.stated_depth import stated_in_tiff
from damascene.images.tiff_pages import image_page, open_tiff
from damascene.images.tiff_sizes import page_statements, vendor_headers

_ORIENTATION, _XMP = 274, 700
# Colours a pixel of what can be turned into grey.
_COLOURS = {"MINISBLACK": 1, "MINISWHITE": 1, "PALETTE": 1, "RGB": 3, "YCBCR": 3}
_ASSOCIATED, _UNASSOCIATED = 1, 2


def tiff_header(path: Path, *, page: int | None = None) -> ImageHeader:
    """Parse the header of one page of a TIFF; see `formats.parse_header`."""
    try:
        with open_tiff(path) as tiff:
            if not tiff.pages:
                raise ValueError("no image")
            return _header(tiff, image_page(tiff, path, page=page), path, number=page)
    except InputError:
        raise
    # A broken header makes tifffile fail in many ways, from struct.error to ZeroDivisionError.
    except Exception as error:
        raise InputError(
            f"{path} cannot be read as TIFF; it is truncated or damaged ({error}). "
            "Copy the file again from its source."
        ) from error


def _header(tiff, page, path, *, number):
    absent = _absent_segments(page, path)
    alpha = _check_pixels(page, path)
    tag, xmp = page.tags.valueof(_ORIENTATION), page.tags.valueof(_XMP)
    orientation = agreed_orientation(
        path,
        header=[known_orientation(tag)],
        xmp=[xmp_orientation(xmp if isinstance(xmp, bytes) else str(xmp).encode())],
    )
    width, height = page.imagewidth, page.imagelength
    palette = page.photometric == tifffile.PHOTOMETRIC.PALETTE
    # Beside an alpha channel, there is one value a pixel, or there are three.
    colours = 3 if palette else page.samplesperpixel - (alpha is not None)
    depth = None if palette else stated_in_tiff(tiff, page, path)
    header = ImageHeader(
        path=path,
        kind="TIFF",
        width_px=height if orientation in SWAPPED else width,
        height_px=width if orientation in SWAPPED else height,
        samples=colours + (alpha is not None),
        # Colours of a table are used with 8 bits.
        bits=8 if palette else page.dtype.itemsize * 8,
        statements=tuple(page_statements(tiff, page, path)),
        page=number,
        orientation=orientation,
        alpha=alpha,
        absent=absent,
        in_parts=orientation in ROWS_STAY and _is_in_parts(page),
        bit_depth=depth,
        bit_depth_source=depth and "header",
        # Of fewer bits, the decoder knows which value is white.
        white_is_zero=page.photometric == tifffile.PHOTOMETRIC.MINISWHITE
        and page.bitspersample == page.dtype.itemsize * 8,
    )
    return described_by(header, vendor_headers(tiff, page))


def _is_in_parts(page):
    separate = page.planarconfig == tifffile.PLANARCONFIG.SEPARATE
    planes = page.samplesperpixel if separate else 1
    return page.is_memmappable or len(page.dataoffsets) > planes


def _absent_segments(page, path):
    """Return how many strips or tiles were never written; all others must lie in the file."""
    expected = math.prod(page.chunked)
    segments = list(zip(page.dataoffsets, page.databytecounts, strict=True))[:expected]
    # Where nothing was scanned, programs for mosaics write no tile: neither a place nor bytes.
    absent = segments.count((0, 0))
    cut = any(count == 0 for offset, count in segments if offset)
    if len(segments) < expected or absent == len(segments) or cut:
        raise InputError(
            f"{path} is incomplete: parts of its image were never written. "
            "Save it again from the program that made it."
        )
    end = max(offset + count for offset, count in segments)
    size = path.stat().st_size
    if end > size:
        raise truncated(path, f"its image data end at byte {end}, the file at byte {size}")
    return absent


def _check_pixels(page, path):
    """Return how the alpha channel has changed the colours, None without one."""
    remedy = "Save it as 8-bit or 16-bit grey TIFF."
    if page.imagedepth != 1:
        raise InputError(f"{path} is a volume. Save the plane to be analysed as a 2-D image.")
    if page.dtype not in (np.bool_, np.uint8, np.uint16):
        raise InputError(
            f"{path} has pixels of type {page.dtype}, whose full scale is unknown. {remedy} Use "
            "one and the same range of values, from black to white, for all images of the study."
        )
    kind = getattr(page.photometric, "name", page.photometric)
    if kind not in _COLOURS:
        raise InputError(f"{path} has {page.samplesperpixel} channels ({kind}). {remedy}")
    try:
        compression = tifffile.COMPRESSION(page.compression).name
        _ = compression == "NONE" or tifffile.TIFF.DECOMPRESSORS[page.compression]
    except (KeyError, ValueError):
        raise InputError(
            f"{path} is compressed in a way that cannot be read ({page.compression}). "
            "Save it again with the compression LZW or Deflate, or with none."
        ) from None
    # Of the ways to store YCbCr, only decoders of JPEG turn it into RGB.
    if kind == "YCBCR" and page.compression not in JPEG_IN_TIFF:
        raise InputError(f"{path} stores colours as YCbCr without JPEG. {remedy}")
    more = page.samplesperpixel - _COLOURS[kind]
    if more == 0:
        return None
    extra = page.extrasamples[0] if page.extrasamples else 0
    # Of colours with a fourth value, viewers take that for alpha whatever it is called.
    if more == 1 and (extra in (_ASSOCIATED, _UNASSOCIATED) or kind == "RGB"):
        return "associated" if extra == _ASSOCIATED else "unassociated"
    raise InputError(
        f"{path} has {page.samplesperpixel} channels ({kind}). Save the channel to be analysed as "
        "8-bit or 16-bit grey TIFF."
    )
