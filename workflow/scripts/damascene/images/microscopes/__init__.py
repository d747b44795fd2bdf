"""What microscopes write about an image, in tags of TIFF or beside it: a module for each maker."""

import tifffile

from damascene.images.microscopes import fei, fibics, olympus, tescan, zeiss
from damascene.images.microscopes.common import VendorHeader

#: What reads a tag, by its code.
_TAGS = {
    34118: zeiss.parse_zeiss,
    34680: fei.parse_fei,
    34682: fei.parse_fei,
    50431: tescan.parse_tescan,
    51023: fibics.parse_fibics,
    33560: olympus.parse_olympus,
}


def read_vendor_headers(page: tifffile.TiffPage) -> list[VendorHeader]:
    """Read all headers that microscopes and their programs left in a page of a TIFF."""
    return [
        parse(value, width_px=page.imagewidth, height_px=page.imagelength)
        for tag, parse in _TAGS.items()
        if (value := page.tags.valueof(tag))
    ]
