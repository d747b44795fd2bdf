"""Figures inside the page: SVG whose text stays text, with small images in it."""

import base64
import io
import re
from pathlib import Path

from PIL import Image

# Images of this many bytes and more are compressed with loss; smaller ones are marks and colours.
_LARGE_BYTES = 20_000
_JPEG_QUALITY = 82
_IMAGE = re.compile(r'(xlink:href|href)="data:image/png;base64,\s*([^"]+)"')
_HEAD = re.compile(r"^.*?(?=<svg\b)", re.S)
_STYLE = re.compile(r"<style type=\"text/css\">\s*@font-face.*?</style>", re.S)
_METADATA = re.compile(r"<metadata>.*?</metadata>", re.S)
Image.MAX_IMAGE_PIXELS = None


def inline(path: str | Path) -> str:
    """Return a figure as an element of a page of HTML.

    Names within the figure get that of its file in front, so that figures do not share any; its
    font is left out, as the page has it.
    """
    svg = _METADATA.sub("", _STYLE.sub("", _HEAD.sub("", smaller(path))))
    name = re.sub(r"[^A-Za-z0-9]", "-", Path(path).stem)
    svg = re.sub(r'\bid="([^"]+)"', rf'id="{name}-\1"', svg)
    svg = re.sub(r'(xlink:href|href)="#([^"]+)"', rf'\1="#{name}-\2"', svg)
    svg = re.sub(r"url\(#([^)]+)\)", rf"url(#{name}-\1)", svg)
    return svg.replace("<svg ", f'<svg role="img" aria-label="{name}" ', 1)


def smaller(path: str | Path) -> str:
    """Return a figure as text, its large opaque images as JPEG."""
    return _IMAGE.sub(_compressed, Path(path).read_text(encoding="utf-8"))


def _compressed(found):
    content = base64.b64decode(found[2])
    if len(content) < _LARGE_BYTES:
        return found[0]
    with Image.open(io.BytesIO(content)) as image:
        image.load()
    if "A" in image.getbands():
        if image.getchannel("A").getextrema()[0] < 255:
            return found[0]
        image = image.convert("RGB")
    red, *others = image.split()
    if all(band.tobytes() == red.tobytes() for band in others):
        image = red
    packed = io.BytesIO()
    image.save(packed, "JPEG", quality=_JPEG_QUALITY, optimize=True)
    if packed.tell() >= len(content):
        return found[0]
    return f'{found[1]}="data:image/jpeg;base64,{base64.b64encode(packed.getvalue()).decode()}"'
