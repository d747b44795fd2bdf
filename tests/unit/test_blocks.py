"""Blocks of a panorama, and whether sites gather in them."""

import numpy as np
import pandas as pd
import pytest
from made_records import panorama_record
from scipy import stats

from damascene.contracts.dispersion import DISPERSION
from damascene.contracts.table import check_table
from damascene.statistics.blocks import (
    Blocks,
    block_sizes,
    choose_blocks,
    count_in_cells,
    dispersion,
    joined,
)
from damascene.statistics.dispersion import dispersion_p_value, simes
from damascene.statistics.intervals import poisson_interval
from damascene.statistics.panorama_blocks import (
    COUNTED,
    block_columns,
    blocks_by_panorama,
    blocks_of,
    dispersion_table,
)

EDGE, PIXEL_NM = 400, 50.0


def cells_of(rows, columns, *, panorama="a", valid=1.0):
    left, top = np.meshgrid(np.arange(columns) * EDGE, np.arange(rows) * EDGE)
    return pd.DataFrame(
        {
            "panorama": panorama,
            "left_px": left.ravel(),
            "top_px": top.ravel(),
            "width_px": EDGE,
            "height_px": EDGE,
            "valid_fraction": valid,
        }
    )


def sites_at(x, y, *, label="martensite", panorama="a"):
    return pd.DataFrame({"panorama": panorama, "class": label, "x_px": x, "y_px": y})


def scattered(random, rows, columns, count):
    return sites_at(*(random.uniform(0, edge * EDGE - 0.51, count) for edge in (columns, rows)))


