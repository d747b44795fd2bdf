"""Where sites lie: against pointpats, brute force, theory of random sites, and by symmetries."""

import numpy as np
import pandas as pd
import pointpats
import pytest
from scipy import stats

from damascene.classes import ALL, DAMAGE
from damascene.contracts.space import RANDOM_LABELLING, SPACE_CURVES, SPACE_SUMMARY
from damascene.contracts.table import check_table
from damascene.images.store import TiledImage, write_tiled
from damascene.space.area import Area, read_area
from damascene.space.blocks import ratio_interval
from damascene.space.curves import Setting, homogeneous_curves
from damascene.space.envelopes import global_envelope, monte_carlo_p
from damascene.space.intensity import density_map, fitted_intensity, local_fraction
from damascene.space.labelling import random_labelling
from damascene.space.measure import LEAST_SITES, measure_space
from damascene.space.nearest import (
    clark_evans,
    hanisch_weights,
    nearest_distribution,
    nearest_um,
)
from damascene.space.nulls import TooDense, random_patterns
from damascene.space.pairs import find_pairs, pair_correlation, ring_sums, ripley_k, ripley_l

HOLED = Area(valid=np.ones((64, 96)), cell_um=1.0)
HOLED.valid[20:40, 30:60] = 0
HOLED.valid[:, :7] = 0
RECTANGLE = Area(valid=np.ones((60, 100)), cell_um=1.0)
EDGES = np.linspace(0, 15, 16)


def points_in(area, count, seed=0, hard_core_um=0.0):
    rng = np.random.default_rng(seed)
    return random_patterns(area, count=count, patterns=1, hard_core_um=hard_core_um, rng=rng)[0]


def sums_of(points, area, edges=EDGES, shared=None, **options):
    pairs = find_pairs(
        points, reach_um=edges[-1], shared=shared or area.covariance(edges[-1]), **options
    )
    return ring_sums(pairs, edges).sum(axis=0)[0]


@pytest.fixture(autouse=True)
def few_simulations(monkeypatch):
    """A study takes more; what is tested here does not depend on their number."""
    monkeypatch.setattr("damascene.space.measure.SIMULATIONS", 79)
    monkeypatch.setattr("damascene.space.labelling.PERMUTATIONS", 199)


# Against pointpats ------------------------------------------------------------------------------


def without_correction(area):
    return lambda dx, dy: np.full(len(dx), area.um2)


def test_k_and_l_without_correction_equal_those_of_pointpats():
    """pointpats divides by the bounding box and by n², and has no correction of edges."""
    points = points_in(RECTANGLE, 300)
    # Its window is the bounding box of the points.
    points = np.vstack([points, [[0, 0], [100, 60]]])
    n = len(points)
    sums = sums_of(points, RECTANGLE, shared=without_correction(RECTANGLE))
    k = ripley_k(sums, count=n, area_um2=6000.0)
    _, expected = pointpats.k(points, support=EDGES)
    assert np.abs(k * (n - 1) / n - expected).max() < 1e-9
    _, expected_l = pointpats.l(points, support=EDGES)
    assert np.abs(ripley_l(k * (n - 1) / n) - expected_l).max() < 1e-12


def test_nearest_distances_without_correction_equal_those_of_pointpats():
    points = points_in(RECTANGLE, 250, seed=1)
    distances = nearest_um(points)
    ours = nearest_distribution(distances, np.ones(len(points)), EDGES[1:])[0]
    _, theirs = pointpats.g(points, support=EDGES)
    # pointpats counts by a histogram of equal steps.
    assert np.abs(ours - theirs[1:]).max() < 1e-12
    assert np.abs(distances - pointpats.PointPattern(points).nnd.ravel()).max() < 1e-12


# The border --------------------------------------------------------------------------------------


def test_weights_in_a_rectangle_are_those_by_hand():
    points = points_in(RECTANGLE, 120, seed=2)
    dx, dy = (np.subtract.outer(points[:, axis], points[:, axis]) for axis in (0, 1))
    distance = np.hypot(dx, dy)
    np.fill_diagonal(distance, np.inf)
    weight = 1 / ((100 - abs(dx)) * (60 - abs(dy)))
    by_hand = [(weight * (distance <= edge)).sum() for edge in EDGES]
    assert np.cumsum(sums_of(points, RECTANGLE)) == pytest.approx(by_hand, rel=1e-9)


