import numpy as np
import pandas as pd
import pytest
from made_panoramas import write_pair
from scipy import ndimage
from scipy.spatial.distance import cdist
from skimage.draw import disk, ellipse
from skimage.measure import label, regionprops

from damascene import InputError
from damascene.contracts.candidates import CANDIDATES
from damascene.contracts.table import empty_table
from damascene.detection.candidates import find_candidates
from damascene.detection.clusters import find_clusters
from damascene.detection.darkness import (
    FixedThreshold,
    RelativeThreshold,
    dark_limit,
    dark_pixels_by_strip,
)
from damascene.detection.parameters import DetectionParameters
from damascene.images.store import TiledImage

FIXED = FixedThreshold(grey=20)


@pytest.fixture
def stored(tmp_path):
    """Write arrays as a panorama and its mask and open both."""
    opened = []

    def store(image, valid=None):
        opened.extend(map(TiledImage, write_pair(tmp_path / str(len(opened)), image, valid)))
        return opened[-2:]

    yield store
    for image in opened:
        image.close()


def steel(shape=(300, 400), grey=100):
    return np.full(shape, grey, np.uint8)


def parameters(**changes):
    options = {
        "dark": FIXED,
        "eps_px": 1,
        "min_samples": 3,
        "minimum_area_px": 20,
        "merge_distance_px": 10,
    }
    return DetectionParameters(**{**options, **changes})


def find(image, valid, *, tile_px=1024, threads=1, **changes):
    table, _, counts = find_candidates(
        image,
        valid,
        panorama="p",
        parameters=parameters(**changes),
        tile_px=tile_px,
        threads=threads,
    )
    assert counts.candidates == len(table)
    return table


def blotches(shape=(700, 900), seed=0):
    """Dark blotches of all sizes and shapes, many with holes, on a brightness gradient."""
    random = np.random.default_rng(seed)
    field = ndimage.gaussian_filter(random.normal(size=shape), 4)
    field /= field.std()
    image = np.clip(90 + 25 * field + np.linspace(0, 40, shape[1]), 0, 255)
    ring = np.abs(field - 1.5) < 0.35
    image[ring] = random.integers(0, 20, ring.sum())
    return image.astype(np.uint8)


def test_geometry_equals_region_properties(stored):
    pixels = blotches()
    found = find(*stored(pixels), min_samples=1, merge_distance_px=0, minimum_area_px=0)
    # With min_samples 1 and eps 1 the clusters are the 4-connected components.
    components = label(pixels < 20, connectivity=1)
    expected = []
    for region in regionprops(components, pixels):
        top, left = region.bbox[:2]
        filled = regionprops(ndimage.binary_fill_holes(region.image).astype(np.uint8))[0]
        large, small = filled.inertia_tensor_eigvals
        greys = pixels[components == region.label]
        expected.append(
            (
                left + filled.centroid[1],
                top + filled.centroid[0],
                filled.area,
                region.bbox[3] - left,
                region.bbox[2] - top,
                # scikit-image takes pixels as points, the table as squares.
                np.sqrt((large + 1 / 12) / (small + 1 / 12)),
                # Counted from the rows there, from the columns here; no meaning without an axis.
                (np.degrees(np.pi / 2 - filled.orientation) + 90) % 180 - 90,
                large - small,
                greys.mean(),
                greys.min(),
            )
        )
    names = "x_px y_px area_px width_px height_px aspect_ratio angle gap mean_grey minimum_grey"
    expected = pd.DataFrame(expected, columns=names.split())
    # Sites of several clusters have a test of their own.
    found = found[found["fragments"] == 1].reset_index(drop=True)
    assert len(found) > 50
    assert found["area_px"].max() > 300
    nearest = cdist(found[["x_px", "y_px"]], expected[["x_px", "y_px"]])
    match = expected.iloc[nearest.argmin(axis=1)].reset_index(drop=True)
    for name in ("x_px", "y_px", "aspect_ratio", "mean_grey"):
        # Sums of a few thousand terms in double precision.
        np.testing.assert_allclose(found[name], match[name], rtol=1e-9, atol=1e-9)
    for name in ("area_px", "width_px", "height_px", "minimum_grey"):
        np.testing.assert_array_equal(found[name], match[name])
    np.testing.assert_allclose(found["area_um2"], match["area_px"] * 0.04**2)
    np.testing.assert_allclose(np.pi / 4 * found["equivalent_diameter_um"] ** 2, found["area_um2"])
    slender = match["gap"] > 1e-6
    turned = found["orientation_deg"][slender] - match["angle"][slender]
    np.testing.assert_allclose((turned + 90) % 180 - 90, 0, atol=1e-6)