def banded(random, rows, columns, count):
    """Sites in every second row of cells alone, anywhere along it."""
    y = 2 * EDGE * random.integers(0, (rows + 1) // 2, count) + random.uniform(0, EDGE - 1, count)
    return sites_at(random.uniform(0, columns * EDGE - 1, count), y)


def test_sites_at_the_edges_of_cells_are_counted_once():
    sites = sites_at([-0.5, 0, EDGE - 0.5, EDGE, 2 * EDGE - 1], [0, 0, 0, 0, 2 * EDGE - 1])
    cells = count_in_cells(sites, np.ones((5, 1), bool), cells_of(2, 2), pixel_size_nm=PIXEL_NM)
    assert cells.counts[..., 0].tolist() == [[2, 2], [0, 1]]
    assert cells.areas_mm2 == pytest.approx(np.full((2, 2), 0.02**2))
    assert cells.edge_um == pytest.approx((20, 20))


def test_joined_blocks_keep_every_site_and_all_area():
    random = np.random.default_rng(0)
    quality = cells_of(7, 11, valid=random.uniform(0, 1, 77))
    quality.loc[:3, "valid_fraction"] = 0
    found = blocks_of(scattered(random, 7, 11, 200), quality, pixel_size_nm=PIXEL_NM)
    area = (quality["valid_fraction"] * 0.02**2).sum()
    for each in found.sizes:
        assert each.counts[:, COUNTED.index("all")].sum() >= 190
        assert each.areas_mm2.sum() == pytest.approx(area) and (each.areas_mm2 > 0).all()
        assert len(each.areas_mm2) >= 4


def test_independent_sites_keep_small_blocks_and_bands_get_strips():
    random = np.random.default_rng(5)
    quality = cells_of(12, 12)
    found = [
        blocks_of(scattered(random, 12, 12, 400), quality, pixel_size_nm=PIXEL_NM).blocks
        for _ in range(40)
    ]
    # Chance alone lets larger blocks be taken now and then, and they are those that scatter more.
    assert np.median([len(each.areas_mm2) for each in found]) >= 6
    assert np.median([dispersion(each)[COUNTED.index("all")] for each in found]) < 1.6
    sites = banded(random, 12, 12, 400)
    strips = blocks_of(sites, quality, pixel_size_nm=PIXEL_NM).blocks
    height, width = strips.edge_um
    assert width == 240 and height < 60
    # Turned by a right angle, everything turns.
    turned = sites.rename(columns={"x_px": "y_px", "y_px": "x_px"})
    again = blocks_of(turned, quality, pixel_size_nm=PIXEL_NM).blocks
    assert again.edge_um == strips.edge_um[::-1]
    assert dispersion(again) == pytest.approx(dispersion(strips), nan_ok=True)


def test_dispersion_of_equal_blocks_is_the_variance_over_the_mean():
    counts = np.random.default_rng(1).poisson(5, (30, 2))
    blocks = Blocks(counts, np.ones(30), (20, 20))
    assert dispersion(blocks) == pytest.approx(counts.var(axis=0, ddof=1) / counts.mean(axis=0))
    # Fisher's test, as in textbooks, where counts are large.
    large = Blocks(counts * 40, np.ones(30), (20, 20))
    expected = stats.chi2.sf(29 * dispersion(large), 29)
    assert dispersion_p_value(large) == pytest.approx(expected, abs=0.01)


@pytest.mark.parametrize("total", [3, 12, 200])
def test_p_values_are_those_of_a_permutation(total):
    random = np.random.default_rng(2)
    areas = random.uniform(0.5, 1.0, 15)
    draws = random.multinomial(total, areas / areas.sum(), size=4000)
    p_values = dispersion_p_value(Blocks(draws.T, areas, (20, 20)))
    for level in (0.01, 0.05, 0.2):
        # Four standard errors; discrete where sites are few.
        error = 4 * np.sqrt(level * (1 - level) / 4000) + (0.03 if total < 10 else 0.01)
        assert np.mean(p_values <= level) == pytest.approx(level, abs=error)


def test_p_values_of_several_sizes_are_one():
    found = simes(np.array([[0.01, 0.5, np.nan], [0.2, 0.6, np.nan], [0.9, np.nan, np.nan]]))
    assert found[:2] == pytest.approx([0.03, 0.6]) and np.isnan(found[2])


def test_intervals_are_never_narrower_than_poisson_and_zero_has_a_bound():
    random = np.random.default_rng(4)
    found = blocks_of(banded(random, 8, 12, 300), cells_of(8, 12), pixel_size_nm=PIXEL_NM)
    rows = block_columns(found, confidence=0.95)
    area = 96 * 0.02**2
    for name, row in rows.items():
        count = 300 if name in ("martensite", "damage", "all") else 0
        low, high = poisson_interval(count)
        assert row["block_low_per_mm2"] <= low / area * (1 + 1e-9)
        assert row["block_high_per_mm2"] >= high / area * (1 - 1e-9)
    assert rows["notch"]["block_high_per_mm2"] == pytest.approx(3.689 / area, rel=1e-3)
    assert "no site" in rows["notch"]["block_note"]
    assert rows["all"]["dispersion"] > 3 and rows["all"]["dispersion_p_value"] < 1e-6
    wide = rows["all"]["block_high_per_mm2"] - rows["all"]["block_low_per_mm2"]
    assert wide > 1.5 * (poisson_interval(300)[1] - poisson_interval(300)[0]) / area


@pytest.mark.parametrize("side", [1, 2, 3, 5, 8, 12, 17])
def test_no_two_sizes_are_the_same(side):
    cells = count_in_cells(
        sites_at([], []), np.ones((0, 1), bool), cells_of(side, side), pixel_size_nm=PIXEL_NM
    )
    edges = [each.edge_um for each in block_sizes(cells)]
    assert len(set(edges)) == len(edges)


def test_one_block_has_a_reason():
    found = blocks_of(sites_at([5.0], [5.0]), cells_of(1, 1), pixel_size_nm=PIXEL_NM)
    row = block_columns(found, confidence=0.95)["all"]
    assert "one block of 20 x 20 µm" in row["block_note"] and row["block_low_per_mm2"] is None
    found = blocks_of(sites_at([5.0], [5.0]), cells_of(1, 2), pixel_size_nm=PIXEL_NM)
    assert block_columns(found, confidence=0.95)["all"]["block_note"] == "only 2 blocks"


def test_the_table_tells_sizes_and_the_choice():
    random = np.random.default_rng(6)
    sites = banded(random, 8, 8, 200)
    quality = pd.concat([cells_of(8, 8), cells_of(3, 3, panorama="b", valid=0.0)])
    records = [panorama_record("a"), panorama_record("b")]
    found = blocks_by_panorama(sites, quality, records)
    assert set(found) == {"a"}
    table = check_table(dispersion_table(found), DISPERSION, source="test")
    assert set(table["class"]) == {"all", "damage", "inclusion"}
    assert (table.groupby("class")["chosen"].sum() == 1).all()
    assert set(dispersion_table(found, withheld=["a"])["class"]) == {"all"}
    assert len(dispersion_table({})) == 0


def test_a_larger_block_is_chosen_only_among_those_that_hold_the_smaller():
    cells = count_in_cells(
        sites_at([1.0] * 50, [1.0] * 50),
        np.ones((50, 1), bool),
        cells_of(4, 4),
        pixel_size_nm=PIXEL_NM,
    )
    sizes = block_sizes(cells)
    assert sizes[0].edge_um == (20, 20) and len(sizes[0].areas_mm2) == 16
    assert choose_blocks(sizes, among=0) in range(len(sizes))
    empty = count_in_cells(
        sites_at([], []), np.ones((0, 1), bool), cells_of(4, 4), pixel_size_nm=PIXEL_NM
    )
    assert choose_blocks(block_sizes(empty), among=0) == 0
    assert joined(empty, 4, 4).counts.tolist() == [[0]]


def test_a_site_whose_centre_lies_beside_what_is_valid_is_in_the_nearest_block():
    # The first column is masked; curved sites at its edge have their centres in it.
    valid = np.ones((5, 5))
    valid[:, 0] = 0
    quality = cells_of(5, 5, valid=valid.ravel())
    y = np.linspace(10, 5 * EDGE - 10, 30)
    sites = pd.DataFrame({"x_px": np.full(30, EDGE - 1.0), "y_px": y, "class": "notch"})
    found = blocks_of(sites, quality, pixel_size_nm=PIXEL_NM)
    for each in found.sizes:
        assert each.counts[:, COUNTED.index("notch")].sum() == 30
    cells = count_in_cells(sites, np.ones((30, 1), bool), quality, pixel_size_nm=PIXEL_NM)
    assert cells.counts[:, 0].sum() == 0 and cells.counts[:, 1].sum() == 30
    # Where nothing is valid there is no nearest.
    cells = count_in_cells(
        sites, np.ones((30, 1), bool), cells_of(5, 5, valid=0.0), pixel_size_nm=PIXEL_NM
    )
    assert cells.counts.sum() == 30
