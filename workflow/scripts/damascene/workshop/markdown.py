"""Text of the pages: markdown with formulas, as HTML that needs neither scripts nor a network."""

import html
import itertools
import re
from importlib import resources
from pathlib import Path

from latex2mathml.converter import convert
from markdown_it import MarkdownIt
from mdit_py_plugins.anchors import anchors_plugin
from mdit_py_plugins.dollarmath import dollarmath_plugin

from damascene.figures.fonts import cut_font

# Letters, Greek, operators, arrows, and the slanted and bold letters that browsers take for them.
_IN_FORMULAS = frozenset(
    chr(code)
    for first, last in (
        *((0x20, 0x7F), (0xB1, 0xD7), (0x300, 0x338), (0x391, 0x3F5), (0x2010, 0x2044)),
        *((0x20D7, 0x20D7), (0x210E, 0x210E), (0x2190, 0x21D4), (0x2200, 0x22FF)),
        *((0x1D400, 0x1D467), (0x1D6A8, 0x1D6E1), (0x1D6FC, 0x1D71B), (0x1D7CE, 0x1D7D7)),
    )
    for code in range(first, last + 1)
)


def slug(heading: str) -> str:
    """Return the anchor of a heading or a term: small letters, digits and hyphens."""
    return re.sub(r"[^a-z0-9]+", "-", heading.lower()).strip("-")


def formula(latex: str, *, block: bool) -> str:
    """Return a formula in LaTeX as MathML, which browsers draw themselves.

    Parameters
    ----------
    latex : str
    block : bool
        On a line of its own.
    """
    drawn = convert(latex, display="block" if block else "inline")
    # What a screen reader says, and what can be copied.
    return drawn.replace("<math ", f'<math alttext="{html.escape(latex)}" ', 1)


def formula_font() -> str:
    """Return the rule of CSS with the font of formulas.

    Without one made for mathematics, browsers draw brackets and sums too small.
    """
    path = Path(str(resources.files("ziamath") / "fonts/STIXTwoMath-Regular.ttf"))
    data = cut_font(path, _IN_FORMULAS, features=("*",))
    return (
        '@font-face { font-family: "STIX Two Math"; '
        f'src: url(data:font/woff;base64,{data}) format("woff"); }}\n'
        'math { font-family: "STIX Two Math", math; }'
    )


def text_html(text: str) -> str:
    """Return a text in markdown as HTML.

    Markup in it is kept, as in `<details>`: only texts of this project come here. Headings have
    anchors, and formulas are between `$` or `$$`.
    """
    return _READER.render(text)


def headings(text: str, *, level: int = 2) -> list[tuple[str, str]]:
    """Return anchor and text of each heading of a level."""
    tokens = _READER.parse(text)
    return [
        (opening.attrs["id"], _plain(inline))
        for opening, inline in itertools.pairwise(tokens)
        if opening.type == "heading_open" and opening.tag == f"h{level}"
    ]


def _plain(inline):
    return "".join(each.content for each in inline.children or [])


def _formula(latex, options):
    return formula(latex, block=options["display_mode"])


_READER = (
    MarkdownIt("commonmark", {"html": True})
    .enable("table")
    .use(anchors_plugin, min_level=1, max_level=3, slug_func=slug)
    .use(dollarmath_plugin, renderer=_formula, allow_space=False, double_inline=True)
)
