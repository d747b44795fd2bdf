"""Fractions of phases, their intervals and their convergence."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from damascene.simulation.fields import field_key, smooth_noise
from damascene.statistics.phases.cells import Cells
from damascene.statistics.phases.fractions import (
    block_edges,
    converged_edge_um,
    convergence,
    correlation_length,
    fraction_row,
    in_blocks,
    ratio_interval,
)
from damascene.statistics.phases.summary import with_study

EDGE_PX = 10


def cells_of(fraction, *, damage=None, mapped=None):
    """Return cells of 1 um of which 2 is the hard phase and 3, if any, damage."""
    whole = np.full(fraction.shape, EDGE_PX**2) if mapped is None else mapped
    lost = np.zeros(fraction.shape) if damage is None else np.round(damage * whole)
    hard = np.round(fraction * (whole - lost))
    return Cells(
        pixels=np.stack([whole - lost - hard, hard, lost]).astype(np.int32),
        edge_px=EDGE_PX,
        pixel_um=0.1,
        damage=0 if damage is None else 3,
    )


def banded(seed, shape, *, band_um=(8.0, 110.0)):
    """Return local fractions of a random structure of bands, grains and islands."""
    y, x = np.arange(0.25, shape[0], 0.5), np.arange(0.25, shape[1], 0.5)
    lengths = {"bands": band_um, "grains": (2.4, 7.5), "islands": (0.7, 1.4)}
    weights = {"bands": 0.55, "grains": 0.75, "islands": 0.6}
    total = sum(
        weights[name] * smooth_noise(y, x, cell_um=size, key=field_key(seed, name))
        for name, size in lengths.items()
    )
    return (total > 0.45).reshape(shape[0], 2, shape[1], 2).mean(axis=(1, 3))


def test_fraction_of_hand_counted_cells():
    fraction = np.zeros((40, 60))
    fraction[:20] = 0.5
    fraction[:, :30] += 0.2
    row = fraction_row(cells_of(fraction), 2, confidence=0.95)
    assert row["fraction"] == pytest.approx(0.35)
    assert row["area_um2"] == pytest.approx(0.35 * 2400)
    assert row["whole_area_um2"] == pytest.approx(2400)


def test_damage_is_no_steel():
    cells = cells_of(np.full((40, 40), 0.3), damage=np.full((40, 40), 0.1))
    ferrite, martensite, damage = (
        fraction_row(cells, phase, confidence=0.95) for phase in (1, 2, 3)
    )
    assert martensite["fraction"] == pytest.approx(0.3)
    assert ferrite["fraction"] + martensite["fraction"] == pytest.approx(1)
    assert damage["fraction"] == pytest.approx(0.1)
    assert damage["whole_area_um2"] == pytest.approx(1600)
    assert martensite["whole_area_um2"] == pytest.approx(1440)


def test_what_is_not_mapped_counts_nowhere():
    fraction = np.tile([0.2, 0.8], (40, 40))
    mapped = np.full(fraction.shape, EDGE_PX**2)
    mapped[:, 1::2] = 0
    cells = cells_of(fraction, mapped=mapped)
    row = fraction_row(cells, 2, confidence=0.95)
    assert row["fraction"] == pytest.approx(0.2)
    assert row["whole_area_um2"] == pytest.approx(1600)


def test_a_ratio_weighs_blocks_by_their_area():
    """Of equal blocks the interval is Student's for their mean, on a logit scale."""
    part, whole = np.array([30, 36, 41, 33, 40.0]), np.full(5, 100.0)
    low, high = ratio_interval(part, whole, confidence=0.95)
    half = stats.t.ppf(0.975, 4) * stats.sem(part / whole)
    assert high - low == pytest.approx(2 * half, rel=0.03)
    # A block without area tells nothing; one with little tells little.
    with_empty = ratio_interval(np.append(part, 0), np.append(whole, 0), confidence=0.95)
    assert with_empty == (low, high)
    with_little = ratio_interval(np.append(part, 1), np.append(whole, 1), confidence=0.95)
    assert with_little[0] == pytest.approx(low, abs=0.02)


def test_blocks_are_longer_than_the_structure_along_each_axis():
    cells = cells_of(banded(3, (160, 240)))
    down, across = (correlation_length(cells, 2, axis=axis) for axis in (0, 1))
    # The surface of the bands is not correlated beyond four of its lengths.
    assert 8 <= down <= 32
    assert across >= 3 * down
    edges = block_edges(cells, 2)
    for edge, length, extent in zip(edges, (down, across), cells.shape, strict=True):
        assert edge[0] == 0
        assert edge[-1] == extent
        assert np.diff(edge).min() >= min(2 * length, extent) - 1


def test_blocks_cover_the_map_once():
    cells = cells_of(banded(4, (157, 233)))
    edges = block_edges(cells, 2)
    assert in_blocks(cells.pixels[1], edges).sum() == cells.pixels[1].sum()
    assert in_blocks(cells.mapped, edges).sum() == 157 * 233 * EDGE_PX**2
    top, left = edges[0][1], edges[1][min(1, len(edges[1]) - 1)]
    assert in_blocks(cells.mapped, edges)[0] == top * left * EDGE_PX**2


def test_intervals_hold_the_fraction_of_the_steel():
    """Pixels or small blocks as the unit would hold it in every tenth to third map only."""
    rows = [
        fraction_row(cells_of(banded(seed, (164, 246))), 2, confidence=0.95) for seed in range(60)
    ]
    truth = np.mean([row["fraction"] for row in rows])
    given = [row for row in rows if not np.isnan(row["low"])]
    assert len(given) > 50
    held = np.mean([row["low"] <= truth <= row["high"] for row in given])
    # Two standard deviations of 60 trials below what was measured on 150 maps (0.94).
    assert held > 0.88
    scatter = np.std([row["fraction"] for row in rows])
    width = np.median([row["high"] - row["low"] for row in given])
    assert 2 * 1.96 * scatter < 1.3 * width < 9 * scatter


