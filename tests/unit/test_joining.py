"""A site of several clusters has all of their pixels, and its measures are those of the union."""

from functools import partial

import numpy as np
import pandas as pd
import pytest
from made_panoramas import write_pair
from scipy import ndimage
from scipy.spatial import ConvexHull
from skimage.measure import label, regionprops

from damascene.config.presets import PRESETS
from damascene.config.study import load_study
from damascene.detection.candidates import find_candidates
from damascene.detection.darkness import FixedThreshold
from damascene.detection.parameters import DetectionParameters
from damascene.detection.settings import find_candidates_of
from damascene.images.store import open_pair

PIXEL_NM = 40


@pytest.fixture
def stored(tmp_path):
    """Return a function that writes an array, and what is valid of it, as a panorama."""
    return partial(write_pair, tmp_path, pixel_size_nm=PIXEL_NM)


def find(paths, **changes):
    options = {
        "dark": FixedThreshold(grey=20),
        "eps_px": 1,
        # Clusters are the 4-connected components.
        "min_samples": 1,
        "minimum_area_px": 6,
        "merge_distance_px": 12,
    }
    with open_pair(*paths) as (image, valid):
        return find_candidates(
            image, valid, panorama="p", parameters=DetectionParameters(**{**options, **changes})
        )


def blotches(shape=(260, 330), seed=0):
    """Dark blotches with holes and crumbs in and round them, on noise."""
    random = np.random.default_rng(seed)
    field = ndimage.gaussian_filter(random.normal(size=shape), 4)
    field /= field.std()
    image = np.clip(90 + 25 * field, 30, 255)
    ring = np.abs(field - 1.5) < 0.35
    image[ring] = random.integers(0, 20, ring.sum())
    for row, column in random.integers(0, 250, (60, 2)):
        image[row : row + 3, column : column + 4] = random.integers(0, 20)
    return image.astype(np.uint8)


def mask_of(runs, site_id, shape):
    """Paint the runs of one site."""
    mask = np.zeros(shape, bool)
    for run in runs[runs["site_id"] == site_id].itertuples():
        assert not mask[run.y_px, run.left_px : run.right_px + 1].any()
        mask[run.y_px, run.left_px : run.right_px + 1] = True
    return mask


def hull(mask):
    rows, columns = np.nonzero(mask)
    x = np.concatenate([columns - 0.5, columns + 0.5, columns - 0.5, columns + 0.5])
    y = np.concatenate([rows - 0.5, rows - 0.5, rows + 0.5, rows + 0.5])
    return ConvexHull(np.column_stack([x, y]))


def plain(pixels, *, fill_holes="after", minimum=6, distance=12, merge="corrected", rims=True):
    """Return the sites as pairs of masks, all and dark pixels, and the number of clusters."""
    dark = pixels < 20
    mask = ndimage.binary_fill_holes(dark) if fill_holes == "before" else dark
    parts = []
    for region in regionprops(label(mask, connectivity=1)):
        own = np.zeros(mask.shape, bool)
        own[tuple(region.coords.T)] = True
        full = ndimage.binary_fill_holes(own) if fill_holes == "after" else own
        if full.sum() > minimum:
            rows, columns = np.nonzero(full)
            key = (-full.sum(), rows.min(), columns.min())
            parts.append((key, full, own & dark, (columns.mean(), rows.mean())))
    parts.sort(key=lambda part: part[0])

    def taken(leads, holds):
        """Let the largest that holds a smaller one take it; return who leads whom."""
        owner = {}
        for number in leads:
            before = [other for other in owner if owner[other] == other]
            owner[number] = next((other for other in before if holds(other, number)), number)
        return owner

    def encloses(larger, smaller):
        faces = hull(parts[larger][2] | parts[larger][1]).equations
        return (faces[:, :2] @ parts[smaller][3] + faces[:, 2] <= 1e-9).all()

    def is_close(larger, smaller):
        return np.hypot(*np.subtract(parts[larger][3], parts[smaller][3])) < distance

    owner = taken(range(len(parts)), encloses if rims else lambda *_: False)
    leads = [number for number in owner if owner[number] == number]
    close = taken(leads, is_close if merge == "corrected" else lambda *_: False)
    sites = {}
    for number, leader in owner.items():
        sites.setdefault(close[leader], []).append(number)
    return [
        (
            np.any([parts[one][1] for one in members], axis=0),
            np.any([parts[one][2] for one in members], axis=0),
            len(members),
        )
        for members in sites.values()
    ]


