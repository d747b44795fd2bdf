"""The quality page of a panorama: its valid area, and how good the image is in each block."""

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure
from matplotlib.patches import Patch, Rectangle
from matplotlib.ticker import MaxNLocator
from scipy import ndimage

from damascene.contracts.noise_record import NoiseRecord
from damascene.contracts.quality_record import QualityRecord
from damascene.figures import style
from damascene.figures.overview import INVALID_GREY, add_scale_bar, hatch, read_shown
from damascene.images.store import TiledImage, Window
from damascene.images.valid_area import BLANK, CHARGING, NO_IMAGE, VALID
from damascene.quality.noise import noise_sentence

# Colours of Okabe and Ito.
_REASONS = {BLANK: ("blank", "#56B4E9"), CHARGING: ("charging", "#D55E00")}
_FERRITE_COLOUR, _MARTENSITE_COLOUR, _DARK_COLOUR = "#0072B2", "#E69F00", "#000000"
_STRIP_ROWS = 1024
# Above these ratios of width to height the overview takes the full width, and the maps do.
_WIDE, _STRIP = 1.8, 6.0
_HIGHEST_MM = 120
# Of the values in a map, to leave out what would take the colour from all others.
_SHOWN_RANGE = (0.01, 0.99)
_NOTE_WIDTH = 125
_MAPS = (
    ("ferrite_grey", "Brightness", "grey level of ferrite"),
    ("noise_grey", "Noise", "grey levels (std. dev.)"),
    ("sharpness", "Sharpness", "1: sharp, 0.43: blurred"),
    ("candidates_per_mm2", "Candidates", "per mm² of valid area"),
)


@matplotlib.rc_context(style.STYLE)
def draw_quality(
    image: TiledImage,
    valid: TiledImage,
    blocks: pd.DataFrame,
    summary: QualityRecord,
    noise: NoiseRecord,
) -> Figure:
    """Draw the overview with its mask, the grey histogram and maps by block.

    The image is a reduced level of the panorama, stretched between the 0.5 and 99.5 % quantiles of
    its valid part. Charging is drawn four image points larger on each side, so that it can be seen.
    The colours of a map run from the 1 to the 99 % quantile of its values, those of the
    candidates from 0.

    Parameters
    ----------
    image, valid : TiledImage
        The panorama and its mask at full size.
    blocks : pandas.DataFrame
        `QUALITY`.
    summary : QualityRecord
        As returned by `quality.summary.summarise`.
    noise : NoiseRecord
        Described in a line below the maps.

    Returns
    -------
    matplotlib.figure.Figure
        175 mm wide.
    """
    said = [*(f"{caveat.text}." for caveat in summary.caveats), *summary.notes]
    lines = [f"{noise_sentence(noise)}.", *(f"! {note}" for note in said)]
    lines += [] if said else ["No block stands out."]
    notes = "\n".join(style.wrapped(line, width=_NOTE_WIDTH) for line in lines)
    figure, panels = _new_page(image.shape, note_lines=notes.count("\n") + 1)
    _draw_image(panels["overview"], image, valid)
    _draw_histogram(
        panels["histogram"], summary, legend_above=image.shape[1] >= _WIDE * image.shape[0]
    )
    for column, title, unit in _MAPS:
        _draw_map(panels[column], blocks, column, title=title, unit=unit, shape=image.shape)
    area_mm2 = np.prod(image.shape) * (image.pixel_size_nm * 1e-6) ** 2
    figure.suptitle(_heading(summary, area_mm2=area_mm2), x=0.01, ha="left")
    figure.supxlabel(notes, x=0.01, ha="left", fontsize=style.STYLE["font.size"])
    return figure


def _new_page(shape, *, note_lines):
    """Return a figure and its axes by name, laid out for the shape of the panorama."""
    ratio = shape[1] / shape[0]
    names = [column for column, *_ in _MAPS]
    if ratio >= _STRIP:
        layout = [["overview"], ["histogram"], *([name] for name in names)]
    elif ratio >= _WIDE:
        layout = [["overview"] * 2, ["histogram"] * 2, names[:2], names[2:]]
    else:
        layout = [["overview"] * 2 + ["histogram"] * 2, names]
    heights, decorations = [], 6 + 3.6 * note_lines
    for row in layout:
        own = min(0.93 * style.FULL_WIDTH_MM / len(set(row)) / ratio, _HIGHEST_MM)
        heights.append(28 if row[0] == "histogram" else max(own, 6))
        # Title, and axis or colour bar.
        decorations += 6 if set(row) == {"overview"} else 14
    figure = style.new_figure(width_mm=style.FULL_WIDTH_MM, height_mm=sum(heights) + decorations)
    return figure, figure.subplot_mosaic(layout, height_ratios=heights)


def _heading(summary, *, area_mm2):
    fractions = summary.fractions
    reasons = [
        f"{style.shown(reason)} {100 * part:.2g} %"
        for reason, part in fractions
        if reason != "valid" and part > 0
    ]
    looked_at = f"{fractions.valid * area_mm2:.3g} mm² valid"
    return f"{summary.panorama}: {looked_at}" + (f"; {', '.join(reasons)}" if reasons else "")


