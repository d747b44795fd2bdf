"""Figures of how well detection and networks do: confusion, scores, training."""

import math
from collections.abc import Mapping

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from damascene.classes import ALL
from damascene.evaluation.truth import SCOPES
from damascene.figures import style

_CELL_MM = 13
_SCOPE_MARKERS = {"all": "o", "outside_labelled_area": "D"}
_SCOPE_NAMES = {"all": "whole panoramas", "outside_labelled_area": "outside the labelled area"}
_LINE_MM = 8


@matplotlib.rc_context(style.STYLE)
def draw_confusion(confusion: pd.DataFrame, *, title: str) -> Figure:
    """Draw a confusion matrix: counts, and the percentage of each row with its interval.

    Intervals that take sites as independent of each other have a star.

    Parameters
    ----------
    confusion : pandas.DataFrame
        `CONFUSION`, in the order in which the classes are to stand.
    title : str
        Heading.

    Returns
    -------
    matplotlib.figure.Figure
        85 mm wide, wider for more than five assigned classes.
    """
    truth, predicted = confusion["true_class"].unique(), confusion["predicted_class"].unique()
    counts = confusion["count"].to_numpy().reshape(len(truth), len(predicted))
    totals = counts.sum(axis=1)
    shares = 100 * counts / np.maximum(totals, 1)[:, None]
    rows, columns = counts.shape
    figure = style.new_figure(
        width_mm=max(style.COLUMN_WIDTH_MM, 27 + _CELL_MM * columns),
        height_mm=32 + _CELL_MM * rows,
    )
    axes = figure.add_subplot()
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=100, aspect="auto")
    for place, cell in enumerate(confusion.itertuples()):
        row, column = divmod(place, columns)
        share = f"{shares[row, column]:.0f} %" if totals[row] else "–"
        axes.text(
            column,
            row,
            f"{cell.count}\n{share}{_percent_interval(cell)}",
            ha="center",
            va="center",
            fontsize=7,
            color="white" if shares[row, column] > 65 else "black",
        )
    names = [
        f"{style.shown(label)}\nn = {total}" for label, total in zip(truth, totals, strict=True)
    ]
    axes.set_yticks(range(rows), names)
    axes.set_xticks(
        range(columns),
        [style.shown(label) for label in predicted],
        rotation=35,
        ha="right",
        rotation_mode="anchor",
    )
    axes.set_xticks(np.arange(columns - 1) + 0.5, minor=True)
    axes.set_yticks(np.arange(rows - 1) + 0.5, minor=True)
    axes.grid(which="minor", color="0.8", linewidth=0.5)
    axes.tick_params(which="both", length=0)
    axes.spines[:].set_visible(True)
    axes.set(xlabel="Assigned class", ylabel="True class")
    figure.suptitle(title, x=0.02, ha="left")
    return figure


def _percent_interval(cell):
    if not cell.interval:
        return ""
    return f"\n{100 * cell.low:.0f}–{100 * cell.high:.0f}{'*' if cell.interval == 'sites' else ''}"


@matplotlib.rc_context(style.STYLE)
def draw_training(histories: Mapping[str, pd.DataFrame]) -> Figure:
    """Draw loss and accuracy against the epoch or the strength, for training and validation.

    Parameters
    ----------
    histories : mapping of str to pandas.DataFrame
        Name of a network, as it is to read, to its epochs: epoch, loss, accuracy, validation_loss,
        validation_accuracy. Of frozen networks: strength in place of the epoch. That of the lowest
        validation loss is marked.

    Returns
    -------
    matplotlib.figure.Figure
        85 mm wide, a column of panels for each network.
    """
    figure = style.new_figure(width_mm=style.COLUMN_WIDTH_MM, height_mm=95)
    panels = figure.subplots(2, len(histories), sharex="col", squeeze=False)
    for column, (name, history) in enumerate(histories.items()):
        along = "strength" if "strength" in history else "epoch"
        best = history.loc[history["validation_loss"].idxmin(), along]
        for axes, quantity in zip(panels[:, column], ("loss", "accuracy"), strict=True):
            axes.plot(
                history[along],
                history[quantity],
                color=style.COLOURS["interface"],
                marker="o",
                markersize=2.5,
                label="training",
            )
            axes.plot(
                history[along],
                history[f"validation_{quantity}"],
                color=style.COLOURS["martensite"],
                linestyle="--",
                marker="s",
                markersize=2.5,
                label="validation",
            )
            axes.axvline(
                best, color="0.3", linewidth=0.8, linestyle=":", label="lowest validation loss"
            )
        largest = history[["loss", "validation_loss"]].max(axis=None)
        panels[0, column].set_title(f"{name}\nbest {along} {best:g}")
        panels[0, column].set(ylim=(0, 1.05 * largest))
        panels[1, column].set(ylim=(0, 1.02))
        if along == "strength":
            panels[1, column].set(xlabel="Strength of the fit")
            panels[1, column].set_xscale("log")
        else:
            panels[1, column].set(xlabel="Epoch")
            panels[1, column].xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    panels[0, 0].set_ylabel("Loss (cross-entropy)")
    panels[1, 0].set_ylabel("Accuracy")
    handles, labels = panels[0, 0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=2)
    return figure