def test_too_few_blocks_give_no_interval_and_the_reason():
    y, x = np.mgrid[:60, :60]
    row = fraction_row(cells_of(0.5 + 0.4 * np.sin((x + y) / 40)), 2, confidence=0.95)
    assert row["groups"] < 3
    assert np.isnan([row["low"], row["high"]]).all()
    assert "3 are the fewest" in row["no_interval"]
    assert f"{row['groups']} block" in row["no_interval"]


@pytest.mark.parametrize(
    ("fraction", "reason"),
    [(0.0, "the phase is nowhere in the map"), (1.0, "no other phase is in the map")],
)
def test_one_phase_alone_has_no_interval(fraction, reason):
    row = fraction_row(cells_of(np.full((80, 80), fraction)), 2, confidence=0.95)
    assert row["fraction"] == fraction
    assert np.isnan(row["low"])
    assert row["no_interval"] == reason


def test_a_map_without_anything():
    cells = cells_of(np.zeros((50, 50)), mapped=np.zeros((50, 50)))
    row = fraction_row(cells, 2, confidence=0.95)
    assert np.isnan(row["fraction"])
    assert row["no_interval"] == "nothing is mapped"
    assert convergence(cells, 2).empty
    assert np.isnan(converged_edge_um(convergence(cells, 2), points=2))


def test_independent_cells_converge_with_the_edge():
    """Their deviation falls as 1 over the edge, as that of any mean of independent values."""
    random = np.random.default_rng(0)
    table = convergence(cells_of((random.random((240, 240)) < 0.3) * 1.0), 2)
    one = np.sqrt(0.3 * 0.7)
    assert table["edge_um"].tolist() == [5, 7, 10, 14, 20, 28, 40, 57, 80]
    assert table["windows"].tolist() == [
        (240 // edge) ** 2 for edge in (5, 7, 10, 14, 20, 28, 40, 57, 80)
    ]
    # With n windows the deviation itself scatters by 1 / sqrt(2 n).
    for row in table.itertuples():
        allowed = 4 / np.sqrt(2 * row.windows)
        assert row.standard_deviation == pytest.approx(one / row.edge_um, rel=allowed)
    # 0.458 / edge falls below 0.02 at 23 um.
    assert converged_edge_um(table, points=2) == 28
    assert converged_edge_um(table, points=0.1) != converged_edge_um(table, points=2)


def test_windows_that_are_hardly_mapped_are_left_out():
    mapped = np.full((100, 100), EDGE_PX**2)
    mapped[:, :30] = 0
    mapped[:, 50:60] = 40
    table = convergence(cells_of(np.full((100, 100), 0.5), mapped=mapped), 2).set_index("edge_um")
    # At 10 um, 4 of 10 columns of windows have less than three quarters of their area.
    assert table.loc[10, "windows"] == 60
    assert table.loc[10, "standard_deviation"] == 0


def test_convergence_is_where_it_stays_below():
    table = pd.DataFrame(
        {"edge_um": [5, 10, 20, 40], "standard_deviation": [0.01, 0.03, 0.015, 0.008]}
    )
    assert converged_edge_um(table, points=2) == 20
    assert converged_edge_um(table, points=1) == 40
    assert np.isnan(converged_edge_um(table, points=0.5))


def study(fractions):
    """Return the rows of panoramas with these martensite fractions, of areas 1, 2, ... mm2."""
    rows = []
    for number, fraction in enumerate(fractions, start=1):
        for phase, part in (("ferrite", 1 - fraction), ("martensite", fraction), ("damage", 0.01)):
            whole = 1e6 * number
            rows.append(
                {
                    "panorama": f"p{number}",
                    "strain_percent": 1.0 * number,
                    "phase": phase,
                    "area_um2": part * whole,
                    "whole_area_um2": whole,
                    "fraction": part,
                    "low": part - 0.01,
                    "high": part + 0.01,
                    "no_interval": "",
                    "groups": 9,
                    "block_width_um": 50.0,
                    "block_height_um": 50.0,
                    "edge_for_2_points_um": 50.0,
                    "edge_for_1_point_um": np.nan,
                    "confidence": 0.95,
                }
            )
    return pd.DataFrame(rows)


def test_all_panoramas_together_weigh_by_area_and_rest_on_panoramas():
    table = with_study(study([0.2, 0.3, 0.4]), damage_phase="damage", confidence=0.95)
    together = table[table["panorama"] == ""].set_index("phase")
    assert list(together.index) == ["ferrite", "martensite"]
    assert together.loc["martensite", "fraction"] == pytest.approx((0.2 + 0.6 + 1.2) / 6)
    expected = ratio_interval(np.array([0.2, 0.6, 1.2]), np.array([1, 2, 3.0]), confidence=0.95)
    assert tuple(together.loc["martensite", ["low", "high"]]) == pytest.approx(expected)
    assert together["groups"].tolist() == [3, 3]


def test_two_panoramas_give_no_interval_for_the_study():
    table = with_study(study([0.2, 0.3]), damage_phase="", confidence=0.95)
    together = table[table["panorama"] == ""].set_index("phase")
    assert "damage" in together.index
    assert np.isnan(together.loc["martensite", "low"])
    assert together.loc["martensite", "no_interval"] == "2 panoramas, and 3 are the fewest"
