"""ROI sets of ImageJ and Fiji: the box round each site, by its name, in the colour of its class.

ImageJ counts edges of boxes from the corner of the upper left pixel. Edges are written with
decimals, too, as whole numbers end at 65535 there.
"""

import io
import zipfile
from collections.abc import Sequence

from roifile import ROI_OPTIONS, ROI_TYPE, ImagejRoi

from damascene.classes import CLASSES
from damascene.exchange.sites import Site
from damascene.files import add_to_archive

_OPAQUE = b"\xff"
_COLOURS = {each.name: _OPAQUE + bytes.fromhex(each.colour.removeprefix("#")) for each in CLASSES}


def imagej_set(sites: Sequence[Site]) -> bytes:
    """Return sites as a ZIP archive that the ROI manager opens."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for site in sites:
            # The ROI manager shows the names of the files.
            add_to_archive(archive, f"{site.name}.roi", _roi(site).tobytes())
    return content.getvalue()


def _roi(site):
    left, top, width, height = site.box
    said = {"class": site.site_class, "said_by": site.said_by, "site_id": site.site_id}
    return ImagejRoi(
        roitype=ROI_TYPE.RECT,
        options=ROI_OPTIONS.SUB_PIXEL_RESOLUTION,
        name=site.name,
        props="".join(f"{key}: {value}\n" for key, value in said.items()),
        left=left,
        top=top,
        right=left + width,
        bottom=top + height,
        xd=left,
        yd=top,
        widthd=width,
        heightd=height,
        stroke_color=_COLOURS[site.site_class],
    )
