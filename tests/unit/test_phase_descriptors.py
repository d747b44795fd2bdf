"""Phases round sites: distances and fractions of drawn maps, by direction, at any pixel size."""

import numpy as np
import pandas as pd
import pytest
from scipy import ndimage
from scipy.signal import fftconvolve

from damascene.clustering.geometry import shapes
from damascene.clustering.runs import Runs, runs_of
from damascene.contracts.phase_descriptors import (
    PHASE_AREAS,
    PHASE_DESCRIPTOR_NAMES,
    PHASE_DESCRIPTORS,
    REACH_UM,
    RING_UM,
    SQUARE_UM,
)
from damascene.descriptors.phase_areas import phase_areas
from damascene.descriptors.phases import describe_phases
from damascene.images.store import TiledImage, write_tiled

OUTSIDE, FERRITE, MARTENSITE, DAMAGE = range(4)
PIXEL_NM = 40
SIDES = ("along", "across", "ends", "flanks")


@pytest.fixture
def opened(tmp_path):
    """Return a function that stores an array and opens it."""
    files = []

    def store(pixels, *, pixel_size_nm=PIXEL_NM):
        path = tmp_path / f"{len(files)}.tif"
        about = {"pixel_size_nm": pixel_size_nm, "name": "p", "pyramid": False}
        write_tiled(path, [pixels.astype(np.uint8)], shape=pixels.shape, **about)
        files.append(TiledImage(path))
        return files[-1]

    yield store
    for one in files:
        one.close()


def candidates(masks):
    """Return the candidates with these pixels, and their runs."""
    rows, lines = [], []
    for number, mask in enumerate(masks):
        y, x = np.nonzero(mask)
        runs = runs_of(y, x)
        lines.append(
            pd.DataFrame(
                {"site_id": number, "y_px": runs.row, "left_px": runs.first, "right_px": runs.last}
            )
        )
        rows.append({
            "panorama": "p", "site_id": number, "x_px": x.mean(), "y_px": y.mean(),
            "left_px": x.min(), "top_px": y.min(),
            "width_px": np.ptp(x) + 1, "height_px": np.ptp(y) + 1,
        })  # fmt: skip
    return pd.DataFrame(rows), pd.concat(lines, ignore_index=True)


def described(opened, phases, masks, *, grey=None, pixel_size_nm=PIXEL_NM, **options):
    sites, runs = candidates(masks)
    images = [
        opened(pixels, pixel_size_nm=pixel_size_nm)
        for pixels in (phases, np.zeros_like(phases) if grey is None else grey)
    ]
    options = {"hard": MARTENSITE, "damage": DAMAGE} | options
    table = describe_phases(*images, sites, runs=runs, **options)
    assert list(table.columns) == list(PHASE_DESCRIPTORS.columns)
    return PHASE_DESCRIPTORS.validate(table)


def ferrite(shape=(200, 220)):
    return np.full(shape, FERRITE)


def box(phases, top, left, bottom, right):
    mask = np.zeros(phases.shape, bool)
    mask[top:bottom, left:right] = True
    return mask


def random_steel(seed, shape=(260, 300), sites=12):
    """Two phases, holes in the image, cavities of any form, and some that are no candidate."""
    random = np.random.default_rng(seed)
    smooth = ndimage.gaussian_filter(random.normal(size=shape), 6)
    phases = np.where(smooth > np.quantile(smooth, 0.6), MARTENSITE, FERRITE)
    holes = ndimage.gaussian_filter(random.normal(size=shape), 3)
    phases[holes > np.quantile(holes, 0.98)] = DAMAGE
    phases[:40, 200:] = OUTSIDE
    found = ndimage.gaussian_filter(random.normal(size=shape), 2.5)
    labels, count = ndimage.label(found > np.quantile(found, 0.97))
    chosen = random.permutation(np.arange(1, count + 1))[:sites]
    grey = random.integers(0, 256, shape)
    return phases, [labels == number for number in chosen], grey


def test_a_gap_of_ferrite_is_the_distance(opened):
    phases = ferrite()
    site = box(phases, 100, 100, 110, 104)
    for gap in (0, 1, 7, 20):
        phases[:] = FERRITE
        phases[:, 104 + gap : 150 + gap] = MARTENSITE
        table = described(opened, phases, [site])
        assert table.distance_um[0] == pytest.approx(gap * 0.04)
    phases[:] = FERRITE
    alone = described(opened, phases, [site]).iloc[0]
    assert alone.distance_um == REACH_UM
    assert alone.place == "apart"
    assert alone.hard_2um == alone.islands == alone.contact_hard == 0
    assert alone.contact_other == 1


