import numpy as np
import pytest
from scipy import ndimage

from damascene.detection.darkness import (
    FixedThreshold,
    RelativeThreshold,
    dark_pixels_by_strip,
)
from damascene.images.store import TiledImage, write_tiled
from damascene.images.valid_area import BLANK, CHARGING, NO_IMAGE, VALID


@pytest.fixture
def stored(tmp_path):
    """Write arrays as a panorama and its mask and open both."""
    opened = []

    def store(image, mask=None):
        mask = np.full(image.shape, VALID, np.uint8) if mask is None else mask
        for name, pixels in (("image", image), ("valid", mask)):
            path = tmp_path / f"{name}{len(opened)}.ome.tif"
            write_tiled(
                path,
                [pixels],
                shape=pixels.shape,
                pixel_size_nm=40,
                name=name,
                pyramid=name == "image",
            )
            opened.append(TiledImage(path))
        return opened[-2:]

    yield store
    for image in opened:
        image.close()


def speckled(shape=(1100, 1300), seed=0):
    """Dark speckles on a ramp of brightness, and a mask with every code."""
    random = np.random.default_rng(seed)
    image = np.linspace(60, 140, shape[1]) + random.normal(0, 25, shape)
    mask = np.full(shape, VALID, np.uint8)
    mask[:, 1290:] = NO_IMAGE
    mask[510:600, 300:400] = BLANK
    mask[random.random(shape) < 0.001] = CHARGING
    image = image.clip(0, 255).astype(np.uint8)
    image[mask == NO_IMAGE] = 0
    return image, mask


def joined(strips):
    names = ("rows", "columns", "greys", "beside_invalid")
    strips = list(strips)
    return [np.concatenate([getattr(strip, name) for strip in strips]) for name in names]


def test_strips_hold_the_dark_pixels_in_order(stored):
    image, mask = speckled()
    pair = stored(image, mask)
    strips = list(dark_pixels_by_strip(*pair, dark=FixedThreshold(grey=45), strip_rows=300))
    assert [strip.rows.min() // 300 for strip in strips] == [0, 1, 2, 3]
    rows, columns, greys, beside = joined(strips)
    expected = np.nonzero((image < 45) & (mask == VALID))
    np.testing.assert_array_equal((rows, columns), expected)
    np.testing.assert_array_equal(greys, image[expected])
    neighbours = ndimage.binary_dilation(mask != VALID, np.ones((3, 3)))
    np.testing.assert_array_equal(beside, neighbours[expected])
    assert beside.any() and not beside.all()
    assert (rows.dtype, columns.dtype, greys.dtype) == (np.int64, np.int64, np.uint8)


@pytest.mark.parametrize(
    "dark", [FixedThreshold(grey=45), RelativeThreshold(fraction=0.5, block_px=100)]
)
def test_strips_and_threads_change_nothing(stored, dark):
    pair = stored(*speckled(seed=1))
    expected = joined(dark_pixels_by_strip(*pair, dark=dark))
    assert len(expected[0]) > 1000
    for strip_rows, threads in ((97, 2), (512, 3), (5000, 1)):
        found = joined(
            dark_pixels_by_strip(*pair, dark=dark, strip_rows=strip_rows, threads=threads)
        )
        for one, other in zip(found, expected, strict=True):
            np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize(
    ("dark", "greys"),
    [
        (FixedThreshold(grey=20), [0, 19]),
        (FixedThreshold(grey=20, inclusive=True), [0, 19, 20]),
        (FixedThreshold(grey=20.5), [0, 19, 20]),
        (FixedThreshold(grey=20.5, inclusive=True), [0, 19, 20]),
        (FixedThreshold(grey=0), []),
        (FixedThreshold(grey=0, inclusive=True), [0]),
        (FixedThreshold(grey=255), [0, 19, 20, 21, 254]),
        (FixedThreshold(grey=255, inclusive=True), [0, 19, 20, 21, 254, 255]),
    ],
)
def test_a_fixed_threshold_includes_its_grey_on_request(stored, dark, greys):
    pair = stored(np.array([[0, 19, 20, 21, 254, 255]], np.uint8))
    assert joined(dark_pixels_by_strip(*pair, dark=dark))[2].tolist() == greys
