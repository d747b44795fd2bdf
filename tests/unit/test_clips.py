import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from skimage.transform import resize, resize_local_mean

from damascene import InputError
from damascene.classification.augmentation import augment_clips
from damascene.classification.clips import (
    clip_window,
    common_window_um,
    cut_clip,
    cut_clips,
    cut_shown_clips,
    images_of_sites,
    scale_grey,
    window_px,
)
from damascene.images.store import TiledImage, write_tiled


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


def test_augmentation_repeats_with_the_seed_and_keeps_the_range():
    clips = np.random.default_rng(0).integers(0, 256, (5, 32, 32), dtype=np.uint8)

    def augmented(seed):
        return augment_clips(clips, rotation_deg=15, rng=np.random.default_rng(seed))

    assert np.array_equal(augmented(1), augmented(1))
    assert not np.array_equal(augmented(1), augmented(2))
    assert augmented(1).min() >= 0 and augmented(1).max() <= 255


def test_without_limits_augmentation_only_mirrors():
    clips = np.random.default_rng(0).integers(0, 256, (20, 16, 16), dtype=np.uint8)
    none = {"shift": 0, "zoom": 0, "gain": 0, "offset": 0, "gamma": 0, "noise": 0}
    result = augment_clips(clips, rotation_deg=0, rng=np.random.default_rng(0), **none)
    seen = set()
    for clip, changed in zip(clips, result, strict=True):
        mirrored = {(down, right): clip[::down, ::right] for down in (1, -1) for right in (1, -1)}
        # float32 interpolation on exact pixel positions
        fits = [key for key, each in mirrored.items() if np.abs(each - changed).max() < 0.01]
        assert len(fits) == 1
        seen.update(fits)
    assert len(seen) == 4


def test_augmentation_turns_by_the_angle():
    y, x = np.mgrid[-20:21, -20:21]
    bar = np.where((np.abs(x) < 12) & (np.abs(y) < 2), 255, 0).astype(np.uint8)[None]
    none = {"shift": 0, "zoom": 0, "gain": 0, "offset": 0, "gamma": 0, "noise": 0}
    angles = []
    for seed in range(30):
        (turned,) = augment_clips(bar, rotation_deg=30, rng=np.random.default_rng(seed), **none)
        covariance = np.cov(np.stack([x.ravel(), y.ravel()]), aweights=turned.ravel())
        angles.append(
            np.rad2deg(np.arctan2(2 * covariance[0, 1], covariance[0, 0] - covariance[1, 1]) / 2)
        )
    # Thirty uniform draws in +-30 degrees reach past 20 on both sides, and never past 30 (+1 for
    # the interpolation).
    assert max(angles) > 20 and min(angles) < -20 and np.abs(angles).max() < 31