def test_half_a_plane_fills_half_of_each_ring_and_one_side(opened):
    """A slit across the load with martensite to its right: a decohesion of the boundary."""
    phases = ferrite()
    phases[:, 102:] = MARTENSITE
    table = described(opened, phases, [box(phases, 85, 100, 115, 104)])
    one = table.iloc[0]
    for um in RING_UM:
        assert one[f"along_{um:g}um_low"] == 0
        assert one[f"along_{um:g}um_high"] == 1
        # The slit stands upright: its flanks look along the load.
        assert one[f"flanks_{um:g}um_low"] == 0
        assert one[f"flanks_{um:g}um_high"] == 1
        assert one[f"hard_{um:g}um"] == 0.5
        assert one[f"across_{um:g}um_low"] == one[f"across_{um:g}um_high"] == 0.5
        assert one[f"ends_{um:g}um_low"] == one[f"ends_{um:g}um_high"] == 0.5
    assert one.contact_hard == one.contact_other == 0.5
    assert one.place == "beside"
    assert one.own_hard == 0.5
    assert one.own_damage == 0


def test_a_crack_lies_between_halves_and_a_void_in_an_island_is_enclosed(opened):
    phases = ferrite()
    phases[90:110, 70:130] = MARTENSITE
    crack, void = box(phases, 88, 99, 112, 102), box(phases, 98, 60 + 30, 102, 94)
    table = described(opened, phases, [crack, void, box(phases, 20, 20, 26, 26)])
    assert table.place.tolist() == ["between", "enclosed", "apart"]
    # One island that the crack has cut into two, one about the void; none in reach of the last.
    assert table.islands.tolist() == [2, 1, 0]
    area = 20 * 60 * 0.04**2
    cut = area - 20 * 3 * 0.04**2
    assert table.islands_um2[0] == pytest.approx(cut)
    assert table.largest_island_um2[0] == pytest.approx(20 * 29 * 0.04**2)
    assert table.islands_um2[1] == pytest.approx(area - 16 * 0.04**2)
    assert table.contact_hard.tolist() == pytest.approx([40 / 54, 1, 0])


def test_damage_of_others_and_missing_image_are_no_phase(opened):
    phases = ferrite()
    site = box(phases, 95, 95, 105, 105)
    phases[:, 105:] = DAMAGE
    phases[:95] = OUTSIDE
    one = described(opened, phases, [site]).iloc[0]
    # Above is no image and on the right another cavity: what is left is ferrite.
    assert one["hard_0.1um"] == 0
    assert one.contact_other == 0.5
    assert one["along_2um_low"] == 0
    assert np.isnan(one["along_2um_high"])
    assert np.isnan(one["across_0.1um_high"])
    phases[:] = DAMAGE
    nothing = described(opened, phases, [site]).iloc[0]
    assert np.isnan(
        nothing[["distance_um", "hard_1um", "hard_square", "grey_step"]].astype(float)
    ).all()
    assert nothing.place == "unknown"
    assert nothing.own_damage == 1


def test_rings_are_those_of_an_exact_distance_transform(opened):
    phases, masks, grey = random_steel(1)
    table = described(opened, phases, masks, grey=grey)
    for number, mask in enumerate(masks):
        # From the middle of a pixel to the outline, which is half a pixel from the outermost pixel.
        away = (ndimage.distance_transform_edt(~mask) - 0.5) * PIXEL_NM / 1000
        phase = np.isin(phases, (FERRITE, MARTENSITE))
        for low, high in zip((0, *RING_UM), RING_UM, strict=False):
            ring = (away > low + 1e-6) & (away <= high + 1e-6) & ~mask
            expected = np.nan
            if phase[ring].mean() >= 0.25:
                expected = (phases[ring & phase] == MARTENSITE).mean()
            rows, columns = np.nonzero(ring)
            # Outside of the picture is no image, which counts where few pixels have a phase.
            cut = min(rows.min(), columns.min()) == 0 or rows.max() == 259 or columns.max() == 299
            if not cut:
                assert table[f"hard_{high:g}um"][number] == pytest.approx(expected, nan_ok=True)
        nearest = away[(phases == MARTENSITE) & ~mask].min() - PIXEL_NM / 2000
        assert table.distance_um[number] == pytest.approx(min(nearest, REACH_UM), abs=1e-9)
        ring = (away > RING_UM[0] + 1e-6) & (away <= RING_UM[3] + 1e-6)
        greys = [grey[ring & (phases == phase)] for phase in (MARTENSITE, FERRITE)]
        step = greys[0].mean() - greys[1].mean() if min(map(len, greys)) >= 20 else np.nan
        assert table.grey_step[number] == pytest.approx(step, nan_ok=True)


