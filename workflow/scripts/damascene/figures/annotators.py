"""Figure of annotators beside the networks."""

import matplotlib
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from damascene.figures import style

_SCORES = {"agreement": "Accuracy", "macro_f1": "Macro-F1", "kappa": "Cohen's kappa"}
_PERSON, _NETWORKS = ("#000000", "o"), ("#D55E00", "D")
_LINE_MM = 11


@matplotlib.rc_context(style.STYLE)
def draw_annotators(agreement: pd.DataFrame) -> Figure:
    """Draw each annotator against the class on which all others agree, and the networks beside.

    Parameters
    ----------
    agreement : pandas.DataFrame
        `AGREEMENT`. With two annotators their agreement is shown, with one that there is none.

    Returns
    -------
    matplotlib.figure.Figure
        175 mm wide: accuracy, macro-F1, kappa, and the difference in macro-F1.
    """
    against = agreement[agreement["comparison"].str.endswith("against others")]
    against = against[against["score"] == "macro_f1"]
    if against.empty:
        return _without_others(agreement)
    who = [text.split()[0] for text in against["comparison"]]
    figure = style.new_figure(width_mm=style.FULL_WIDTH_MM, height_mm=26 + _LINE_MM * len(who))
    panels = figure.subplots(1, len(_SCORES) + 1, sharey=True)
    rows = agreement.set_index(["comparison", "score"])
    for place, one in enumerate(who):
        for axes, score in zip(panels, _SCORES, strict=False):
            for comparison, (colour, marker), offset in (
                (f"{one} against others", _PERSON, -0.15),
                (f"networks for {one}", _NETWORKS, 0.15),
            ):
                _draw_range(axes, rows.loc[(comparison, score)], place + offset, colour, marker)
        difference = rows.loc[(f"networks minus {one}", "macro_f1")]
        _draw_range(panels[-1], difference, place, "0.3", "s")
    names = [
        "all together" if one == "all" else style.wrapped(row["annotators"], width=14)
        for one, (_, row) in zip(who, against.iterrows(), strict=True)
    ]
    sites = [f"{name}\nn = {count}" for name, count in zip(names, against["sites"], strict=True)]
    panels[0].set_yticks(range(len(who)), sites)
    panels[0].set_ylim(len(who) - 0.5, -0.5)
    for letter, axes, name in zip("abc", panels, _SCORES.values(), strict=False):
        axes.set_title(f"({letter}) {name}")
        axes.set_xlim(right=1)
    panels[-1].set_title("(d) Macro-F1, difference")
    panels[-1].axvline(0, color="0.6", linewidth=0.8)
    panels[-1].set_xlabel("networks less annotator")
    for axes in panels:
        axes.grid(axis="x", color="0.9", linewidth=0.5)
    handles = [
        Line2D([], [], linestyle="none", color=colour, marker=marker, label=label)
        for (colour, marker), label in (
            (_PERSON, "annotator against what the others agree on"),
            (_NETWORKS, "networks on the same sites"),
        )
    ]
    figure.legend(handles=handles, loc="outside lower center", ncols=2)
    return figure


def _draw_range(axes, row, place, colour, marker):
    spread = (
        None if pd.isna(row["low"]) else [[row["value"] - row["low"]], [row["high"] - row["value"]]]
    )
    axes.errorbar(
        row["value"],
        place,
        xerr=spread,
        color=colour,
        marker=marker,
        markersize=4,
        elinewidth=0.9,
        capsize=1.5,
    )


def _without_others(agreement):
    figure = style.new_figure(width_mm=style.FULL_WIDTH_MM, height_mm=40)
    axes = figure.add_subplot()
    axes.set_axis_off()
    pairs = agreement[agreement["comparison"].str.startswith("pair")]
    told = "One person labelled: there is nobody to compare."
    if len(pairs):
        rows = pairs.set_index("score")
        told = "\n".join(
            f"{name}: {rows.loc[score, 'value']:.2f}"
            + (
                ""
                if pd.isna(rows.loc[score, "low"])
                else " [{low:.2f}, {high:.2f}]".format(**rows.loc[score])
            )
            for score, name in (
                ("agreement", "Two annotators, fraction of equal answers"),
                ("kappa", "Cohen's kappa"),
            )
        )
        told += "\nA person beside the networks takes three annotators."
    style.say_nothing_to_show(axes, told)
    return figure
