"""Clips of sites, class by class."""

import textwrap
from collections.abc import Mapping, Sequence

import matplotlib
import numpy as np
from matplotlib.figure import Figure

from damascene.figures import style
from damascene.figures.overview import add_scale_bar

_NAMES_MM = 20
_CAPTION_MM = 4
_EMPTY_MM = 8
_MOST_COLUMNS = 8
_KEY_LINE_MM = 3.4
_KEY_CHARACTERS = 120
_FEWEST_COLUMNS = 6


@matplotlib.rc_context(style.STYLE)
def draw_gallery(
    clips: Mapping[str, tuple[np.ndarray, Sequence[str]]],
    *,
    window_um: float,
    panoramas: Sequence[str] = (),
) -> Figure:
    """Draw a row of clips for every class.

    Parameters
    ----------
    clips : mapping of str to (numpy.ndarray, sequence of str)
        Label to its clips, uint8 (n, height, width), and the caption of each. At most the first
        eight are shown; a label without clips says "none". Grey values are shown as they are.
    window_um : float
        Width of a clip in micrometres, the same for all.
    panoramas : sequence of str, optional
        Names of the panoramas whose numbers stand in front of the sites, below the clips; none
        where there is only one. Of many, those that are shown.

    Returns
    -------
    matplotlib.figure.Figure
        175 mm wide.
    """
    shown = [label for label in style.LABEL_ORDER if label in clips]
    most = max((len(clips[label][0]) for label in shown), default=0)
    # Few clips are not blown up.
    columns = min(max(most, _FEWEST_COLUMNS), _MOST_COLUMNS)
    clip_mm = (style.FULL_WIDTH_MM - _NAMES_MM) / columns
    heights = [clip_mm + _CAPTION_MM if len(clips[label][0]) else _EMPTY_MM for label in shown]
    key = _key(clips, panoramas)
    figure = style.new_figure(
        width_mm=style.FULL_WIDTH_MM,
        height_mm=sum(heights) + _KEY_LINE_MM * (key.count("\n") + 1 if key else 0),
    )
    if key:
        figure.supxlabel(key, fontsize=7, x=0.01, ha="left")
    panels = figure.subplots(len(shown), columns, squeeze=False, height_ratios=heights)
    for label, row in zip(shown, panels, strict=True):
        images, captions = clips[label]
        for axes in row:
            axes.set(xticks=[], yticks=[])
            axes.spines[:].set_visible(False)
        row[0].set_ylabel(style.shown(label), rotation=0, ha="right", va="center")
        for axes, image, caption in zip(row, images, captions, strict=False):
            axes.imshow(image, cmap="gray", vmin=0, vmax=255)
            axes.set_xlabel(caption, fontsize=7, labelpad=1.5)
        if len(images):
            add_scale_bar(row[0], width_um=window_um, portion=0.4)
        else:
            style.say_nothing_to_show(row[0], "none")
    return figure


def _key(clips, panoramas):
    """Return which number means which panorama, of those that are shown."""
    if len(panoramas) < 2:
        return ""
    shown = {
        int(caption.split("/")[0])
        for _, captions in clips.values()
        for caption in captions[:_MOST_COLUMNS]
        if "/" in caption
    }
    names = [f"{index} {panoramas[index - 1]}" for index in sorted(shown)]
    return "\n".join(textwrap.wrap("Panoramas: " + ", ".join(names), width=_KEY_CHARACTERS))
