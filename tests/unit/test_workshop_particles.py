"""Sizes of regions and their edge correction against paper and a field that is known."""

import numpy as np
import pandas as pd
import pytest

from damascene.workshop import particles
from damascene.workshop.particles import ALL, WEIGHTED, WHOLE


@pytest.fixture
def mask():
    """Return a square at the edge, a square inside, and two pixels that touch by a corner."""
    mask = np.zeros((20, 30), bool)
    mask[0:4, 2:6] = True
    mask[8:12, 8:12] = True
    mask[15, 20] = mask[16, 21] = True
    return mask


def test_regions_are_measured_and_known_to_touch_the_edge(mask):
    labels, regions = particles.regions_of(mask)
    assert regions["area_px"].tolist() == [16, 16, 2]
    assert regions["whole"].tolist() == [False, True, True]
    assert regions["height_px"].tolist() == [4, 4, 2]
    assert np.allclose(regions["diameter_px"] ** 2 * np.pi / 4, regions["area_px"])
    assert labels[16, 21] == labels[15, 20] == 3
    assert len(particles.regions_of(mask, least_px=3)[1]) == 2


def test_a_region_beside_what_is_not_valid_is_not_whole(mask):
    valid = np.ones(mask.shape, bool)
    valid[:, 12:14] = False
    _, regions = particles.regions_of(mask, valid=valid)
    assert regions["whole"].tolist() == [False, False, True]
    valid[8:12, 8:12] = False
    assert len(particles.regions_of(mask, valid=valid)[1]) == 2


@pytest.mark.parametrize("size", [1, 3, 8])
def test_weights_are_the_inverse_of_the_number_of_places(size):
    shape = (10, 12)
    places = 0
    for top in range(shape[0] - size + 1):
        for left in range(shape[1] - size + 1):
            mask = np.zeros(shape, bool)
            mask[top : top + size, left : left + size] = True
            _, regions = particles.regions_of(mask)
            places += bool(regions["whole"].iloc[0])
            if regions["whole"].iloc[0]:
                weight = particles.edge_weights(regions, shape=shape)[0]
            else:
                assert particles.edge_weights(regions, shape=shape)[0] == 0
    assert np.isclose(weight, 1 / places)


def test_weights_of_the_question_on_the_page():
    regions = pd.DataFrame({"height_px": [9, 49], "width_px": [9, 49], "whole": [True, True]})
    small, large = particles.edge_weights(regions, shape=(100, 100))
    assert np.isclose(large / small, 3.24)


def test_means_and_medians_with_weights_are_those_worked_out_on_paper():
    values, weights = np.array([1.0, 2.0, 10.0]), np.array([1.0, 1.0, 3.0])
    assert np.isclose(particles.weighted_mean(values, weights), 33 / 5)
    assert particles.weighted_median(values, weights) == 10
    assert particles.weighted_median(values, np.ones(3)) == 2
    assert np.isnan(particles.weighted_mean(values, np.zeros(3)))
    assert np.isnan(particles.weighted_median(values, np.zeros(3)))


def test_only_the_weighted_mean_comes_back_to_the_truth():
    discs, true_px = particles.scattered_discs([16] * 700 + [60] * 130, edge_px=2048, seed=5)
    assert len(true_px) == 830
    found = particles.sizes_in_windows(discs, edge_px=256, step_px=128)
    error = found.set_index("way")["mean_px"] / true_px.mean() - 1
    assert abs(error[WEIGHTED]) < 0.03
    assert error[WHOLE] < -0.05
    assert error[ALL] < -0.05


def test_discs_do_not_touch_and_have_the_size_they_say():
    discs, true_px = particles.scattered_discs([11] * 20 + [30] * 5, edge_px=400, seed=1)
    _, regions = particles.regions_of(np.tile(discs, (2, 2)))
    # In four copies of the square each disc is whole at least once.
    whole = regions.loc[regions["whole"], "diameter_px"]
    assert np.allclose(np.unique(whole.round(9)), np.unique(true_px.round(9)))
    assert np.isclose(discs.sum(), (true_px**2 * np.pi / 4).sum())


def test_three_ways_count_what_they_say(mask):
    _, regions = particles.regions_of(mask)
    sizes = particles.mean_sizes(regions, shape=mask.shape).set_index("way")
    assert sizes["count"].to_dict() == {ALL: 3, WHOLE: 2, WEIGHTED: 2}
    square, pair = np.sqrt(4 * 16 / np.pi), np.sqrt(4 * 2 / np.pi)
    assert np.isclose(sizes.loc[ALL, "mean_px"], (2 * square + pair) / 3)
    few, many = 1 / (15 * 25), 1 / (17 * 27)
    expected = (few * square + many * pair) / (few + many)
    assert np.isclose(sizes.loc[WEIGHTED, "mean_px"], expected)


def test_sizes_follow_the_threshold_of_a_cone():
    down, across = np.mgrid[-50:51, -50:51]
    cone = np.clip(200 - 4 * np.hypot(down, across), 0, 255)
    table = particles.sizes_by_threshold(cone, [80, 100, 120], bright=True, least_px=1)
    # Brighter than t is what lies within (200 - t) / 4 of the middle.
    assert np.allclose(table["mean_px"], [60, 50, 40], rtol=0.02)
    assert table["count"].tolist() == [1, 1, 1]
    error = particles.error_from_threshold(table, chosen=100, by=20)
    assert np.isclose(error["mean_px"], 10, rtol=0.05)
    assert particles.error_from_threshold(table, chosen=100, by=5)["mean_px"] == 0


def test_dark_regions_are_those_up_to_the_threshold(mask):
    grey = np.where(mask, 50, 200)
    table = particles.sizes_by_threshold(grey, [50], bright=False, least_px=1)
    assert table["count"].iloc[0] == 2


def test_error_from_number_is_that_of_a_mean():
    rng = np.random.default_rng(2)
    diameters = rng.normal(20, 4, size=400)
    regions = pd.DataFrame(
        {"diameter_px": diameters, "height_px": 20, "width_px": 20, "whole": True}
    )
    error = particles.resampled_error(regions, shape=(1000, 1000), draws=400, seed=1)
    assert np.isclose(error["mean_px"], diameters.std() / np.sqrt(400), rtol=0.15)
    few = particles.resampled_error(regions[:1], shape=(1000, 1000), draws=5, seed=1)
    assert np.isnan(few["mean_px"])