def test_common_area_of_a_mask_with_a_hole_equals_counted_cells():
    shared = HOLED.covariance(12)
    for dx, dy in ((0, 0), (3, 0), (-5, 4), (7, -9), (0, 12)):
        shifted = np.roll(np.pad(HOLED.valid, 12), (dy, dx), axis=(0, 1))
        counted = (shifted * np.pad(HOLED.valid, 12)).sum()
        assert shared(np.array([dx]), np.array([dy]))[0] == pytest.approx(counted, abs=1e-6)


@pytest.mark.parametrize("area", [RECTANGLE, HOLED], ids=["rectangle", "holed"])
def test_random_sites_have_the_curves_of_random_sites_in_any_mask(area):
    """Without the correction, K would be a fifth too small at the end (and is, below)."""
    rng = np.random.default_rng(3)
    count, number = 80, 400
    patterns = random_patterns(area, count=count, patterns=number, hard_core_um=0, rng=rng)
    setting = Setting(
        area=area,
        shared=area.covariance(15),
        edges_um=np.linspace(0, 15, 21),
        direction_deg=30.0,
        fraction=None,
    )
    curves = homogeneous_curves(patterns, setting)
    for name in ("pair_correlation", "pair_correlation_along", "pair_correlation_across"):
        values = curves.by_name[name]
        error = values.std(axis=0) / np.sqrt(number)
        # Twenty values within four standard errors: by chance not once in 800 runs.
        assert (np.abs(values.mean(axis=0) - 1) < 4 * error).all(), name
    nearest, weights = curves.nearest_um, curves.weights
    at = np.array([1.0, 2, 3, 4, 6])
    pattern = np.repeat(np.arange(number), count)
    values = nearest_distribution(nearest, weights, at, pattern=pattern, patterns=number)
    theory = 1 - np.exp(-(count - 1) / area.um2 * np.pi * at**2)
    # The mask is known to half a cell, and the estimator is a ratio: two per cent are left.
    assert values.mean(axis=0) == pytest.approx(theory, abs=0.02)
    assert curves.clark_evans.mean() == pytest.approx(1, abs=0.03)
    uncorrected = [
        ripley_k(
            sums_of(points, area, shared=without_correction(area)), count=count, area_um2=area.um2
        )[-1]
        for points in patterns[:50]
    ]
    assert np.mean(uncorrected) < 0.9 * np.pi * 15**2


def test_a_site_near_the_border_does_not_tell_its_distance():
    points = np.array([[1.0, 30], [50, 30], [52, 30]])
    weights = hanisch_weights(points, nearest_um(points), RECTANGLE)
    assert weights[0] == 0 and weights[1] == weights[2] > 0
    ratio = clark_evans(nearest_um(points), weights, count=3, area_um2=6000.0)
    assert ratio[0] == pytest.approx(2 * 2 * np.sqrt(3 / 6000))


# Symmetries --------------------------------------------------------------------------------------


def turned(points, area):
    """Turn a pattern by 90 degrees counter-clockwise, as seen."""
    width = area.valid.shape[1] * area.cell_um
    return np.column_stack([points[:, 1], width - points[:, 0]]), Area(
        valid=np.rot90(area.valid), cell_um=area.cell_um
    )


def test_rotation_unit_and_order_change_nothing():
    points = points_in(HOLED, 90, seed=4)
    sums = ring_sums(
        find_pairs(points, reach_um=15, shared=HOLED.covariance(15), direction_deg=20), EDGES
    )
    rotated, area = turned(points, HOLED)
    again = ring_sums(
        find_pairs(rotated, reach_um=15, shared=area.covariance(15), direction_deg=110), EDGES
    )
    assert again == pytest.approx(sums, rel=1e-6)
    order = np.random.default_rng(0).permutation(len(points))
    shuffled = find_pairs(points[order], reach_um=15, shared=HOLED.covariance(15), direction_deg=20)
    assert ring_sums(shuffled, EDGES) == pytest.approx(sums, rel=1e-9)
    scaled_area = Area(valid=HOLED.valid, cell_um=HOLED.cell_um * 1000)
    scaled = find_pairs(
        points * 1000, reach_um=15000, shared=scaled_area.covariance(15000), direction_deg=20
    )
    rings = ring_sums(scaled, EDGES * 1000)
    assert rings * 1e6 == pytest.approx(sums, rel=1e-6)
    g = pair_correlation(rings[0], EDGES * 1000, count=90, area_um2=scaled_area.um2)
    same = pair_correlation(sums[0], EDGES, count=90, area_um2=HOLED.um2)
    assert g == pytest.approx(same, rel=1e-6)


