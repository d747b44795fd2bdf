"""Counting candidates over a grid of parameters, and drawing how the counts move."""

import numpy as np
import pandas as pd
import pytest
from made_panoramas import write_pair
from scipy import ndimage

from damascene.config.detection import Detection
from damascene.config.presets import PRESETS
from damascene.config.sensitivity import Sensitivity
from damascene.config.study import load_study
from damascene.detection.settings import find_candidates_of
from damascene.figures.sensitivity import draw_sensitivity
from damascene.images.store import open_pair
from damascene.sensitivity.sweep import (
    GRID,
    PARAMETERS,
    STUDY,
    count_presets,
    sweep_grid,
)

AREA_MM2 = 0.002
GRID_VALUES = Sensitivity(
    threshold=[0.7, 1.0, 1.3],
    eps=["1 px", "60 nm", "3 px"],
    min_samples=[3, 5, 12],
    minimum_area=["0 px2", "20 px2", "50 px2"],
    merge_distance=["0 um", "10 px", "1 um"],
)
#: Fixed, so that the share of dark pixels is known to grow with the threshold.
FIXED = Detection.model_validate(
    {"threshold": {"rule": "fixed", "grey": 60}, "eps": "2 px", "merge_distance": "0.6 um"}
)


@pytest.fixture(scope="module")
def pair(tmp_path_factory):
    """Blotches of many sizes with noise on them."""
    random = np.random.default_rng(1)
    field = ndimage.gaussian_filter(random.normal(size=(240, 320)), 4)
    pixels = 110 + 60 * field / field.std() + random.normal(0, 12, field.shape)
    folder = tmp_path_factory.mktemp("sensitivity")
    valid = np.broadcast_to(np.arange(320) < 310, pixels.shape)
    paths = write_pair(folder, pixels.clip(0, 255).astype(np.uint8), valid)
    with open_pair(*paths) as opened:
        yield opened


@pytest.fixture(scope="module")
def swept(pair):
    return sweep_grid(*pair, settings=FIXED, grid=GRID_VALUES, area_mm2=AREA_MM2)


def test_rows_are_the_counts_of_find_candidates(pair, swept):
    own = swept[swept["settings"] == STUDY]
    assert len(own) == 1
    table, _, counts = find_candidates_of(*pair, panorama="p", settings=FIXED)
    assert own["candidates"].item() == len(table) > 20
    assert own["clusters"].item() == counts.clusters
    assert own["candidates_per_mm2"].item() == len(table) / AREA_MM2
    # Others, drawn at random.
    for row in swept.sample(8, random_state=2).itertuples():
        settings = {
            "threshold": {"rule": "fixed", "grey": row.threshold},
            "eps": f"{row.eps_px} px",
            "min_samples": row.min_samples,
            "minimum_area": f"{row.minimum_area_px} px2",
            "merge": "corrected" if row.merge_distance_px else "none",
            "merge_distance": f"{row.merge_distance_px} px",
        }
        table, _, counts = find_candidates_of(
            *pair, panorama="p", settings=Detection.model_validate(settings)
        )
        assert (row.candidates, row.clusters) == (len(table), counts.clusters)


def test_the_edge_of_sites_counts_in_every_combination(pair):
    edged = Detection(minimum_edge=0.8)
    grid = Sensitivity(threshold=[], eps=[], min_samples=[], minimum_area=["40 px2"])
    swept = sweep_grid(*pair, settings=edged, grid=grid, area_mm2=AREA_MM2)
    for row in swept[swept["merge_distance_px"] == 20].itertuples():
        settings = edged.model_copy(update={"minimum_area": f"{row.minimum_area_px} px2"})
        table, _, counts = find_candidates_of(*pair, panorama="p", settings=settings)
        assert row.candidates == len(table) > 0
        assert counts.edged < counts.larger_than_minimum


def test_the_grid_holds_every_combination_that_can_give_clusters(swept):
    """The study's own values join in; 1.5 px is 60 nm, 15 px 0.6 um, 25 px 1 um."""
    values = {name: sorted(swept[name].unique()) for name in PARAMETERS}
    assert values == {
        "threshold": pytest.approx([42, 60, 78]),
        "eps_px": [1, 1.5, 2, 3],
        "min_samples": [3, 4, 5, 12],
        "minimum_area_px": [0, 20, 50],
        "merge_distance_px": [0, 10, 15, 25],
    }
    # 5 and 9 pixels lie within 1 and 1.5 px: 12 neighbours are two of 16 pairs too many.
    assert len(swept) == 3 * (16 - 2) * 3 * 4
    assert not swept.duplicated([*PARAMETERS]).any() and swept["combination"].is_unique
    assert (swept["settings"] == GRID).sum() == len(swept) - 1


@pytest.mark.parametrize("name", ["minimum_area_px", "merge_distance_px"])
def test_stricter_limits_never_give_more_candidates(swept, name):
    others = [other for other in PARAMETERS if other != name]
    ordered = swept.sort_values(name).groupby(others)["candidates"]
    # From one limit to the next a site may come back: what took it was taken itself, or the piece
    # that joined it to another is too small. The widest limit still gives the most.
    assert (ordered.first() >= ordered.max()).all()
    assert (ordered.last() < ordered.first()).any()


def test_clusters_depend_on_the_clustering_alone(swept):
    clustering = ["threshold", "eps_px", "min_samples"]
    assert (swept.groupby(clustering)["clusters"].nunique() == 1).all()
    for name in clustering:
        others = [other for other in PARAMETERS if other != name]
        assert (swept.groupby(others)["clusters"].nunique() > 1).any()


