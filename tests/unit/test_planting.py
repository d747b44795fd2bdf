"""Recall of the detector: voids planted into panoramas, the curve, and what a count becomes."""

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from made_panoramas import write_pair
from scipy import ndimage, special

from damascene.classes import SITE_CLASSES
from damascene.config.detection import Detection, Threshold
from damascene.contracts.candidate_runs import CANDIDATE_RUNS
from damascene.contracts.candidates import CANDIDATES
from damascene.contracts.table import empty_table
from damascene.correction.image_edges import edge_blur_px
from damascene.correction.planting import plant_voids
from damascene.correction.recall import (
    LEAST_RECALL,
    fit_recall,
    recall_replicates,
    recall_table,
    why_no_curve,
)
from damascene.detection.darkness import valid_histogram
from damascene.detection.settings import find_candidates_of
from damascene.images.store import open_pair

FERRITE, MARTENSITE = 70, 165


def steel(shape=(700, 700), *, seed=1, noise=3.0):
    """Return ferrite with martensite islands, blurred, with noise."""
    random = np.random.default_rng(seed)
    coarse = ndimage.gaussian_filter(random.standard_normal(shape), 12)
    image = np.where(coarse > np.quantile(coarse, 0.65), MARTENSITE, FERRITE).astype(float)
    image = ndimage.gaussian_filter(image, 0.8) + noise * random.standard_normal(shape)
    return np.clip(np.rint(image), 0, 255).astype(np.uint8)


def with_holes(image, places, radius=9.0, blur=1.0):
    rows, columns = np.indices(image.shape)
    hole = np.zeros(image.shape)
    for y, x in places:
        hole = np.maximum(hole, np.hypot(rows - y, columns - x) < radius)
    hole = ndimage.gaussian_filter(hole.astype(float), blur)
    return np.rint(image * (1 - hole) + 3 * hole).astype(np.uint8)


def plant(folder, image, *, valid=None, settings=None, voids=60, threads=1, seed=5, **options):
    paths = write_pair(folder, image, valid)
    settings = settings or Detection()
    with open_pair(*paths) as (opened, mask):
        reference = options.pop("reference", None)
        found = find_candidates_of(
            opened, mask, panorama="p", settings=settings, reference=reference
        )
        planted = plant_voids(
            opened,
            mask,
            found.candidates,
            found.runs,
            panorama="p",
            settings=settings,
            voids=voids,
            seed=seed,
            threads=threads,
            **options,
        )
    return *planted, found.candidates


@pytest.fixture(scope="module")
def planted(tmp_path_factory):
    places = [(100, 120), (400, 300), (600, 500), (250, 600), (500, 90)]
    image = with_holes(steel(), places)
    return plant(tmp_path_factory.mktemp("planted"), image, voids=120), places


def test_large_dark_voids_are_found_and_small_or_pale_ones_are_not(planted):
    (voids, _, _), _ = planted
    assert len(voids) == 120
    large = voids[(voids["area_um2"] > 0.3) & (voids["contrast"] > 0.58)]
    small = voids[voids["area_um2"] < 20 * 0.04**2]
    pale = voids[voids["contrast"] < 0.4]
    assert len(large) > 10 and large["found"].mean() > 0.9
    assert len(small) > 5 and not small["found"].any()
    assert len(pale) > 5 and pale["found"].mean() < 0.1
    assert set(voids["shape"]) == set(SITE_CLASSES)
    hit = voids[voids["found"]]
    assert np.corrcoef(np.log(hit["area_um2"]), np.log(hit["found_area_um2"]))[0, 1] > 0.8


def test_voids_keep_clear_of_candidates_and_lie_inside(planted):
    (voids, contrasts, candidates), places = planted
    assert len(candidates) == len(places) == len(contrasts)
    distance = np.hypot(
        voids["y_px"].to_numpy()[:, None] - candidates["y_px"].to_numpy(),
        voids["x_px"].to_numpy()[:, None] - candidates["x_px"].to_numpy(),
    )
    # A micrometre beyond the edge of the hole.
    assert distance.min() > 9 + 25
    assert voids[["x_px", "y_px"]].min().min() > 0 and voids[["x_px", "y_px"]].max().max() < 700
    # Their greys are near 0.
    assert contrasts["contrast"].between(0.6, 0.85).all()