def test_orientation_turns_from_x_to_y(stored):
    pixels = steel()
    for centre, angle in (((60, 60), 0), ((60, 200), 30), ((200, 60), 90), ((200, 200), -45)):
        # scikit-image turns anticlockwise on the screen.
        rows, columns = ellipse(*centre, 6, 30, rotation=np.radians(-angle))
        pixels[rows, columns] = 0
    found = find(*stored(pixels)).sort_values(["y_px", "x_px"])
    angles = found.sort_values("x_px").groupby(found["y_px"] > 120)["orientation_deg"]
    upper, lower = angles.apply(list)
    # A pixel at the end of an ellipse of 60 pixels is worth about a degree.
    assert upper == pytest.approx([0, 30], abs=1.5)
    assert lower == pytest.approx([-90, -45], abs=1.5)
    assert found["aspect_ratio"].to_numpy() == pytest.approx(5, rel=0.1)
    assert found["orientation_deg"].between(-90, 90, inclusive="left").all()


@pytest.mark.parametrize("dark", [FIXED, RelativeThreshold(depth=0.42, block_px=100)])
def test_tiles_and_threads_change_nothing(stored, dark):
    pixels = blotches(seed=1)
    valid = np.ones(pixels.shape, bool)
    valid[100:230, 512:700] = False
    pair = stored(pixels, valid)
    expected = find(*pair, dark=dark, eps_px=1.5)
    assert len(expected) > 50
    assert expected["touches_border"].sum() > 3
    assert expected["touches_mask"].sum() > 1
    for tile_px, threads in ((64, 2), (173, 1), (512, 2)):
        pd.testing.assert_frame_equal(
            find(*pair, dark=dark, eps_px=1.5, tile_px=tile_px, threads=threads), expected
        )


def test_sites_are_numbered_by_their_first_pixel(stored):
    found = find(*stored(blotches(seed=2)))
    assert found["site_id"].tolist() == list(range(len(found)))
    assert found["top_px"].is_monotonic_increasing


def test_area_must_exceed_the_minimum(stored):
    pixels = steel()
    pixels[50:54, 50:55] = 0
    pixels[150:154, 50:55] = pixels[154, 50] = 0
    found = find(*stored(pixels), minimum_area_px=20)
    assert found["area_px"].tolist() == [21]


def test_a_remnant_counts_as_part_of_its_inclusion(stored):
    pixels = steel()
    pixels[disk((150, 200), 60)] = 0
    pixels[disk((160, 210), 30)] = 180
    found = find(*stored(pixels))
    solid = np.zeros(pixels.shape)
    solid[disk((150, 200), 60)] = 1
    assert found["area_px"].tolist() == [solid.sum()]
    assert found[["x_px", "y_px"]].to_numpy().tolist() == [[200, 150]]
    assert found["mean_grey"].tolist() == [0]


def test_fragments_of_a_rim_are_not_sites(stored):
    pixels = steel()
    rows, columns = np.indices(pixels.shape)
    radius = np.hypot(rows - 150, columns - 200)
    angle = np.degrees(np.arctan2(rows - 150, columns - 200)) % 360
    pixels[(radius < 80) & (radius > 60) & (angle < 300)] = 0
    pixels[(radius < 74) & (radius > 66) & (angle > 310) & (angle < 350)] = 0
    pixels[disk((150, 200), 8)] = 0
    pixels[disk((150, 340), 8)] = 0
    found = find(*stored(pixels))
    # The arc and the disk outside; the disk inside its hull is part of the inclusion.
    assert (found["x_px"] > 300).sum() == 1
    assert not ((found["x_px"] - 200).abs() + (found["y_px"] - 150).abs() < 5).any()


