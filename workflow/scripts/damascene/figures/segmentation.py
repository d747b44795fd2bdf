"""How well ways to a phase map agree with held-out labels: their scores, and their maps."""

from collections.abc import Mapping, Sequence

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from damascene.classes import ALL
from damascene.figures import style
from damascene.figures.overview import INVALID_GREY, add_scale_bar
from damascene.segmentation.confusion import mean_iou, phase_confusion

# Colours of Okabe and Ito with hatches, for methods in the order of the table.
_LOOKS = (("#0072B2", ""), ("#56B4E9", "////"), ("#E69F00", ".."), ("#999999", "xxxx"))
_BAR_MM, _GAP_MM = 3.2, 3.0
# Scenes that are shown: those where the first method is worst, in the middle and best.
_SCENES = 3
_METHOD_NAMES = {"simulated": "learned from simulated steel", "multi_otsu": "multi-Otsu"}


@matplotlib.rc_context(style.STYLE)
def draw_phase_scores(scores: pd.DataFrame, costs: pd.DataFrame) -> Figure:
    """Draw the intersection over union by phase and its mean for each method, and what it costs.

    Parameters
    ----------
    scores : pandas.DataFrame
        `SEGMENTATION_SCORES`.
    costs : pandas.DataFrame
        `SEGMENTATION_COSTS`.

    Returns
    -------
    matplotlib.figure.Figure
        175 mm wide.
    """
    methods = list(dict.fromkeys(scores["method"]))
    phases = [name for name in dict.fromkeys(scores["phase"]) if name != ALL]
    groups = [*((name, "iou") for name in phases), (ALL, "mean_iou")]
    height_mm = len(groups) * (_BAR_MM * len(methods) + _GAP_MM) + 24
    figure = style.new_figure(width_mm=style.FULL_WIDTH_MM, height_mm=height_mm)
    axes, time_axes, speed_axes = figure.subplots(1, 3, width_ratios=(4, 1, 1))
    found = scores.set_index(["method", "phase", "score"])
    step = len(methods) + _GAP_MM / _BAR_MM
    for number, method in enumerate(methods):
        colour, hatch = _LOOKS[number % len(_LOOKS)]
        rows = found.loc[[(method, *group) for group in groups]]
        places = np.arange(len(groups)) * step + number
        value = rows["value"].to_numpy()
        reach = np.maximum([value - rows["low"], rows["high"] - value], 0)
        axes.barh(
            places,
            value,
            height=0.85,
            color=colour,
            hatch=hatch,
            edgecolor="white",
            linewidth=0,
            label=_name(method),
        )
        axes.errorbar(value, places, xerr=reach, fmt="none", ecolor="black", elinewidth=0.8)
        ends = np.fmax(value, rows["high"])
        for place, each, end in zip(places, value, ends, strict=True):
            if np.isfinite(each):
                axes.text(end + 0.01, place, f"{each:.2f}", va="center", fontsize=6.5)
    middle = np.arange(len(groups)) * step + (len(methods) - 1) / 2
    axes.set_yticks(middle, [*(style.shown(name) for name in phases), "mean of the phases"])
    axes.invert_yaxis()
    axes.set(xlim=(0, 1.08), xlabel="Intersection over union of held-out labels")
    axes.set_xticks(np.linspace(0, 1, 6))
    axes.grid(axis="x", linewidth=0.3, color="0.85")
    per_method = costs.groupby("method", sort=False)
    speed = per_method["megapixels"].sum() / per_method["answering_s"].sum()
    for panel, values, label in (
        (time_axes, per_method["training_s"].mean(), "Training of\none fold (s)"),
        (speed_axes, speed, "Mapping\n(Mpx/s)"),
    ):
        for number, method in enumerate(methods):
            panel.plot(values[method], number, "o", color=_LOOKS[number % len(_LOOKS)][0])
        panel.set(xscale="log", xlabel=label, yticks=[], ylim=(len(methods) - 0.5, -0.5))
        panel.grid(axis="x", linewidth=0.3, color="0.85")
    figure.legend(*axes.get_legend_handles_labels(), loc="outside upper center", ncols=len(methods))
    return figure


