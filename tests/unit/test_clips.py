import errno
import os
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.ndimage import map_coordinates, uniform_filter
from scipy.optimize import curve_fit
from skimage.transform import resize, resize_local_mean

from damascene import InputError
from damascene.clips.network_input import scale_grey
from damascene.clips.pictures import (
    cut_clip,
    cut_clips,
    cut_pictures,
    cut_shown_clips,
    images_of_sites,
    without_gaps,
)
from damascene.clips.storage import store_clips
from damascene.clips.windows import clip_window, common_window_um, window_px
from damascene.images.store import TiledImage, write_tiled
from damascene.learning.augmentation import augment_clips, augmentation_options


@pytest.fixture(scope="module")
def panorama(tmp_path_factory):
    pixels = np.random.default_rng(0).integers(0, 256, (700, 900), dtype=np.uint8)
    path = tmp_path_factory.mktemp("clips") / "p.ome.tif"
    write_tiled(path, [pixels], shape=pixels.shape, pixel_size_nm=50, name="p")
    with TiledImage(path) as image:
        yield image, pixels


@given(
    x_px=st.floats(-0.5, 99.4),
    y_px=st.floats(-0.5, 59.4),
    edge=st.integers(1, 60),
)
def test_window_is_whole_inside_and_holds_its_site(x_px, y_px, edge):
    window = clip_window(x_px, y_px, window_px=edge, shape=(60, 100))
    assert window.shape == (edge, edge)
    assert window.top >= 0 and window.left >= 0 and window.bottom <= 60 and window.right <= 100
    # The pixel the site lies on is in the window.
    assert window.left <= min(max(np.floor(x_px + 0.5), 0), 99) < window.right
    assert window.top <= min(max(np.floor(y_px + 0.5), 0), 59) < window.bottom


def test_window_is_centred_away_from_borders():
    window = clip_window(50.4, 29.6, window_px=5, shape=(60, 100))
    assert (window.left, window.right, window.top, window.bottom) == (48, 53, 28, 33)


def test_panorama_smaller_than_the_window_is_refused():
    with pytest.raises(InputError, match="61 px does not fit into a panorama of 100 x 60 px"):
        clip_window(5, 5, window_px=61, shape=(60, 100))


def test_window_in_pixels_follows_the_pixel_size():
    assert window_px("5 um", pixel_size_nm=50) == 100
    assert window_px("5 um", pixel_size_nm=40) == 125
    assert window_px("250 px", pixel_size_nm=50) == window_px("250 px", pixel_size_nm=40) == 250


def test_clip_is_the_part_of_the_panorama(panorama):
    image, pixels = panorama
    assert np.array_equal(cut_clip(image, 510.2, 512.8, window_px=31), pixels[498:529, 495:526])
    clips = cut_clips(image, [510.2, 899], [512.8, 0], window_px=31, size_px=31)
    assert np.array_equal(clips, [pixels[498:529, 495:526], pixels[:31, 869:]])


def test_larger_windows_are_reduced_by_area_averages(panorama):
    image, pixels = panorama
    (clip,) = cut_clips(image, [400], [300], window_px=100, size_px=64)
    expected = resize_local_mean(pixels[250:350, 350:450].astype(float), (64, 64))
    # Rounding to whole grey values; float32 may round a tie the other way.
    assert np.abs(clip - expected).max() < 0.51


def test_smaller_windows_are_enlarged_linearly(panorama):
    image, pixels = panorama
    (clip,) = cut_clips(image, [400], [300], window_px=40, size_px=64)
    expected = resize(pixels[280:320, 380:420].astype(float), (64, 64), order=1, mode="edge")
    assert np.abs(clip - expected).max() < 0.51


def test_no_sites_give_no_clips(panorama):
    image, _ = panorama
    assert cut_clips(image, [], [], window_px=40, size_px=32).shape == (0, 32, 32)


@pytest.mark.parametrize(("edge", "centre"), [(60, 0.5), (51, 0.4), (40, 1.0), (60, None)])
def test_pictures_are_clips_of_both_scales(panorama, edge, centre):
    """Also at the borders and in the corners of the panorama, where windows are shifted inside."""
    image, _ = panorama
    x_px, y_px = [400, 0, 899.4, 0, 885, 20, 450], [300, 0, 699.4, 350, 0, 690, 699]
    pictures = cut_pictures(image, x_px, y_px, window_px=edge, centre=centre, size_px=48)
    windows = [edge] if centre is None else [edge, round(edge * centre)]
    assert pictures.shape == (7, 48, 48, len(windows)) and pictures.dtype == np.uint8
    for scale, window in enumerate(windows):
        expected = cut_clips(image, x_px, y_px, window_px=window, size_px=48)
        assert np.array_equal(pictures[..., scale], expected)


