"""What the OME-XML of a TIFF says of each of its pages."""

import math
import xml.etree.ElementTree as ElementTree
from dataclasses import dataclass
from pathlib import Path

from damascene.images.microscopes.common import NM
from damascene.images.pixel_sizes import Statement

_ORIGIN = "OME-XML"
_SIZES = ("SizeZ", "SizeC", "SizeT")


@dataclass(frozen=True, kw_only=True)
class OmeImage:
    """What is said of the image on a page: its name, its pixel size, and the bits of its greys."""

    name: str | None
    size: Statement
    bits: int | None = None


def is_ome(description: str) -> bool:
    """Say whether the description of a page is OME-XML, be it whole or not."""
    return "<OME" in description[:2000] or "/OME/" in description[:2000]


def ome_images(description: str, *, path: Path, pages: int) -> dict[int, OmeImage]:
    """Return what OME-XML says of the pages of a file, by their index.

    Parameters
    ----------
    description : str
        That of the first page.
    path : pathlib.Path
        The file, whose name may tell which planes of a set lie in it.
    pages : int
        Pages of the file.

    Returns
    -------
    dict of int to OmeImage
        Where the XML is broken or lies in another file, the same for all pages: a statement that
        cannot be used, and why.
    """
    try:
        root = ElementTree.fromstring(description.strip().rstrip("\0"))
    except ElementTree.ParseError as error:
        return _all(pages, unusable(f"its OME-XML is broken ({error})"))
    elsewhere = root.find("{*}BinaryOnly")
    if elsewhere is not None:
        file = elsewhere.get("MetadataFile", "another file")
        return _all(pages, unusable(f"its OME-XML is in {file}, which is not read"))
    found, following = {}, 0
    images = root.findall("{*}Image")
    for image in images:
        pixels = image.find("{*}Pixels")
        if pixels is None:
            continue
        bits = _whole(pixels.get("SignificantBits"), None)
        about = OmeImage(name=image.get("Name"), size=_size(pixels), bits=bits)
        planes = _planes(pixels)
        for first, count in _blocks(pixels, root, path, planes=planes, following=following):
            for page in range(first, min(first + count, pages)):
                found[page] = about
            following = first + count
    if not found and len(images) == 1 and pixels is not None:
        # The names of the files of a set are no longer those in the XML.
        return _all(pages, about)
    return found


def _all(pages, about):
    return dict.fromkeys(range(pages), about)


def unusable(reason: str) -> OmeImage:
    """Return an image of which nothing is known, and why."""
    statement = Statement(origin=_ORIGIN, size_nm=None, doubt=reason)
    return OmeImage(name=None, size=statement)


def _blocks(pixels, root, path, *, planes, following):
    """Yield first page and number of pages of each block of planes that lies in this file."""
    blocks = pixels.findall("{*}TiffData")
    if not blocks:
        yield following, planes
    for block in blocks:
        uuid = block.find("{*}UUID")
        if uuid is not None:
            own = root.get("UUID")
            here = uuid.text == own if own else uuid.get("FileName") in (None, path.name)
            if not here:
                continue
        first, count = block.get("IFD"), block.get("PlaneCount")
        yield _whole(first, 0), _whole(count, 1 if first else planes)


def _planes(pixels):
    planes = math.prod(_whole(pixels.get(name), 1) for name in _SIZES)
    channel = pixels.find("{*}Channel")
    samples = 1 if channel is None else _whole(channel.get("SamplesPerPixel"), 1)
    return max(planes // max(samples, 1), 1)


def _whole(text, default):
    return int(text) if text and text.isdecimal() else default


def _size(pixels):
    edges = []
    for axis in "XY":
        size = pixels.get(f"PhysicalSize{axis}") or pixels.get("PhysicalSizeX")
        unit = pixels.get(f"PhysicalSize{axis}Unit", pixels.get("PhysicalSizeXUnit", "µm"))
        if size is None:
            return Statement(origin=_ORIGIN, size_nm=None)
        if unit not in NM:
            return unusable(f"its OME-XML gives the size in the unit '{unit}'").size
        try:
            edges.append(float(size) * NM[unit])
        except ValueError:
            return unusable(f"its OME-XML gives the size '{size}'").size
    return Statement(
        origin=_ORIGIN,
        size_nm=tuple(edges),
        width_px=_whole(pixels.get("SizeX"), None),
    )
