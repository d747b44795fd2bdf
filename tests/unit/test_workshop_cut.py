"""The piece of an image that the pages of the workshop look at."""

from dataclasses import replace

import numpy as np
import pytest
import skimage.io
import tifffile
from PIL import Image, ImageOps

from damascene import InputError
from damascene.images.store import write_tiled
from damascene.workshop.cut import (
    Cut,
    cut_panorama,
    cut_picture,
    place_of_cut,
    read_cut,
    require_contrast,
    write_cut,
)

rng = np.random.default_rng(5)


def test_the_cut_lies_in_the_middle():
    window = place_of_cut((1000, 2000), edge_px=400)
    assert (window.top, window.left, window.bottom, window.right) == (300, 800, 700, 1200)


@pytest.mark.parametrize(("shape", "size"), [((300, 2000), (300, 400)), ((90, 80), (90, 80))])
def test_what_is_beyond_a_small_image_is_left_out(shape, size):
    assert place_of_cut(shape, edge_px=400).shape == size


def test_it_moves_to_where_pixels_are_valid():
    valid = np.zeros((1000, 2000), bool)
    valid[:450, 1500:] = True
    window = place_of_cut(valid.shape, edge_px=400, valid=valid)
    assert valid[window.slices()].all()
    # A reduced mask says the same.
    assert place_of_cut(valid.shape, edge_px=400, valid=valid[::8, ::8]) == window


def test_one_that_is_valid_in_the_middle_stays_there():
    valid = np.ones((1000, 2000), bool)
    valid[0, 0] = False
    assert place_of_cut(valid.shape, edge_px=400, valid=valid).left == 800


def test_a_wanted_place_is_taken_and_cut_at_the_border():
    window = place_of_cut((1000, 2000), edge_px=400, wanted=(900, 10))
    assert (window.top, window.left, window.shape) == (900, 10, (100, 400))


@pytest.mark.parametrize("wanted", [(960, 0), (-1, 0), (0, 5000)])
def test_a_place_without_room_is_refused(wanted):
    with pytest.raises(InputError, match=r"workshop\.place: .* 1000 rows and 2000 columns"):
        place_of_cut((1000, 2000), edge_px=400, wanted=wanted)


def test_a_cut_of_a_panorama_holds_its_pixels(tmp_path):
    pixels = rng.integers(0, 255, (700, 900), dtype=np.uint8)
    valid = np.full(pixels.shape, 255, np.uint8)
    valid[:, :500] = 0
    for name, image in (("image", pixels), ("valid", valid)):
        write_tiled(
            tmp_path / f"{name}.ome.tif",
            [image],
            shape=image.shape,
            pixel_size_nm=40,
            name="a",
            labels=name == "valid",
        )
    cut = cut_panorama(
        tmp_path / "image.ome.tif",
        tmp_path / "valid.ome.tif",
        pixel_size_nm=40,
        edge_px=200,
        wanted=None,
    )
    top, left = cut.place
    assert np.array_equal(cut.grey, pixels[top : top + 200, left : left + 200])
    assert cut.valid.all() and cut.pixel_um == 0.04 and cut.colour is None
    write_cut(cut, tmp_path / "cut.npz")
    again = read_cut(tmp_path / "cut.npz")
    assert np.array_equal(again.grey, cut.grey) and np.array_equal(again.valid, cut.valid)
    assert (again.colour, again.pixel_um, again.place) == (None, 0.04, cut.place)


def test_a_picture_in_colour_keeps_its_colours_and_has_the_grey_of_its_luminance(tmp_path):
    colour = rng.integers(0, 255, (100, 120, 3), dtype=np.uint8)
    skimage.io.imsave(tmp_path / "a.png", colour)
    cut = cut_picture(tmp_path / "a.png", edge_px=80, wanted=(5, 6), pixel_size="30 nm")
    part = colour[5:85, 6:86]
    assert np.array_equal(cut.colour, part) and cut.pixel_um == 0.03
    # ITU-R BT.601, as for panoramas.
    assert np.abs(cut.grey - part @ [0.299, 0.587, 0.114]).max() <= 0.5 + 1e-6
    write_cut(cut, tmp_path / "cut.npz")
    assert np.array_equal(read_cut(tmp_path / "cut.npz").colour, part)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_photograph_is_turned_as_viewers_turn_it(tmp_path, orientation):
    stored = np.zeros((96, 160, 3), np.uint8)
    stored[:20, :30] = (200, 40, 40)
    photograph = Image.fromarray(stored)
    exif = Image.Exif()
    exif[274] = orientation
    photograph.save(tmp_path / "a.png", exif=exif)
    shown = np.asarray(ImageOps.exif_transpose(Image.open(tmp_path / "a.png")))
    cut = cut_picture(tmp_path / "a.png", edge_px=500, wanted=None)
    assert np.array_equal(cut.colour, shown)
    assert cut.grey.shape == shown.shape[:2] and cut.grey[shown[..., 0] > 0].min() > 0


