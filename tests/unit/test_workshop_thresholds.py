"""Thresholds of the workshop against paper and scikit-image."""

import numpy as np
import pytest
from skimage.filters import threshold_otsu

from damascene.workshop.thresholds import (
    grey_counts,
    otsu_threshold,
    share_above,
    variance_between,
)


@pytest.fixture
def image():
    """Return grey values of two kinds, unequal in number and spread."""
    rng = np.random.default_rng(3)
    dark, bright = rng.normal(60, 12, size=9000), rng.normal(150, 25, size=4000)
    greys = np.clip(np.rint(np.concatenate([dark, bright])), 0, 255).astype(np.uint8)
    return rng.permutation(greys).reshape(130, 100)


def test_grey_values_are_counted_where_they_are_valid():
    image = np.array([[0, 7], [7, 255]], np.uint8)
    counts = grey_counts(image)
    assert len(counts) == 256
    assert (counts[0], counts[7], counts[255], counts.sum()) == (1, 2, 1, 4)
    assert grey_counts(image, np.array([[True, True], [False, False]]))[7] == 1


def test_share_above_counts_pixels_brighter_than_a_threshold(image):
    share = share_above(grey_counts(image))
    for threshold in (0, 60, 114, 200, 255):
        assert np.isclose(share[threshold], np.mean(image > threshold))
    assert share[255] == 0


def test_variance_between_two_pixels_is_that_worked_out_on_paper():
    # One pixel of 10 and three of 20: p = 1/4, distance 10, so 1/4 x 3/4 x 100.
    between = variance_between(grey_counts(np.array([[10, 20, 20, 20]], np.uint8)))
    assert np.allclose(between[10:20], 18.75)
    assert not between[:10].any()
    assert not between[20:].any()


def test_variance_is_the_one_taken_directly_from_the_pixels(image):
    between = variance_between(grey_counts(image))
    for threshold in (40, 90, 150):
        dark, bright = image[image <= threshold], image[image > threshold]
        expected = len(dark) * len(bright) / image.size**2 * (dark.mean() - bright.mean()) ** 2
        assert np.isclose(between[threshold], expected)


def test_the_threshold_is_that_of_scikit_image(image):
    assert otsu_threshold(grey_counts(image)) == threshold_otsu(image)


def test_an_image_of_one_grey_value_has_that_as_its_threshold():
    assert otsu_threshold(grey_counts(np.full((3, 3), 42, np.uint8))) == 42