@pytest.mark.parametrize("turns", [1, 2, 3])
def test_a_turn_by_90_degrees_exchanges_along_and_across_and_nothing_else(opened, turns):
    phases, masks, grey = random_steel(2)
    before = described(opened, phases, masks, grey=grey)
    turned = described(
        opened,
        *(np.rot90(phases, turns), [np.rot90(mask, turns) for mask in masks]),
        grey=np.rot90(grey, turns),
    )
    if turns % 2:
        exchange = {"along": "across", "across": "along"}
        names = {
            name: name.replace(side, exchange[side])
            for name in turned
            for side in exchange
            if name.startswith(side)
        }
        turned = turned.rename(columns=names)[list(before)]
    assert before["along_1um_low"].nunique() > 5
    pd.testing.assert_frame_equal(before, turned, check_exact=True)


def test_mirrored_steel_has_the_same_descriptors(opened):
    phases, masks, grey = random_steel(3)
    one = described(opened, phases, masks, grey=grey)
    for mirror in (np.fliplr, np.flipud):
        other = described(opened, mirror(phases), list(map(mirror, masks)), grey=mirror(grey))
        pd.testing.assert_frame_equal(one, other, check_exact=True)


def test_tiles_and_the_other_sites_of_a_table_change_nothing(opened):
    phases, masks, grey = random_steel(4)
    whole = described(opened, phases, masks, grey=grey)
    for tile_px in (31, 100):
        tiled = described(opened, phases, masks, grey=grey, tile_px=tile_px)
        pd.testing.assert_frame_equal(whole, tiled, check_exact=True)
    sites, runs = candidates(masks)
    images = opened(phases), opened(grey)
    some = describe_phases(*images, sites.iloc[[7, 2]], runs=runs, hard=MARTENSITE, damage=DAMAGE)
    pd.testing.assert_frame_equal(some, whole.iloc[[7, 2]].reset_index(drop=True))
    none = describe_phases(*images, sites[:0], runs=runs, hard=MARTENSITE, damage=DAMAGE)
    assert len(PHASE_DESCRIPTORS.validate(none)) == 0


def test_finer_pixels_of_the_same_steel_give_the_same_numbers(opened):
    phases, masks, grey = random_steel(5)

    def finer(pixels):
        return pixels.repeat(2, axis=0).repeat(2, axis=1)

    coarse = described(opened, phases, masks, grey=grey)
    fine = described(
        opened, finer(phases), list(map(finer, masks)), grey=finer(grey), pixel_size_nm=PIXEL_NM / 2
    )
    # Corners are rounder on a finer grid: a pixel of 40 nm, a few hundredths of a ring.
    assert np.allclose(coarse.distance_um, fine.distance_um, atol=0.03)
    assert np.allclose(coarse.contact_hard, fine.contact_hard)
    assert np.allclose(coarse.own_damage, fine.own_damage)
    wide = [f"hard_{um:g}um" for um in RING_UM[2:]] + ["hard_square"]
    assert np.allclose(coarse[wide], fine[wide], atol=0.03, equal_nan=True)
    # The pixel size matters: half of it in a header alone looks half as far.
    other = described(opened, phases, masks, grey=grey, pixel_size_nm=PIXEL_NM / 2)
    assert not np.allclose(coarse[wide], other[wide], atol=0.03, equal_nan=True)


def test_other_phases_have_any_number_and_there_may_be_no_damage(opened):
    """A steel of four phases without damage: the second is the hard one."""
    phases = ferrite()
    phases[:, 110:] = 2
    phases[:100] = np.where(phases[:100] == 1, 4, phases[:100])
    phases[100:] = np.where(phases[100:] == 1, 3, phases[100:])
    table = described(opened, phases, [box(phases, 90, 105, 110, 110)], hard=2, damage=None)
    assert table["along_1um_high"][0] == 1
    assert table["along_1um_low"][0] == 0
    assert np.isnan(table.own_damage[0])


@pytest.mark.parametrize("mask", ["bar", "slanted", "disc"])
def test_the_longer_axis_is_that_of_the_candidate(mask):
    from damascene.descriptors.phase_counts import longer_axis

    y, x = np.indices((80, 80))
    drawn = {
        "bar": (abs(y - 40) < 3) & (abs(x - 40) < 20),
        "slanted": (abs(y - x) < 4) & (abs(y + x - 80) < 40),
        "disc": (y - 40) ** 2 + (x - 40) ** 2 < 100,
    }[mask]
    rows, columns = np.nonzero(drawn)
    cosine, sine = longer_axis(rows, columns)
    if mask == "disc":
        assert (cosine, sine) == (0, 0)
        return
    runs: Runs = runs_of(rows, columns)
    degrees = shapes(runs, np.zeros(len(runs.row), int))["orientation_deg"][0]
    assert np.degrees(np.arctan2(sine, cosine)) / 2 == pytest.approx(degrees)


