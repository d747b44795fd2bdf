"""Descriptors describe the candidate that was counted, under any settings of the detection."""

import numpy as np
import pandas as pd
import pytest
from scipy import ndimage
from skimage.measure import regionprops

from damascene.clustering.runs import runs_of
from damascene.config.presets import PRESETS
from damascene.config.study import load_study
from damascene.contracts.candidate_runs import CANDIDATE_RUNS
from damascene.contracts.descriptors import DESCRIPTOR_NAMES
from damascene.contracts.table import empty_table, write_table
from damascene.descriptors import CLIP_PX
from damascene.descriptors.descriptors import describe_clips
from damascene.descriptors.shape import SHAPE_NAMES, shapes_of
from damascene.descriptors.sites import describe_labels, describe_sites, mask_in_clip
from damascene.detection.settings import find_candidates_of
from damascene.images.store import TiledImage, Window, write_all_valid, write_tiled

PIXEL_NM = 40


@pytest.fixture
def opened(tmp_path):
    """Return a function that stores an array and opens it as a panorama with its mask."""
    files = []

    def store(pixels):
        paths = tmp_path / f"image{len(files)}.tif", tmp_path / f"valid{len(files)}.tif"
        about = {"shape": pixels.shape, "pixel_size_nm": PIXEL_NM, "name": "p"}
        write_tiled(paths[0], [pixels], **about)
        write_all_valid(paths[1], **about)
        files.extend(TiledImage(path) for path in paths)
        return files[-2:]

    yield store
    for one in files:
        one.close()


def steel(shape=(420, 560), seed=0):
    """Two phases with cavities of many depths, soft shadows among them, and noise."""
    random = np.random.default_rng(seed)
    phases = ndimage.gaussian_filter(random.normal(size=shape), 8)
    image = np.where(phases > np.quantile(phases, 0.7), 170.0, 70.0)
    for row, column in random.integers(0, 400, (40, 2)):
        y, x = np.indices(shape)
        axes = random.uniform(3, 14, 2)
        cavity = ((y - row) / axes[0]) ** 2 + ((x - column) / axes[1]) ** 2
        image -= random.uniform(60, 170) * (cavity < 1) * (1 - 0.5 * cavity)
    return np.clip(image + random.normal(0, 4, shape), 0, 255).astype(np.uint8)


def described(image, sites, runs):
    return pd.DataFrame(describe_sites(image, sites, runs=runs), columns=list(DESCRIPTOR_NAMES))


@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize("detection", [{}, {"merge": "corrected", "merge_distance": "1.2 um"}])
def test_size_and_shape_are_those_of_the_candidate(opened, preset, detection):
    pixels = steel()
    image, valid = opened(pixels)
    if preset == "kerzel2024" and not detection:
        detection = {"merge": "none"}
    found = find_candidates_of(
        image,
        valid,
        panorama="p",
        settings=load_study({"preset": preset, "detection": detection}).detection,
        reference=np.bincount(pixels.ravel(), minlength=256),
    )
    sites = found.candidates
    values = described(image, sites, found.runs)
    assert len(sites) > 10
    close = {"rtol": 1e-5, "atol": 1e-6}
    np.testing.assert_allclose(np.exp(values["log_area"]), sites["area_um2"], **close)
    np.testing.assert_allclose(values["aspect_ratio"], sites["aspect_ratio"], **close)
    np.testing.assert_allclose(values["solidity"], sites["convexity"], **close)
    np.testing.assert_allclose(np.exp(values["log_height"]), sites["height_px"] * 0.04, **close)
    np.testing.assert_allclose(np.exp(values["log_width"]), sites["width_px"] * 0.04, **close)
    axis = np.radians(sites["orientation_deg"])
    np.testing.assert_allclose(values["along_load"], abs(np.cos(axis)), **close)
    np.testing.assert_allclose(values["across_load"], abs(np.sin(axis)), **close)


def test_shapes_equal_region_properties():
    masks = [np.ones((3, 9), bool), np.eye(7, dtype=bool), np.tri(12, dtype=bool)[::-1]]
    runs = [runs_of(*np.nonzero(mask)) for mask in masks]
    site = np.repeat(np.arange(3), [len(one.row) for one in runs])
    joined = runs[0].followed_by(runs[1]).followed_by(runs[2])
    table = pd.DataFrame(shapes_of(joined, site, pixel_um=0.05), columns=list(SHAPE_NAMES))
    for row, mask in zip(table.itertuples(), masks, strict=True):
        region = regionprops(mask.astype(np.uint8))[0]
        # scikit-image takes pixels as points, here they are squares.
        large, small = np.array(region.inertia_tensor_eigvals) + 1 / 12
        assert np.exp(row.log_length) == pytest.approx(4 * np.sqrt(large) * 0.05)
        assert np.exp(row.log_breadth) == pytest.approx(4 * np.sqrt(small) * 0.05)
        assert row.directed_eccentricity == pytest.approx(
            np.sqrt(1 - small / large) * np.cos(2 * region.orientation)
        )
        assert row.along_load == pytest.approx(abs(np.sin(region.orientation)))


