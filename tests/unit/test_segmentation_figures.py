"""Figures of the comparison of phase maps: what is drawn is what the tables say."""

import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_rgb

from damascene.figures.segmentation import draw_held_out_maps, draw_phase_scores, read_examples

COLOURS = {"matrix": "#0072B2", "lath": "#D55E00"}


def scores_of(method, values):
    rows = [("matrix", "iou"), ("lath", "iou"), ("all", "mean_iou"), ("all", "pixel_accuracy")]
    return pd.DataFrame(
        [
            {"method": method, "phase": phase, "score": score, "value": value}
            | {"low": value - 0.1, "high": value + 0.05, "groups": 4, "pixels": 9}
            for (phase, score), value in zip(rows, values, strict=True)
        ]
    )


def test_bars_are_the_scores_and_points_the_costs():
    scores = pd.concat(
        [
            scores_of("unet", [0.9, 0.4, 0.65, 0.95]),
            scores_of("multi_otsu", [0.7, np.nan, 0.4, 0.8]),
        ]
    )
    costs = pd.DataFrame(
        {
            "method": ["unet", "unet", "multi_otsu", "multi_otsu"],
            "fold": [0, 1, 0, 1],
            "training_s": [100.0, 300.0, 2.0, 2.0],
            "answering_s": [1.0, 3.0, 1.0, 1.0],
            "megapixels": [2.0, 2.0, 5.0, 5.0],
        }
    )
    figure = draw_phase_scores(scores, costs)
    bars, seconds, speed = figure.axes
    widths = [patch.get_width() for patch in bars.patches]
    np.testing.assert_allclose(widths, [0.9, 0.4, 0.65, 0.7, np.nan, 0.4])
    assert [label.get_text() for label in bars.get_yticklabels()] == [
        *("matrix", "lath", "mean of the phases")
    ]
    assert [line.get_xdata()[0] for line in seconds.lines] == [200, 2]
    assert [line.get_xdata()[0] for line in speed.lines] == [1, 5]


def test_maps_stand_beside_image_and_labels_worst_first(tmp_path):
    rng = np.random.default_rng(0)
    truth = rng.integers(1, 3, (20, 30)).astype(np.uint8)
    truth[:5] = 0

    def example(wrong_part):
        wrong = rng.random(truth.shape) < wrong_part
        return np.where(wrong, 3 - np.maximum(truth, 1), np.maximum(truth, 1)).astype(np.uint8)

    parts = {"good": 0.05, "bad": 0.6, "middle": 0.3}
    stored = {}
    for method in ("unet", "multi_otsu"):
        examples = {}
        for name, part in parts.items():
            examples |= {
                f"{name}.image": truth * 40,
                f"{name}.labels": truth,
                f"{name}.phases": example(part),
                f"{name}.pixel_size_nm": np.array(200.0),
            }
        path = tmp_path / f"{method}.0.npz"
        np.savez_compressed(path, **examples)
        stored[method] = str(path)
    examples = read_examples(list(stored.values()), list(stored))
    figure = draw_held_out_maps(examples, colours=COLOURS)
    cells = np.array(figure.axes).reshape(3, 4)
    assert [axes.get_title(loc="left") for axes in cells[:, 0]] == ["bad", "middle", "good"]
    drawn = cells[2, 1].images[0].get_array()
    for number, colour in enumerate(COLOURS.values(), 1):
        np.testing.assert_allclose(
            drawn[truth == number], np.tile(to_rgb(colour), ((truth == number).sum(), 1))
        )
    told = [float(axes.get_title(loc="left").split(": ")[1]) for axes in cells[:, 2]]
    assert told == sorted(told) and told[2] == pytest.approx(0.9, abs=0.06)
