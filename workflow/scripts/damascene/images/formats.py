"""Parse the headers of TIFF, PNG and JPEG files, without decoding pixels."""

import contextlib
import math
import struct
import xml.etree.ElementTree as ElementTree
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import tifffile

from damascene import InputError
from damascene.images.tiff_pages import image_page
from damascene.images.vendor import NM, NOTHING_STATED, Acquisition, read_vendor_header

_PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_TIFF_SIGNATURES = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
_PNG_SAMPLES = {0: 1, 2: 3, 3: 3, 4: 2, 6: 4}
# Markers that carry the size of a JPEG image: all starts of frame, without the Huffman table
# (C4), the extension (C8) and the arithmetic coding table (CC) that lie between them.
_JPEG_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
# Some cameras write a few bytes behind the end marker.
_JPEG_TAIL_BYTES = 4096
# Resolution tags are first of all meant for printers: 300 dpi are 85 µm and 1200 dpi 21 µm.
_LARGEST_PIXEL_NM = 10_000
_SQUARE_WITHIN = 0.01
#: Share of the height of an image that a data bar takes up at most.
LARGEST_DATA_BAR = 0.25


@dataclass(frozen=True, kw_only=True)
class ImageHeader:
    """What the header of an image file says.

    `height_px` is the height of the picture, without the `data_bar_px` rows stored below it, which
    a microscope wrote its data into; `data_bar_source` is who says how many, "header", "pixels"
    or "sheet", and None if nobody tells of any. `samples` counts values a pixel: 1 grey, 2 grey
    with alpha, 3 colour, 4 colour with alpha. `bits` is 8 or 16. `pixel_size_nm` is None where the
    header names no usable one. `page` counts from 1; it is None where the file holds a single
    image. `in_parts`: rows can be decoded without decoding the whole image.
    """

    path: Path
    kind: str
    width_px: int
    height_px: int
    samples: int
    bits: int
    pixel_size_nm: float | None = None
    page: int | None = None
    acquisition: Acquisition = NOTHING_STATED
    data_bar_px: int = 0
    data_bar_source: str | None = None
    in_parts: bool = False


def parse_header(path: str | Path, *, page: int | None = None) -> ImageHeader:
    """Parse the header of a TIFF, PNG or JPEG file.

    The type is taken from the first bytes, not from the name of the file. A data bar is known only
    where the header tells of it.

    Parameters
    ----------
    path : path of the image
    page : int, optional
        Page of a TIFF, from 1; needed if it holds several images.

    Raises
    ------
    InputError
        If the file is missing, cannot be read, is truncated, is of another type, holds several
        images and no page is chosen, or has pixels that are neither 8-bit nor 16-bit grey or RGB.
    """
    path = Path(path)
    if not path.exists():
        raise InputError(f"{path} does not exist. Correct its path or put the file there.")
    if not path.is_file():
        raise InputError(f"{path} is not a file. Name an image or a grid file (.tsv).")
    try:
        with path.open("rb") as file:
            start = file.read(8)
    except OSError as error:
        raise InputError(f"{path} cannot be opened: {error.strerror}.") from error
    if not start:
        raise InputError(f"{path} is empty. Copy it again from its source.")
    if start[:4] in _TIFF_SIGNATURES:
        header = _tiff_header(path, page)
    elif start == _PNG_SIGNATURE:
        header = _png_header(path)
    elif start[:3] == b"\xff\xd8\xff":
        header = _jpeg_header(path)
    else:
        raise InputError(
            f"{path} is neither TIFF, PNG nor JPEG. Save the image as one of them, without loss."
        )
    if page is not None and page != 1 and header.kind != "TIFF":
        raise InputError(f"{path} is {header.kind} and has no page {page}. Leave the cell empty.")
    if header.width_px < 1 or header.height_px < 1:
        raise InputError(
            f"{path} contains an image without pixels. Save it again from the program that made it."
        )
    return header


def truncated(path: str | Path, detail: str) -> InputError:
    """Return the error for a file that ends before its image does."""
    return InputError(f"{path} is truncated ({detail}). Copy the file again from its source.")


def _png_header(path):
    size = path.stat().st_size
    with path.open("rb") as file:
        position = len(_PNG_SIGNATURE)
        header = None
        name = b""
        while name != b"IEND":
            file.seek(position)
            start = file.read(8)
            if len(start) < 8:
                raise truncated(path, "its end marker is missing")
            length, name = struct.unpack(">I4s", start)
            if name == b"IHDR":
                header = file.read(13)
            position += 12 + length
            if position > size:
                raise truncated(path, f"it ends after {size} bytes, within a block of data")
    if header is None or len(header) < 13:
        raise InputError(f"{path} has no PNG header. Save it again as PNG or TIFF.")
    width, height, bits, colour = struct.unpack(">IIBB", header[:10])
    return ImageHeader(
        path=path,
        kind="PNG",
        width_px=width,
        height_px=height,
        samples=_PNG_SAMPLES[colour],
        # Fewer bits are spread over eight when decoded.
        bits=max(bits, 8),
    )