def test_the_larger_of_a_close_pair_takes_the_other(stored):
    pixels = steel()
    # Three in a row, each close to the next: the large one in the middle takes both.
    pixels[100:110, 100:103] = pixels[100:110, 106:112] = pixels[100:110, 115:118] = 0
    found = find(*stored(pixels), merge_distance_px=12)
    assert found["x_px"].tolist() == [108.5]
    assert found[["fragments", "area_px"]].to_numpy().tolist() == [[3, 120]]
    # A small one in the middle goes to the first of two equal ones, and takes none.
    pixels = steel()
    pixels[100:110, 100:105] = pixels[100:110, 108:111] = pixels[100:110, 114:119] = 0
    found = find(*stored(pixels), merge_distance_px=8)
    assert found["x_px"].tolist() == [(50 * 102 + 30 * 109) / 80, 116]
    assert found["fragments"].tolist() == [2, 1]


def test_of_equal_sites_at_just_the_distance_both_stay(stored):
    pixels = steel()
    pixels[100:105, 100:105] = pixels[100:105, 108:113] = 0
    pair = stored(pixels)
    assert len(find(*pair, merge_distance_px=8)) == 2
    assert find(*pair, merge_distance_px=8.01)["x_px"].tolist() == [106]


def test_borders_and_invalid_pixels_are_told(stored):
    pixels = steel()
    valid = np.ones(pixels.shape, bool)
    valid[:, 200:220] = False
    pixels[~valid] = 0
    for row, column in ((0, 50), (100, 192), (150, 220), (200, 188), (290, 300), (250, 392)):
        pixels[row : row + 10, column : column + 8] = 0
    found = find(*stored(pixels, valid))
    flags = {
        (row.top_px, row.left_px): (row.touches_border, row.touches_mask)
        for row in found.itertuples(index=False)
    }
    assert flags == {
        (0, 50): (True, False),
        (100, 192): (False, True),
        (150, 220): (False, True),
        (200, 188): (False, False),
        (290, 300): (True, False),
        (250, 392): (True, False),
    }
    assert (found["area_px"] == 80).all()


def test_merging_as_published_stops_where_the_public_code_does(stored):
    pixels = steel()
    pixels[100:105, 100:105] = pixels[100:105, 108:113] = 0
    pixels[110:115, 100:105] = pixels[110:115, 108:113] = 0
    with pytest.raises(InputError, match=r"stops with an IndexError .* these 4 sites.* corrected"):
        find(*stored(pixels), merge="published", merge_distance_px=20)


def test_convexity_is_that_of_the_filled_site(stored):
    pixels = steel()
    pixels[50:60, 50:60] = 0
    pixels[53:57, 53:57] = 100
    # An L of 5 x 10 and 5 x 5 squares in a hull that lacks a triangle of 5 x 5 / 2.
    pixels[150:160, 50:55] = pixels[155:160, 50:60] = 0
    found = find(*stored(pixels))
    assert found["convexity"].tolist() == [1, 75 / 87.5]


def test_a_panorama_without_dark_pixels_gives_an_empty_table(stored):
    for pair in (stored(steel()), stored(steel(grey=0), np.zeros((300, 400), bool))):
        for dark in (FIXED, RelativeThreshold(depth=0.42, block_px=100)):
            found = find(*pair, dark=dark)
            assert len(found) == 0
            pd.testing.assert_frame_equal(found, empty_table(CANDIDATES))


