"""What a page of a TIFF states of its pixel size, by whom."""

import contextlib
import math
from dataclasses import replace
from pathlib import Path

import tifffile

from damascene.images.microscopes import read_vendor_headers
from damascene.images.microscopes.common import NM, VendorHeader
from damascene.images.ome import OmeImage, is_ome, ome_images, unusable
from damascene.images.pixel_sizes import Statement

# What is meant for printers: 300 dpi are 85 µm and 1200 dpi 21 µm.
_LARGEST_PIXEL_NM = 10_000


def page_statements(
    tiff: tifffile.TiffFile, page: tifffile.TiffPage, path: Path
) -> list[Statement]:
    """Return all statements of the pixel size of a page, the most explicit first."""
    statements = []
    image = ome_image(tiff, page, path)
    if image is not None:
        statements.append(image.size)
    own = read_vendor_headers(page)
    statements += [one.size for one in own if one.size is not None]
    if not own:
        statements += [_of_first(one) for one in vendor_headers(tiff, page) if one.size is not None]
    for source in (_of_imagej, _of_resolution):
        # Entries may be missing, or hold texts where numbers should be.
        with contextlib.suppress(KeyError, TypeError, ValueError, ZeroDivisionError):
            statements.append(source(tiff, page))
    return statements


def ome_image(tiff: tifffile.TiffFile, page: tifffile.TiffPage, path: Path) -> OmeImage | None:
    """Return what the OME-XML of a file says of a page, None if it says nothing."""
    description = tiff.pages.first.description
    if not is_ome(description):
        return None
    images = ome_images(description, path=path, pages=len(tiff.pages))
    return images.get(page.index) or unusable(f"its OME-XML does not tell of page {page.index + 1}")


def vendor_headers(tiff: tifffile.TiffFile, page: tifffile.TiffPage) -> list[VendorHeader]:
    """Return the headers of the microscope: those of the page, or of the first if they fit."""
    own, first = read_vendor_headers(page), tiff.pages.first
    return own or (read_vendor_headers(first) if _alike(page, first) else [])


def _of_first(vendor):
    """Return what is written on the first page only: others may have another magnification."""
    stated = vendor.size
    if stated.size_nm is None:
        return stated
    doubt = f"{stated.origin} states {stated.size_nm[0]:g} nm on page 1 only"
    return replace(stated, size_nm=None, doubt=doubt)


def _alike(page, first):
    """Say whether what is written on the first page can hold for a page, too."""
    sizes = [(one.imagewidth, one.imagelength) for one in (page, first)]
    return sizes[0] == sizes[1]


def _of_imagej(tiff, page):
    first = tiff.pages.first
    tagged = page if "XResolution" in page.tags else first
    if not _alike(tagged, page):
        raise ValueError("another image")
    stated = tiff.imagej_metadata or {}
    # Only where it differs, ImageJ writes the unit of the height.
    units = {"X": stated["unit"], "Y": stated.get("yunit", stated["unit"])}
    sizes = (NM[str(unit)] / _resolution(tagged, axis) for axis, unit in units.items())
    return _printable("ImageJ", *sizes)


def _of_resolution(tiff, page):
    # In inches it is a printing size, which says nothing about the specimen.
    if page.tags["ResolutionUnit"].value != tifffile.RESUNIT.CENTIMETER:
        raise ValueError("not in centimetres")
    sizes = (1e7 / _resolution(page, axis) for axis in "XY")
    return _printable("the resolution of the TIFF", *sizes)


def _printable(origin, width, height):
    if not max(width, height) <= _LARGEST_PIXEL_NM:
        raise ValueError("a printing size")
    return Statement(origin=origin, size_nm=(width, height))


def _resolution(page, axis):
    numerator, denominator = page.tags[f"{axis}Resolution"].value
    number = numerator / denominator
    if not 0 < number < math.inf:
        raise ValueError("no number")
    return number