@matplotlib.rc_context(style.STYLE)
def draw_held_out_maps(
    examples: Mapping[str, Mapping[str, np.ndarray]], *, colours: Mapping[str, str]
) -> Figure:
    """Draw held-out places: the image, the labels, and the map of each method.

    Parameters
    ----------
    examples : mapping of str to mapping
        By method: `NAME.image`, `NAME.labels`, `NAME.phases` and `NAME.pixel_size_nm`, see
        `evaluation.phase_tests.count_held_out`.
    colours : mapping of str to str
        Of the phases, in the order of their numbers from 1.

    Returns
    -------
    matplotlib.figure.Figure
        175 mm wide. A row each for the places where the first method has the lowest, the middle
        and the highest mean intersection over union; the figure beside a name is that mean.
    """
    methods = list(examples)
    shown = _chosen_scenes(examples[methods[0]], count=len(colours))
    cell_mm = style.FULL_WIDTH_MM / (2 + len(methods))
    heights = [
        cell_mm * image.shape[0] / image.shape[1]
        for image in (examples[methods[0]][f"{name}.image"] for name in shown)
    ]
    figure = style.new_figure(
        width_mm=style.FULL_WIDTH_MM, height_mm=sum(heights) + 7 * len(shown) + 12
    )
    cells = figure.subplots(
        len(shown), 2 + len(methods), squeeze=False, height_ratios=[each + 5 for each in heights]
    )
    for row, name in zip(cells, shown, strict=True):
        first = examples[methods[0]]
        truth = first[f"{name}.labels"]
        row[0].imshow(first[f"{name}.image"], cmap="gray", vmin=0, vmax=255)
        add_scale_bar(
            row[0],
            width_um=truth.shape[1] * float(first[f"{name}.pixel_size_nm"]) / 1000,
            portion=0.35,
        )
        row[0].set_title(style.wrapped(name, width=22))
        row[1].imshow(_coloured(truth, colours), interpolation="nearest")
        row[1].set_title("labels")
        for axes, method in zip(row[2:], methods, strict=True):
            assigned = examples[method][f"{name}.phases"]
            axes.imshow(_coloured(assigned, colours), interpolation="nearest")
            score = _agreement(truth, assigned, count=len(colours))
            axes.set_title(f"{style.wrapped(_name(method), width=20)}: {score:.2f}")
        for axes in row:
            axes.set(xticks=[], yticks=[])
            axes.spines[:].set_visible(True)
    handles = [
        Patch(facecolor=colour, edgecolor="0.3", linewidth=0.4, label=style.shown(name))
        for name, colour in colours.items()
    ]
    nothing = Patch(facecolor=str(INVALID_GREY), edgecolor="0.3", linewidth=0.4, label="no label")
    figure.legend(handles=[*handles, nothing], loc="outside lower center", ncols=5)
    return figure


def read_examples(paths: Sequence[str], methods: Sequence[str]) -> dict[str, dict[str, np.ndarray]]:
    """Return the examples of all folds by method; the names of the files begin with the method."""
    found = {method: {} for method in methods}
    for path in paths:
        method = path.rsplit("/", 1)[-1].split(".")[0]
        with np.load(path) as stored:
            found[method].update({key: stored[key] for key in stored.files})
    return found


def _chosen_scenes(example, *, count):
    names = sorted({key.rsplit(".", 1)[0] for key in example})
    score = {
        name: _agreement(example[f"{name}.labels"], example[f"{name}.phases"], count=count)
        for name in names
    }
    ranked = sorted((name for name in names if np.isfinite(score[name])), key=score.get)
    places = np.linspace(0, len(ranked) - 1, min(_SCENES, len(ranked))).round().astype(int)
    return [ranked[place] for place in places]


def _agreement(truth, assigned, *, count):
    return float(mean_iou(phase_confusion(truth, assigned, phase_count=count)))


def _coloured(numbers, colours):
    lookup = np.array([[float(INVALID_GREY)] * 3, *(to_rgb(each) for each in colours.values())])
    return lookup[numbers]


def _name(method):
    return _METHOD_NAMES.get(method, style.shown(method))
