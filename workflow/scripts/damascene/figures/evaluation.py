"""Figures of how well labelled sites are classified: curves, what labels bring, mistakes."""

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import ScalarFormatter

from damascene.figures import style
from damascene.figures.overview import add_scale_bar

_CLASSIFIERS = {
    "logistic_regression": ("#0072B2", "o"),
    "gradient_boosting": ("#D55E00", "s"),
}
_TRAININGS = (("#D55E00", "s"), ("#0072B2", "o"))
_MISTAKE_COLUMNS = 6
_MISTAKE_CAPTION_MM = 16


@matplotlib.rc_context(style.STYLE)
def draw_curves(curves: pd.DataFrame, areas: pd.DataFrame) -> Figure:
    """Draw ROC and precision against recall of each class.

    Parameters
    ----------
    curves : pandas.DataFrame
        `curves.curve_table`.
    areas : pandas.DataFrame
        `curves.area_table`.

    Returns
    -------
    matplotlib.figure.Figure
        175 mm wide.
    """
    figure = style.new_figure(width_mm=style.FULL_WIDTH_MM, height_mm=100)
    panels = dict(zip(("roc", "precision_recall"), figure.subplots(1, 2), strict=True))
    panels["roc"].plot([0, 1], [0, 1], color="0.6", linewidth=0.8)
    for curve, score, area_name, drawstyle in (
        ("roc", "roc_auc", "ROC AUC", "default"),
        # Average precision is the area below these steps: no threshold reaches the precision on a
        # straight line between two points.
        ("precision_recall", "average_precision", "average precision", "steps-post"),
    ):
        axes = panels[curve]
        for name in [each for each in style.LABEL_ORDER if each in set(curves["class"])]:
            points = curves[(curves["class"] == name) & (curves["curve"] == curve)]
            area = areas[(areas["class"] == name) & (areas["score"] == score)].iloc[0]
            colour = style.COLOURS[name]
            axes.plot(
                points["x"],
                points["y"],
                color=colour,
                marker=style.MARKERS[name],
                markersize=3.5,
                markevery=0.15,
                label=f"{style.shown(name)}: {area['value']:.2f} {_interval(area)}",
                clip_on=False,
                drawstyle=drawstyle,
            )
            if curve == "precision_recall":
                axes.axhline(area["prevalence"], color=colour, linewidth=0.6, linestyle=":")
        axes.set(xlim=(0, 1), ylim=(0, 1.02), aspect="equal")
        axes.legend(
            loc="upper center",
            bbox_to_anchor=(0.5, -0.17),
            title=f"area under the curve ({area_name})",
        )
    panels["roc"].set(xlabel="false positive rate", ylabel="true positive rate (recall)")
    panels["roc"].set_title("(a) ROC curve; grey: by chance")
    panels["precision_recall"].set(xlabel="recall", ylabel="precision")
    panels["precision_recall"].set_title("(b) Precision against recall; dotted: by chance")
    return figure


def _interval(area):
    if pd.isna(area["low"]):
        return f"(too few groups: {area['groups']})"
    return f"[{area['low']:.2f}, {area['high']:.2f}]"


@matplotlib.rc_context(style.STYLE)
def draw_learning_curve(
    table: pd.DataFrame, *, networks: pd.DataFrame, agreement: pd.DataFrame
) -> Figure:
    """Draw macro-F1 and kappa against the number of labels learned from.

    Parameters
    ----------
    table : pandas.DataFrame
        `learning_curve.learning_curve`. The band spans the repeats.
    networks : pandas.DataFrame
        `scores.score_table` of the networks on all labels.
    agreement : pandas.DataFrame
        `agreement.agreement_table`; the range of one annotator against the others is shown as the
        ceiling, if there is one, and that of the networks in their places.

    Returns
    -------
    matplotlib.figure.Figure
        175 mm wide.
    """
    figure = style.new_figure(width_mm=style.FULL_WIDTH_MM, height_mm=75)
    panels = figure.subplots(1, 2, sharex=True)
    most = table["labels"].max()
    # The range is that of the annotators one by one.
    alone = agreement[~agreement["comparison"].isin(["all against others", "networks for all"])]
    compared = alone["comparison"].str
    humans = alone[compared.endswith("against others")]
    in_place = alone[compared.startswith("networks for")]
    for axes, score, name in zip(panels, ("macro_f1", "kappa"), ("Macro-F1", "Kappa"), strict=True):
        ceiling = humans[humans["score"] == score]["value"]
        if len(ceiling):
            axes.axhspan(
                ceiling.min(),
                ceiling.max(),
                color="0.8",
                # Annotators may agree so well that the band has no height.
                linewidth=2,
                label="one annotator against the others",
            )
            reached = in_place[in_place["score"] == score]["value"]
            axes.axhspan(
                reached.min(),
                reached.max(),
                facecolor="none",
                edgecolor="0.4",
                hatch="////",
                linewidth=0.5,
                label="networks in place of the annotator",
            )
        for classifier, of_one in table.groupby("classifier"):
            colour, marker = _CLASSIFIERS[classifier]
            spread = of_one.groupby("share").agg(
                labels=("labels", "mean"),
                middle=(score, "median"),
                low=(score, "min"),
                high=(score, "max"),
            )
            axes.fill_between(
                spread["labels"],
                spread["low"],
                spread["high"],
                color=colour,
                alpha=0.2,
                linewidth=0,
            )
            axes.plot(
                spread["labels"],
                spread["middle"],
                color=colour,
                marker=marker,
                label=style.shown(classifier),
            )
        own = networks[(networks["class"] == "all") & (networks["score"] == score)].iloc[0]
        axes.errorbar(
            [most],
            [own["value"]],
            yerr=[[own["value"] - own["low"]], [own["high"] - own["value"]]],
            color="black",
            marker="D",
            linestyle="none",
            elinewidth=0.8,
            label="networks, all labels",
        )
        axes.set_xscale("log")
        ticks = [2**power * 10 for power in range(12)]
        shown = [tick for tick in ticks if table["labels"].min() / 1.4 < tick < most * 1.4]
        axes.set_xticks(shown)
        axes.xaxis.set_major_formatter(ScalarFormatter())
        axes.minorticks_off()
        axes.set(xlabel="Labels learned from", ylabel=name, ylim=(0, 1))
    handles, labels = panels[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=4)
    return figure