def test_only_small_clusters_give_an_empty_table(stored):
    pixels = steel()
    pixels[50:53, 50:53] = 0
    assert len(find(*stored(pixels))) == 0


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"eps_px": 0.5}, r"eps is 0\.5 pixels.*size of a pixel or more"),
        ({"eps_px": 0, "min_samples": 1}, "eps is 0 pixels"),
        ({"eps_px": float("nan")}, "eps is nan pixels"),
        ({"min_samples": 0}, "min_samples is 0. Set it to 1 or more"),
        ({"passes": 0}, "passes is 0"),
        ({"minimum_area_px": -1}, "minimum_area_px is -1. Set it to 0 or more"),
        ({"minimum_edge": -0.1}, "minimum_edge is -0.1. Set it to 0 or more"),
        ({"minimum_edge": 0.2}, "only a relative threshold knows the step"),
        ({"merge": "larger"}, "merge is 'larger'. Choose one of: corrected, published, none"),
        ({"metric": "cosine"}, "metric is 'cosine'"),
    ],
)
def test_rules_without_a_meaning_are_refused(changes, message):
    with pytest.raises(InputError, match=message):
        parameters(**changes)


def test_below_a_pixel_every_dark_pixel_is_a_cluster(stored):
    pixels = steel()
    pixels[50, 50:53] = 0
    found = find(*stored(pixels), eps_px=0.5, min_samples=1, minimum_area_px=0, merge_distance_px=0)
    assert found["area_px"].tolist() == [1, 1, 1]


def test_a_distance_may_miss_a_pixel_by_rounding(stored):
    pixels = steel()
    pixels[50:60, 50:60] = 0
    assert len(find(*stored(pixels), eps_px=0.9999999999)) == 1


RELATIVE = RelativeThreshold(depth=0.46, block_px=200)
EDGED = {"dark": RELATIVE, "minimum_edge": 0.25, "edge_distance_px": 5}


def two_phases(shape=(400, 600), seed=3):
    """Ferrite of grey 60 with grains of martensite of grey 150."""
    field = ndimage.gaussian_filter(np.random.default_rng(seed).normal(size=shape), 8)
    image = np.where(field > np.quantile(field, 0.7), 150.0, 60.0)
    # Ferrite alone where the sites will be.
    image[150:250, 100:500] = 60
    return image


def hole_and_shadow():
    """A black square with steep edges at the left, a soft dark patch at the right."""
    image = two_phases()
    image[192:208, 192:208] = 5
    rows, columns = np.indices(image.shape)
    image -= 50 * np.exp(-((rows - 200) ** 2 + (columns - 400) ** 2) / (2 * 20**2))
    return np.clip(np.rint(image), 0, 255).astype(np.uint8)


def test_a_steep_edge_tells_a_hole_from_a_shadow(stored):
    pair = stored(hole_and_shadow())
    both = find(*pair, dark=RELATIVE)
    assert both["x_px"].round().tolist() == pytest.approx([400, 200], abs=2)
    edged, _, counts = find_candidates(*pair, panorama="p", parameters=parameters(**EDGED))
    assert edged["x_px"].tolist() == [199.5]
    assert (counts.larger_than_minimum, counts.edged, counts.candidates) == (2, 1, 1)
    # What is left is described as without the rule.
    columns = [name for name in edged.columns if name != "site_id"]
    pd.testing.assert_frame_equal(
        edged[columns], both.loc[both["x_px"] == 199.5, columns].reset_index(drop=True)
    )


def test_the_edge_of_a_square_is_the_step_from_ferrite_in_shares(stored):
    clusters = find_clusters(*stored(hole_and_shadow()), parameters=parameters(**EDGED))
    # (60 - 5) / (150 - 60); the levels are medians of a histogram, good to parts of a grey.
    assert clusters.measures["edge"].max() == pytest.approx(55 / 90, rel=1e-3)


def test_without_a_minimum_edge_nothing_is_looked_at_around(stored):
    pair = stored(hole_and_shadow())
    assert "edge" not in find_clusters(*pair, parameters=parameters(dark=RELATIVE)).measures
    found = find_candidates(*pair, panorama="p", parameters=parameters(dark=RELATIVE))
    assert found.counts.edged == found.counts.larger_than_minimum == 2


def noisy_steel():
    """Blotches in noise on two phases, and what is valid of them."""
    random = np.random.default_rng(5)
    image = two_phases(seed=4) + random.normal(0, 6, (400, 600))
    field = ndimage.gaussian_filter(random.normal(size=image.shape), 3)
    image[field > np.quantile(field, 0.97)] -= 70
    valid = ndimage.gaussian_filter(random.normal(size=image.shape), 15)
    return np.clip(image, 0, 255).astype(np.uint8), valid < np.quantile(valid, 0.97)


