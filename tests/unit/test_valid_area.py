import io

import numpy as np
import pytest
from PIL import Image
from scipy import ndimage
from tests.made_images import simulated

from damascene.images import blank, valid_area
from damascene.images.store import TiledImage, write_tiled
from damascene.images.valid_area import (
    BLANK,
    CHARGING,
    CHARGING_RADIUS_UM,
    NO_IMAGE,
    VALID,
    write_valid_area,
)

PIXEL_NM = 50.0
SHAPE = (1240, 1530)
ROW, COLUMN = np.mgrid[: SHAPE[0], : SHAPE[1]]


def steel(shape=SHAPE):
    """Noise without the greys of any filling, so that the edge of a filling is known exactly."""
    rng = np.random.default_rng(5)
    return rng.integers(40, 110, shape).astype(np.uint8)


def mask_of(folder, pixels, *, pixel_size_nm=PIXEL_NM, **options):
    write_tiled(
        folder / "image.tif", [pixels], shape=pixels.shape, pixel_size_nm=pixel_size_nm, name="p"
    )
    with TiledImage(folder / "image.tif") as image:
        fractions = write_valid_area(image, folder / "mask.tif", name="mask", **options)
    with TiledImage(folder / "mask.tif") as mask:
        assert mask.pixel_size_nm == pytest.approx(pixel_size_nm)
        return mask.read(), fractions


