"""Which page of a TIFF holds the image that is meant."""

import contextlib
import math
from pathlib import Path

import tifffile

from damascene import InputError
from damascene.images.pixel_sizes import stated_size
from damascene.images.tiff_sizes import ome_image, page_statements

_PAGE_NAME = 285
# What programs write there of the numbers of planes.
_NO_NAMES = ("{", "ImageJ=")
_LISTED_PAGES, _LISTED_NAME = 12, 40
_CORRECT = "Fill in or correct the column page of the sample sheet."


def open_tiff(path: str | Path) -> tifffile.TiffFile:
    """Open a TIFF as what it is by itself, not as a part of a set of files that its OME-XML tells.

    Returns
    -------
    tifffile.TiffFile
        To be closed by the caller.
    """
    return tifffile.TiffFile(path, is_ome=False)


def image_page(
    tiff: tifffile.TiffFile, path: str | Path, *, page: int | None = None
) -> tifffile.TiffPage:
    """Return the page of a TIFF with the image that is meant, at full size.

    Levels of a pyramid, and reduced images as the file calls them, do not count as images, unless
    there is nothing else. Images of any other size do: which of them is meant is for the user to
    say.

    Raises
    ------
    InputError
        If there are several images and no page is chosen, or no such page; the message lists them.
    """
    path = Path(path)
    if page is not None and not 1 <= page <= len(tiff.pages):
        raise InputError(f"{path} has no page {page}: it has {len(tiff.pages)}. {_CORRECT}")
    pages = [tiff.pages.get(index, aspage=True) for index in range(len(tiff.pages))]
    masks = [one for one in pages if one.is_mask]
    images = [one for one in pages if not one.is_mask]
    images = [one for one in images if not one.is_reduced] or images
    if masks and images:
        raise InputError(
            f"{path} has a mask of transparent pixels on page {masks[0].index + 1}, which cannot "
            "be read. Save the image with an alpha channel instead, or without the mask."
        )
    if page is not None:
        return _full_size(pages[page - 1], path)
    if len(images) == 1 and len(pages) == 1 and (planes := _planes(tiff)) > 1:
        raise InputError(
            f"{path} holds {planes} planes in one page. Save the plane to be analysed as a file "
            "of its own and name that file."
        )
    if len(images) == 1:
        return _full_size(images[0], path)
    listed = "; ".join(_described(tiff, one, path) for one in images[:_LISTED_PAGES])
    more = f"; and {len(images) - _LISTED_PAGES} more" if len(images) > _LISTED_PAGES else ""
    raise InputError(f"{path} holds {len(images)} images: {listed}{more}. {_CORRECT}")


def _full_size(page, path):
    """Return the page unless it is the thumbnail of an image that lies behind it."""
    behind = max((one.imagewidth for one in page.pages or ()), default=0)
    if behind > page.imagewidth:
        raise InputError(
            f"{path}: page {page.index + 1} is a small copy, {page.imagewidth} px wide, of an "
            f"image of {behind} px that lies within it (SubIFD). Save that image as a page of its "
            "own."
        )
    return page


def _planes(tiff):
    """Return how many planes lie behind a single page, as ImageJ and others write them."""
    page = tiff.pages.first
    # What programs write of planes may be broken in as many ways as they are, or be that of another
    # file; the page is not. Planes without a page of their own lie one behind the other.
    planes = 1
    with contextlib.suppress(Exception):
        planes = sum(max(math.prod(one.shape) // one.keyframe.size, 1) for one in tiff.series)
    room = tiff.filehandle.size - page.dataoffsets[0] >= planes * page.nbytes
    return planes if room and page.is_contiguous and not page.pages else 1


def _described(tiff, page, path):
    image = ome_image(tiff, page, path)
    name = (image and image.name) or page.tags.valueof(_PAGE_NAME)
    if not name and not image and not page.description.startswith(_NO_NAMES):
        name = page.description.strip().split("\n")[0]
    size = stated_size(page_statements(tiff, page, path), width_px=page.imagewidth)
    return (
        f"page {page.index + 1}: {page.imagewidth} x {page.imagelength} px"
        + (f", {size.nm:g} nm" if size.nm else "")
        + (f", '{str(name)[:_LISTED_NAME]}'" if name else "")
    )