def test_white_is_zero_and_colour_tables_are_read_as_they_are_shown(tmp_path):
    ramp = np.tile(np.arange(0, 250, 2, dtype=np.uint8), (80, 1))
    tifffile.imwrite(tmp_path / "white.tif", ramp, photometric="miniswhite")
    assert np.array_equal(
        cut_picture(tmp_path / "white.tif", edge_px=500, wanted=None).grey, 255 - ramp
    )
    table = np.zeros((3, 256), np.uint16)
    table[1] = 256 * np.arange(256)[::-1]
    tifffile.imwrite(tmp_path / "table.tif", ramp, photometric="palette", colormap=table)
    cut = cut_picture(tmp_path / "table.tif", edge_px=500, wanted=None)
    assert np.array_equal(cut.colour[..., 1], 255 - ramp) and not cut.colour[..., 0].any()


def test_a_transparent_part_is_not_valid(tmp_path):
    pixels = np.full((100, 200, 4), 90, np.uint8)
    pixels[..., 3] = 255
    pixels[:, :40, 3] = 0
    Image.fromarray(pixels).save(tmp_path / "a.png")
    cut = cut_picture(tmp_path / "a.png", edge_px=500, wanted=None)
    assert not cut.valid[:, :40].any() and cut.valid[:, 40:].all()


def test_a_cut_that_shows_nothing_is_refused():
    cut = cut_of(np.full((80, 80), 7, np.uint8))
    with pytest.raises(InputError, match="cut of a at row 3, column 4 holds one grey, 7"):
        require_contrast(cut, origin="a")
    with pytest.raises(InputError, match="no valid pixel"):
        require_contrast(replace(cut, valid=~cut.valid), origin="a")
    require_contrast(cut_of(np.eye(80, dtype=np.uint8)), origin="a")


def cut_of(grey):
    return Cut(grey=grey, valid=np.ones(grey.shape, bool), colour=None, pixel_um=None, place=(3, 4))


def test_three_equal_channels_are_grey(tmp_path):
    grey = rng.integers(0, 255, (100, 120), dtype=np.uint8)
    skimage.io.imsave(tmp_path / "a.png", np.dstack([grey] * 3))
    cut = cut_picture(tmp_path / "a.png", edge_px=200, wanted=None)
    assert cut.colour is None and cut.pixel_um is None
    assert np.array_equal(cut.grey, grey)


def test_sixteen_bits_become_eight_by_the_full_scale(tmp_path):
    pixels = np.tile(np.array([0, 257, 65535], np.uint16), (80, 40))
    tifffile.imwrite(tmp_path / "a.tif", pixels)
    cut = cut_picture(tmp_path / "a.tif", edge_px=200, wanted=None)
    assert np.unique(cut.grey).tolist() == [0, 1, 255]


@pytest.mark.parametrize("shape", [(10, 10), (63, 200)])
def test_a_tiny_picture_is_refused(tmp_path, shape):
    skimage.io.imsave(tmp_path / "a.png", np.arange(np.prod(shape), dtype=np.uint8).reshape(shape))
    with pytest.raises(InputError, match="at least 64"):
        cut_picture(tmp_path / "a.png", edge_px=200, wanted=None)


def test_what_is_no_picture_is_refused(tmp_path):
    (tmp_path / "a.png").write_text("not a picture")
    with pytest.raises(InputError, match=r"a\.png"):
        cut_picture(tmp_path / "a.png", edge_px=200, wanted=None)
