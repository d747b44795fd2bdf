"""Filters and morphology of the workshop against paper and scikit-image."""

import numpy as np
import pytest
from skimage import morphology

from damascene.workshop import filters


@pytest.fixture
def picture():
    rng = np.random.default_rng(4)
    coarse = np.kron(rng.integers(60, 190, size=(12, 12)), np.ones((12, 12)))
    return coarse.astype(np.uint8)


def test_noise_has_its_spread_and_defects_their_share(picture):
    grey = np.full((300, 300), 128, np.uint8)
    assert np.isclose(filters.with_noise(grey, spread=10, seed=1).std(), 10, rtol=0.03)
    spoilt = filters.with_defects(grey, share=0.2, seed=1)
    assert np.isclose(np.mean(spoilt == 0), 0.1, atol=0.01)
    assert np.isclose(np.mean(spoilt == 255), 0.1, atol=0.01)
    assert np.array_equal(filters.with_defects(picture, share=0, seed=1), picture)


def test_gaussian_is_better_on_noise_and_median_on_defects(picture):
    spoilt = {
        "noise": filters.with_noise(picture, spread=25, seed=1),
        "defects": filters.with_defects(picture, share=0.1, seed=1),
    }
    errors = filters.error_of_filters(picture, spoilt).set_index("filter")
    gauss, median = errors.loc["Gaussian, σ = 1 px"], errors.loc["median, 3 x 3 px"]
    assert gauss["noise"] < errors.loc["none", "noise"]
    assert median["defects"] < gauss["defects"] < errors.loc["none", "defects"]
    assert np.isclose(errors.loc["none", "noise"], np.std(spoilt["noise"] - picture.astype(float)),
                      rtol=0.02)  # fmt: skip


def test_error_of_a_filter_is_the_one_worked_out_on_paper():
    clean, spoilt = np.zeros((1, 4), np.uint8), np.array([[0, 0, 0, 8]], np.uint8)
    same = {"same": lambda image: image.astype(float)}
    table = filters.error_of_filters(clean, {"one pixel": spoilt}, filters=same)
    assert table["one pixel"].iloc[0] == 4


def test_a_ramp_has_the_gradient_it_was_made_with():
    down, across = np.mgrid[:9, :9]
    strength, direction = filters.sobel_edges(3.0 * across + 4.0 * down)
    assert np.allclose(strength[2:-2, 2:-2], 5)
    assert np.allclose(direction[2:-2, 2:-2], np.degrees(np.arctan2(4, 3)))


def test_a_step_of_a_hundred_gives_four_hundred_on_both_sides():
    step = np.zeros((5, 6))
    step[:, 3:] = 100
    assert (8 * filters.sobel_edges(step)[0]).tolist() == [[0, 0, 400, 400, 0, 0]] * 5


def test_operations_on_the_small_mask_are_those_worked_out_on_paper():
    mask = filters.small_mask()
    pixels = {name: each.sum() for name, each in filters.four_operations(mask).items()}
    # The square without its hole has 24 pixels; its cross fits in four corners of the inner ring.
    assert mask.sum() == 25
    assert pixels["erosion"] == 4
    # 5 x 5 with a border of 4 x 5, and the cross of the single pixel.
    assert pixels["dilation"] == 45 + 5
    # Four corners with their neighbours, of which four are shared by two.
    assert pixels["opening"] == 4 + 8 + 4
    # The hole is filled.
    assert pixels["closing"] == 26


def test_opening_takes_corners_middles_of_the_sides_and_the_single_pixel():
    mask = filters.small_mask()
    taken = np.argwhere(mask & ~filters.four_operations(mask)["opening"]).tolist()
    corners, middles = [[2, 2], [2, 6], [6, 2], [6, 6]], [[2, 4], [4, 2], [4, 6], [6, 4]]
    assert taken == sorted([*corners, *middles, [4, 10]])


@pytest.mark.parametrize("times", [1, 3])
def test_operations_are_those_of_scikit_image_away_from_the_edge(times):
    mask = np.zeros((60, 60), bool)
    mask[12:48, 12:48] = np.random.default_rng(1).random((36, 36)) < 0.7
    disk = morphology.diamond(times)
    expected = {
        "erosion": morphology.erosion(mask, disk),
        "dilation": morphology.dilation(mask, disk),
        "opening": morphology.opening(mask, disk),
        "closing": morphology.closing(mask, disk),
    }
    for name, result in filters.four_operations(mask, times=times).items():
        assert np.array_equal(result, expected[name]), name


def test_a_full_mask_is_not_eroded_from_the_edge_of_the_image():
    full = np.ones((5, 5), bool)
    assert all(each.all() for each in filters.four_operations(full).values())