@matplotlib.rc_context(style.STYLE)
def draw_detection_scores(scores: pd.DataFrame) -> Figure:
    """Draw recall by true class and precision by class of the networks, with intervals.

    Parameters
    ----------
    scores : pandas.DataFrame
        `TRUTH_DETECTION`.

    Returns
    -------
    matplotlib.figure.Figure
        85 mm wide.
    """
    labels = [label for label in (ALL, *style.LABEL_ORDER) if label in set(scores["class"])]
    figure = style.new_figure(
        width_mm=style.COLUMN_WIDTH_MM, height_mm=38 + 2 * _LINE_MM * len(labels)
    )
    panels = figure.subplots(2, 1)
    titles = {
        "recall": "(a) Recall by true class",
        "precision": "(b) Precision by class of the networks",
    }
    lowest = scores.loc[scores["total"] > 0, "low"].min()
    # Dots need no zero; without a single score the axis is whole.
    left = math.floor(10 * lowest) / 10 if pd.notna(lowest) else 0
    for axes, (score, title) in zip(panels, titles.items(), strict=True):
        for offset, scope in zip((-0.17, 0.17), SCOPES, strict=True):
            rows = scores[(scores["score"] == score) & (scores["scope"] == scope)]
            _draw_scores(axes, rows, labels=labels, offset=offset, marker=_SCOPE_MARKERS[scope])
        axes.set(
            title=title,
            xlim=(left, 1 + 0.02 * (1 - left)),
            ylim=(len(labels) - 0.5, -0.5),
            xlabel=score.capitalize(),
        )
        scored = set(scores.loc[scores["score"] == score, "class"])
        named = [place for place, label in enumerate(labels) if label in scored]
        axes.set_yticks(named, [style.shown(labels[place]) for place in named])
        axes.grid(axis="x", color="0.9", linewidth=0.5)
    handles = [
        Line2D(
            [],
            [],
            linestyle="none",
            marker=_SCOPE_MARKERS[scope],
            markerfacecolor="black" if scope == "all" else "white",
            markeredgecolor="black",
            label=_SCOPE_NAMES[scope],
        )
        for scope in SCOPES
    ]
    figure.legend(handles=handles, loc="outside lower center", ncols=2)
    return figure


def _draw_scores(axes, rows, *, labels, offset, marker):
    for row, name in zip(rows.itertuples(), rows["class"], strict=True):
        place = labels.index(name) + offset
        colour = style.COLOURS.get(name, "black")
        if row.total:
            axes.errorbar(
                row.value,
                place,
                xerr=[[row.value - row.low], [row.high - row.value]],
                marker=marker,
                markersize=4,
                markerfacecolor=colour if offset < 0 else "white",
                markeredgecolor=colour,
                ecolor=colour,
                elinewidth=0.9,
                capsize=1.5,
                clip_on=False,
            )
        axes.annotate(
            f"{row.matched}/{row.total}" if row.total else "none",
            (1, place),
            xycoords=axes.get_yaxis_transform(),
            xytext=(6, 0),
            textcoords="offset points",
            va="center",
            fontsize=7,
            color="0.25",
        )
