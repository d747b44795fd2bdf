"""The first tasks of the workshop against least squares, paper and scipy."""

import numpy as np
import pytest
from scipy import stats

from damascene.workshop import first_tasks as tasks


@pytest.fixture
def picture():
    """Return noise with structure of many sizes."""
    rng = np.random.default_rng(4)
    coarse = np.kron(rng.integers(40, 200, size=(32, 32)), np.ones((4, 4)))
    return np.clip(coarse + rng.normal(scale=8, size=coarse.shape), 0, 255).astype(np.uint8)


def test_pairs_are_neighbours_and_both_valid():
    image = np.arange(40, dtype=np.uint8).reshape(4, 10)
    valid = np.ones(image.shape, bool)
    valid[:, 3] = False
    left, right = tasks.neighbour_pairs(image, valid, count=1000, seed=1)
    assert np.array_equal(right, left + 1)
    assert len(left) == 4 * 7
    assert not {2, 3} & set(left % 10)
    few, _ = tasks.neighbour_pairs(image, valid, count=5, seed=1)
    assert np.array_equal(few, left[:5])


def test_first_step_of_descent_is_that_worked_out_on_paper():
    # Loss (y - w1 x - w0)^2 at one point x = 2, y = 3: gradient -2 * 3 * 2 and -2 * 3.
    descent = tasks.descend_to_line(np.array([2.0]), np.array([3.0]), rate=0.1, steps=1)
    assert np.allclose(descent.slope, [0, 1.2])
    assert np.allclose(descent.intercept, [0, 0.6])
    assert np.allclose(descent.loss, [9, (3 - 2.4 - 0.6) ** 2])


def test_descent_ends_at_least_squares():
    rng = np.random.default_rng(2)
    x = rng.random(200)
    y = 0.7 * x + 0.1 + rng.normal(scale=0.05, size=200)
    descent = tasks.descend_to_line(x, y, rate=0.5, steps=2000)
    assert np.allclose([descent.slope[-1], descent.intercept[-1]], np.polyfit(x, y, 1), atol=1e-6)
    assert (np.diff(descent.loss) <= 1e-15).all()


def test_tiles_keep_their_places():
    image = np.arange(7 * 9).reshape(7, 9)
    tiles = tasks.tiles_of(image, edge_px=3)
    assert tiles.shape == (6, 3, 3)
    assert np.array_equal(tiles[4], image[3:6, 3:6])


def test_half_of_the_tiles_are_blurred_and_lose_steps(picture):
    tiles = tasks.sharp_and_blurred(picture, edge_px=16, sigma_px=1, noise=0, seed=1)
    assert tiles.blurred.sum() == len(tiles.blurred) // 2
    sharp = tasks.tiles_of(picture, edge_px=16)
    assert np.array_equal(tiles.pictures[~tiles.blurred], sharp[~tiles.blurred])
    before = tasks.tile_measures(sharp)[tiles.blurred]
    assert (tiles.measures[tiles.blurred] < before).all()


def test_measures_of_a_tile_are_those_worked_out_on_paper():
    tile = np.array([[[0.0, 4.0], [0.0, 4.0]]])
    assert tasks.tile_measures(tile).tolist() == [[2.0, 4.0]]


def test_more_examples_name_more_unseen_tiles(picture):
    tiles = tasks.sharp_and_blurred(picture, edge_px=16, sigma_px=1, noise=10, seed=1)
    scores = tasks.experience_curve(tiles, sizes=(2, 32), repeats=10, seed=1)
    assert scores.shape == (2, 10)
    assert scores[1].mean() > scores[0].mean()
    assert scores[1].mean() > 0.8


def test_classifier_that_cannot_know_is_right_by_chance(picture):
    # Blurring by nothing changes nothing: any answer is a guess.
    tiles = tasks.sharp_and_blurred(picture, edge_px=8, sigma_px=0, noise=0, seed=1)
    scores = tasks.experience_curve(tiles, sizes=(64,), repeats=40, seed=1)
    assert abs(scores.mean() - 0.5) < 0.05


def test_entropy_equals_that_of_scipy_and_of_a_coin(picture):
    assert tasks.entropy_bits(np.array([[0, 255]], np.uint8)) == 1
    assert tasks.entropy_bits(np.zeros((2, 2), np.uint8)) == 0
    expected = stats.entropy(np.bincount(picture.ravel()), base=2)
    assert np.isclose(tasks.entropy_bits(picture), expected)


def test_dark_beside_dark_counts_pairs():
    dark = np.array([[1, 1, 0, 0], [0, 0, 0, 1]], bool)
    # Two pixels with a right neighbour are dark, one of these neighbours is.
    assert tasks.dark_beside_dark(dark) == (3 / 8, 1 / 2)
    assert np.isnan(tasks.dark_beside_dark(np.zeros((2, 2), bool))[1])


def test_looking_again_pays_where_both_costs_are_alike():
    limit = tasks.worth_a_look(missed=10, false_alarm=1)
    assert np.isclose(limit, 1 / 11)
    # At the limit both choices cost the same on average.
    assert np.isclose(limit * 10, (1 - limit) * 1)
