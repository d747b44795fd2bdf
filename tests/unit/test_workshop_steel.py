"""What the page on steel computes."""

import numpy as np
import pandas as pd
import pytest

from damascene.config.detection import Detection, Threshold
from damascene.config.segmentation import Segmentation
from damascene.workshop.drawing_steel import coloured_phases, detail_of, draw_sweep
from damascene.workshop.steel import (
    corrected_share,
    cut_fractions,
    detection_steps,
    floor_of,
    raw_share,
    sites_of_runs,
    sure_and_unsure,
    sweep_detection,
    threshold_of,
    window_at,
    with_threshold,
)

#: Dark is below 50; nothing is joined, and sites have more than 3 pixels.
PLAIN = Detection(
    threshold=Threshold(rule="fixed", grey=50),
    eps="1 px",
    min_samples=2,
    minimum_area="3 px2",
    merge="none",
    drop_rim_fragments=False,
)


def made_cut():
    """Return bright steel with a hole round a bright pixel, a dark pair and a single dark pixel."""
    pixels = np.full((60, 80), 150, np.uint8)
    pixels[10:15, 20:25] = 10
    pixels[12, 22] = 150
    pixels[40, 60:62] = 30
    pixels[50, 5] = 30
    return pixels, np.ones(pixels.shape, bool)


def test_each_step_of_the_detection_is_kept():
    steps = detection_steps(*made_cut(), pixel_um=0.04, settings=PLAIN)
    assert steps.dark.sum() == 24 + 2 + 1
    # Single pixels have no neighbour and are noise; the pair is a cluster, but too small.
    assert steps.clusters[50, 5] == -1
    assert sorted(np.unique(steps.clusters)) == [-1, 0, 1, 2]
    assert (steps.clusters == steps.clusters[10, 20]).sum() == 24
    # The hole of the candidate is filled.
    assert len(steps.found.candidates) == 1
    assert steps.sites.sum() == 25 and steps.sites[12, 22] == 1
    assert steps.found.counts.clusters == 2


def test_pixels_that_are_not_valid_are_never_dark():
    pixels, valid = made_cut()
    valid[:30] = False
    steps = detection_steps(pixels, valid, pixel_um=0.04, settings=PLAIN)
    assert steps.dark.sum() == 3
    assert not len(steps.found.candidates) and not steps.sites.any()
    # Nothing was found: the detail lies in the middle.
    detail = detail_of(steps, pixel_um=0.04)
    assert detail.shape == (60, 60) and detail.left == 10


def test_the_detail_lies_round_the_largest_site():
    steps = detection_steps(*made_cut(), pixel_um=0.2, settings=PLAIN)
    detail = detail_of(steps, pixel_um=0.2)
    assert detail.shape == (48, 48)
    assert detail.top == 0 and detail.left == 0


def test_a_sweep_counts_dark_pixels_clusters_and_candidates():
    settings = PLAIN.model_copy(update={"minimum_area": "1 px2"})
    table = sweep_detection(
        *made_cut(), pixel_um=0.04, settings=settings, factors=(0.4, 1.0), eps_px=(1, 60)
    )
    assert list(table["threshold"]) == [20, 20, 50, 50]
    assert list(table["dark_pixels"]) == [24, 24, 27, 27]
    # At grey 20 only the hole is dark; within 60 px all dark pixels are one cluster.
    assert list(table["clusters"]) == [1, 1, 2, 1]
    assert list(table["candidates"]) == [1, 1, 2, 1]
    figure = draw_sweep(table, key="grey", value=50, eps_px=1)
    labels = [text.get_text() for text in figure.axes[1].get_legend().get_texts()]
    assert labels == ["eps 1 px (the study's)", "eps 60 px"]


