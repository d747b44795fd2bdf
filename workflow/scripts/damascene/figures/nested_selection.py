"""Figure of scores under the settings of the study, and under settings chosen without each fold."""

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from damascene.figures import style

# Of Okabe and Ito; the marker says the same.
_SELECTIONS = {
    "study": ("settings of the study", "#8C8C8C", "o"),
    "nested": ("chosen without each fold", "#D55E00", "D"),
}
_SITES = {"all": "all labelled sites", "unanimous": "unanimous sites"}
_SCORES = {"macro_f1": "macro-F1", "kappa": "Cohen's kappa"}


@matplotlib.rc_context(style.STYLE)
def draw_nested_selection(scores: pd.DataFrame, choices: pd.DataFrame) -> Figure:
    """Draw macro-F1 and kappa for both ways to come by settings, and what was chosen how often.

    Parameters
    ----------
    scores : pandas.DataFrame
        `NESTED_SCORES`.
    choices : pandas.DataFrame
        `NESTED_CHOICES`.

    Returns
    -------
    matplotlib.figure.Figure
        175 mm wide.
    """
    figure = style.new_figure(width_mm=style.FULL_WIDTH_MM, height_mm=72)
    *panels, chosen = figure.subplots(1, 3, width_ratios=(1, 1, 1.5))
    overall = scores[scores["class"] == "all"]
    kinds = [kind for kind in _SITES if kind in set(overall["sites"])]
    for letter, axes, (score, name) in zip("ab", panels, _SCORES.items(), strict=True):
        for shift, (selection, (label, colour, marker)) in zip(
            (-0.12, 0.12), _SELECTIONS.items(), strict=True
        ):
            part = overall[(overall["selection"] == selection) & (overall["score"] == score)]
            part = part.set_index("sites").loc[kinds]
            reach = np.nan_to_num(
                np.maximum([part["value"] - part["low"], part["high"] - part["value"]], 0)
            )
            axes.errorbar(
                np.arange(len(kinds)) + shift,
                part["value"],
                yerr=reach,
                fmt=marker,
                color=colour,
                elinewidth=0.8,
                label=label,
            )
            for place, value in enumerate(part["value"]):
                axes.annotate(
                    f"{value:.2f}",
                    (place + shift, value),
                    xytext=(4 if shift > 0 else -4, 0),
                    textcoords="offset points",
                    ha="left" if shift > 0 else "right",
                    va="center",
                    fontsize=6.5,
                )
        axes.set_xticks(
            range(len(kinds)), [style.wrapped(_SITES[kind], width=13) for kind in kinds]
        )
        axes.set(xlim=(-0.6, len(kinds) - 0.4), ylim=(0, 1), ylabel=name, title=f"({letter})")
        axes.grid(axis="y", linewidth=0.3, color="0.85")
    panels[0].legend(loc="lower left")
    _say_choices(chosen, choices)
    return figure


def _say_choices(axes, choices):
    """Write which settings were chosen in how many folds."""
    axes.set_axis_off()
    axes.set_title("(c) chosen in how many folds")
    folds = choices["fold"].nunique()
    lines = []
    for stage, part in choices.groupby("stage", sort=False):
        lines.append(f"{stage} network, {folds} folds")
        for column in ("network", "window", "augmentation", "strength", "simulated_sites"):
            shown = part[column].map(lambda value: "none" if pd.isna(value) else f"{value}")
            counts = shown.value_counts().sort_index()
            text = ", ".join(f"{value} ({count})" for value, count in counts.items()).replace(
                " um", " µm"
            )
            lines.append(f"   {style.shown(column)}: {style.shown(text)}")
        counts = part["threshold"].value_counts().sort_index()
        lines.append(
            "   threshold: " + ", ".join(f"{value:g} ({count})" for value, count in counts.items())
        )
    axes.text(0, 1, "\n".join(lines), transform=axes.transAxes, va="top", fontsize=6.5)