def test_planting_is_repeatable_whatever_the_threads(tmp_path):
    image = steel((500, 500))
    first, *_ = plant(tmp_path / "a", image, voids=15)
    second, *_ = plant(tmp_path / "b", image, voids=15, threads=3)
    other, *_ = plant(tmp_path / "c", image, voids=15, seed=6)
    pd.testing.assert_frame_equal(first, second)
    assert not first.equals(other)


def test_no_void_lies_where_the_mask_says_invalid(tmp_path):
    image = steel((600, 600))
    valid = np.ones(image.shape, bool)
    valid[:, 300:] = False
    voids, *_ = plant(tmp_path, image, valid=valid, voids=40)
    assert len(voids) > 0 and voids["x_px"].max() < 300
    valid[:] = False
    valid[:20, :20] = True
    voids, *_ = plant(tmp_path / "none", image, valid=valid, voids=5)
    assert voids.empty
    assert "room for 0 planted voids" in why_no_curve(voids, 0.03)


@pytest.mark.parametrize("rule", ["fixed", "matched"])
def test_other_thresholds_decide_by_their_own_grey(tmp_path, rule):
    settings = Detection(threshold=Threshold(rule=rule, grey=25))
    image = steel((600, 600))
    options = {}
    if rule == "matched":
        # Matched to itself, so that greys stay what they are.
        image = with_holes(image, [(100, 100), (300, 400)], radius=20)
        paths = write_pair(tmp_path / "reference", image)
        with open_pair(*paths) as (opened, mask):
            options["reference"] = valid_histogram(opened, mask)
        options["reference_paths"] = paths
    voids, *_ = plant(tmp_path / "own", image, settings=settings, voids=60, **options)
    hit = voids[voids["found"]]
    # Darker than grey 25: more than (70 - 25) / 95 steps below ferrite, up to the noise.
    assert len(hit) > 5 and hit["contrast"].min() > (FERRITE - 25) / (MARTENSITE - FERRITE) - 0.1


def test_the_blur_of_edges_is_measured(tmp_path):
    places = [(y, x) for y in range(60, 640, 80) for x in range(60, 640, 80)]
    flat = np.full((700, 700), FERRITE, np.uint8)
    for blur in (0.8, 2.0):
        image = with_holes(flat, places, blur=blur)
        paths = write_pair(tmp_path / str(blur), image)
        with open_pair(*paths) as (opened, mask):
            found = find_candidates_of(
                opened, mask, panorama="p", settings=Detection(threshold=Threshold(rule="fixed"))
            )
            measured = edge_blur_px(opened, found.candidates, found.runs)
        # The grid of pixels adds a third of a pixel or so.
        assert measured == pytest.approx(blur, abs=0.45)
    nothing = empty_table(CANDIDATES), empty_table(CANDIDATE_RUNS)
    with open_pair(*paths) as (opened, _):
        assert edge_blur_px(opened, *nothing) == 0.8


def made_voids(count, *, seed=1, coefficients=(-1.0, 2.0, 12.0)):
    random = np.random.default_rng(seed)
    log_area, contrast = random.uniform(-4, 0, count), random.uniform(0.3, 0.8, count)
    odds = coefficients[0] + coefficients[1] * (log_area + 2) + coefficients[2] * (contrast - 0.5)
    found = random.random(count) < special.expit(odds)
    return pd.DataFrame(
        {
            "panorama": "p",
            "area_um2": np.exp(log_area),
            "dark_area_um2": np.exp(log_area),
            "contrast": contrast,
            "found": found,
            "found_area_um2": np.where(found, 0.8 * np.exp(log_area), np.nan),
            "found_contrast": np.where(found, contrast + 0.05, np.nan),
        }
    )


def test_the_curve_is_that_of_statsmodels():
    voids = made_voids(2000)
    curve = fit_recall(voids)
    design = pd.DataFrame(
        {
            "constant": 1.0,
            "log_area": np.log(voids["area_um2"]),
            "contrast": voids["contrast"],
        }
    )
    design["both"] = design["log_area"] * design["contrast"]
    theirs = sm.Logit(voids["found"].astype(float), design).fit(disp=0)
    ours = curve.of_voids(voids["area_um2"].to_numpy(), voids["contrast"].to_numpy())
    # The weak pull of the slopes and one void in the middle are all that differs.
    assert np.abs(ours - theirs.predict(design)).max() < 3e-3
    # Drawn curves scatter as the information matrix of theirs says, at any place.
    drawn = special.expit(curve.design[:200] @ curve.drawn(replicates=400, seed=1).T).std(axis=1)
    chance, known = ours[:200], theirs.cov_params().to_numpy()
    variance = np.einsum("ni,ij,nj->n", design.to_numpy()[:200], known, design.to_numpy()[:200])
    expected = chance * (1 - chance) * np.sqrt(variance)
    assert np.abs(drawn / expected - 1).mean() < 0.15


