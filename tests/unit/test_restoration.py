import hashlib

import numpy as np
import pytest
from scipy import ndimage

from damascene.images.blocks import BLOCK_PX, OVERLAP_PX, blend_blocks
from damascene.images.store import TiledImage, write_tiled
from damascene.restoration import (
    METHODS,
    denoise_panorama,
    denoise_strip,
    fine_noise,
    join_denoised,
    parameters,
)

SHAPE = (700, 1150)


def steel(shape=SHAPE, seed=0):
    """Smooth islands, bright on grey, with black discs of 3 to 6 pixels radius."""
    rng = np.random.default_rng(seed)
    field = ndimage.gaussian_filter(rng.normal(size=shape), (12, 30))
    image = np.where(field > field.std(), 170.0, 90.0)
    y, x = np.mgrid[: shape[0], : shape[1]]
    for _ in range(30):
        row, column, radius = rng.uniform(0, shape[0]), rng.uniform(0, shape[1]), rng.uniform(3, 6)
        image[(y - row) ** 2 + (x - column) ** 2 < radius**2] = 12
    return ndimage.gaussian_filter(image, 0.8)


def noisy(image, sigma, seed=1):
    values = image + np.random.default_rng(seed).normal(0, sigma, image.shape)
    return np.clip(np.rint(values), 0, 255).astype(np.uint8)


def store(path, image):
    write_tiled(path, [image], shape=image.shape, pixel_size_nm=40, name="P1")
    return path


def denoised(image, folder, *, method, **options):
    source = store(folder / "noisy.ome.tif", image)
    with TiledImage(source) as stored:
        record = denoise_panorama(
            stored, panorama="P1", method=method, path=folder / "out.ome.tif", **options
        )
    with TiledImage(folder / "out.ome.tif") as result:
        return result.read(), record


@pytest.mark.parametrize("sigma", [3, 8, 20])
def test_the_measured_noise_is_the_noise_added(tmp_path, sigma):
    with TiledImage(store(tmp_path / "a.ome.tif", noisy(steel(), sigma))) as image:
        # The estimator's own error on edges and on the voids cut at black is below a tenth.
        assert fine_noise(image) == pytest.approx(sigma, rel=0.1)


def test_missing_cells_do_not_lower_the_measured_noise(tmp_path):
    image = noisy(steel(), 10)
    image[:, :700] = 0
    with TiledImage(store(tmp_path / "a.ome.tif", image)) as stored:
        assert fine_noise(stored) == pytest.approx(10, rel=0.1)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("sigma", [12, 25])
def test_denoising_lowers_the_error(tmp_path, method, sigma):
    clean = steel((400, 600))
    image = noisy(clean, sigma)
    result, record = denoised(image, tmp_path, method=method)
    before = np.mean((image - clean) ** 2)
    after = np.mean((result - clean) ** 2)
    # A gain of 4 dB; on this image the weakest method, the median, gains about 6 dB.
    assert 10 * np.log10(before / after) > 4
    assert record.noise_after_grey_levels < 0.5 * record.noise_grey_levels
    assert record.method == method
    assert record.panorama == "P1"
    assert all(value > 0 for value in record.parameters.values())


@pytest.mark.parametrize("method", METHODS)
def test_voids_stay_dark(tmp_path, method):
    clean = steel((400, 600))
    result, _ = denoised(noisy(clean, 10), tmp_path, method=method)
    centres = clean < 15
    assert centres.any()
    assert np.median(result[centres]) < 30


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("grey", [0, 7, 128, 255])
def test_a_constant_image_stays_constant(tmp_path, method, grey):
    image = np.full((40, 600), grey, np.uint8)
    result, record = denoised(image, tmp_path, method=method)
    assert (result == grey).all()
    # A single grey tells nothing of the noise.
    assert record.noise_grey_levels is None


@pytest.mark.parametrize("method", METHODS)
def test_missing_cells_stay_black(tmp_path, method):
    image = noisy(steel((300, 1500)), 15)
    image[:, 500:1200] = 0
    result, _ = denoised(image, tmp_path, method=method)
    # Up to the reach of the widest method.
    assert (result[:, 540:1160] == 0).all()


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("shape", [(1, 1), (5, 90), (33, 40)])
def test_small_panoramas_are_no_exception(tmp_path, method, shape):
    image = noisy(np.full(shape, 100.0), 10)
    result, _ = denoised(image, tmp_path, method=method)
    assert result.shape == shape
    assert np.abs(result.astype(float) - 100).max() < 60


@pytest.mark.parametrize("method", METHODS)
def test_the_mean_grey_is_kept(tmp_path, method):
    image = noisy(np.full((300, 600), 128.0), 20)
    result, _ = denoised(image, tmp_path, method=method)
    assert result.mean() == pytest.approx(128, abs=0.3)
    assert result.std() < 10


@pytest.mark.parametrize("method", METHODS)
def test_neither_tiles_nor_threads_change_the_file(tmp_path, method):
    image = noisy(steel((560, 600)), 15)
    digests = set()
    for tile_px, threads in ((2048, 1), (333, 2), (512, 3)):
        denoised(image, tmp_path, method=method, tile_px=tile_px, threads=threads)
        content = (tmp_path / "out.ome.tif").read_bytes()
        digests.add(hashlib.sha256(content).hexdigest())
    assert len(digests) == 1


