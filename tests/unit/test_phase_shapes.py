"""Islands, chords and bands against known patterns."""

import numpy as np
import pytest
from scipy import ndimage
from skimage.measure import label, regionprops

from damascene.simulation.microstructure import band_strength, grow_microstructure
from damascene.statistics.phases.bands import LEAST_STRENGTH, measure_bands
from damascene.statistics.phases.cells import Cells, count_cells
from damascene.statistics.phases.islands import IslandFinder
from damascene.statistics.phases.shapes import chord_row, detection_limit_px, island_row

FINE = 8


def cells_of(hard, *, edge_px=FINE, pixel_um=0.125, damage=None):
    """Return the cells of a mask of the hard phase, 2, in a matrix, 1."""
    values = np.where(hard, 2, 1).astype(np.uint8)
    if damage is not None:
        values[damage] = 3
    return Cells(
        pixels=count_cells(values, phases=3, cell_px=edge_px),
        edge_px=edge_px,
        pixel_um=pixel_um,
        damage=0 if damage is None else 3,
    )


def stripes(shape_um, *, spacing_um, width_um, angle_deg, shift_um=0.0, pixel_um=0.125):
    """Return stripes whose direction is counter-clockwise from x as an image is seen."""
    y, x = np.mgrid[: round(shape_um[0] / pixel_um), : round(shape_um[1] / pixel_um)] * pixel_um
    angle = np.radians(angle_deg)
    across = x * np.sin(angle) + y * np.cos(angle) + shift_um
    return across % spacing_um < width_um


@pytest.mark.parametrize("angle", [0, 20, 45, 70, 90, -35])
@pytest.mark.parametrize(("spacing", "width"), [(8, 4), (12, 5), (20, 6), (30, 15)])
def test_stripes_have_their_spacing_width_and_direction(angle, spacing, width):
    # So that no edge of a stripe lies on the border of the map.
    shift = width / 2
    hard = stripes((240, 240), spacing_um=spacing, width_um=width, angle_deg=angle, shift_um=shift)
    bands = measure_bands(cells_of(hard), 2)
    assert bands.found == "bands"
    assert bands.strength > 0.99
    assert abs((bands.angle_deg - angle + 90) % 180 - 90) < 0.2
    # Averaging over 1.5 um draws narrow bands a little wider.
    assert bands.spacing_um == pytest.approx(spacing, rel=0.05)
    assert bands.width_um == pytest.approx(width, rel=0.05, abs=0.7)
    extent = 240 * (abs(np.sin(np.radians(angle))) + abs(np.cos(np.radians(angle))))
    assert bands.across == pytest.approx(extent / bands.spacing_um, rel=0.01)


def test_bands_of_twice_the_pixels_are_twice_as_far_apart():
    hard = stripes((120, 150), spacing_um=12, width_um=5, angle_deg=20)
    fine, coarse = (measure_bands(cells_of(hard, pixel_um=size), 2) for size in (0.125, 0.25))
    assert coarse.spacing_um == pytest.approx(2 * fine.spacing_um)
    assert coarse.width_um == pytest.approx(2 * fine.width_um)
    assert (coarse.angle_deg, coarse.across) == pytest.approx((fine.angle_deg, fine.across))


def test_bands_of_simulated_steel_are_those_it_was_made_from():
    """The simulator thresholds a random surface with a length of 8 um across: bands 44 um apart."""
    spacings, nominal = [], []
    y, x = np.arange(0.25, 164, 0.5), np.arange(0.25, 246, 0.5)
    for seed in (1, 2, 3):
        steel = grow_microstructure(shape_um=(164, 246), seed=seed)
        hard = np.kron(steel.phase_um(y, x) > 0, np.ones((4, 4), bool))
        bands = measure_bands(cells_of(hard), 2)
        assert bands.found == "bands"
        assert abs(bands.angle_deg) < 4
        assert 0.2 < bands.strength < 0.5
        spacings.append(bands.spacing_um)
        surface = band_strength(y, x, seed=seed)
        inside = surface > np.quantile(surface, 1 - hard.mean())
        nominal.append(2 * 0.5 * inside[1:].size / (inside[1:] != inside[:-1]).sum())
    assert np.mean(spacings) == pytest.approx(np.mean(nominal), rel=0.25)


def test_gaps_and_damage_do_not_turn_or_widen_bands():
    hard = stripes((160, 200), spacing_um=15, width_um=6, angle_deg=30)
    random = np.random.default_rng(2)
    damage = random.random(hard.shape) < 0.05
    cells = cells_of(hard, damage=damage)
    pixels = cells.pixels.copy()
    pixels[:, 40:80, 60:140] = 0
    gappy = Cells(pixels=pixels, edge_px=FINE, pixel_um=0.125, damage=3)
    bands = measure_bands(gappy, 2)
    assert bands.angle_deg == pytest.approx(30, abs=1)
    assert bands.spacing_um == pytest.approx(15, rel=0.06)
    assert bands.width_um == pytest.approx(6, rel=0.1)


def blotches(seed, shape=(150, 200), *, sigma=(2.0, 2.0)):
    field = ndimage.gaussian_filter(np.random.default_rng(seed).standard_normal(shape), sigma)
    return np.kron(field > np.quantile(field, 0.7), np.ones((FINE, FINE), bool))


def test_a_structure_without_direction_has_no_bands():
    found = [measure_bands(cells_of(blotches(seed)), 2) for seed in range(20)]
    assert sum(each.found == "bands" for each in found) == 0
    assert all(np.isnan(each.spacing_um) and np.isnan(each.angle_deg) for each in found)
    assert max(each.strength for each in found) < LEAST_STRENGTH


