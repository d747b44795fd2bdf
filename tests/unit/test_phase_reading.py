"""One pass over a phase map: cells, islands, borders and candidates, whatever the strips."""

import numpy as np
import pandas as pd
import pytest
from skimage.measure import label, regionprops

from damascene import InputError
from damascene.clustering.runs import runs_of
from damascene.contracts.candidate_runs import CANDIDATE_RUNS
from damascene.contracts.table import empty_table
from damascene.images.store import TiledImage, write_tiled
from damascene.statistics.phases.reading import read_map
from damascene.statistics.phases.strips import cell_edge_px

NO_RUNS = empty_table(CANDIDATE_RUNS)


@pytest.fixture
def opened(tmp_path):
    """Return a function that writes an array as a map and opens it."""

    def open_map(values, *, pixel_size_nm=100.0):
        path = tmp_path / "map.ome.tif"
        strips = [np.asarray(values, np.uint8)]
        write_tiled(
            path,
            strips,
            shape=strips[0].shape,
            pixel_size_nm=pixel_size_nm,
            name="map",
            pyramid=False,
        )
        return TiledImage(path)

    return open_map


def mottled(seed, shape, *, phases=3, outside=True, grain=3):
    """Return a random map of blotches, with a corner and a hole that are outside."""
    random = np.random.default_rng(seed)
    coarse = random.integers(1, phases + 1, (-(-shape[0] // grain), -(-shape[1] // grain)))
    values = np.kron(coarse, np.ones((grain, grain), int))[: shape[0], : shape[1]]
    flip = random.random(shape) < 0.05
    values[flip] = random.integers(1, phases + 1, flip.sum())
    if outside:
        values[: shape[0] // 4, : shape[1] // 3] = 0
        values[-shape[0] // 3 : -shape[0] // 4, -shape[1] // 2 : -shape[1] // 3] = 0
    return values.astype(np.uint8)


def runs_table(sites):
    """Return the table of runs of boolean masks, a site each."""
    parts = []
    for number, mask in sites.items():
        runs = runs_of(*np.nonzero(mask))
        parts.append(
            pd.DataFrame(
                {"site_id": number, "y_px": runs.row, "left_px": runs.first, "right_px": runs.last}
            )
        )
    return pd.concat(parts, ignore_index=True)


def outcome(content):
    """Return all that was measured, with islands in an order of their own."""
    islands = np.stack(list(vars(content.islands).values())).astype(int)
    return (
        content.cells.pixels,
        islands[:, np.lexsort(islands)],
        content.borders,
        content.site_px,
        content.site_damage_px,
    )


def expected_islands(values, phase):
    """Area and whether it is cut of each region, by another library."""
    regions = label(values == phase, connectivity=2)
    beside = np.pad(values, 1, constant_values=0) == 0
    found = []
    for region in regionprops(regions):
        rows, columns = region.coords.T
        cut = any(
            beside[rows + down, columns + across].any() for down in range(3) for across in range(3)
        )
        found.append((region.num_pixels, cut))
    return sorted(found)


@pytest.mark.parametrize("seed", range(4))
def test_islands_are_the_connected_regions_of_another_library(opened, seed):
    values = mottled(seed, (137, 181))
    with opened(values) as image:
        islands = read_map(image, NO_RUNS, phases=3, strip_rows=16).islands
    for phase in (1, 2, 3):
        chosen = islands[islands.phase == phase]
        found = sorted(zip(chosen.area_px.tolist(), chosen.cut.tolist(), strict=True))
        assert found == expected_islands(values, phase)


@pytest.mark.parametrize("rows", [1, 7, 64, 1000])
def test_nothing_depends_on_the_strips(opened, rows):
    values = mottled(9, (211, 97))
    sites = {4: np.zeros(values.shape, bool), 17: np.zeros(values.shape, bool)}
    sites[4][90:140, 20:60] = True
    sites[17][150:151, 0:3] = True
    options = {"phases": 3, "damage": 3}
    with opened(values) as image:
        whole = outcome(read_map(image, runs_table(sites), strip_rows=10_000, **options))
        parts = outcome(read_map(image, runs_table(sites), strip_rows=rows, **options))
    for one, other in zip(whole, parts, strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_spiral_through_all_strips_is_one_island(opened):
    """It leaves each strip and comes back, so that its parts meet only far below."""
    values = np.ones((101, 101), np.uint8)
    for ring in range(2, 50, 4):
        values[ring, ring : 101 - ring] = 2
        values[ring : 101 - ring, 100 - ring] = 2
        values[100 - ring, ring : 101 - ring] = 2
        values[ring + 4 : 101 - ring, ring] = 2
        values[ring + 4, ring : ring + 4] = 2
    expected = label(values == 2, connectivity=2).max()
    with opened(values) as image:
        islands = read_map(image, NO_RUNS, phases=2, strip_rows=3).islands
    assert (islands.phase == 2).sum() == expected == 1
    assert islands.area_px[islands.phase == 2] == [(values == 2).sum()]


def test_cells_hold_the_pixels_of_each_phase(opened):
    values = mottled(3, (95, 133))
    with opened(values) as image:
        cells = read_map(image, NO_RUNS, phases=3).cells
    edge = cell_edge_px(100.0)
    assert (edge, cells.edge_um) == (10, 1.0)
    assert cells.shape == (10, 14)
    for row in range(10):
        for column in range(14):
            part = values[row * 10 : row * 10 + 10, column * 10 : column * 10 + 10]
            counted = [(part == phase).sum() for phase in (1, 2, 3)]
            assert cells.pixels[:, row, column].tolist() == counted
    np.testing.assert_array_equal(cells.mapped.sum(), (values > 0).sum())


def test_cells_of_coarse_pixels_have_eight_of_them():
    assert cell_edge_px(500.0) == 8
    assert cell_edge_px(40.0) == 25


def test_borders_between_phases_are_counted_without_those_to_the_outside(opened):
    values = np.array([[1, 1, 2, 0], [1, 3, 2, 2], [0, 3, 3, 1]])
    with opened(np.pad(values, ((0, 20), (0, 20)))) as image:
        borders = read_map(image, NO_RUNS, phases=3, strip_rows=1).borders
    # Side by side: 1|2, 1|3, 3|2, 3|1. One above the other: 1/3, 2/3, 2/1.
    assert borders.tolist() == [[0, 2, 2, 2], [0, 3, 2, 3]]


def test_pixels_of_candidates_are_counted_by_site_and_by_island(opened):
    values = np.ones((60, 80), np.uint8)
    values[10:20, 10:30] = 3
    values[40:44, 50:54] = 3
    seen, half, unseen = (np.zeros(values.shape, bool) for _ in range(3))
    seen[12:16, 12:16] = True
    half[15:25, 28:32] = True
    unseen[30:33, 5:9] = True
    with opened(values) as image:
        content = read_map(
            image, runs_table({2: seen, 5: half, 9: unseen}), phases=3, damage=3, strip_rows=16
        )
    assert content.site_px.tolist() == [16, 40, 12]
    assert content.site_damage_px.tolist() == [16, 10, 0]
    damage = content.islands[content.islands.phase == 3]
    assert dict(zip(damage.area_px.tolist(), damage.marked_px.tolist(), strict=True)) == {
        200: 26,
        16: 0,
    }


def test_a_map_of_other_phases_is_refused(opened):
    with opened(np.full((30, 30), 4)) as image, pytest.raises(InputError, match="value 4 is none"):
        read_map(image, NO_RUNS, phases=3)


def test_candidates_of_another_panorama_are_refused(opened):
    mask = np.zeros((40, 40), bool)
    mask[35, 5:9] = True
    with opened(np.ones((30, 40))) as image, pytest.raises(InputError, match="outside of it"):
        read_map(image, runs_table({1: mask}), phases=3)