def test_patterns_side_by_side_equal_each_alone():
    patterns = np.stack([points_in(HOLED, 40, seed=seed) for seed in range(3)])
    setting = Setting(
        area=HOLED,
        shared=HOLED.covariance(15),
        edges_um=np.linspace(0, 15, 21),
        direction_deg=0.0,
        fraction=None,
    )
    together = homogeneous_curves(patterns, setting)
    for number, points in enumerate(patterns):
        alone = homogeneous_curves(points[None], setting)
        for name, values in alone.by_name.items():
            assert together.by_name[name][number] == pytest.approx(values[0], abs=1e-9), name
        assert together.clark_evans[number] == pytest.approx(alone.clark_evans[0])


# Random sites and tests --------------------------------------------------------------------------


def test_random_patterns_stay_in_the_mask_and_keep_their_distance():
    rng = np.random.default_rng(5)
    patterns = random_patterns(HOLED, count=150, patterns=20, hard_core_um=2.0, rng=rng)
    assert patterns.shape == (20, 150, 2)
    assert (HOLED.at(HOLED.valid, patterns.reshape(-1, 2)) == 1).all()
    assert min(nearest_um(points).min() for points in patterns) >= 2.0
    # As many on each half of the mask as its area says.
    right = HOLED.valid[:, 60:].sum() / HOLED.valid.sum()
    assert (patterns[..., 0] >= 60).mean() == pytest.approx(right, abs=0.03)
    with pytest.raises(TooDense):
        random_patterns(HOLED, count=3000, patterns=1, hard_core_um=2.0, rng=rng)


def test_the_envelope_holds_95_percent_of_random_curves_and_names_extreme_ones():
    rng = np.random.default_rng(6)
    walks = rng.normal(size=(400, 200, 15)).cumsum(axis=2)
    p_values = np.array([global_envelope(each[0], each[1:]).p_value for each in walks])
    assert stats.kstest(p_values, "uniform").pvalue > 0.01
    inside = []
    for each in walks:
        test = global_envelope(each[0], each[1:])
        held = ((each[0] >= test.low) & (each[0] <= test.high)).all()
        assert held == (test.p_value > 0.05)
        inside.append(held)
    # 95 % of 400, within three standard deviations.
    assert 0.917 < np.mean(inside) < 0.983
    shifted = walks[0].copy()
    shifted[0] += 100
    assert global_envelope(shifted[0], shifted[1:]).p_value == 1 / 200
    assert monte_carlo_p(5.0, np.arange(199.0)) == pytest.approx(2 * 7 / 200)


def test_jackknife_of_a_ratio_follows_the_scatter_of_blocks():
    rng = np.random.default_rng(7)
    truths = []
    for _ in range(300):
        above, below = rng.poisson(40, (2, 25)).astype(float)
        low, high, _ = ratio_interval(above, below, confidence=0.95)
        truths.append(low <= 1 <= high)
    assert 0.91 < np.mean(truths) < 0.985
    assert np.isnan(ratio_interval(np.ones(4), np.ones(4), confidence=0.95)).all()


# Intensity ---------------------------------------------------------------------------------------


def test_the_density_map_of_a_masked_panorama_holds_its_sites():
    points = points_in(HOLED, 400, seed=8)
    found = density_map(points, HOLED)
    mean = 400 / HOLED.um2 * 1e6
    assert np.nanmean(found.per_mm2) == pytest.approx(mean, rel=0.05)
    assert np.isnan(found.per_mm2[30, 40]) and found.sites == 400
    # Without the correction, the density at the border would be half as high.
    assert np.nanmean(found.per_mm2[:3]) == pytest.approx(mean, rel=0.35)
    assert np.nanmean(found.per_mm2[:3]) > 0.65 * mean


def test_the_intensity_that_made_a_pattern_is_found_again():
    fraction = np.tile(np.linspace(0, 1, 96), (64, 1))
    rng = np.random.default_rng(9)
    for constant, slope in ((0.2, 0.8), (1.0, 0.0), (0.05, 0.95)):
        patterns = random_patterns(
            HOLED,
            count=4000,
            patterns=5,
            hard_core_um=0,
            rng=rng,
            intensity=constant + slope * fraction,
        )
        at_points = HOLED.at(fraction, patterns.reshape(-1, 2)).reshape(5, -1)
        found, rise = fitted_intensity(fraction, at_points, HOLED)
        total = (found + rise * fraction[None].reshape(1, -1)) * HOLED.valid.ravel()
        assert total.sum(axis=1) == pytest.approx(4000, rel=1e-3)
        assert (found / (found + rise)).mean() == pytest.approx(
            constant / (constant + slope), abs=0.05
        )