def test_the_floor_begins_where_dark_pixels_stay_the_same():
    def sweep(dark):
        depths = [0.2, 0.4, 0.6, 0.8]
        return pd.DataFrame(
            {"threshold": depths, "eps_px": 1, "dark_pixels": dark, "candidates": 1}
        )

    assert floor_of(sweep([9, 7, 5, 5])) == 0.6
    # As many in between, by chance, are no floor.
    assert floor_of(sweep([5, 7, 5, 5])) == 0.6
    assert floor_of(sweep([5, 5, 5, 5])) == 0.2
    assert floor_of(sweep([9, 7, 5, 4])) is None
    assert floor_of(sweep([9, 0, 0, 0])) is None
    options = {"key": "depth", "value": 0.4, "eps_px": 1}
    drawn = [draw_sweep(sweep([9, 7, 5, 5]), **options, floor=at) for at in (None, 0.6)]
    assert [len(figure.axes[0].patches) for figure in drawn] == [0, 1]
    assert drawn[1].axes[0].patches[0].get_x() == 0.6


def test_phases_of_a_cut_add_up_without_damage():
    settings = Segmentation()
    damage = list(settings.phases).index(settings.damage_phase) + 1
    numbers = np.array([[0, 1, 1, 1], [2, damage, damage, 0]], np.uint8)
    found = cut_fractions(numbers, settings)
    assert list(found.values())[:2] == [0.75, 0.25] and settings.damage_phase not in found
    assert cut_fractions(numbers * 0, settings) == {}


def test_a_threshold_stays_possible():
    relative = with_threshold(Detection(), factor=10)
    assert threshold_of(relative) == ("depth", 0.95)
    assert threshold_of(with_threshold(PLAIN, factor=10)) == ("grey", 255)
    assert with_threshold(PLAIN, eps="3 px").eps == "3 px"


def test_sites_of_runs_are_drawn_by_number():
    runs = pd.DataFrame({"site_id": [0, 3], "y_px": [1, 2], "left_px": [0, 2], "right_px": [1, 2]})
    expected = [[0, 0, 0], [1, 1, 0], [0, 0, 4]]
    np.testing.assert_array_equal(sites_of_runs(runs, shape=(3, 3)), expected)


def test_windows_stay_in_the_image():
    assert window_at(5, 95, edge_px=20, shape=(100, 50)).slices() == (slice(80, 100), slice(0, 20))
    assert window_at(25, 50, edge_px=99, shape=(100, 50)).shape == (50, 50)


def test_the_surest_and_the_least_sure_sites_are_shown():
    names = ["notch"] * 5 + ["inclusion", "not_classified"]
    values = [0.5, 0.9, 0.7, 0.8, 0.6, 0.1, 0.3]
    sites = pd.DataFrame({"predicted_class": names, "site_id": range(7), "p_notch": values})
    others = ["p_inclusion", "p_shadowing", "p_interface", "p_martensite"]
    sites = sites.assign(**dict.fromkeys(others, 0.4))
    chosen = sure_and_unsure(sites, each=1).set_index("predicted_class")
    assert list(chosen.loc["notch", "site_id"]) == [1, 0]
    assert list(chosen.loc["notch", "sureness"]) == [0.9, 0.5]
    assert chosen.loc["inclusion", "sureness"] == 0.4
    assert np.isnan(chosen.loc["not_classified", "sureness"])


def test_the_worked_example_of_counts():
    """40 inclusions among 200 sites: 36 + 24 are called so."""
    rates = {"recall": 0.9, "false_rate": 0.15}
    assert 200 * raw_share(40 / 200, **rates) == pytest.approx(36 + 24)
    assert 200 * corrected_share(60 / 200, **rates) == pytest.approx(40, abs=1e-4)
    # Below the rate of false answers there is none left.
    assert corrected_share(0.1, **rates) == pytest.approx(0, abs=1e-6)


def test_phases_are_laid_over_the_image():
    pixels = np.array([[0, 255], [255, 255]], np.uint8)
    numbers = np.array([[0, 1], [3, 3]], np.uint8)
    shown = coloured_phases(pixels, numbers, settings=Segmentation())
    assert shown[1, 0].tolist() == [0, 0, 0]
    # Half white, half #56B4E9.
    np.testing.assert_allclose(shown[0, 1], (1 + np.array([0x56, 0xB4, 0xE9]) / 255) / 2)
