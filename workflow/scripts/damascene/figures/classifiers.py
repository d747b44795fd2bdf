"""Figure of all classifiers side by side."""

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from damascene.figures import style

# Colours of Okabe and Ito, as for the classes; the marker says the same.
_KINDS = {
    "networks": ("#D55E00", "D", "networks"),
    "descriptors": ("#0072B2", "o", "on descriptors"),
    "hog": ("#009E73", "^", "on histograms of gradients"),
    "none": ("#8C8C8C", "s", "commonest class"),
}
_NAMES = {"linear_svm": "linear SVM", "rbf_svm": "RBF SVM", "mlp": "multilayer perceptron"}
_LINE_MM = 5.2


@matplotlib.rc_context(style.STYLE)
def draw_classifiers(table: pd.DataFrame) -> Figure:
    """Draw score, size and speed of each classifier, the best one on top.

    Macro-F1 and kappa have their intervals; the number of parameters, the time of training and the
    sites a second are on logarithmic axes.

    Parameters
    ----------
    table : pandas.DataFrame
        `evaluation/classifiers.tsv`: see `classification.comparison.baseline_rows`.

    Returns
    -------
    matplotlib.figure.Figure
        175 mm wide.
    """
    # By name, too, so that equal scores keep their order.
    ranked = table.sort_values(
        ["macro_f1", "classifier", "features"], ascending=[True, False, False]
    )
    kinds = np.where(ranked.classifier == "networks", "networks", ranked.features)
    figure = style.new_figure(width_mm=style.FULL_WIDTH_MM, height_mm=24 + _LINE_MM * len(ranked))
    panels = figure.subplots(1, 5, sharey=True, width_ratios=(2.2, 2.2, 1, 1, 1))
    places = np.arange(len(ranked))
    for axes, score, name in zip(
        panels[:2], ("macro_f1", "kappa"), ("macro-F1", "Cohen's kappa"), strict=True
    ):
        for kind, (colour, marker, label) in _KINDS.items():
            rows = kinds == kind
            part = ranked[rows]
            value = part[score]
            # A resampled score may lie on one side of the value only.
            reach = np.maximum([value - part[f"{score}_low"], part[f"{score}_high"] - value], 0)
            axes.errorbar(
                value,
                places[rows],
                xerr=reach,
                fmt=marker,
                color=colour,
                elinewidth=0.8,
                label=label,
            )
        axes.set_xlabel(f"{name} of held-out sites")
        axes.set_xlim(min(0, axes.get_xlim()[0]), 1)
        axes.grid(axis="x", linewidth=0.3, color="0.85")
    for axes, column, name in zip(
        panels[2:],
        ("parameters", "training_s", "sites_per_s"),
        ("parameters", "training (s)", "sites per s"),
        strict=True,
    ):
        for kind, (colour, marker, _) in _KINDS.items():
            rows = kinds == kind
            axes.plot(ranked[column][rows], places[rows], marker, color=colour, clip_on=False)
        axes.set_xscale("log")
        axes.set_xlabel(name)
        axes.grid(axis="x", linewidth=0.3, color="0.85")
    names = [_NAMES.get(name, style.shown(name)) for name in ranked.classifier]
    # The networks are known by their architecture.
    names = np.where(kinds == "networks", ranked.features, names)
    panels[0].set_yticks(places, names)
    handles, labels = panels[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper center", ncols=len(labels))
    return figure