@pytest.mark.parametrize(
    ("merge", "rims", "fill_holes"),
    [
        ("corrected", True, "after"),
        ("corrected", False, "never"),
        ("none", True, "before"),
        ("none", False, "after"),
    ],
)
def test_measures_are_those_of_the_union(stored, merge, rims, fill_holes):
    pixels = blotches()
    found, runs, _ = find(
        stored(pixels), merge=merge, drop_rim_fragments=rims, fill_holes=fill_holes
    )
    expected = plain(pixels, merge=merge, rims=rims, fill_holes=fill_holes)
    expected.sort(key=lambda site: np.flatnonzero(site[0])[0])
    assert len(found) == len(expected)
    assert (found["fragments"].max() > 1) == (merge == "corrected" or rims)
    for row, (full, dark, fragments) in zip(found.itertuples(), expected, strict=True):
        np.testing.assert_array_equal(mask_of(runs, row.site_id, pixels.shape), full)
        region = regionprops(full.astype(np.uint8))[0]
        top, left, bottom, right = region.bbox
        assert row.fragments == fragments
        assert row.area_px == region.area
        assert (row.left_px, row.top_px) == (left, top)
        assert (row.width_px, row.height_px) == (right - left, bottom - top)
        assert (row.y_px, row.x_px) == pytest.approx(region.centroid)
        assert row.area_um2 == pytest.approx(region.area * 0.04**2)
        assert row.equivalent_diameter_um == pytest.approx(region.equivalent_diameter_area * 0.04)
        # scikit-image takes pixels as points, the table as squares.
        large, small = np.array(region.inertia_tensor_eigvals) + 1 / 12
        assert row.aspect_ratio == pytest.approx(np.sqrt(large / small))
        if large - small > 1e-6:
            turned = row.orientation_deg - np.degrees(np.pi / 2 - region.orientation)
            assert (turned + 90) % 180 - 90 == pytest.approx(0, abs=1e-6)
        assert row.convexity == pytest.approx(region.area / hull(full).volume)
        assert row.mean_grey == pytest.approx(pixels[dark].mean())
        assert row.minimum_grey == pixels[dark].min()
        on_border = top == 0 or left == 0 or (bottom, right) == pixels.shape
        assert row.touches_border == (
            on_border or bottom == pixels.shape[0] or right == pixels.shape[1]
        )


def test_a_crack_in_two_pieces_has_the_area_of_both(stored):
    pixels = np.full((100, 140), 100, np.uint8)
    pixels[40:44, 30:46] = 0
    pixels[46:50, 42:56] = 5
    found, runs, counts = find(stored(pixels), merge_distance_px=20)
    row = found.iloc[0]
    assert (len(found), row["fragments"], row["area_px"]) == (1, 2, 64 + 56)
    assert row["x_px"] == pytest.approx((64 * 37.5 + 56 * 48.5) / 120)
    assert (row["left_px"], row["top_px"], row["width_px"], row["height_px"]) == (30, 40, 26, 10)
    assert row["mean_grey"] == pytest.approx(56 * 5 / 120)
    assert len(runs) == 8
    assert counts.candidates == counts.merged_corrected == 1
    # As published, the smaller one is lost: that is what the public code does.
    (lone,) = find(stored(pixels), merge="published", merge_distance_px=20).candidates.itertuples()
    assert (lone.fragments, lone.area_px) == (1, 56)


def test_what_belongs_to_a_fragment_goes_where_it_goes(stored):
    pixels = np.full((120, 160), 100, np.uint8)
    # A half ring with a crumb in its hull, close to a larger square.
    pixels[40:60, 40:44] = pixels[40:43, 40:60] = pixels[57:60, 40:60] = 0
    pixels[48:52, 50:54] = 0
    pixels[38:62, 64:88] = 0
    found, _, _ = find(stored(pixels), merge_distance_px=30, fill_holes="never")
    assert found["fragments"].tolist() == [3]
    assert found["area_px"].tolist() == [(pixels == 0).sum()]


def test_borders_and_masks_of_all_fragments_count(stored):
    pixels = np.full((80, 120), 100, np.uint8)
    valid = np.ones(pixels.shape, bool)
    valid[:, 60:] = False
    # The larger piece is free; one reaches the border, one the pixels that are not valid.
    pixels[3:13, 40:52] = 0
    pixels[0:2, 40:50] = 0
    pixels[6:10, 56:60] = 0
    found, _, _ = find(stored(pixels, valid), merge_distance_px=14)
    assert found[["fragments", "touches_border", "touches_mask"]].to_numpy().tolist() == [
        [3, True, True]
    ]


@pytest.mark.parametrize("preset", PRESETS)
def test_the_pixels_of_a_candidate_are_as_many_as_its_area(stored, preset):
    pixels = blotches(seed=3)
    settings = load_study({"preset": preset}).detection
    if settings.merge == "published":
        # The public way of merging drops sites that are isolated; their pixels go with them.
        settings = settings.model_copy(update={"merge_distance": "12 px"})
    with open_pair(*stored(pixels)) as (image, valid):
        found = find_candidates_of(
            image,
            valid,
            panorama="p",
            settings=settings,
            reference=np.bincount(pixels.ravel(), minlength=256),
        )
    length = found.runs["right_px"] - found.runs["left_px"] + 1
    area = length.groupby(found.runs["site_id"]).sum()
    assert len(found.candidates) > 10
    pd.testing.assert_series_equal(
        area, found.candidates.set_index("site_id")["area_px"], check_names=False
    )
    key = found.runs[["site_id", "y_px", "left_px"]].to_numpy().tolist()
    assert key == sorted(key)