def test_areas_by_distance_and_by_local_fraction(opened):
    phases, _, _ = random_steel(6, shape=(180, 240))
    image = opened(phases)
    options = {"panorama": "p", "hard": MARTENSITE, "damage": DAMAGE}
    table = PHASE_AREAS.validate(phase_areas(image, **options))
    pixel_mm2 = (PIXEL_NM / 1e6) ** 2
    imaged = phases != OUTSIDE
    by_distance = table[table.measure.isin(["inside", "distance"])]
    assert table.area_mm2[0] == pytest.approx(np.isin(phases, (1, 2)).sum() * pixel_mm2)
    assert by_distance.area_mm2.sum() == pytest.approx(imaged.sum() * pixel_mm2)
    inside = table.area_mm2[table.measure == "inside"].sum()
    assert inside == pytest.approx((phases == MARTENSITE).sum() * pixel_mm2)
    away = (ndimage.distance_transform_edt(phases != MARTENSITE) - 0.5) * PIXEL_NM / 1000
    for low, high in ((0, 0.5), (0.5, 2)):
        band = imaged & (away > low) & (away <= high + 1e-9)
        rows = (table.measure == "distance") & (table.low >= low) & (table.high <= high)
        assert table.area_mm2[rows].sum() == pytest.approx(band.sum() * pixel_mm2)
    # The square of each pixel, counted by Fourier transforms.
    square = np.ones((2 * int(SQUARE_UM * 1000 / PIXEL_NM / 2) + 1,) * 2)
    count = {
        name: np.rint(fftconvolve(kind, square, mode="same"))
        for name, kind in (
            ("hard", phases == MARTENSITE),
            ("known", np.isin(phases, (FERRITE, MARTENSITE))),
        )
    }
    enough = imaged & (count["known"] >= square.size / 4)
    fractions = (count["hard"] / np.maximum(count["known"], 1))[enough]
    expected = np.histogram(fractions, bins=np.linspace(0, 1, 6))[0] * pixel_mm2
    measured = table.area_mm2[table.measure == "fraction"]
    assert np.allclose(measured, expected, atol=2 * pixel_mm2)
    for changed in ({"tile_px": 64}, {"tile_px": 100, "threads": 2}):
        pd.testing.assert_frame_equal(table, phase_areas(image, **options, **changed))


@pytest.mark.parametrize("tile_px", [30, 1000])
def test_areas_are_known_up_to_their_farthest_distance_in_any_tiles(opened, tile_px):
    """One column of hard phase: each column beside it is a pixel farther away."""
    phases = ferrite((50, 260))
    phases[:, 0] = MARTENSITE
    options = {"panorama": "p", "hard": MARTENSITE, "damage": DAMAGE, "tile_px": tile_px}
    table = phase_areas(opened(phases), **options)
    bands = table[table.measure == "distance"]
    # The upper bound of a band belongs to it.
    middles = (np.arange(1, 260) - 0.5) * PIXEL_NM / 1000 - 1e-9
    expected = np.histogram(middles, bins=[*bands.low, 1e3])[0] * 50 * (PIXEL_NM / 1e6) ** 2
    assert np.allclose(bands.area_mm2, expected)


def test_a_map_without_hard_phase_is_far_from_it_everywhere(opened):
    phases = ferrite((90, 90))
    table = phase_areas(opened(phases), panorama="p", hard=MARTENSITE, damage=DAMAGE)
    far = table[np.isinf(table.high)]
    assert far.area_mm2.item() == pytest.approx(90 * 90 * (PIXEL_NM / 1e6) ** 2)
    assert table.area_mm2[table.measure == "inside"].item() == 0


def test_the_local_fraction_of_a_site_is_that_of_its_place(opened):
    """Sites and areas are put into the same classes, or a density would compare two measures."""
    phases, masks, _ = random_steel(7)
    table = described(opened, phases, masks)
    half = SQUARE_UM * 1000 / PIXEL_NM / 2
    y, x = np.indices(phases.shape)
    for mask, value in zip(masks, table.hard_square, strict=True):
        row, column = (axis.mean() for axis in np.nonzero(mask))
        near = phases[(abs(y - row) <= half) & (abs(x - column) <= half)]
        hard, other = (near == MARTENSITE).sum(), (near == FERRITE).sum()
        expected = hard / (hard + other) if hard + other >= half**2 else np.nan
        assert value == pytest.approx(expected, nan_ok=True)


def test_every_number_of_the_table_is_said_in_its_contract():
    assert len(set(PHASE_DESCRIPTOR_NAMES)) == len(PHASE_DESCRIPTOR_NAMES)
    for side in SIDES:
        for um in RING_UM:
            assert {f"{side}_{um:g}um_low", f"{side}_{um:g}um_high"} <= set(PHASE_DESCRIPTOR_NAMES)