@matplotlib.rc_context(style.STYLE)
def draw_load_directions(table: pd.DataFrame) -> Figure:
    """Draw macro-F1, and the recall of each class, against the angle to the trained load.

    Parameters
    ----------
    table : pandas.DataFrame
        `rotation.direction_scores` with a column `trained_turns_deg`, of two trainings.

    Returns
    -------
    matplotlib.figure.Figure
        175 mm wide: macro-F1 of both trainings, then the recall of the classes for each.
    """
    figure = style.new_figure(width_mm=style.FULL_WIDTH_MM, height_mm=75)
    overall, *panels = figure.subplots(1, 3, sharex=True, sharey=True)
    turns = sorted(table["trained_turns_deg"].unique())
    of_all = table[(table["class"] == "all") & (table["score"] == "macro_f1")]
    for turn, (colour, marker) in zip(turns, _TRAININGS, strict=True):
        part = of_all[of_all["trained_turns_deg"] == turn]
        overall.fill_between(
            part["angle_deg"], part["low"], part["high"], color=colour, alpha=0.2, linewidth=0
        )
        overall.plot(
            part["angle_deg"], part["value"], color=colour, marker=marker, label=_turned(turn)
        )
    overall.set_title("(a) macro-F1")
    overall.legend(loc="lower left")
    recalls = table[table["score"] == "recall"]
    for letter, turn, axes in zip("bc", turns, panels, strict=True):
        for name in [each for each in style.LABEL_ORDER if each in set(recalls["class"])]:
            part = recalls[(recalls["class"] == name) & (recalls["trained_turns_deg"] == turn)]
            axes.plot(
                part["angle_deg"],
                part["value"],
                color=style.COLOURS[name],
                marker=style.MARKERS[name],
                label=style.shown(name),
                clip_on=False,
            )
        axes.set_title(f"({letter}) recall, {_turned(turn)}")
    overall.set(ylim=(0, 1), xticks=[0, 30, 60, 90], ylabel="score")
    panels[0].set_xlabel("Angle to the load of the training (degrees)")
    handles, labels = panels[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=4)
    return figure


def _turned(turn):
    return "trained at all angles" if turn >= 180 else f"trained within {turn:g}°"


@matplotlib.rc_context(style.STYLE)
def draw_mistakes(clips: np.ndarray, mistakes: pd.DataFrame, *, window_um: float) -> Figure:
    """Draw the clips of the surest mistakes with the label and the answer.

    Parameters
    ----------
    clips : numpy.ndarray, uint8, shape (n, height, width)
    mistakes : pandas.DataFrame
        Their rows of `mistakes.worst_mistakes`.
    window_um : float
        Width of a clip in micrometres.

    Returns
    -------
    matplotlib.figure.Figure
        175 mm wide.
    """
    rows = max(-(-len(clips) // _MISTAKE_COLUMNS), 1)
    edge_mm = style.FULL_WIDTH_MM / _MISTAKE_COLUMNS
    figure = style.new_figure(
        width_mm=style.FULL_WIDTH_MM, height_mm=rows * (edge_mm + _MISTAKE_CAPTION_MM)
    )
    panels = figure.subplots(rows, _MISTAKE_COLUMNS, squeeze=False).ravel()
    for axes in panels:
        axes.set(xticks=[], yticks=[])
        axes.spines[:].set_visible(False)
    of_several = len(set(mistakes["panorama"])) > 1
    for axes, clip, site in zip(panels, clips, mistakes.itertuples(), strict=False):
        axes.imshow(clip, cmap="gray", vmin=0, vmax=255)
        lines = (
            style.shown(site.label),
            f"→ {style.shown(site.predicted_class)} {site.probability:.2f}",
            f"x {site.x_px:.0f}, y {site.y_px:.0f}",
            *([style.wrapped(site.panorama, width=16)] if of_several else []),
        )
        axes.set_xlabel("\n".join(lines), fontsize=6.5, labelpad=1.5)
    if len(clips):
        add_scale_bar(panels[0], width_um=window_um, portion=0.4)
    else:
        style.say_nothing_to_show(panels[0], "no mistakes")
    return figure
