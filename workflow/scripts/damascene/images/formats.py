"""Parse the headers of TIFF, PNG and JPEG files, without decoding pixels."""

import mmap
import struct
from dataclasses import replace
from pathlib import Path

from damascene import InputError
from damascene.images.image_header import ImageHeader, described_by, truncated
from damascene.images.microscopes.side_files import read_side_file
from damascene.images.orientation import (
    SWAPPED,
    agreed_orientation,
    exif_orientation,
    xmp_orientation,
)
from damascene.images.stated_depth import stated_in_png
from damascene.images.tiff_format import tiff_header

_PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_TIFF_SIGNATURES = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
_PNG_SAMPLES = {0: 1, 2: 3, 3: 3, 4: 2, 6: 4}
# Markers that carry the size of a JPEG image: all starts of frame, without the Huffman table
# (C4), the extension (C8) and the arithmetic coding table (CC) that lie between them.
_JPEG_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_JPEG_CHECKED = (0xC0, 0xC1, 0xC2)
_JPEG_APP1 = 0xE1
_EXIF, _XMP = b"Exif\0\0", b"http://ns.adobe.com/xap/1.0/\0"
_JPEG_TAIL_BYTES = 4096


def parse_header(path: str | Path, *, page: int | None = None) -> ImageHeader:
    """Parse the header of a TIFF, PNG or JPEG file.

    The type is taken from the first bytes, not from the name of the file. A data bar is known only
    where the header tells of it. A text file that the microscope wrote beside the image counts as
    part of its header.

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
        header = tiff_header(path, page=page)
    elif start == _PNG_SIGNATURE:
        header = _png_header(path)
    elif start[:3] == b"\xff\xd8\xff":
        header = _jpeg_header(path)
    else:
        raise InputError(
            f"{path} is neither TIFF, PNG nor JPEG. Save the image as one of them, without loss; a "
            "grid file or a list of frames is tab-separated text with a name in .tsv."
        )
    if page is not None and page != 1 and header.kind != "TIFF":
        raise InputError(f"{path} is {header.kind} and has no page {page}. Leave the cell empty.")
    if header.width_px < 1 or header.height_px < 1:
        raise InputError(
            f"{path} contains an image without pixels. Save it again from the program that made it."
        )
    return _with_side_file(header)


def _with_side_file(header):
    width_px, height_px = header.stored_px
    found = read_side_file(header.path, width_px=width_px, height_px=height_px)
    if found is None:
        return header
    path, vendor = found
    size = (vendor.size,) if vendor.size else ()
    header = replace(header, side_file=path, statements=header.statements + size)
    return described_by(header, [vendor])


def _png_header(path):
    size = path.stat().st_size
    with path.open("rb") as file:
        position = len(_PNG_SIGNATURE)
        header, transparent, depth = None, False, None
        exif, xmp = [], []
        name = b""
        while name != b"IEND":
            file.seek(position)
            start = file.read(8)
            if len(start) < 8:
                raise truncated(path, "its end marker is missing")
            length, name = struct.unpack(">I4s", start)
            if name == b"IHDR":
                header = file.read(13)
            elif name == b"eXIf":
                exif.append(exif_orientation(file.read(length)))
            elif name == b"iTXt":
                # XMP is stored as it is; compressed text is something else.
                xmp.append(xmp_orientation(file.read(length)))
            elif name == b"sBIT":
                depth = stated_in_png(file.read(min(length, 4)))
            # One colour, or entries of the colour table, are transparent.
            transparent = transparent or name == b"tRNS"
            position += 12 + length
            if position > size:
                raise truncated(path, f"it ends after {size} bytes, within a block of data")
    if header is None or len(header) < 13:
        raise InputError(f"{path} has no PNG header. Save it again as PNG or TIFF.")
    width, height, bits, colour = struct.unpack(">IIBB", header[:10])
    samples = _PNG_SAMPLES[colour]
    orientation = agreed_orientation(path, header=exif, xmp=xmp)
    alpha = transparent or samples in (2, 4)
    return ImageHeader(
        path=path,
        kind="PNG",
        width_px=height if orientation in SWAPPED else width,
        height_px=width if orientation in SWAPPED else height,
        samples=samples + (alpha and samples in (1, 3)),
        orientation=orientation,
        alpha="unassociated" if alpha else None,
        bit_depth=depth,
        bit_depth_source=depth and "header",
        # Fewer bits are spread over eight when decoded.
        bits=max(bits, 8),
    )


def _jpeg_header(path):
    frame, exif, xmp = None, [], []
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
                if marker not in _JPEG_CHECKED:
                    raise InputError(
                        f"{path} is a JPEG of a rare kind (lossless or arithmetic), in which "
                        "damage cannot be found. Save it as PNG or TIFF."
                    )
                frame = file.read(6)
            elif marker == _JPEG_APP1:
                content = file.read(length - 2)
                if content.startswith(_EXIF):
                    exif.append(exif_orientation(content.removeprefix(_EXIF)))
                elif content.startswith(_XMP):
                    xmp.append(xmp_orientation(content))
            position += 2 + length
            if marker == 0xDA:
                break
        orientation = agreed_orientation(path, header=exif, xmp=xmp)
        # Inside the image data FF is always followed by 00, a restart marker or the next scan.
        # Behind its end may lie whatever a camera or a program put there, mostly little.
        file.seek(max(position, file.seek(0, 2) - _JPEG_TAIL_BYTES))
        if b"\xff\xd9" in file.read():
            return _jpeg_from(path, frame, orientation)
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
            if content.find(b"\xff\xd9", position) < 0:
                raise truncated(path, "its end marker is missing")
    return _jpeg_from(path, frame, orientation)


def _jpeg_from(path, frame, orientation):
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
        width_px=height if orientation in SWAPPED else width,
        height_px=width if orientation in SWAPPED else height,
        samples=samples,
        bits=8,
        orientation=orientation,
    )