def test_pictures_reach_no_missing_cell(tmp_path):
    pixels = np.random.default_rng(0).integers(1, 256, (300, 400), dtype=np.uint8)
    filled = pixels.copy()
    # A cell in the middle of the left side, and the mirror image of the steel to its right.
    pixels[60:240, :200] = 0
    filled[60:240, :200] = pixels[60:240, 200:][:, ::-1]
    images = []
    for name, array in (("missing", pixels), ("filled", filled)):
        path = tmp_path / f"{name}.ome.tif"
        write_tiled(path, [array], shape=array.shape, pixel_size_nm=50, name=name)
        images.append(TiledImage(path))
    # Into the cell reach both scales, the window alone, and none.
    x_px, y_px = [210, 230, 300], [150, 150, 150]
    options = {"window_px": 80, "size_px": 40}
    pictures = cut_pictures(images[0], x_px, y_px, centre=0.5, **options)
    for scale, edge in enumerate((80, 40)):
        expected = cut_clips(images[1], x_px, y_px, window_px=edge, size_px=40)
        assert np.array_equal(pictures[..., scale], expected)
    black = cut_clips(images[0], x_px, y_px, **options)
    assert (black == 0).all(axis=1).sum(axis=1).tolist() == [15, 5, 0]
    assert not (pictures == 0).any()


def test_room_for_clips_is_taken_before_they_are_cut(tmp_path, monkeypatch):
    # Written to a full disk, the mapped file would end the process by a bus error.
    def full(descriptor, start, count):
        assert count == 128 + 3 * 64 * 64 * 2
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "posix_fallocate", full)
    sites = pd.DataFrame({"panorama": "p", "clip_x_px": [9.0] * 3, "clip_y_px": 9.0})
    with pytest.raises(InputError, match=r"clips\.npy: the disk is full"):
        store_clips(
            tmp_path / "clips.npy",
            sites,
            panoramas=["p"],
            images=["none.ome.tif"],
            masks=["none.valid.ome.tif"],
            network="compact",
            window="2 um",
            centre=0.5,
        )
    assert not list(tmp_path.iterdir())


@pytest.fixture
def steel():
    return np.random.default_rng(0).integers(1, 256, (40, 40), dtype=np.uint8)


@pytest.mark.parametrize("turns", range(4))
def test_a_missing_side_is_the_mirror_image_of_what_is_beside(steel, turns):
    clip, expected = steel.copy(), steel.copy()
    clip[:, :13] = 0
    expected[:, :13] = steel[:, 13:26][:, ::-1]
    # A cavity that lies across the edge, over less than half of it.
    for each in (clip, expected):
        each[10:25, 13:16] = 0
        each[10:25, 10:13] = 0
    before = np.rot90(clip, turns).copy()
    assert np.array_equal(without_gaps(before), np.rot90(expected, turns))
    assert np.array_equal(before, np.rot90(clip, turns))


@pytest.mark.parametrize("turns", range(4))
def test_a_missing_row_and_column_are_filled_over_their_corner(steel, turns):
    clip = steel.copy()
    clip[:10] = 0
    clip[:, :15] = 0
    rows, columns = np.arange(40), np.arange(40)
    rows[:10], columns[:15] = np.arange(19, 9, -1), np.arange(29, 14, -1)
    expected = steel[np.ix_(rows, columns)]
    assert np.array_equal(without_gaps(np.rot90(clip, turns)), np.rot90(expected, turns))


def test_both_sides_can_be_missing(steel):
    clip = steel.copy()
    clip[:5] = 0
    clip[33:] = 0
    expected = np.concatenate([steel[9:4:-1], steel[5:33], steel[32:25:-1]])
    assert np.array_equal(without_gaps(clip), expected)


def test_a_strip_is_mirrored_again_and_again(steel):
    """More is missing than is there."""
    clip = steel.copy()
    clip[:29] = 0
    strip = steel[29:]
    expected = np.concatenate([strip[4:], strip[::-1], strip, strip[::-1], strip])[-40:]
    assert np.array_equal(without_gaps(clip), expected)