def _jpeg_header(path):
    frame = None
    with path.open("rb") as file:
        position = 2
        while True:
            file.seek(position)
            start = file.read(4)
            if len(start) < 4 or start[0] != 0xFF:
                raise truncated(path, "the image data are missing")
            marker, length = start[1], int.from_bytes(start[2:], "big")
            if marker == 0xFF:  # a fill byte
                position += 1
                continue
            if marker in _JPEG_FRAMES:
                frame = file.read(6)
            position += 2 + length
            if marker == 0xDA:
                break
        end = file.seek(0, 2)
        # Inside the image data FF is always followed by 00 or a restart marker.
        file.seek(max(position, end - _JPEG_TAIL_BYTES))
        if b"\xff\xd9" not in file.read():
            raise truncated(path, "its end marker is missing")
    if frame is None or len(frame) < 6:
        raise InputError(f"{path} has no JPEG frame header. Save it again as PNG or TIFF.")
    bits, height, width, samples = struct.unpack(">BHHB", frame)
    if bits != 8 or samples not in (1, 3):
        raise InputError(
            f"{path} has {samples} channels of {bits} bits. Save it as 8-bit grey PNG or TIFF."
        )
    return ImageHeader(
        path=path,
        kind="JPEG",
        width_px=width,
        height_px=height,
        samples=samples,
        bits=8,
    )


def _tiff_header(path, number):
    try:
        with tifffile.TiffFile(path) as tiff:
            if not tiff.pages:
                raise ValueError("no image")
            page = image_page(tiff, path, page=number)
            _check_segments(page, path)
            _check_pixels(page, path)
            vendor = read_vendor_header(page) or read_vendor_header(tiff.pages.first)
            bar = vendor and vendor.data_bar_px
            # A statement that most of the image is a data bar is wrong.
            if bar is not None and bar > LARGEST_DATA_BAR * page.imagelength:
                bar = None
            return ImageHeader(
                path=path,
                kind="TIFF",
                width_px=page.imagewidth,
                height_px=page.imagelength - (bar or 0),
                samples=3 if page.colormap is not None else page.samplesperpixel,
                bits=page.dtype.itemsize * 8,
                pixel_size_nm=_tiff_pixel_size_nm(tiff, page, vendor, path),
                page=number,
                acquisition=vendor.acquisition if vendor else NOTHING_STATED,
                data_bar_px=bar or 0,
                data_bar_source=None if bar is None else "header",
                in_parts=page.is_memmappable or len(page.dataoffsets) > page.samplesperpixel,
            )
    except InputError:
        raise
    # A broken header makes tifffile fail in many ways, from struct.error to ZeroDivisionError.
    except Exception as error:
        raise InputError(
            f"{path} cannot be read as TIFF; it is truncated or damaged ({error}). "
            "Copy the file again from its source."
        ) from error


def _check_segments(page, path):
    offsets, counts = page.dataoffsets, page.databytecounts
    expected = math.prod(page.chunked)
    if len(offsets) < expected or len(counts) < expected or 0 in counts[:expected]:
        raise InputError(
            f"{path} is incomplete: parts of its image were never written. "
            "Save it again from the program that made it."
        )
    end = max(offset + count for offset, count in zip(offsets, counts, strict=True))
    size = path.stat().st_size
    if end > size:
        raise truncated(path, f"its image data end at byte {end}, the file at byte {size}")


def _check_pixels(page, path):
    if page.imagedepth != 1:
        raise InputError(f"{path} is a volume. Save the plane to be analysed as a 2-D image.")
    if page.dtype not in (np.uint8, np.uint16):
        raise InputError(
            f"{path} has pixels of type {page.dtype}. Save it as 8-bit or 16-bit grey TIFF."
        )
    if page.samplesperpixel > 4 or page.photometric.name not in (
        "MINISBLACK",
        "MINISWHITE",
        "RGB",
        "PALETTE",
        "YCBCR",
    ):
        raise InputError(
            f"{path} has {page.samplesperpixel} channels ({page.photometric.name}). "
            "Save it as 8-bit or 16-bit grey TIFF."
        )


def _tiff_pixel_size_nm(tiff, page, vendor, path):
    """Return the first pixel size that the header states, the most explicit source first."""
    stated = [vendor.pixel_size_nm] if vendor and vendor.pixel_size_nm else []
    for source in (_from_ome, _from_imagej, _from_resolution):
        # Entries may be missing, or hold texts where numbers should be.
        with contextlib.suppress(KeyError, TypeError, ValueError, ZeroDivisionError):
            size = source(tiff, page)
            stated.insert(0 if source is _from_ome else len(stated), size)
    for width, height in stated:
        if not (0 < width < math.inf and 0 < height < math.inf):
            continue
        if abs(width - height) > _SQUARE_WITHIN * width:
            raise InputError(
                f"{path}: the header states pixels of {width:g} nm x {height:g} nm. "
                "Resample the image to square pixels, or remove the entry if it is wrong."
            )
        return width
    return None


def _from_ome(tiff, page):
    if not tiff.is_ome:
        raise KeyError("OME")
    pixels = ElementTree.fromstring(tiff.ome_metadata).find(".//{*}Pixels")
    width = float(pixels.attrib["PhysicalSizeX"]) * NM[pixels.get("PhysicalSizeXUnit", "µm")]
    height = pixels.get("PhysicalSizeY")
    if height is None:
        return width, width
    return width, float(height) * NM[pixels.get("PhysicalSizeYUnit", "µm")]


def _from_imagej(tiff, page):
    unit = NM[str((tiff.imagej_metadata or {})["unit"])]
    return unit / _resolution(page, "XResolution"), unit / _resolution(page, "YResolution")


def _from_resolution(tiff, page):
    # In inches it is a printing size, which says nothing about the specimen.
    if page.tags["ResolutionUnit"].value != tifffile.RESUNIT.CENTIMETER:
        raise ValueError("not in centimetres")
    size = 1e7 / _resolution(page, "XResolution"), 1e7 / _resolution(page, "YResolution")
    if max(size) > _LARGEST_PIXEL_NM:
        raise ValueError("a printing size")
    return size


def _resolution(page, name):
    numerator, denominator = page.tags[name].value
    return numerator / denominator