def test_edges_are_those_of_a_plain_loop(stored):
    image, valid = noisy_steel()
    # A single block: the same limit and step everywhere.
    dark = RelativeThreshold(depth=0.46, block_px=1000)
    changes = {**EDGED, "dark": dark, "min_samples": 1, "fill_holes": "never"}
    pair = stored(image, valid)
    found = find_clusters(*pair, parameters=parameters(**changes)).measures
    limit = dark_limit(*pair, dark=dark)
    is_dark = valid & (image < limit.greys[0, 0])
    # With min_samples 1 and eps 1 the clusters are the 4-connected components.
    sites = label(is_dark, connectivity=1)
    steps = [(dy, dx) for dy in (-5, 0, 5) for dx in (-5, 0, 5) if (dy, dx) != (0, 0)]
    # 5 px along a diagonal are 4 (3.5, rounded) each way.
    steps = [(dy // 5 * 4, dx // 5 * 4) if dy and dx else (dy, dx) for dy, dx in steps]
    expected = {}
    for region in regionprops(sites):
        if region.area <= 20:
            continue
        around = [
            int(image[row + dy, column + dx])
            for row, column in region.coords
            for dy, dx in steps
            if 0 <= row + dy < image.shape[0]
            and 0 <= column + dx < image.shape[1]
            and valid[row + dy, column + dx]
            and not is_dark[row + dy, column + dx]
        ]
        rise = np.mean(around) - image[tuple(region.coords.T)].mean()
        top, left = region.coords[np.lexsort(region.coords.T[::-1])[0]]
        expected[top * image.shape[1] + left] = rise / limit.levels.step[0, 0]
    assert len(expected) > 50
    assert found["first_pixel"].tolist() == sorted(expected)
    # The step is kept in single precision.
    np.testing.assert_allclose(
        found["edge"], [expected[place] for place in found["first_pixel"]], rtol=1e-6
    )


@pytest.mark.parametrize("fill_holes", ["before", "after"])
def test_edges_depend_neither_on_strips_nor_on_threads(stored, fill_holes):
    pair = stored(*noisy_steel())
    changed = parameters(**EDGED, fill_holes=fill_holes)
    whole = find_clusters(*pair, parameters=changed, tile_px=400).measures
    assert np.isfinite(whole["edge"]).all() and len(whole["edge"]) > 50
    for tile_px, threads in ((1, 2), (3, 1), (7, 3), (64, 2), (101, 1), (397, 4)):
        found = find_clusters(*pair, parameters=changed, tile_px=tile_px, threads=threads).measures
        for name, values in whole.items():
            np.testing.assert_array_equal(found[name], values, err_msg=f"{name}, {tile_px} rows")


def test_a_hole_with_nothing_valid_around_keeps_the_benefit_of_the_doubt(stored):
    image = hole_and_shadow()
    valid = np.ones(image.shape, bool)
    valid[180:220, 180:220] = image[180:220, 180:220] < 20
    found = find(*stored(image, valid), **EDGED)
    assert found["x_px"].tolist() == [199.5]


@pytest.mark.parametrize("around_px", [0, 5])
def test_looking_around_decodes_every_strip_once(stored, monkeypatch, around_px):
    image, valid = stored(hole_and_shadow())
    read = []
    monkeypatch.setattr(image, "read", lambda window: (read.append(window), plain(window))[1])
    plain = TiledImage.read.__get__(image)
    dark = FixedThreshold(grey=20) if not around_px else RELATIVE
    # Levels are taken beforehand, from windows of their own.
    limit = dark_limit(image, valid, dark=dark)
    monkeypatch.setattr("damascene.detection.darkness.dark_limit", lambda *_, **__: limit)
    read.clear()
    list(dark_pixels_by_strip(image, valid, dark=dark, strip_rows=100, around_px=around_px))
    assert sorted((window.top, window.bottom) for window in read) == [
        (0, 100),
        (100, 200),
        (200, 300),
        (300, 400),
    ]