def disc(row, column, radius):
    y, x = np.mgrid[:40, :40]
    return (y - row) ** 2 + (x - column) ** 2 <= radius**2


@pytest.mark.parametrize(
    "black",
    [
        np.zeros((40, 40), bool),
        np.ones((40, 40), bool),
        disc(0, 20, 15),
        # A large cavity covers whole rows, and bends.
        disc(-40, 20, 55),
        disc(20, 75, 50),
        # As dark as a missing cell, with steel all round.
        disc(20, 20, 12),
    ],
    ids=["nothing", "all", "at_a_side", "whole_rows", "whole_columns", "within"],
)
def test_steel_and_its_cavities_are_left_alone(steel, black):
    clip = np.where(black, 0, steel).astype(np.uint8)
    assert np.array_equal(without_gaps(clip), clip)


@pytest.fixture(scope="module")
def series(tmp_path_factory):
    """Return names, paths and greys of three even panoramas, the last of larger pixels."""
    folder = tmp_path_factory.mktemp("series")
    greys = {"dark": 10, "middle": 90, "bright": 200}
    for name, grey in greys.items():
        write_tiled(
            folder / f"{name}.ome.tif",
            [np.full((300, 300), grey, np.uint8)],
            shape=(300, 300),
            pixel_size_nm=80 if name == "bright" else 40,
            name=name,
        )
    return list(greys), [folder / f"{name}.ome.tif" for name in greys], greys


def test_every_site_meets_the_image_of_its_panorama(series):
    names, paths, greys = series
    sites = pd.DataFrame({"panorama": ["bright", "dark", "bright", "dark"]}, index=[7, 3, 5, 1])
    found = np.full(len(sites), -1)
    opened = []
    for rows, image in images_of_sites(sites, panoramas=names, paths=paths):
        opened.append(image.path.name)
        found[rows] = cut_clip(image, 100, 100, window_px=3)[0, 0]
    assert found.tolist() == [greys[name] for name in sites["panorama"]]
    # In the order of the sheet, and nothing is opened where no site lies.
    assert opened == ["dark.ome.tif", "bright.ome.tif"]


def test_clips_of_a_figure_keep_their_order_and_share_one_width(series):
    names, paths, greys = series
    images = dict(zip(names, map(TiledImage, paths), strict=True))
    order = ["bright", "dark", "middle", "bright"]
    clips = cut_shown_clips(((name, 150, 150) for name in order), images, window_um=4.0, size_px=32)
    assert clips.shape == (4, 32, 32)
    assert clips[:, 0, 0].tolist() == [greys[name] for name in order]
    assert cut_shown_clips([], images, window_um=4.0, size_px=32).shape == (0, 32, 32)
    # 100 px are 4 um at 40 nm and 8 um at 80 nm; micrometres are the same in all.
    assert common_window_um("100 px", images) == pytest.approx(8)
    assert common_window_um("5 um", images) == pytest.approx(5)


