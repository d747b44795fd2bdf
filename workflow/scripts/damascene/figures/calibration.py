"""Figure of how far the networks' probabilities can be trusted."""

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from damascene.classes import SITE_CLASSES
from damascene.figures import style

_STATES = {
    "as_given": ("#D55E00", "o", "as given"),
    "calibrated": ("#0072B2", "D", "calibrated"),
}


@matplotlib.rc_context(style.STYLE)
def draw_calibration(
    reliability: pd.DataFrame, errors: pd.DataFrame, coverage: pd.DataFrame, *, level: float
) -> Figure:
    """Draw accuracy against confidence, and coverage and size of the sets of classes.

    Parameters
    ----------
    reliability : pandas.DataFrame
        `RELIABILITY`.
    errors : pandas.DataFrame
        `CALIBRATION_ERRORS`.
    coverage : pandas.DataFrame
        `PREDICTION_SETS`; classes for which no coverage is promised have no mark.
    level : float
        Asked coverage.

    Returns
    -------
    matplotlib.figure.Figure
        85 mm wide.
    """
    figure = style.new_figure(width_mm=style.COLUMN_WIDTH_MM, height_mm=132)
    panels = figure.subplot_mosaic([["a", "a"], ["b", "c"]], height_ratios=(1.25, 1))
    trusted, covered, size = (panels[letter] for letter in "abc")
    trusted.plot([0, 1], [0, 1], color="0.6", linewidth=0.8)
    for state, (colour, marker, name) in _STATES.items():
        table = reliability[reliability["probabilities"] == state]
        error = errors.set_index("probabilities").loc[state]
        some = table[table["count"] > 0]
        trusted.plot(some["confidence"], some["accuracy"], color=colour, linewidth=0.6)
        trusted.scatter(
            some["confidence"],
            some["accuracy"],
            s=6 + 60 * some["count"] / some["count"].max(),
            color=colour,
            marker=marker,
            alpha=0.8,
            clip_on=False,
            label=f"{name}: ECE {error['expected_calibration_error']:.2f} "
            f"(by chance {error['by_chance']:.2f})",
        )
    trusted.set(xlim=(0, 1), ylim=(0, 1), xlabel="probability of the class given")
    trusted.set_ylabel("fraction of correct answers")
    trusted.set_title("(a) Probabilities")
    # Beneath, as curves may pass everywhere.
    trusted.legend(
        loc="upper center",
        bbox_to_anchor=(0.5, -0.17),
        title="area of marks: number of sites",
        handletextpad=0.2,
    )
    places = np.arange(len(coverage))[::-1]
    reach = [coverage["coverage"] - coverage["low"], coverage["high"] - coverage["coverage"]]
    covered.axvline(level, color="0.6", linewidth=0.8)
    covered.errorbar(
        coverage["coverage"],
        places,
        xerr=np.maximum(reach, 0),
        fmt="o",
        color="black",
        elinewidth=0.8,
    )
    covered.set_yticks(
        places,
        [
            f"{style.shown(name)} ({sites})" + _why_bare(promised, low, groups)
            for name, sites, promised, low, groups in coverage[
                ["class", "sites", "promised", "low", "groups"]
            ].to_numpy()
        ],
    )
    covered.set(xlim=(0, 1.05), xlabel="sets with the\ntrue class")
    covered.set_title(f"(b) Coverage,\nasked: {level:g}")
    size.barh(places, coverage["mean_size"], color="0.75", height=0.6)
    size.set_yticks(places, [])
    for axes in (covered, size):
        axes.set_ylim(-0.5, len(places) - 0.5)
    size.set(xlim=(0, len(SITE_CLASSES)), xlabel="classes in a set\n(mean)")
    size.set_xticks(range(len(SITE_CLASSES) + 1))
    size.set_title("(c) Size\nof the sets")
    if not coverage["promised"].any():
        for axes in (covered, size):
            style.say_nothing_to_show(axes, "no class\nhas sets")
    return figure


def _why_bare(promised, low, groups):
    """Return why a coverage is missing, or its interval."""
    if not promised:
        return "\nno sets"
    return f"\ntoo few groups ({groups})" if np.isnan(low) else ""
