"""Dark pixels of a cut: the study's own, on both pages that look at them."""

import numpy as np
import pytest

from damascene.config.detection import Detection, Threshold
from damascene.workshop.dark_pixels import find_dark_clusters, told_limit
from damascene.workshop.pixel_clusters import NOISE
from damascene.workshop.steel import detection_steps


def steel(*, drift=0):
    """Return grains of ferrite (80) and martensite (180) with voids (5), darker to the right."""
    rng = np.random.default_rng(1)
    grains = np.kron(rng.random((40, 40)) < 0.3, np.ones((10, 10), bool))
    image = np.where(grains, 180.0, 80.0) * np.linspace(1, 1 - drift, 400)
    image += rng.normal(scale=4, size=image.shape)
    for row, column in rng.integers(20, 380, size=(12, 2)):
        image[row : row + 6, column : column + 5] = 5
    return np.clip(image, 0, 255).astype(np.uint8), np.ones(image.shape, bool)


def with_rule(**threshold):
    return Detection(threshold=Threshold(**threshold))


@pytest.mark.parametrize(
    "settings",
    [
        with_rule(rule="relative", block="100 px"),
        with_rule(rule="fixed", grey=60),
        with_rule(rule="fixed", grey=5, inclusive=True),
        Detection(eps="0.1 um", min_samples=10, metric="chebyshev"),
    ],
)
def test_both_pages_find_the_same_dark_pixels_and_clusters(settings):
    cut = steel(drift=0.4)
    here = find_dark_clusters(*cut, pixel_um=0.04, settings=settings)
    steps = detection_steps(*cut, pixel_um=0.04, settings=settings)
    assert here.dark.sum() > 100
    assert np.array_equal(here.dark, steps.dark)
    assert here.dark.sum() == steps.found.counts.dark_pixels
    assert here.clusters.max() + 1 == steps.clusters.max() == steps.found.counts.clusters
    assert np.array_equal(here.clusters >= 0, steps.clusters > 0)
    assert np.array_equal(here.roles == NOISE, steps.clusters == -1)


def test_the_limit_lies_below_ferrite_by_the_depth_and_is_told_with_its_greys():
    settings = with_rule(rule="relative", depth=0.5, block="400 px")
    found = find_dark_clusters(*steel(), pixel_um=0.04, settings=settings)
    assert found.limit.greys.ravel() == pytest.approx(80 - 0.5 * 100, abs=2)
    assert told_limit(found.limit).startswith(
        f"Dark is what lies below grey {found.limit.greys[0, 0]:.0f} ("
    )
    assert "No part" not in told_limit(found.limit)


def test_where_one_phase_is_seen_the_assumption_is_told():
    one = np.random.default_rng(0).normal(80, 4, size=(200, 200)).astype(np.uint8)
    found = find_dark_clusters(
        one, np.ones(one.shape, bool), pixel_um=0.04, settings=with_rule(rule="relative")
    )
    assert "No part of the image shows two phases" in told_limit(found.limit)
    assert not found.dark.any() and found.clusters.max() == -1


def test_a_fixed_grey_is_told_as_such():
    found = find_dark_clusters(*steel(), pixel_um=0.04, settings=with_rule(rule="fixed", grey=60))
    assert told_limit(found.limit) == (
        "Dark is what lies below grey 60, as the configuration says."
    )


@pytest.mark.parametrize(("eps", "expected"), [("2 px", 2), ("0.2 um", 1)])
def test_a_picture_of_unknown_scale_is_one_block(eps, expected):
    found = find_dark_clusters(*steel(), pixel_um=None, settings=Detection(eps=eps))
    assert found.eps_px == expected
    assert found.limit.greys.size == 1 and found.limit.block_px == 400