def test_voids_that_are_parted_completely_give_a_curve_all_the_same():
    voids = made_voids(200)
    voids["found"] = voids["area_um2"] > 0.1
    voids["found_area_um2"] = voids["area_um2"].where(voids["found"])
    voids["found_contrast"] = voids["contrast"].where(voids["found"])
    curve = fit_recall(voids)
    assert np.isfinite(curve.coefficients).all()
    assert np.isfinite(curve.drawn(replicates=50, seed=1)).all()


def test_sites_stand_for_the_voids_that_were_missed():
    """Horvitz and Thompson: unbiased where the recall is above its floor."""
    curve = fit_recall(made_voids(4000, seed=3))
    there = made_voids(4000, seed=4)
    there = there[curve.of_voids(there["area_um2"].to_numpy(), there["contrast"].to_numpy()) > 0.4]
    found = there[there["found"]]
    recall, drawn = recall_replicates(
        curve,
        found["found_area_um2"].to_numpy(),
        found["found_contrast"].to_numpy(),
        np.ones((len(found), 1)),
        replicates=300,
        seed=1,
    )
    assert len(found) / recall[0] == pytest.approx(len(there), rel=0.03)
    assert abs(np.median(drawn) - recall[0]) < 0.01 and 0 < drawn.std() < 0.05
    pale = curve.of_sites(np.array([1e-4]), np.array([0.1]))
    assert pale[0] == LEAST_RECALL


def test_recall_of_classes():
    curve = fit_recall(made_voids(1000))
    area, contrast = np.array([1.0, 1.0, 0.06]), np.array([0.7, 0.7, 0.55])
    members = np.array([[1, 0, 0], [1, 0, 0], [0, 1, 0]])
    recall, drawn = recall_replicates(curve, area, contrast, members, replicates=5, seed=1)
    assert recall[0] > recall[1] and recall[2] == pytest.approx(3 / (2 / recall[0] + 1 / recall[1]))
    assert drawn.shape == (5, 3)
    none, _ = recall_replicates(curve, area[:0], contrast[:0], members[:0], replicates=5, seed=1)
    assert np.isnan(none).all()


def test_the_table_counts_each_void_once_and_says_why_there_is_no_curve():
    voids = made_voids(300)
    table = recall_table(voids, panorama="p", least_area_um2=0.03, confidence=0.95)
    whole, parts = table[table["area_from_um2"].isna()], table[table["area_from_um2"].notna()]
    assert len(whole) == 1
    for column in ("planted", "found"):
        assert whole[column].iloc[0] == parts[column].sum()
    assert (table["low"] <= table["recall"]).all() and (table["recall"] <= table["high"]).all()
    # A curve with a constant gives as many as were found.
    assert whole["curve"].iloc[0] == pytest.approx(whole["recall"].iloc[0], abs=1e-3)
    few = recall_table(voids.iloc[:20], panorama="p", least_area_um2=0.03, confidence=0.95)
    assert "room for 20 planted voids" in few["not_estimated"].iloc[0] and few["curve"].isna().all()
    none = recall_table(voids.iloc[:0], panorama="p", least_area_um2=0.03, confidence=0.95)
    assert none["planted"].tolist() == [0] and none["recall"].isna().all()
    pale = voids.assign(dark_area_um2=0.0)
    assert "0 are large and dark enough" in why_no_curve(pale, 0.03)


def test_where_all_were_found_the_recall_stays_uncertain():
    voids = made_voids(200).assign(found=True, found_area_um2=0.1, found_contrast=0.5)
    curve = fit_recall(voids)
    _, drawn = recall_replicates(
        curve, np.full(5, 0.1), np.full(5, 0.5), np.ones((5, 1)), replicates=2000, seed=1
    )
    # Nothing missed of 200: up to 3 / 200 may be.
    assert 0.95 < np.quantile(drawn, 0.025) < 0.995