def test_threads_do_not_matter(pair, swept):
    grid = GRID_VALUES.model_copy(update={"threshold": [0.7], "eps": ["3 px"]})
    again = sweep_grid(*pair, settings=FIXED, grid=grid, area_mm2=AREA_MM2, threads=3)
    same = swept[(swept["threshold"] <= 60) & swept["eps_px"].isin([2, 3])]
    names = [*PARAMETERS, "candidates"]
    pd.testing.assert_frame_equal(
        same[names].sort_values(names, ignore_index=True),
        again[names].sort_values(names, ignore_index=True),
    )


def test_a_study_that_does_not_merge_is_at_distance_zero(pair):
    settings = FIXED.model_copy(update={"merge": "none"})
    grid = Sensitivity(
        threshold=[1], eps=[], min_samples=[], minimum_area=[], merge_distance=["1 um"]
    )
    swept = sweep_grid(*pair, settings=settings, grid=grid, area_mm2=AREA_MM2)
    assert swept["merge_distance_px"].tolist() == [25, 0]
    assert swept["settings"].tolist() == [GRID, STUDY]
    assert swept["candidates"].iloc[0] < swept["candidates"].iloc[1]


def test_merging_that_stops_leaves_the_count_open(pair):
    settings = FIXED.model_copy(update={"merge": "published", "merge_distance": "60 px"})
    grid = Sensitivity(threshold=[], eps=[], min_samples=[], minimum_area=[], merge_distance=[])
    swept = sweep_grid(*pair, settings=settings, grid=grid, area_mm2=AREA_MM2)
    assert len(swept) == 1 and swept["candidates"].isna().all()
    assert swept["candidates_per_mm2"].isna().all()


def test_presets_are_counted_with_all_their_rules(pair):
    presets = {name: load_study({"preset": name}).detection for name in PRESETS}
    image, valid = pair
    reference = np.bincount(image.read()[valid.read() == 255], minlength=256)
    counted = count_presets(
        *pair, presets=presets, area_mm2=AREA_MM2, reference=reference
    ).set_index("settings")
    assert tuple(counted.index) == PRESETS
    for name, settings in presets.items():
        if name == "kerzel2024" and pd.isna(counted.loc[name, "candidates"]):
            continue
        table, *_ = find_candidates_of(*pair, panorama="p", settings=settings, reference=reference)
        assert counted.loc[name, "candidates"] == len(table)
        assert counted.loc[name, "rule"] == settings.threshold.rule
    assert counted.loc["kusche2019", [*PARAMETERS]].tolist() == [20, 4, 20, 0, 0]
    assert counted.loc["kerzel2024", [*PARAMETERS]].tolist() == [20, 1, 5, 20, 50]


def with_names(*tables):
    return pd.concat([table.assign(panorama=name) for name, table in tables], ignore_index=True)


def test_the_figure_shows_the_counts(pair, swept):
    presets = count_presets(
        *pair,
        presets={name: load_study({"preset": name}).detection for name in ("reclik2017",)},
        area_mm2=AREA_MM2,
    )
    # A second panorama of twice the area without a single site.
    both = pd.concat([swept, presets])
    nothing = both.assign(candidates=0, candidates_per_mm2=0.0, area_mm2=2 * AREA_MM2)
    figure = draw_sensitivity(with_names(("a", both), ("b", nothing)))
    threshold, eps, *_, published = figure.axes
    study = swept[swept["settings"] == STUDY].iloc[0]
    shown = study["candidates"] / (3 * AREA_MM2)
    line = next(line for line in eps.lines if len(line.get_xdata()) == 4)
    own = swept[
        (swept["threshold"] == 60)
        & (swept["min_samples"] == 4)
        & (swept["minimum_area_px"] == 20)
        & (swept["merge_distance_px"] == 15)
    ].sort_values("eps_px")
    np.testing.assert_allclose(line.get_xdata(), own["eps_px"])
    np.testing.assert_allclose(line.get_ydata(), own["candidates"].astype(float) / (3 * AREA_MM2))
    assert line.get_ydata()[2] == pytest.approx(shown)
    # The preset stands at its own values, and in the last panel under its name.
    reclik = presets["candidates"].item() / (3 * AREA_MM2)
    marks = [line for line in eps.lines if line.get_marker() == "s"]
    assert [(mark.get_xdata()[0], mark.get_ydata()[0]) for mark in marks] == [
        (4, pytest.approx(reclik))
    ]
    names = [text.get_text() for text in published.get_yticklabels()]
    assert names == ["this study", "reclik2017"]
    assert f"× {reclik / shown:.2f}" in [text.get_text() for text in published.texts]
    assert threshold.get_ylim() == eps.get_ylim() == published.get_xlim()


def test_what_cannot_be_counted_is_said(swept):
    presets = swept.head(1).assign(settings="kerzel2024", combination=-1)
    missing = presets.assign(candidates=pd.NA, candidates_per_mm2=np.nan)
    figure = draw_sensitivity(with_names(("a", swept), ("a", missing)))
    assert "stops" in [text.get_text() for text in figure.axes[-1].texts]


def test_a_panorama_without_sites_can_be_drawn(swept):
    nothing = swept.assign(candidates=0, candidates_per_mm2=0.0)
    figure = draw_sensitivity(with_names(("a", nothing)))
    figure.canvas.draw()
    assert figure.axes[0].get_ylim() == (0, 1)
