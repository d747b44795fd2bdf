"""Figure of what more labels of each class bring."""

import matplotlib
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from damascene.evaluation.labels_to_add import HARDLY
from damascene.figures import style

_SCORES = {"f1": ("F1", "-", True), "recall": ("Recall", "--", False)}


@matplotlib.rc_context(style.STYLE)
def draw_class_learning(curves: pd.DataFrame, gains: pd.DataFrame) -> Figure:
    """Draw F1 and recall of each class against the number of its labels.

    Parameters
    ----------
    curves, gains : pandas.DataFrame
        `CLASS_LEARNING` and `LABELS_TO_ADD`. A dot is a draw, a line joins the means; the title
        has the gain of F1 where its interval does not hold zero.

    Returns
    -------
    matplotlib.figure.Figure
        175 mm wide, a panel for each class.
    """
    figure = style.new_figure(width_mm=style.FULL_WIDTH_MM, height_mm=62)
    names = [name for name in style.LABEL_ORDER if name in set(curves["class"])]
    if not names:
        axes = figure.add_subplot()
        axes.set_axis_off()
        style.say_nothing_to_show(axes, "no class has labels in three groups")
        return figure
    panels = figure.subplots(1, len(names), sharey=True, squeeze=False)[0]
    told = gains.set_index("class")
    for axes, name in zip(panels, names, strict=True):
        points, colour = curves[curves["class"] == name], style.COLOURS[name]
        for score, (label, line, filled) in _SCORES.items():
            means = points.groupby("share")[["labels", score]].mean()
            axes.plot(means["labels"], means[score], line, color=colour)
            axes.plot(
                points["labels"],
                points[score],
                style.MARKERS[name],
                markersize=3.5,
                markerfacecolor=colour if filled else "white",
                markeredgecolor=colour,
                markeredgewidth=0.6,
                label=label,
                clip_on=False,
            )
        row = told.loc[name]
        gain = f"{row['more']:.0f} more labels:\ngain unclear"
        if row["low"] > 0:
            numbers = f"{row['gain']:+.2f} [{row['low']:.2f}, {row['high']:.2f}]"
            gain = f"{row['more']:.0f} more labels:\n{numbers}"
        elif row["high"] < HARDLY:
            gain = f"{row['more']:.0f} more labels:\nhardly a gain"
        axes.set_title(f"{style.shown(name)}\n{gain}")
        axes.set(ylim=(0, 1), xlim=(0, None))
        axes.xaxis.set_major_locator(MaxNLocator(nbins=3, integer=True))
    panels[0].set_ylabel("F1, recall")
    figure.supxlabel("Labels of the class learned from", fontsize=7.5)
    handles = [
        Line2D(
            [],
            [],
            linestyle=line,
            color="0.2",
            marker="o",
            markersize=3.5,
            markerfacecolor="0.2" if filled else "white",
            label=label,
        )
        for label, line, filled in _SCORES.values()
    ]
    figure.legend(handles=handles, loc="outside lower right", ncols=2)
    return figure