def test_small_maps_without_direction_rarely_have_bands():
    """There, blotches are so few that one direction is stronger by chance."""
    found = [measure_bands(cells_of(blotches(seed, (60, 60))), 2) for seed in range(60)]
    assert np.median([each.strength for each in found]) > 0.8 * LEAST_STRENGTH
    assert sum(each.found == "bands" for each in found) <= 3


def test_stretched_blotches_lie_along_x():
    bands = measure_bands(cells_of(blotches(1, sigma=(2.0, 12.0))), 2)
    assert bands.found == "bands"
    assert bands.angle_deg == pytest.approx(0, abs=4)
    assert 0.5 < bands.strength < 1


@pytest.mark.parametrize("shape", [(20, 200), (200, 20)])
def test_a_small_map_is_not_measured(shape):
    hard = stripes(shape, spacing_um=8, width_um=4, angle_deg=0)
    assert measure_bands(cells_of(hard), 2).found == "not_measured"


def test_one_phase_alone_is_not_measured():
    assert measure_bands(cells_of(np.zeros((800, 800), bool)), 2).found == "not_measured"
    assert measure_bands(cells_of(np.ones((800, 800), bool)), 2).found == "not_measured"


def found_in(values, phases=2):
    finder = IslandFinder(phases)
    finder.take(np.asarray(values, np.uint8))
    return finder.finish(), finder.borders


def test_chords_of_stripes_are_their_widths():
    hard = stripes((100, 100), spacing_um=10, width_um=3, angle_deg=0)
    cells = cells_of(hard)
    _, borders = found_in(np.where(hard, 2, 1))
    row = chord_row(cells, borders, 2)
    # A line along y has one border fewer than 20: the first stripe begins at the border.
    assert row["mean_chord_y_um"] == pytest.approx(3 * 20 / 19)
    assert chord_row(cells, borders, 1)["mean_chord_y_um"] == pytest.approx(7 * 20 / 19)
    # Lines along x lie in one phase from end to end.
    assert np.isnan(row["mean_chord_x_um"])
    assert np.isnan(row["anisotropy_index"])
    turned = chord_row(cells_of(hard.T), found_in(np.where(hard.T, 2, 1))[1], 2)
    assert turned["mean_chord_x_um"] == pytest.approx(row["mean_chord_y_um"])
    assert turned["anisotropy_index"] == 0


def test_mean_chord_of_discs_is_that_of_stereology():
    """A chord of a disc is pi/4 of its diameter on the mean (Cauchy: pi area / perimeter)."""
    y, x = np.mgrid[:1200, :1200]
    hard = np.hypot(y % 60 - 30, x % 60 - 30) < 20
    row = chord_row(cells_of(hard), found_in(np.where(hard, 2, 1))[1], 2)
    for name in ("mean_chord_um", "mean_chord_x_um", "mean_chord_y_um"):
        assert row[name] == pytest.approx(np.pi / 4 * 40 * 0.125, rel=0.03)
    assert row["anisotropy_index"] == pytest.approx(1, abs=0.01)


def test_elongated_islands_have_the_anisotropy_of_their_edges():
    y, x = np.mgrid[:600, :1200]
    hard = (y % 20 < 10) & (x % 60 < 30)
    row = chord_row(cells_of(hard), found_in(np.where(hard, 2, 1))[1], 2)
    assert row["anisotropy_index"] == pytest.approx(3, rel=0.05)


def test_island_sizes_are_those_of_regions():
    rng = np.random.default_rng(5)
    hard = ndimage.gaussian_filter(rng.standard_normal((400, 500)), 4) > 0.03
    islands, _ = found_in(np.where(hard, 2, 1))
    row = island_row(islands[islands.phase == 2], pixel_um=0.1)
    limit = detection_limit_px(0.1)
    regions = regionprops(label(hard, connectivity=2))
    large = [region for region in regions if region.num_pixels >= limit]

    def at_border(region):
        top, left, bottom, right = region.bbox
        return top == 0 or left == 0 or bottom == 400 or right == 500

    whole = [0.1 * r.equivalent_diameter_area for r in large if not at_border(r)]
    assert row["islands"] == len(large)
    assert row["islands_cut"] == len(large) - len(whole) > 3
    assert row["diameter_median_um"] == pytest.approx(np.median(whole))
    assert row["diameter_quartile_1_um"] == pytest.approx(np.quantile(whole, 0.25))
    area = hard.sum()
    assert row["cut_share"] == pytest.approx(
        sum(r.num_pixels for r in large if at_border(r)) / area
    )
    assert row["below_limit_share"] == pytest.approx(1 - sum(r.num_pixels for r in large) / area)
    assert row["largest_share"] == pytest.approx(max(r.num_pixels for r in large) / area)
    by_area = np.repeat([r.num_pixels for r in large], [r.num_pixels for r in large])
    middle = np.sqrt(4 / np.pi * np.median(by_area)) * 0.1
    assert row["diameter_median_by_area_um"] == pytest.approx(middle)


def test_the_detection_limit_is_a_diameter_and_never_less_than_some_pixels():
    assert detection_limit_px(0.02) * 0.02**2 == pytest.approx(np.pi / 4 * 0.25**2)
    assert detection_limit_px(0.5) == 12


def test_a_phase_without_islands_has_none():
    islands, borders = found_in(np.ones((40, 40)))
    row = island_row(islands[islands.phase == 2], pixel_um=0.1)
    assert row["islands"] == row["islands_cut"] == 0
    assert np.isnan(row["diameter_median_um"])
    assert np.isnan(row["cut_share"])
    cells = cells_of(np.zeros((40, 40), bool))
    assert np.isnan(list(chord_row(cells, borders, 2).values())).all()