MARGINS = {
    "thin": COLUMN < 5,
    "slanted": (ROW < 0.02 * COLUMN - 4) | (COLUMN + 0.02 * ROW < 25),
    "steps": ROW + np.array([6, 31, 12])[COLUMN // 510] >= SHAPE[0],
    "gap": (abs(ROW - 600) < 350) & (abs(COLUMN - 700) < 350),
    "small frame": (abs(ROW - 600) < 100) & (abs(COLUMN - 700) < 120),
    "slanted gap": (abs(ROW - 600 + 0.1 * COLUMN) < 400) & (abs(COLUMN - 700 - 0.1 * ROW) < 400),
    "all": np.ones(SHAPE, bool),
}


@pytest.mark.parametrize("margin", MARGINS)
@pytest.mark.parametrize("grey", [0, 200, 255])
def test_empty_areas_are_blank_to_the_pixel(tmp_path, margin, grey):
    empty = MARGINS[margin]
    mask, fractions = mask_of(tmp_path, np.where(empty, np.uint8(grey), steel()))
    np.testing.assert_array_equal(mask, np.where(empty, BLANK, VALID))
    assert fractions["blank"] == pytest.approx(empty.mean())
    assert sum(fractions.values()) == pytest.approx(1)


def ellipse(row, column, height, width):
    return ((ROW - row) / height) ** 2 + ((COLUMN - column) / width) ** 2 < 1


HOLES = {
    "largest inclusion": ellipse(600, 700, 213, 300),
    "inclusion cut by the border": ellipse(0, 700, 200, 300),
    "inclusion in the corner": ellipse(0, 0, 300, 300),
    "crack along the border": ellipse(0, 700, 6, 90),
    "voids": (np.hypot(ROW % 160 - 80, COLUMN % 160 - 80) < 25),
}


@pytest.mark.parametrize("hole", HOLES)
def test_clipped_cavities_stay_valid(tmp_path, hole):
    mask, fractions = mask_of(tmp_path, np.where(HOLES[hole], np.uint8(0), steel()))
    assert (mask == VALID).all()
    assert fractions == {"valid": 1, "no_image": 0, "blank": 0, "charging": 0}


def test_a_cavity_keeps_its_pixels_beside_a_margin(tmp_path):
    # There is a line of picture between the two.
    margin, hole = COLUMN < 40, ellipse(600, 241, 100, 200)
    mask, _ = mask_of(tmp_path, np.where(margin | hole, np.uint8(0), steel()))
    np.testing.assert_array_equal(mask == BLANK, margin)


def test_simulated_steel_is_valid_everywhere(tmp_path):
    """Clipped inclusions, deep shadows and bright rims are no reason to look away."""
    truth, _ = simulated(
        tmp_path, shape=(1000, 1600), pixel_size_nm=40, seed=4, dwell_time_ns=1500, threads=2
    )
    assert {"inclusion", "shadowing"} <= set(truth["true_class"])
    with TiledImage(tmp_path / "scene.ome.tif") as image:
        fractions = write_valid_area(image, tmp_path / "mask.tif", name="mask")
    assert fractions["valid"] == 1


def test_charging_is_the_opening_of_saturated_pixels(tmp_path):
    rng = np.random.default_rng(2)
    bright = ndimage.gaussian_filter(rng.standard_normal((700, 900)), 12) > 0.012
    mask, fractions = mask_of(tmp_path, np.where(bright, np.uint8(255), steel((700, 900))))
    radius = CHARGING_RADIUS_UM * 1000 / PIXEL_NM
    reach = np.arange(-int(radius), int(radius) + 1)
    disc = np.hypot(reach[:, None], reach) <= radius
    # Charging may go on beyond the border.
    centres = ndimage.binary_erosion(bright, disc, border_value=True)
    expected = ndimage.binary_dilation(centres, disc)
    assert 0.05 < expected.mean() < bright.mean() - 0.05
    np.testing.assert_array_equal(mask, np.where(expected, CHARGING, VALID))
    assert fractions["charging"] == pytest.approx(expected.mean())


@pytest.mark.parametrize("radius_px", [8.0, 11.3, 15.0, 26.0])
def test_no_disc_is_overlooked_wherever_it_lies(tmp_path, radius_px):
    """Just large enough, alone, in every place against the blocks and the borders."""
    row, column = np.mgrid[:611, :925]
    shape = row.shape
    centres = [(y, x) for y in range(0, 611, 87) for x in range(0, 925, 71)]
    centres += [(610, 924), (610, 300), (305, 924)]
    bright = np.zeros(shape, bool)
    for y, x in centres:
        bright |= np.hypot(row - y, column - x) <= radius_px
    mask, _ = mask_of(
        tmp_path,
        np.where(bright, np.uint8(255), steel(shape)),
        pixel_size_nm=CHARGING_RADIUS_UM * 1000 / radius_px,
    )
    np.testing.assert_array_equal(mask == CHARGING, bright)


@pytest.mark.parametrize("pixel_size_nm", [20.0, 50.0])
def test_the_size_of_charging_is_physical(tmp_path, pixel_size_nm):
    radius = CHARGING_RADIUS_UM * 1000 / pixel_size_nm
    distance = [np.hypot(ROW - 400, COLUMN - 400), np.hypot(ROW - 800, COLUMN - 1000)]
    wide, narrow = distance[0] < 1.1 * radius, distance[1] < 0.9 * radius
    pixels = np.where(wide | narrow, np.uint8(254), steel())
    mask, _ = mask_of(tmp_path, pixels, pixel_size_nm=pixel_size_nm)
    assert (mask[narrow] == VALID).all()
    # The opening rounds the digital disc off by some pixels.
    assert (mask[wide] == CHARGING).mean() > 0.9 and (mask[~wide] == VALID).all()


def test_missing_cells_are_no_image_and_nothing_else(tmp_path):
    covered = (ROW // 310 + COLUMN // 510) % 2 == 0
    void = ellipse(300, 500, 40, 60)
    pixels = np.where(covered & ~void, steel(), np.uint8(0))
    strips = [covered[:300], covered[300:305], covered[305:]]
    mask, fractions = mask_of(tmp_path, pixels, covered=strips)
    np.testing.assert_array_equal(mask, np.where(covered, VALID, NO_IMAGE))
    assert fractions["no_image"] == pytest.approx(1 - covered.mean())


def test_a_margin_inside_a_covered_cell_is_blank(tmp_path):
    covered, margin = COLUMN >= 510, ROW < 7
    pixels = np.where(covered & ~margin, steel(), np.uint8(0))
    mask, _ = mask_of(tmp_path, pixels, covered=[covered])
    np.testing.assert_array_equal(mask, np.where(covered, np.where(margin, BLANK, VALID), NO_IMAGE))


def test_strips_of_the_cover_must_fill_the_image(tmp_path):
    with pytest.raises(ValueError, match="strips have 10 rows"):
        mask_of(tmp_path, steel(), covered=[np.ones((10, SHAPE[1]), bool)])
    assert not (tmp_path / "mask.tif").exists()


def test_the_mask_does_not_depend_on_strips_and_threads(tmp_path, monkeypatch):
    empty = MARGINS["slanted"] | MARGINS["slanted gap"]
    pixels = np.where(empty, np.uint8(0), steel())
    pixels[np.hypot(ROW - 1020, COLUMN - 1450) < 60] = 255
    covered = COLUMN < 1500
    expected, _ = mask_of(tmp_path, pixels, covered=[covered])
    assert {NO_IMAGE, BLANK, CHARGING, VALID} == set(np.unique(expected))
    for rows, threads in ((48, 1), (208, 3), (2048, 2)):
        monkeypatch.setattr(blank, "STRIP_ROWS", rows)
        monkeypatch.setattr(valid_area, "STRIP_ROWS", rows)
        mask, _ = mask_of(tmp_path, pixels, covered=[covered], threads=threads)
        np.testing.assert_array_equal(mask, expected)


@pytest.mark.parametrize("quality", [75, 90])
def test_no_dark_pixels_are_left_where_jpeg_smears_the_edge(tmp_path, quality):
    empty = MARGINS["slanted"] | MARGINS["gap"]
    buffer = io.BytesIO()
    smooth = ndimage.gaussian_filter(steel().astype(float), 1.5).round().astype(np.uint8)
    Image.fromarray(np.where(empty, np.uint8(0), smooth)).save(buffer, "JPEG", quality=quality)
    pixels = np.asarray(Image.open(buffer))
    mask, _ = mask_of(tmp_path, pixels)
    left = (mask == VALID) & empty & (pixels < 20)
    parts, _ = ndimage.label(left)
    # Fewer than make a site (20 pixels).
    assert np.bincount(parts.ravel())[1:].max(initial=0) < 20
    # Not more of the picture is lost than the blocks on the edge.
    near = ndimage.binary_dilation(empty, iterations=16)
    assert (mask[~near] == VALID).all() and (mask == VALID)[~empty].mean() > 0.99
