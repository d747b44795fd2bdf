"""Smoothing of a map by a Markov random field."""

import itertools

import numpy as np
import pytest

from damascene.workshop.smoothing import energy, grey_costs, islands, like_neighbours, smooth

rng = np.random.default_rng(6)


def test_the_energy_of_a_small_map():
    names = np.array([[0, 1, 1], [0, 0, 1]])
    costs = np.zeros((2, 3, 2))
    costs[0, 0, 0], costs[1, 2, 1], costs[0, 1, 0] = 2.0, 0.5, 100.0
    # Of seven pairs three differ: one in each row, and one below the other.
    assert energy(names, costs, coupling=0) == 2.5
    assert energy(names, costs, coupling=0.1) == pytest.approx(2.5 + 3 * 0.1)


@pytest.mark.parametrize("coupling", [0.2, 1.5, 10])
@pytest.mark.parametrize("classes", [2, 3])
def test_the_energy_never_rises(coupling, classes):
    costs = rng.exponential(size=(41, 30, classes))
    names, energies = smooth(costs, coupling=coupling)
    assert (np.diff(energies) <= 1e-9).all()
    assert energies[-1] < energies[0]
    assert energies[-1] == pytest.approx(energy(names, costs, coupling=coupling))


def test_no_single_pixel_can_be_renamed_for_less():
    costs = rng.exponential(size=(9, 8, 3))
    names, energies = smooth(costs, coupling=0.7, sweeps=100)
    for row, column, name in itertools.product(range(9), range(8), range(3)):
        other = names.copy()
        other[row, column] = name
        assert energy(other, costs, coupling=0.7) >= energies[-1] - 1e-9


def test_without_coupling_nothing_changes():
    costs = rng.exponential(size=(20, 21, 4))
    names, energies = smooth(costs, coupling=0)
    np.testing.assert_array_equal(names, costs.argmin(axis=2))
    assert energies == [energies[0]] * 2


def test_a_speck_goes_and_an_island_stays():
    costs = np.zeros((20, 20, 2))
    costs[..., 1] = 1
    costs[5, 5] = (1, 0)
    costs[10:15, 10:15] = (1, 0)
    names, _ = smooth(costs, coupling=0.4)
    assert names[5, 5] == 0 and names[12, 12] == 1
    assert islands(costs.argmin(axis=2)) == 3 and islands(names) == 2


def test_neighbours_are_counted_by_name():
    names = np.array([[0, 1], [1, 1]])
    expected = [[[0, 2], [1, 1]], [[1, 1], [0, 2]]]
    np.testing.assert_array_equal(like_neighbours(names, classes=2), expected)


def test_greys_are_cheapest_in_their_own_class():
    pixels = np.where(rng.random((50, 60)) < 0.4, 60, 180) + rng.normal(0, 8, (50, 60))
    pixels = pixels.round().astype(np.uint8)
    costs = grey_costs(pixels, classes=2)
    np.testing.assert_array_equal(costs.argmin(axis=2), pixels > 120)
    # - ln of a normal density, by hand.
    dark = pixels[pixels < 120].astype(float)
    value = (60.0 - dark.mean()) ** 2 / (2 * dark.var()) + np.log(dark.std())
    assert costs[pixels == 60][0, 0] == pytest.approx(value)


@pytest.mark.parametrize("greys", [[7], [7, 90]])
def test_an_image_with_few_greys_has_few_classes(greys):
    pixels = np.resize(np.array(greys, np.uint8), (6, 7))
    costs = grey_costs(pixels, classes=3)
    assert costs.shape == (6, 7, len(greys))
    assert np.isfinite(costs).all()
    names, _ = smooth(costs, coupling=0)
    assert len(np.unique(names)) == len(greys)