def test_masks_and_phases_are_read_as_they_are(tmp_path):
    rng = np.random.default_rng(10)
    mask = np.full((1500, 2100), 255, np.uint8)
    mask[:333, 700:] = 0
    phases = rng.integers(1, 4, mask.shape).astype(np.uint8)
    phases[mask == 0] = 0
    for name, pixels in (("mask", mask), ("phases", phases)):
        write_tiled(tmp_path / name, [pixels], shape=mask.shape, pixel_size_nm=40, name=name)
    with TiledImage(tmp_path / "mask") as image:
        area = read_area(image)
    assert area.um2 == pytest.approx((mask == 255).sum() * 0.04**2)
    assert area.valid.shape == (375, 525) and area.cell_um == pytest.approx(0.16)
    with TiledImage(tmp_path / "phases") as image:
        local = local_fraction(image, hard=2, damage=3, square_um=5.0, area=area)
    whole = phases[(phases > 0) & (phases < 3)]
    assert local[area.valid > 0].mean() == pytest.approx((whole == 2).mean(), abs=0.01)


# Classes -----------------------------------------------------------------------------------------


def labelled(points, labels, **options):
    return random_labelling(
        points,
        np.asarray(labels),
        area=RECTANGLE,
        classes=("inclusion", "notch", "interface"),
        least_sites=20,
        rng=np.random.default_rng(0),
        **options,
    ).set_index(["class", "other_class"])


def test_classes_that_lie_apart_are_told_from_mixed_ones():
    points = points_in(RECTANGLE, 300, seed=11)
    sides = np.where(points[:, 0] < 50, "inclusion", "notch")
    apart = labelled(points, sides)
    assert apart.loc[("inclusion", "notch"), "ratio"] < 0.3
    assert apart.loc[("inclusion", "notch"), "p_value"] == 2 / 200
    assert apart.loc[("notch", "notch"), "ratio"] > 1.5
    assert "fewer than 20 sites of interface" in apart.loc[("notch", "interface"), "not_estimated"]
    assert apart["p_adjusted"].max() == pytest.approx(3 * 2 / 200)
    # As many near pairs as five neighbours a site make, but for the border.
    assert apart["pairs"].sum() == pytest.approx(300 * 5 / 2, rel=0.2)


def test_random_labelling_keeps_its_level():
    rng = np.random.default_rng(12)
    found = []
    for seed in range(25):
        points = points_in(RECTANGLE, 120, seed=seed)
        table = labelled(points, rng.permutation(["inclusion"] * 60 + ["notch"] * 60))
        found.append((table["p_adjusted"] < 0.05).any())
    # The chance of an error is 5 % for all pairs: five or more in 25 happen once in 140 times.
    assert sum(found) < 5


# All together ------------------------------------------------------------------------------------


def site_table(points, classes, pixel_um=0.5):
    return pd.DataFrame(
        {
            "x_px": points[:, 0] / pixel_um - 0.5,
            "y_px": points[:, 1] / pixel_um - 0.5,
            "class": classes,
        }
    )


def measured(points, classes, area=HOLED, **options):
    return measure_space(
        site_table(points, classes), area, pixel_um=0.5, hard_core_um=0.8, seed=1, **options
    )


@pytest.fixture(scope="module")
def clusters():
    rng = np.random.default_rng(13)
    centres = points_in(HOLED, 8, seed=14)
    points = np.concatenate([centres + rng.normal(0, 2.5, centres.shape) for _ in range(20)])
    inside = (points > 0).all(axis=1) & (points < (96, 64)).all(axis=1)
    points = points[inside]
    points = points[HOLED.at(HOLED.valid, points) == 1]
    return points, np.resize(["notch", "martensite"], len(points))


def row(space, label, statistic):
    table = space.summary.set_index(["class", "statistic"])
    return table.loc[(label, statistic)]


