"""Figures of the pages on convolution and networks: what is written in them, and where it lies."""

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from damascene.workshop.convolution_examples import CROSS, SMALL_IMAGE
from damascene.workshop.drawing_convolution import draw_filtered, draw_grid, draw_steps
from damascene.workshop.drawing_networks import (
    draw_as_numbers,
    draw_counts,
    draw_fields,
    draw_histories,
    draw_pictures,
)


def words(axes):
    return [each.get_text() for each in axes.texts]


def test_a_grid_tells_its_numbers_and_no_minus_before_a_rounded_zero():
    axes = Figure().add_subplot()
    draw_grid(axes, np.array([[-0.001, 0.5], [-1 / 9, 1]]), form=".2f", covered=(0, 1, 1))
    assert words(axes) == ["0.00", "0.50", "-0.11", "1.00"]
    (square,) = [each for each in axes.patches if isinstance(each, Rectangle)]
    assert square.get_xy() == (0.5, -0.5)


def test_each_place_of_a_kernel_is_told_with_its_sum():
    figure = draw_steps(SMALL_IMAGE, CROSS)
    titles = [axes.get_title(loc="center") for axes in figure.axes]
    assert titles[:2] == ["row 1, column 1: 4", "row 1, column 2: 3"] and len(titles) == 9
    assert words(figure.axes[0]).count("×1") == CROSS.sum()


@pytest.mark.parametrize("pixel_um", [None, 0.03])
def test_answers_of_both_signs_have_no_edge_in_the_middle_grey(pixel_um):
    rng = np.random.default_rng(1)
    noise = rng.normal(size=(40, 40))
    figure = draw_filtered(noise + 90, {"edges": noise, "blur": noise + 90}, pixel_um=pixel_um)
    low, high = figure.axes[1].images[0].get_clim()
    assert low == -high
    low, high = figure.axes[2].images[0].get_clim()
    assert low > 0
    assert bool(words(figure.axes[0])) == (pixel_um is not None)


@pytest.mark.parametrize("edge", [64, 100, 1024])
def test_receptive_fields_lie_within_the_figure_on_images_of_any_size(edge):
    fields = {"small": 16, "large": 212}
    (axes,) = draw_fields(np.zeros((edge, edge - 7)), fields, pixel_um=0.03).axes
    squares = [each for each in axes.patches if isinstance(each, Rectangle)]
    assert sorted({each.get_width() for each in squares}) == [16, 212]
    low, high = axes.get_xlim()
    middle = (low + high) / 2
    for each in squares:
        assert low <= each.get_x() and each.get_x() + each.get_width() <= high
        assert each.get_x() + each.get_width() / 2 == pytest.approx(middle)
    left, right, *_ = axes.images[0].get_extent()
    assert (left + right) / 2 == pytest.approx(middle)


def test_a_large_picture_tells_every_few_of_its_numbers():
    image = np.arange(28 * 28).reshape(28, 28)
    figure = draw_as_numbers(image)
    assert words(figure.axes[1])[:3] == ["0", "4", "8"] and len(words(figure.axes[1])) == 49


def test_counts_training_and_a_network_without_mistakes_are_drawn():
    counts = np.array([[9, 1], [0, 5]])
    assert words(draw_counts(counts, ["a", "b"]).axes[0]) == ["9", "1", "5"]
    assert words(draw_pictures(np.zeros((0, 8, 8)), []).axes[0]) == ["none"]
    history = pd.DataFrame({"epoch": [1, 2], "loss": [2.0, 1.0], "accuracy": [0.2, 0.6]})
    history = history.assign(val_loss=[2.1, 1.3], val_accuracy=[0.1, 0.5])
    loss, accuracy = draw_histories({"net": history}).axes
    assert [line.get_ydata().tolist() for line in accuracy.lines] == [[0.2, 0.6], [0.1, 0.5]]
    assert loss.get_ylim()[0] == 0
