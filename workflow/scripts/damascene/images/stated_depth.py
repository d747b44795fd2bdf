"""The bit depth of grey values as the header of an image file states it.

A statement of 16 bits in a file of 16 bits is not one: programs write it without knowing.
"""

import contextlib
from pathlib import Path

import tifffile

from damascene.images.tiff_sizes import ome_image

# MaxSampleValue and SMaxSampleValue: some programs write the full scale, others the largest value.
_LARGEST_VALUE = (281, 341)


def stated_in_tiff(tiff: tifffile.TiffFile, page: tifffile.TiffPage, path: Path) -> int | None:
    """Return the bit depth that a TIFF states for a page of 16 bits, None if it states none.

    Read are the bits of a sample, OME's `SignificantBits`, and tags for the largest value where
    that is the full scale of a bit depth.
    """
    if page.dtype is None or page.dtype.itemsize != 2:
        return None
    image = ome_image(tiff, page, path)
    stated = [
        _sample_bits(page),
        image and image.bits,
        *map(_bits_of_full_scale, _largest(page)),
    ]
    return next((bits for bits in stated if bits and 8 < bits < 16), None)


def stated_in_png(significant: bytes) -> int | None:
    """Return the bit depth that the content of PNG's chunk sBIT states for an image of 16 bits."""
    bits = max(significant, default=0)
    return bits if 8 < bits < 16 else None


def _sample_bits(page):
    bits = page.bitspersample
    return bits if isinstance(bits, int) else None


def _largest(page):
    for code in _LARGEST_VALUE:
        value = page.tags.valueof(code)
        yield from value if isinstance(value, tuple) else (value,)


def _bits_of_full_scale(value):
    with contextlib.suppress(TypeError, ValueError, OverflowError):
        bits = (int(value) + 1).bit_length() - 1
        return bits if int(value) == value == 2**bits - 1 else None
    return None