def test_clusters_are_found_with_their_range_and_tables_keep_their_contracts(clusters):
    space = measured(*clusters, fraction=np.tile(np.linspace(0, 1, 96), (64, 1)))
    assert row(space, DAMAGE, "clark_evans")["value"] < 0.8
    for statistic in ("clark_evans", "ripley_l", "pair_correlation", "nearest"):
        assert row(space, DAMAGE, statistic)["p_value"] <= 1 / 40, statistic
    at = row(space, DAMAGE, "clustering_range_um")["value"]
    # Pairs of one cluster lie within some four standard deviations.
    assert 5 < at < 12
    assert row(space, "inclusion", "ripley_l")["not_estimated"] == "fewer than 20 sites"
    assert "inclusion" not in set(space.curves["class"])
    for table, contract in (
        (space.summary, SPACE_SUMMARY),
        (space.curves, SPACE_CURVES),
        (space.labelling, RANDOM_LABELLING),
    ):
        check_table(table.assign(panorama="p"), contract, source="test")
    assert row(space, DAMAGE, "clark_evans")["simulations"] == 79
    told = space.summary["not_estimated"] != ""
    assert (space.summary["value"].isna() == told).all()
    assert space.curves["distance_um"].min() > 0 and space.map.sites == len(clusters[0])


def test_the_order_of_rows_changes_nothing(clusters):
    points, classes = clusters
    order = np.random.default_rng(1).permutation(len(points))
    one, other = measured(points, classes), measured(points[order], classes[order])
    for name in ("summary", "curves", "labelling"):
        pd.testing.assert_frame_equal(getattr(one, name), getattr(other, name))


def test_bands_are_seen_along_their_direction():
    rng = np.random.default_rng(15)
    x, band = rng.uniform(0, 100, 200), rng.integers(0, 4, 200)
    points = np.column_stack([x, 7.5 + 15 * band + rng.normal(0, 0.8, 200)])
    along = row(measured(points, "martensite", area=RECTANGLE), "martensite", "along_over_across")
    assert along["value"] > 1.5 and along["low"] > 1 and along["p_value"] < 0.01
    turned_ = measured(points, "martensite", area=RECTANGLE, direction_deg=90.0)
    across = row(turned_, "martensite", "along_over_across")
    assert across["value"] == pytest.approx(1 / along["value"])
    assert across["direction_deg"] == 90


def test_sites_that_follow_the_hard_phase_are_random_once_it_is_known():
    fraction = np.tile((np.arange(96) // 16 % 2).astype(float), (64, 1))
    rng = np.random.default_rng(16)
    points = random_patterns(
        HOLED, count=150, patterns=1, hard_core_um=0.9, rng=rng, intensity=0.05 + fraction
    )[0]
    space = measured(points, "notch", fraction=fraction)
    assert row(space, "notch", "ripley_l")["p_value"] < 0.05
    known = row(space, "notch", "ripley_l_inhomogeneous")
    assert known["p_value"] > 0.05 and known["null"] == "hard_phase"


def test_few_sites_none_and_a_narrow_panorama_get_reasons_and_no_curves():
    points = points_in(HOLED, LEAST_SITES - 1)
    for space in (
        measured(points, "notch"),
        measured(points[:1], "notch"),
        measured(points[:0], "x"),
    ):
        assert not len(space.curves) and space.map is None
        assert (space.summary["not_estimated"] != "").all()
        check_table(space.summary.assign(panorama="p"), SPACE_SUMMARY, source="test")
    thin = Area(valid=np.ones((4, 400)), cell_um=0.4)
    space = measured(points_in(thin, 60, hard_core_um=1.0), "notch", area=thin)
    assert "too narrow" in row(space, "notch", "ripley_l")["not_estimated"]


def test_classes_that_are_withheld_have_no_numbers_but_all_sites_have(clusters):
    space = measured(*clusters, withheld="foreign to the networks")
    classes = space.summary[space.summary["class"] != ALL]
    assert (classes["not_estimated"] == "foreign to the networks").all()
    assert np.isfinite(row(space, ALL, "clark_evans")["value"]) and space.map is None
    assert space.labelling[["ratio", "pairs", "sites"]].isna().all(axis=None)
    for table, contract in ((space.summary, SPACE_SUMMARY), (space.labelling, RANDOM_LABELLING)):
        check_table(table.assign(panorama="p"), contract, source="test")


def test_more_sites_than_are_tested_keep_their_own_curve(monkeypatch, clusters):
    whole = measured(*clusters)
    monkeypatch.setattr("damascene.space.measure.MOST_TESTED", 100)
    part = measured(*clusters)
    assert row(part, ALL, "ripley_l")["tested"] == 100
    assert part.curves["value"].to_numpy() == pytest.approx(whole.curves["value"].to_numpy())
    assert row(part, ALL, "clark_evans")["value"] == row(whole, ALL, "clark_evans")["value"]
