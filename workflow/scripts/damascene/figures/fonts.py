"""The font of the figures, cut down to the characters in use, so that a file can carry it."""

import base64
import io
import logging
import re
from collections.abc import Iterable
from functools import cache
from html import unescape
from pathlib import Path

import matplotlib
from fontTools import subset
from fontTools.ttLib import TTFont

#: As SVG and CSS call it.
FAMILY = "DejaVu Sans"
_FACES = {"normal": "DejaVuSans.ttf", "bold": "DejaVuSans-Bold.ttf"}
_TEXT = re.compile(r"<(?:text|tspan)\b[^>]*>([^<]+)")


def font_face(characters: Iterable[str], *, bold: bool = True) -> str:
    """Return the rules of CSS that hold the font.

    Parameters
    ----------
    characters : iterable of str
        What is to be written with it.
    bold : bool, optional
        Whether some of it is bold.
    """
    needed = frozenset(characters)
    return "\n".join(
        f'@font-face {{ font-family: "{FAMILY}"; font-weight: {weight}; '
        f'src: url(data:font/woff;base64,{_cut(name, needed)}) format("woff"); }}'
        for weight, name in _FACES.items()
        if bold or weight == "normal"
    )


def with_font(svg: str) -> str:
    """Return an SVG with the font of its text in it, so that it looks the same everywhere."""
    characters = set("".join(map(unescape, _TEXT.findall(svg))))
    if not characters:
        return svg
    at = svg.index(">", svg.index("<svg")) + 1
    rules = font_face(characters, bold="bold" in svg)
    return f'{svg[:at]}\n <style type="text/css">{rules}</style>{svg[at:]}'


def _cut(name, characters):
    return cut_font(Path(matplotlib.get_data_path()) / "fonts/ttf" / name, characters)


@cache
def cut_font(
    path: Path, characters: frozenset[str], *, features: tuple[str, ...] = ("kern",)
) -> str:
    """Return a font with what some characters need, as WOFF in base64.

    Parameters
    ----------
    path : path of a TrueType or OpenType font
    characters : frozenset of str
    features : tuple of str, optional
        Layout features that are kept; `*` keeps all.
    """
    # Each table of a font is worth a line to it.
    logging.getLogger("fontTools").setLevel(logging.ERROR)
    options = subset.Options(layout_features=list(features), hinting=False, notdef_outline=True)
    font = TTFont(path, recalcTimestamp=False)
    cutter = subset.Subsetter(options)
    cutter.populate(text="".join(sorted(characters)))
    cutter.subset(font)
    font.flavor = "woff"
    file = io.BytesIO()
    font.save(file)
    return base64.b64encode(file.getvalue()).decode()
