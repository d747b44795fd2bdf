"""A panorama shared among several jobs gives what one job gives."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import ndimage

from damascene.detection.candidates import candidates_of, find_candidates
from damascene.detection.clusters import clusters_of_strips, find_dark_pixels
from damascene.detection.dark_files import read_dark_pixels, write_dark_pixels
from damascene.detection.darkness import FixedThreshold, RelativeThreshold
from damascene.detection.parameters import DetectionParameters
from damascene.images.store import TiledImage, write_tiled
from damascene.images.tiles import strip_slice
from damascene.restoration import METHODS, denoise_panorama, denoise_strip, join_denoised


@given(st.integers(0, 5000), st.integers(1, 40), st.integers(1, 64))
def test_shares_are_the_list_in_order_and_alike(count, jobs, step):
    strips = [
        list(range(count))[strip_slice(count, strip=(number, jobs), step=step)]
        for number in range(jobs)
    ]
    assert [one for strip in strips for one in strip] == list(range(count))
    assert all(strip[0] % step == 0 for strip in strips if strip)
    lengths = [-(-len(strip) // step) for strip in strips]
    assert max(lengths) - min(lengths) <= 1


@pytest.fixture
def steel(tmp_path):
    """Return a panorama with dark blotches, some wider than a strip, and its mask with a gap."""
    random = np.random.default_rng(3)
    field = ndimage.gaussian_filter(random.normal(size=(1400, 900)), 5)
    field /= field.std()
    image = np.clip(90 + 25 * field, 0, 255)
    image[np.abs(field - 1.5) < 0.35] = 8
    # Long sites across many strips, one of them with a hole; and rows without any.
    image[300:700, 400:420] = 5
    image[350:600, 406:412] = 120
    image[720:1010] = 110 + 5 * random.normal(size=(290, 900))
    image = np.clip(image + random.normal(0, 5, image.shape), 0, 255)
    valid = np.full(image.shape, 255, np.uint8)
    valid[500:620, 100:260] = 0
    opened = []
    for name, pixels in (("image", image.astype(np.uint8)), ("valid", valid)):
        path = tmp_path / f"{name}.ome.tif"
        write_tiled(path, [pixels], shape=pixels.shape, pixel_size_nm=40, name=name)
        opened.append(TiledImage(path))
    yield opened
    for one in opened:
        one.close()


RULES = {
    "fixed": {"dark": FixedThreshold(grey=20)},
    "edges": {"dark": RelativeThreshold(depth=0.46, block_px=500), "minimum_edge": 0.2},
    "holes filled before": {"dark": FixedThreshold(grey=20), "fill_holes": "before", "eps_px": 3},
    "footprints": {"dark": FixedThreshold(grey=20), "footprint_gap_px": 8},
    "blobs": {"dark": FixedThreshold(grey=40), "sites": "blobs", "min_samples": 5},
    "nothing dark": {"dark": FixedThreshold(grey=1)},
}


@pytest.mark.parametrize("name", RULES)
@pytest.mark.parametrize("jobs", [1, 4, 16])
def test_candidates_of_strips_are_those_of_the_panorama(steel, tmp_path, name, jobs):
    image, valid = steel
    options = {"eps_px": 1, "min_samples": 3, "minimum_area_px": 20, "merge_distance_px": 10}
    parameters = DetectionParameters(**{**options, **RULES[name]})
    expected, runs, counts = find_candidates(image, valid, panorama="p", parameters=parameters)
    assert (len(expected) > 30) == (name != "nothing dark")
    paths = [tmp_path / f"{number}.parquet" for number in range(jobs)]
    for number, path in enumerate(paths):
        # Strips of 128 rows: eleven of them, so that some of sixteen jobs have none.
        dark = find_dark_pixels(
            image, valid, parameters=parameters, tile_px=128, threads=2, strip=(number, jobs)
        )
        write_dark_pixels(dark, path, around=parameters.around_px > 0)
    strips = read_dark_pixels(paths, height=image.shape[0])
    clusters = clusters_of_strips(strips, shape=image.shape, parameters=parameters)
    found, found_runs, found_counts = candidates_of(
        clusters, panorama="p", parameters=parameters, pixel_size_nm=40
    )
    pd.testing.assert_frame_equal(found, expected, check_exact=True)
    pd.testing.assert_frame_equal(found_runs, runs, check_exact=True)
    assert found_counts == counts


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("jobs", [1, 2, 5])
def test_denoised_strips_are_the_denoised_panorama(steel, tmp_path, method, jobs):
    image, _ = steel
    whole, joined = tmp_path / "whole.ome.tif", tmp_path / "joined.ome.tif"
    record = denoise_panorama(image, panorama="p", method=method, path=whole, threads=2)
    parts = [tmp_path / f"{number}.ome.tif" for number in range(jobs)]
    for number, part in enumerate(parts):
        denoise_strip(image, method=method, path=part, strip=(number, jobs), tile_px=256)
    again = join_denoised(image, parts, panorama="p", method=method, path=joined)
    assert again == record and record.noise_grey_levels > 0
    with TiledImage(whole) as one, TiledImage(joined) as other:
        np.testing.assert_array_equal(one.read(), other.read())
        assert (one.read() != image.read()).any()