def test_a_shown_window_is_as_wide_in_micrometres_in_every_panorama(tmp_path):
    # A step 2 um to the right of the site: at the same place of clips from 40 and 80 nm a pixel.
    images = {}
    for name, nm in (("fine", 40), ("coarse", 80)):
        pixels = np.zeros((400, 400), np.uint8)
        pixels[:, 200 + 2000 // nm :] = 255
        path = tmp_path / f"{name}.ome.tif"
        write_tiled(path, [pixels], shape=pixels.shape, pixel_size_nm=nm, name=name)
        images[name] = TiledImage(path)
    clips = cut_shown_clips(
        [("fine", 200, 200), ("coarse", 200, 200)], images, window_um=8.0, size_px=64
    )
    steps = [int(np.argmax(clip[32] > 127)) for clip in clips]
    # A quarter of 8 um right of the middle.
    assert steps == [48, 48]


def test_published_grey_scaling():
    grey = np.array([[[0, 51], [204, 255]]], np.uint8)
    scaled = scale_grey(grey, grey_scaling="full_range")
    assert scaled.shape == (1, 2, 2, 1) and scaled.dtype == np.float32
    # x * 2 / 255 - 1
    np.testing.assert_allclose(scaled[0, ..., 0], [[-1, -0.6], [0.6, 1]], atol=1e-6)


def test_median_scaling_does_not_see_the_brightness():
    grey = np.random.default_rng(0).uniform(40, 120, (3, 9, 9))
    scaled = scale_grey(grey, grey_scaling="clip_median")
    np.testing.assert_allclose(
        scaled, scale_grey(grey * 0.6, grey_scaling="clip_median"), atol=1e-5
    )
    assert np.abs(np.median(scaled, axis=(1, 2))).max() < 1e-6
    assert scale_grey(np.zeros((1, 4, 4)), grey_scaling="clip_median").max() == -1


UNCHANGED = {"shift": 0, "zoom": 0, "gain": 0, "offset": 0, "gamma": 0, "noise": 0}


@pytest.mark.parametrize("name", ["flips", "mild", "strong"])
def test_augmentation_repeats_with_the_seed_and_keeps_the_range(name):
    clips = np.random.default_rng(0).integers(0, 256, (5, 32, 32, 2), dtype=np.uint8)
    options = augmentation_options(name, rotation_deg=15)

    def augmented(seed):
        return augment_clips(clips, rng=np.random.default_rng(seed), **options)

    first = augmented(1)
    assert first.shape == clips.shape and first.dtype == np.float32
    with ThreadPoolExecutor(4) as threads:
        assert all(np.array_equal(first, again) for again in threads.map(augmented, [1] * 8))
    assert not np.array_equal(first, augmented(2))
    assert first.min() >= 0 and first.max() <= 255


@pytest.mark.parametrize("shape", [(40, 64, 64, 2), (20, 16, 24), (20, 200, 200, 1)])
def test_without_limits_augmentation_only_mirrors(shape):
    """Numbers of clips that are worked on in several parts, in one, and one at a time."""
    clips = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    result = augment_clips(clips, rotation_deg=0, rng=np.random.default_rng(0), **UNCHANGED)
    seen = set()
    for clip, changed in zip(clips, result, strict=True):
        mirrored = {(down, right): clip[::down, ::right] for down in (1, -1) for right in (1, -1)}
        # The table of grey values is rounded to float32.
        fits = [key for key, each in mirrored.items() if np.abs(each - changed).max() < 1e-3]
        assert len(fits) == 1
        seen.update(fits)
    assert len(seen) == 4


@pytest.mark.parametrize("limits", [{"rotation_deg": 40, "zoom": 0.3, "shift": 0.1}, {"zoom": 2}])
def test_clips_are_interpolated_as_in_scipy(limits):
    """Turned, scaled and shifted, also by so much that the mirror image is mirrored again."""
    rows = 33
    clip = np.random.default_rng(0).integers(0, 256, (rows, rows), dtype=np.uint8)
    # The same draws tell where the pixels of two ramps come from, up to the mirrors.
    ramp = np.broadcast_to(np.arange(rows, dtype=np.uint8), (rows, rows))

    def augmented(picture):
        given = {"rotation_deg": 0} | UNCHANGED | limits
        return augment_clips(picture[None], rng=np.random.default_rng(3), **given)[0]

    down, right = augmented(ramp.T), augmented(ramp)
    expected = map_coordinates(clip.astype(np.float32), [down, right], order=1)
    # Where the ramp turns round at a border it is not straight between two pixels.
    inside = (np.abs(down - 16) < 15) & (np.abs(right - 16) < 15)
    assert inside.mean() > 0.4
    np.testing.assert_allclose(augmented(clip)[inside], expected[inside], atol=0.02)


class Largest:
    """Draws the upper limit of everything."""

    def uniform(self, low, high, shape):
        return np.full(shape, float(high))

    def choice(self, values, shape):
        return np.full(shape, values[-1])

    def standard_normal(self, shape, dtype):
        return np.zeros(shape, dtype)

    def integers(self, low, high, shape):
        return np.full(shape, high - 1)


def test_a_quarter_turn_is_that_of_numpy():
    clips = np.random.default_rng(0).integers(0, 256, (3, 16, 16, 2), dtype=np.uint8)
    result = augment_clips(clips, rotation_deg=90, rng=Largest(), **UNCHANGED)
    # Sine and cosine are those of an angle in float32.
    np.testing.assert_allclose(result, np.rot90(clips, axes=(1, 2)), atol=0.01)


def test_brightness_and_contrast_follow_the_formula():
    ramp = np.broadcast_to(np.arange(256, dtype=np.uint8)[:, None], (30, 256, 4))
    limits = {"gamma": 0.4, "gain": 0.3, "offset": 16}
    result = augment_clips(
        ramp, rotation_deg=0, rng=np.random.default_rng(0), **(UNCHANGED | limits)
    )
    exponents = []
    for changed in result[:, :, 0].astype(float):
        upwards = changed if changed[-1] > changed[0] else changed[::-1]
        free = (upwards > 0) & (upwards < 255)

        def curve(grey, gamma, gain, offset):
            return 255 * gain * (grey / 255) ** gamma + offset

        (gamma, gain, offset), _ = curve_fit(curve, np.arange(256)[free], upwards[free], (1, 1, 0))
        np.testing.assert_allclose(
            curve(np.arange(256), gamma, gain, offset)[free], upwards[free], atol=0.01
        )
        assert abs(np.log(gain)) <= 0.301 and abs(offset) <= 16.01
        exponents.append(np.log(gamma))
    assert max(exponents) > 0.2 and min(exponents) < -0.2 and np.abs(exponents).max() < 0.401


def test_noise_is_normal_white_and_of_up_to_the_given_deviation():
    clips = np.full((200, 64, 64, 2), 128, np.uint8)
    result = augment_clips(
        clips, rotation_deg=0, rng=np.random.default_rng(0), **(UNCHANGED | {"noise": 12})
    )
    noise = result.astype(float) - 128
    deviations = noise.std(axis=(1, 2, 3))
    # Uniform up to the limit.
    assert 11 < deviations.max() < 12.3 and deviations.mean() == pytest.approx(6, abs=0.8)
    strong = noise[deviations > 3]
    strong /= strong.std(axis=(1, 2, 3), keepdims=True)
    assert np.abs(strong.mean()) < 0.01
    assert (strong**4).mean() == pytest.approx(3, abs=0.1)
    for one, other in [
        (strong[:, 1:], strong[:, :-1]),
        (strong[:, :, 1:], strong[:, :, :-1]),
        (strong[..., :1], strong[..., 1:]),
        (strong[1:], strong[:-1]),
    ]:
        assert abs((one * other).mean()) < 0.01


def test_blur_mixes_in_means_of_nine_pixels():
    clip = np.random.default_rng(0).integers(0, 256, (1, 20, 20), dtype=np.uint8)
    (result,) = augment_clips(
        clip, rotation_deg=0, rng=np.random.default_rng(0), blur=1, **UNCHANGED
    )
    grey = clip[0].astype(float)
    means = uniform_filter(grey, 3, mode="mirror")
    fits = []
    for down in (1, -1):
        for right in (1, -1):
            way = (means - grey)[::down, ::right].ravel()
            change = result.ravel() - grey[::down, ::right].ravel()
            weight = way @ change / (way @ way)
            fits.append((np.abs(weight * way - change).max(), weight))
    error, weight = min(fits)
    assert error < 0.01 and 0 < weight < 1


def test_bend_moves_pixels_smoothly_by_about_its_share():
    ramp = np.broadcast_to(np.arange(64, dtype=np.uint8) * 3, (100, 64, 64))
    result = augment_clips(
        ramp, rotation_deg=0, rng=np.random.default_rng(0), bend=0.03, **UNCHANGED
    )
    # Columns far from the borders, where nothing is mirrored; either way round.
    moved = (
        np.minimum(
            np.abs(result - ramp)[..., 16:48].max(axis=(1, 2)),
            np.abs(result - ramp[..., ::-1])[..., 16:48].max(axis=(1, 2)),
        )
        / 3
    )
    assert 1 < np.median(moved) < 6 and moved.max() < 12
    assert np.abs(np.diff(result[..., 16:48], axis=1)).max() < 3


def test_augmentation_turns_by_the_angle():
    y, x = np.mgrid[-20:21, -20:21]
    bar = np.where((np.abs(x) < 12) & (np.abs(y) < 2), 255, 0).astype(np.uint8)[None]
    angles = []
    for seed in range(30):
        (turned,) = augment_clips(
            bar, rotation_deg=30, rng=np.random.default_rng(seed), **UNCHANGED
        )
        covariance = np.cov(np.stack([x.ravel(), y.ravel()]), aweights=turned.ravel())
        angles.append(
            np.rad2deg(np.arctan2(2 * covariance[0, 1], covariance[0, 0] - covariance[1, 1]) / 2)
        )
    # Thirty uniform draws in +-30 degrees reach past 20 on both sides, and never past 30 (+1 for
    # the interpolation).
    assert max(angles) > 20 and min(angles) < -20 and np.abs(angles).max() < 31