def _draw_image(axes, image, valid):
    rows, columns = image.shape
    pixels, _ = read_shown(image, valid)
    mask = _small_mask(valid, pixels.shape)
    inside = mask == VALID
    darkest, brightest = np.quantile(pixels[inside] if inside.any() else pixels, [0.005, 0.995])
    extent = (-0.5, columns - 0.5, rows - 0.5, -0.5)
    axes.imshow(pixels, cmap="gray", vmin=darkest, vmax=max(brightest, darkest + 1), extent=extent)
    handles = []
    if (mask == NO_IMAGE).any():
        hatch(axes, mask == NO_IMAGE, extent=extent)
        handles.append(_hatched_patch("no image"))
    for code, (reason, colour) in _REASONS.items():
        if (mask == code).any():
            cover = np.zeros((*mask.shape, 4))
            cover[mask == code] = to_rgba(colour)
            axes.imshow(cover, extent=extent, interpolation="nearest")
            handles.append(Patch(facecolor=colour, label=reason))
    add_scale_bar(axes, width_um=columns * image.pixel_size_nm / 1000)
    _frame(axes, image.shape)
    axes.set_title("Valid area")
    if handles:
        axes.legend(
            handles=handles, loc="lower center", bbox_to_anchor=(0.5, 1), ncols=3, borderpad=0
        )


def _small_mask(valid, shape):
    """Sample the mask at the pixels of a smaller image; charging anywhere near shows."""
    rows, columns = (
        ((np.arange(n) + 0.5) * full / n).astype(int)
        for n, full in zip(shape, valid.shape, strict=True)
    )
    small = np.empty(shape, np.uint8)
    charged = np.zeros(shape, bool)
    for top in range(0, valid.shape[0], _STRIP_ROWS):
        bottom = min(top + _STRIP_ROWS, valid.shape[0])
        strip = valid.read(Window(top=top, left=0, bottom=bottom, right=valid.shape[1]))
        inside = np.flatnonzero((rows >= top) & (rows < bottom))
        small[inside] = strip[np.ix_(rows[inside] - top, columns)]
        row, column = np.nonzero(strip == CHARGING)
        charged[(row + top) * shape[0] // valid.shape[0], column * shape[1] // valid.shape[1]] = (
            True
        )
    charged = ndimage.binary_dilation(charged, iterations=4)
    small[charged & (small == VALID)] = CHARGING
    return small


def _draw_histogram(axes, summary, *, legend_above):
    counts = np.array(summary.histogram)
    axes.stairs(np.maximum(counts, 0.5), np.arange(257) - 0.5, fill=True, color="0.72")
    for name, colour, line in (
        ("ferrite", _FERRITE_COLOUR, "-"),
        ("martensite", _MARTENSITE_COLOUR, "--"),
    ):
        level = getattr(summary, f"{name}_grey")
        if level is not None:
            axes.axvline(level, color=colour, linestyle=line, label=f"{name} {level:.0f}")
    middle = summary.threshold_grey
    low, high = summary.low_threshold_grey, summary.high_threshold_grey
    if middle is not None:
        value = f"{middle:.3g}" + (f" ({low:.3g} to {high:.3g})" if high - low >= 0.5 else "")
        axes.axvspan(
            *(low, max(high, low + 0.5)),
            color=_DARK_COLOUR,
            alpha=0.35,
            linewidth=0.8,
            label=f"dark below {value}",
        )
    axes.set_yscale("log")
    lowest = counts[counts > 0].min(initial=counts.max()) or 1
    highest = max(counts.max(), 1)
    # Room for a legend inside, above both peaks.
    room = 2 if legend_above else 2 * (highest / lowest) ** 0.4
    axes.set(xlim=(-0.5, 255.5), ylim=(lowest / 2, room * highest))
    axes.set(xlabel="Grey level", ylabel="Valid pixels")
    axes.set_title("Grey histogram")
    above = {"loc": "lower right", "bbox_to_anchor": (1, 1), "ncols": 3, "borderpad": 0}
    inside = {"loc": "upper right", "frameon": True, "framealpha": 0.9, "edgecolor": "none"}
    if axes.get_legend_handles_labels()[0]:
        axes.legend(**(above if legend_above else inside), handlelength=1.5)


def _draw_map(axes, blocks, column, *, title, unit, shape):
    values = blocks[column].to_numpy(float)
    grid = values.reshape(blocks["top_px"].nunique(), -1)
    axes.set_title(title)
    axes.add_patch(
        Rectangle(
            (0, 0),
            1,
            1,
            transform=axes.transAxes,
            facecolor=str(INVALID_GREY),
            edgecolor="black",
            hatch="////",
            linewidth=0,
            zorder=-1,
        )
    )
    _frame(axes, shape)
    known = values[~np.isnan(values)]
    if not known.size:
        style.say_nothing_to_show(axes, "no valid block")
        return
    low, high = np.quantile(known, _SHOWN_RANGE)
    low = 0.0 if column == "candidates_per_mm2" else low
    high = max(high, low + 1e-6)
    shown = axes.imshow(
        np.ma.masked_invalid(grid),
        cmap="viridis",
        vmin=low,
        vmax=high,
        extent=(-0.5, shape[1] - 0.5, shape[0] - 0.5, -0.5),
        interpolation="nearest",
    )
    beyond = {(True, True): "both", (True, False): "min", (False, True): "max"}
    axes.figure.colorbar(
        shown,
        ax=axes,
        location="bottom",
        label=unit,
        shrink=0.8,
        aspect=60 if shape[1] >= _STRIP * shape[0] else 30,
        pad=0.03,
        ticks=MaxNLocator(3),
        extend=beyond.get((known.min() < low, known.max() > high), "neither"),
    )


def _frame(axes, shape):
    axes.set(
        xlim=(-0.5, shape[1] - 0.5),
        ylim=(shape[0] - 0.5, -0.5),
        xticks=[],
        yticks=[],
        aspect="equal",
    )
    axes.spines[:].set_visible(True)


def _hatched_patch(label):
    return Patch(facecolor=str(INVALID_GREY), edgecolor="black", hatch="////", label=label)