def test_the_surroundings_are_those_of_the_counted_pixels(opened):
    """A shallow cavity beside a deep one; the window is shifted, as both lie at the border."""
    pixels = np.full((400, 400), 90, np.uint8)
    pixels[150:] = 190
    pixels[10:30, 2:22] = 55
    pixels[60:90, 40:70] = 3
    image, _ = opened(pixels)
    runs = pd.DataFrame({"site_id": 7, "y_px": np.arange(10, 30), "left_px": 2, "right_px": 21})
    sites = pd.DataFrame({"site_id": [7, -1], "x_px": [11.5, 11.5], "y_px": [19.5, 19.5]})
    counted, local = described(image, sites, runs).to_dict("records")
    assert np.exp(counted["log_area"]) == pytest.approx(400 * 0.04**2)
    assert counted["mean_depth"] == pytest.approx(35 / 100, abs=0.03)
    # Without counted pixels it is the dark part that is nearest to the middle.
    assert np.exp(local["log_area"]) == pytest.approx(900 * 0.04**2, rel=0.05)
    assert local["mean_depth"] == pytest.approx(87 / 100, abs=0.03)


@pytest.mark.parametrize("edge_px", [CLIP_PX, 267, 200, 400, 80])
def test_a_mask_keeps_place_and_area_at_any_resolution(edge_px):
    y, x = np.indices((edge_px, edge_px)) - edge_px * 0.45
    window = Window(top=30, left=50, bottom=30 + edge_px, right=50 + edge_px)
    for mask in (
        np.hypot(y, x) < edge_px / 9,
        (abs(y + x) < edge_px / 50) & (abs(x) < edge_px / 6),
    ):
        rows, columns = np.nonzero(mask)
        found = mask_in_clip(runs_of(rows + 30, columns + 50), window)
        scale = CLIP_PX / edge_px
        assert found.sum() == pytest.approx(mask.sum() * scale**2, rel=0.12)
        place = (np.argwhere(found).mean(axis=0) + 0.5) / scale - 0.5
        assert place == pytest.approx([rows.mean(), columns.mean()], abs=0.6 / scale)
        if edge_px == CLIP_PX:
            np.testing.assert_array_equal(found, mask)
    outside = runs_of(np.array([5]), np.array([500]))
    assert not mask_in_clip(outside, window).any()


def test_a_slit_of_a_pixel_stays_whole_in_a_coarser_clip():
    runs = runs_of(np.full(100, 150), np.arange(100, 200))
    found = mask_in_clip(runs, Window(top=0, left=0, bottom=400, right=400))
    rows, columns = np.nonzero(found)
    assert len(np.unique(columns)) == 40 and np.ptp(rows) == 0


def test_any_pixels_of_a_site_can_be_described():
    clips = np.full((3, CLIP_PX, CLIP_PX), 90, np.uint8)
    masks = np.zeros(clips.shape, bool)
    masks[1] = True
    masks[2, 0, 0] = True
    shapes = np.zeros((3, len(SHAPE_NAMES)))
    assert np.isfinite(describe_clips(clips, masks, shapes)).all()


def test_labels_are_described_as_their_candidates(opened, tmp_path):
    image, valid = opened(steel(seed=1))
    found = find_candidates_of(image, valid, panorama="p", settings=load_study({}).detection)
    write_table(found.runs, tmp_path / "runs.parquet", CANDIDATE_RUNS)
    sites = found.candidates.iloc[[5, 2, 9]]
    values = describe_sites(image, sites, runs=found.runs)
    split = sites.assign(clip_x_px=sites["x_px"], clip_y_px=sites["y_px"], x_px=0.0, y_px=0.0)
    alone = split.iloc[[0]].assign(site_id=-1)
    labelled = describe_labels(
        pd.concat([split, alone], ignore_index=True),
        panoramas=["other", "p"],
        images=[tmp_path / "none.tif", tmp_path / "image0.tif"],
        runs=[tmp_path / "none.parquet", tmp_path / "runs.parquet"],
    )
    np.testing.assert_array_equal(labelled[:3], values)
    # A label on no candidate has no pixels, whatever candidate is near.
    lone = describe_sites(image, sites.iloc[[0]], runs=empty_table(CANDIDATE_RUNS))
    np.testing.assert_array_equal(labelled[3:], lone)


@pytest.mark.parametrize("batch", [1, 7, 1000])
def test_batches_and_order_change_nothing(opened, monkeypatch, batch):
    image, valid = opened(steel(seed=2))
    found = find_candidates_of(image, valid, panorama="p", settings=load_study({}).detection)
    sites = found.candidates
    assert len(sites) > 10
    # Labels on no candidate among them.
    sites.loc[[3, 8], "site_id"] = [-2, -1]
    values = describe_sites(image, sites, runs=found.runs)
    monkeypatch.setattr("damascene.descriptors.sites._BATCH", batch)
    order = np.random.default_rng(0).permutation(len(sites))
    again = describe_sites(image, sites.iloc[order], runs=found.runs)
    np.testing.assert_array_equal(again, values[order])


def test_no_sites_give_an_empty_table(opened):
    image, _ = opened(steel())
    none = pd.DataFrame({"site_id": [], "x_px": [], "y_px": []})
    assert describe_sites(image, none, runs=empty_table(CANDIDATE_RUNS)).shape == (
        0,
        len(DESCRIPTOR_NAMES),
    )
