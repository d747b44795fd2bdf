"""What all figures share: sizes, colours, markers, names, and how a figure becomes a file."""

import math
import re
from pathlib import Path

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from damascene.classes import CLASSES, DAMAGE
from damascene.figures.fonts import with_font
from damascene.files import written_whole

COLUMN_WIDTH_MM = 85
FULL_WIDTH_MM = 175
#: Largest width of a PNG, which reports and web pages show without scaling it down much.
PNG_WIDTH_PX = 1600
PNG_DPI = 300
#: Resolution of image parts inside an SVG, which has to stay small enough for a report.
SVG_IMAGE_DPI = 200
MM_PER_INCH = 25.4

_SUM_COLOUR, _SUM_MARKER = "#000000", "*"
COLOURS = {each.name: each.colour for each in CLASSES} | {DAMAGE: _SUM_COLOUR}
MARKERS = {each.name: each.marker for each in CLASSES} | {DAMAGE: _SUM_MARKER}
HATCHES = {each.name: each.hatch for each in CLASSES}
LABEL_ORDER = tuple(each.name for each in CLASSES)

STYLE = {
    "font.size": 7.5,
    "axes.titlesize": 8,
    "axes.labelsize": 7.5,
    "xtick.labelsize": 7,
    "ytick.labelsize": 7,
    "legend.fontsize": 7,
    "figure.titlesize": 8,
    "axes.linewidth": 0.6,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "xtick.minor.width": 0.4,
    "ytick.minor.width": 0.4,
    "xtick.major.size": 3,
    "ytick.major.size": 3,
    "lines.linewidth": 1.0,
    "lines.markersize": 4,
    "hatch.linewidth": 0.4,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "axes.titlelocation": "left",
    "legend.frameon": False,
    "figure.constrained_layout.use": True,
    "svg.hashsalt": "damascene",
    # Text stays text, which can be sought, read aloud and edited; the file carries its font.
    "svg.fonttype": "none",
    "pdf.fonttype": 42,
}


def shown(label: str) -> str:
    """Return the name of a class as it reads in a figure."""
    return label.replace("_", " ")


def wrapped(name: str, *, width: int) -> str:
    """Break a name into lines of at most `width` characters, behind `_`, `-` or a blank if it can.

    No character is lost: panoramas often differ in the last one only.
    """
    return "\n".join(
        re.findall(rf".{{1,{width}}}$|.{{0,{width - 1}}}[_\- ]|.{{{width}}}", name, re.DOTALL)
    )


def new_figure(*, width_mm: float, height_mm: float) -> Figure:
    """Return an empty figure of a size in print."""
    return Figure(figsize=(width_mm / MM_PER_INCH, height_mm / MM_PER_INCH))


def nice_length(longest: float) -> float:
    """Return the largest of 1, 2, 5, 10, 20, ... that is not above `longest` (same unit)."""
    decade = 10.0 ** math.floor(math.log10(longest))
    # The factor keeps a length that is itself nice from falling victim to rounding.
    return max(step * decade for step in (1, 2, 5) if step * decade <= longest * (1 + 1e-9))


def length_text(length_um: float) -> str:
    """Write a length in the unit that keeps the number short."""
    if length_um >= 1000:
        return f"{length_um / 1000:g} mm"
    return f"{length_um:g} µm" if length_um >= 1 else f"{length_um * 1000:g} nm"


def say_nothing_to_show(axes: Axes, message: str) -> None:
    """Write a message in the middle of axes that have no data."""
    axes.text(0.5, 0.5, message, transform=axes.transAxes, ha="center", va="center", color="0.35")


def save_figure(figure: Figure, svg_path: str | Path, png_path: str | Path) -> None:
    """Write a figure as SVG and as PNG; the same figure always gives the same bytes.

    The PNG has 300 dpi, or what makes it 1,600 pixels wide.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
    svg_path, png_path : path
    """
    png_dpi = min(PNG_DPI, PNG_WIDTH_PX / figure.get_figwidth())
    # Dates and versions would change the bytes of an unchanged figure.
    nameless = {"Date": None, "Creator": None}
    with matplotlib.rc_context(STYLE), written_whole(svg_path, png_path) as (svg, png):
        figure.savefig(svg, format="svg", dpi=SVG_IMAGE_DPI, metadata=nameless)
        svg.write_text(with_font(svg.read_text(encoding="utf-8")), encoding="utf-8")
        figure.savefig(png, format="png", dpi=png_dpi, metadata={"Software": None})
