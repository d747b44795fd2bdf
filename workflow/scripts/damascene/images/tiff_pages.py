"""Which page of a TIFF holds the image that is meant."""

import math
from pathlib import Path

import tifffile

from damascene import InputError

_PAGE_NAME = 285
_LISTED_PAGES, _LISTED_NAME = 12, 40
_CORRECT = "Fill in or correct the column page of the sample sheet."


def image_page(
    tiff: tifffile.TiffFile, path: str | Path, *, page: int | None = None
) -> tifffile.TiffPage:
    """Return the page of a TIFF with the image that is meant, at full size.

    Levels of a pyramid and thumbnails (at most half as wide and high as the largest image) do not
    count as images.

    Raises
    ------
    InputError
        If there are several images and no page is chosen, or no such page; the message lists them.
    """
    if page is not None:
        if not 1 <= page <= len(tiff.pages):
            raise InputError(f"{path} has no page {page}: it has {len(tiff.pages)}. {_CORRECT}")
        return tiff.pages.get(page - 1, aspage=True)
    series = [item for item in tiff.series if not item.keyframe.is_reduced]
    planes = sum(max(math.prod(item.shape) // item.keyframe.size, 1) for item in series)
    if planes == 1:
        return series[0].keyframe
    if len(tiff.pages) == 1:
        raise InputError(
            f"{path} holds {planes} planes in one page. Save the plane to be analysed as a file "
            "of its own and name that file."
        )
    pages = [tiff.pages.get(index, aspage=True) for index in range(len(tiff.pages))]
    width = max(item.imagewidth for item in pages)
    height = max(item.imagelength for item in pages)
    images = [
        item
        for item in pages
        if not item.is_reduced
        and (item.imagewidth > width // 2 + 1 or item.imagelength > height // 2 + 1)
    ]
    if len(images) == 1:
        return images[0]
    listed = "; ".join(_described(item) for item in images[:_LISTED_PAGES])
    more = f"; and {len(images) - _LISTED_PAGES} more" if len(images) > _LISTED_PAGES else ""
    raise InputError(f"{path} holds {len(images)} images: {listed}{more}. {_CORRECT}")


def _described(page):
    name = page.tags.valueof(_PAGE_NAME) or page.description.strip().split("\n")[0]
    size = f"page {page.index + 1}: {page.imagewidth} x {page.imagelength} px"
    return f"{size}, '{str(name)[:_LISTED_NAME]}'" if name else size
