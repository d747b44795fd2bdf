"""Blocks drawn again: the scatter of a density."""

import numpy as np
import pytest
from scipy import stats

from damascene.statistics.block_bootstrap import (
    bootstrap_densities,
    dispersed_quantiles,
    spread_densities,
)
from damascene.statistics.intervals import poisson_interval


def test_replicates_have_the_mean_and_the_scatter_of_blocks():
    random = np.random.default_rng(1)
    counts, areas = random.poisson(20, (50, 3)), random.uniform(0.9, 1.1, 50)
    drawn = bootstrap_densities(counts, areas, seed=0, replicates=20000)
    assert drawn.shape == (20000, 3)
    density = counts.sum(axis=0) / areas.sum()
    assert drawn.mean(axis=0) == pytest.approx(density, rel=0.003)
    # Of a ratio, to first order.
    expected = np.sqrt(((counts - density * areas[:, None]) ** 2).sum(axis=0)) / areas.sum()
    assert drawn.std(axis=0) == pytest.approx(expected, rel=0.03)


def test_replicates_need_two_blocks_with_area():
    with pytest.raises(ValueError, match="two blocks"):
        bootstrap_densities(np.ones((1, 1)), np.ones(1), seed=0)
    with pytest.raises(ValueError, match="valid area"):
        bootstrap_densities(np.ones((2, 1)), np.array([1.0, 0.0]), seed=0)


@pytest.mark.parametrize("count", [0, 1, 7, 300])
def test_quantiles_without_over_dispersion_are_exact_poisson_bounds(count):
    low, high = dispersed_quantiles(np.array([0.025, 0.975]), count, dispersion=0.3, freedom=1e9)
    assert (low, high) == pytest.approx(tuple(map(float, poisson_interval(count))))


def test_quantiles_of_large_counts_are_those_of_students_t():
    low, high = dispersed_quantiles(np.array([0.025, 0.975]), 1e6, dispersion=4, freedom=5)
    half = stats.t.ppf(0.975, 5) * 2 * 1e3
    assert (low, high) == pytest.approx((1e6 - half, 1e6 + half), rel=1e-4)


def test_spread_replicates_are_never_narrower_than_poisson_and_no_zero_is_certain():
    random = np.random.default_rng(2)
    counts = np.stack([random.poisson(10, 12), np.zeros(12, int), np.full(12, 10)], axis=1)
    areas = np.full(12, 0.01)
    spread = spread_densities(counts, areas, seed=0, replicates=20000)
    low, high = np.quantile(spread, [0.025, 0.975], axis=0)
    exact_low, exact_high = poisson_interval(counts.sum(axis=0))
    assert (low <= exact_low / 0.12 * 1.001).all() and (high >= exact_high / 0.12 * 0.99).all()
    # Alike blocks: no more than Poisson.
    assert high[2] == pytest.approx(exact_high[2] / 0.12, rel=0.01)
    assert low[1] == 0


def test_classes_of_one_band_rise_together_in_the_replicates():
    band = np.repeat([2, 20], 8)
    spread = spread_densities(np.stack([band, 2 * band], axis=1), np.ones(16), seed=0)
    assert np.corrcoef(spread.T)[0, 1] > 0.95
    again = spread_densities(np.stack([band, 2 * band], axis=1), np.ones(16), seed=0)
    np.testing.assert_array_equal(spread, again)