@pytest.mark.parametrize("method", ["non_local_means", "wavelet"])
def test_blocks_leave_no_seams(tmp_path, method):
    result, _ = denoised(noisy(steel(), 15), tmp_path, method=method)
    steps = np.abs(np.diff(result.astype(float), axis=1)).mean(axis=0)
    # Between the columns on both sides of a cut, and where a block begins and ends to count.
    cuts = [
        edge + offset - 1
        for edge in range(BLOCK_PX, SHAPE[1] - OVERLAP_PX, BLOCK_PX)
        for offset in (-OVERLAP_PX, 0, OVERLAP_PX)
    ]
    # A seam would stand out of the spread of the steps between all columns.
    assert steps[cuts].max() <= np.percentile(steps, 99)
    assert abs(steps[cuts].mean() - steps.mean()) < 3 * steps.std() / np.sqrt(len(cuts))


@pytest.mark.parametrize("shape", [(20, 30), (544, 545), (1055, 1057), (1100, 2100)])
def test_blending_unchanged_blocks_gives_the_image(tmp_path, shape):
    pixels = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
    with TiledImage(store(tmp_path / "a.ome.tif", pixels)) as image:
        strips = list(blend_blocks(lambda block: block.astype(float), image, threads=2))
    np.testing.assert_array_equal(np.concatenate(strips), pixels)


@pytest.mark.parametrize("method", METHODS)
def test_strength_scales_the_parameters(method):
    weak, strong = parameters(method, noise=5), parameters(method, noise=40)
    assert weak.keys() == strong.keys()
    assert all(weak[name] < strong[name] for name in weak)


def test_a_stronger_filter_leaves_less_noise(tmp_path):
    image = noisy(steel((300, 400)), 15)
    left = [
        denoised(image, tmp_path, method="total_variation", strength=strength)[1]
        for strength in (0.5, 1.0, 2.0)
    ]
    after = [record.noise_after_grey_levels for record in left]
    assert after[0] > after[1] > after[2]


def test_impossible_requests_are_refused(tmp_path):
    with TiledImage(store(tmp_path / "a.ome.tif", noisy(steel(), 5))) as image:
        with pytest.raises(ValueError, match="unknown method 'sharpen'"):
            denoise_panorama(image, panorama="P1", method="sharpen", path=tmp_path / "b.tif")
        with pytest.raises(ValueError, match="strength"):
            denoise_panorama(
                image, panorama="P1", method="median", path=tmp_path / "b.tif", strength=0
            )
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.ome.tif"]


def test_the_geometry_is_kept(tmp_path):
    denoised(noisy(steel(), 8), tmp_path, method="median")
    with (
        TiledImage(tmp_path / "noisy.ome.tif") as before,
        TiledImage(tmp_path / "out.ome.tif") as after,
    ):
        assert after.shape == before.shape
        assert after.pixel_size_nm == pytest.approx(before.pixel_size_nm, rel=1e-9)
        assert after.level_count == before.level_count


@pytest.mark.parametrize("method", METHODS)
def test_a_calibrated_strength_is_near_the_best(tmp_path, method):
    clean = steel((600, 900))
    image = noisy(clean, 20)
    _, record = denoised(image, tmp_path, method=method, strength="calibrated")
    assert record.strength.chosen_by == "calibration"
    assert record.strength.value in record.strength.tried
    assert len(record.strength.errors_grey) == len(record.strength.tried)
    # The oracle: the error against the clean image, at all strengths that were tried.
    errors = {
        strength: np.mean(
            (denoised(image, tmp_path, method=method, strength=strength)[0] - clean) ** 2
        )
        for strength in record.strength.tried
    }
    # What is chosen without the clean image is less than 2 dB worse.
    assert errors[record.strength.value] < 10**0.2 * min(errors.values())
    assert record.parameters == parameters(
        method, noise=record.strength.value * record.noise_grey_levels
    )


def test_correlated_noise_is_not_calibrated_on(tmp_path):
    clean = steel((600, 900))
    noise = np.random.default_rng(3).normal(0, 20, (600, 901))
    image = clean + (noise[:, 1:] + 0.6 * noise[:, :-1]) / np.hypot(1, 0.6)
    image = np.clip(np.rint(image), 0, 255).astype(np.uint8)
    _, record = denoised(image, tmp_path, method="gaussian", strength="calibrated")
    assert record.strength.chosen_by == "noise" and record.strength.value == 1
    assert "correlated: 0.4" in record.strength.reason


def test_strips_choose_the_strength_of_the_whole(tmp_path):
    image = noisy(steel((1300, 600)), 15)
    whole, record = denoised(image, tmp_path, method="gaussian", strength="calibrated")
    parts = [tmp_path / f"{number}.tif" for number in range(3)]
    with TiledImage(tmp_path / "noisy.ome.tif") as stored:
        options = {"method": "gaussian", "strength": "calibrated"}
        for number, part in enumerate(parts):
            denoise_strip(stored, path=part, strip=(number, 3), tile_px=512, **options)
        joined = join_denoised(stored, parts, panorama="P1", path=tmp_path / "j.tif", **options)
    assert joined == record
    with TiledImage(tmp_path / "j.tif") as result:
        np.testing.assert_array_equal(result.read(), whole)
