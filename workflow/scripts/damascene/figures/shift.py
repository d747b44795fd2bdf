"""How far each panorama is from what its networks learned from."""

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from damascene.contracts.domain_shift import VERDICT
from damascene.figures import style
from damascene.shift.measures import MEASURES

# Farther out nobody asks how far.
_MOST = 10.0
# Colours of Okabe and Ito; the marks say the same without any colour.
_MARKS = {
    "within": {"color": "#0072B2", "marker": "o"},
    "beyond": {"color": "#E69F00", "marker": "^"},
    "foreign": {"color": "#D55E00", "marker": "s"},
}
_NAMES = {
    "pixel_size_nm": "pixel size",
    "median_grey": "median grey",
    "contrast_grey": "phase contrast",
    "noise_grey": "noise",
    "sharpness": "sharpness",
    "structure_um": "structure length",
    "candidates_per_mm2": "candidate density",
    "embedding_distance": "look of the sites",
}


@matplotlib.rc_context(style.STYLE)
def draw_shift(table: pd.DataFrame) -> Figure:
    """Draw, measure by measure, how far panoramas lie outside the range of the training set.

    Parameters
    ----------
    table : pandas.DataFrame
        `DOMAIN_SHIFT`.

    Returns
    -------
    matplotlib.figure.Figure
        85 mm wide: a row a measure, a mark a panorama, and the limits.
    """
    figure = style.new_figure(width_mm=style.COLUMN_WIDTH_MM, height_mm=72)
    axes = figure.add_subplot()
    rows = {name: place for place, name in enumerate(MEASURES)}
    known = table[(table["measure"] != VERDICT) & table["excess"].notna()]
    axes.axvspan(-0.5, 1, color="0.92", zorder=0)
    for name, place in rows.items():
        limit = MEASURES[name].foreign
        if np.isfinite(limit):
            axes.plot([limit, limit], [place - 0.35, place + 0.35], color="black", linewidth=1)
    panoramas = list(dict.fromkeys(table["panorama"]))
    spread = dict(zip(panoramas, np.linspace(-0.25, 0.25, len(panoramas)), strict=True))
    if len(panoramas) == 1:
        spread = dict.fromkeys(panoramas, 0.0)
    for flag, mark in _MARKS.items():
        own = known[known["flag"] == flag]
        axes.plot(
            own["excess"].clip(upper=_MOST),
            own["measure"].map(rows) + own["panorama"].map(spread),
            linestyle="none",
            **mark,
        )
    if known.empty:
        style.say_nothing_to_show(
            axes, "Not tested: the networks do not say\nwhat they learned from"
        )
    axes.set_yticks(list(rows.values()), [_NAMES[name] for name in rows])
    axes.set_ylim(len(rows) - 0.5, -0.5)
    axes.set_xlim(-0.5, _MOST + 0.5)
    ticks = [0, 1, 2, 4, 6, 8, 10]
    axes.set_xticks(ticks, [*map(str, ticks[:-1]), "≥ 10"])
    axes.set_xlabel("Outside the training range (tolerances)")
    _legend(axes, table)
    return figure


def _legend(axes, table):
    verdicts = table[table["measure"] == VERDICT].set_index("panorama")["flag"]
    handles = [
        Line2D([], [], linestyle="none", label=_counted(flag, verdicts), **mark)
        for flag, mark in _MARKS.items()
    ]
    handles.append(Line2D([], [], color="black", linewidth=1, label="limit: foreign"))
    axes.legend(handles=handles, loc="lower center", bbox_to_anchor=(0.35, 1.0), ncols=2)


def _counted(flag, verdicts):
    names = verdicts.index[verdicts == flag]
    return f"{flag}: {len(names)} panorama{'' if len(names) == 1 else 's'}"
