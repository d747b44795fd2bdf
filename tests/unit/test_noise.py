from io import BytesIO

import numpy as np
import pytest
from PIL import Image
from scipy import ndimage

from damascene.contracts.noise_record import NoiseRecord
from damascene.images.store import TiledImage, Window, open_pair, write_all_valid, write_tiled
from damascene.images.valid_area import CHARGING, VALID
from damascene.restoration import denoise_panorama
from damascene.restoration.flat_patches import (
    PATCH_PX,
    choose_flat,
    covariances,
    flat_patches,
    line_variance,
)
from damascene.restoration.noise import fine_noise, measure_noise
from damascene.simulation.panorama import draw_scene, make_specimen

SIDE = 900


@pytest.fixture(scope="module")
def steel():
    """A window of simulated steel without noise: bands, rims, texture and cavities."""
    return clean_steel(40.0)


def clean_steel(pixel_size_nm):
    specimen = make_specimen(
        shape=(SIDE, SIDE), pixel_size_nm=pixel_size_nm, strain_percent=8, seed=5
    )
    window = Window(top=0, left=0, bottom=SIDE, right=SIDE)
    return draw_scene(specimen, window)[0].astype(float)


def to_image(values):
    return np.clip(np.rint(values), 0, 255).astype(np.uint8)


def measured(folder, values, mask=None):
    image, valid = folder / "image.ome.tif", folder / "valid.ome.tif"
    pixels = to_image(values)
    options = {"shape": pixels.shape, "pixel_size_nm": 40.0, "name": "P1"}
    write_tiled(image, [pixels], **options)
    if mask is None:
        write_all_valid(valid, **options)
    else:
        write_tiled(valid, [mask], **options, pyramid=False)
    with open_pair(image, valid) as (one, other):
        return measure_noise(one, other, panorama="P1")


def white(shape=(SIDE, SIDE), seed=0):
    return np.random.default_rng(seed).normal(size=shape)


def correlated(seed=0, share=0.6):
    """Noise of unit variance that shares with the pixel to its left: correlation 0.44 at lag 1."""
    noise = white((SIDE, SIDE + 1), seed)
    return (noise[:, 1:] + share * noise[:, :-1]) / np.hypot(1, share)


@pytest.mark.parametrize("sigma", [10, 25, 40])
def test_white_noise_is_measured_on_structure(tmp_path, steel, sigma):
    record = measured(tmp_path, steel + sigma * white())
    # Fine texture of the steel adds a few per cent, clipping takes as much from 40.
    assert record.sigma_grey == pytest.approx(sigma, rel=0.06)
    assert record.fine_grey == pytest.approx(sigma, rel=0.06)
    assert max(np.abs([*record.correlation_along, *record.correlation_across])) < 0.12
    assert record.line_grey == 0
    assert record.largest_correlation < 0.12


@pytest.mark.parametrize("pixel_size_nm", [20.0, 100.0])
def test_noise_is_the_same_in_pixels_of_other_sizes(tmp_path, pixel_size_nm):
    record = measured(tmp_path, clean_steel(pixel_size_nm) + 15 * white())
    # In pixels of 100 nm structure is as fine as patches.
    assert record.sigma_grey == pytest.approx(15, rel=0.12)
    assert record.largest_correlation < 0.25


@pytest.mark.parametrize("sigma", [2, 5])
def test_weak_noise_is_known_in_its_finest_part(tmp_path, steel, sigma):
    record = measured(tmp_path, steel + sigma * white())
    assert record.fine_grey == pytest.approx(sigma, rel=0.15)
    # Where no area is flat enough, nothing more is said.
    assert record.sigma_grey is None or record.sigma_grey == pytest.approx(sigma, rel=0.25)


def test_steel_without_noise_is_no_noise(tmp_path, steel):
    record = measured(tmp_path, steel)
    assert record.sigma_grey is None
    assert record.correlation_along is None
    assert record.largest_correlation is None
    assert record.distribution == "undecided"
    assert record.patches == 0
    assert record.line_grey == 0
    assert record.fine_grey < 1.5


def test_correlation_is_found_in_the_direction_it_has(tmp_path, steel):
    along = measured(tmp_path, steel + 15 * correlated())
    across = measured(tmp_path, steel + 15 * correlated().T)
    # 0.6 / (1 + 0.6 * 0.6), and nothing two pixels away.
    for record, one, other in (
        (along, along.correlation_along, along.correlation_across),
        (across, across.correlation_across, across.correlation_along),
    ):
        assert record.sigma_grey == pytest.approx(15, rel=0.06)
        assert one[0] == pytest.approx(0.44, abs=0.06)
        assert abs(one[1]) < 0.08
        assert max(np.abs(other)) < 0.12
        assert record.largest_correlation == pytest.approx(0.44, abs=0.06)


@pytest.mark.parametrize(("sigma", "lines"), [(10, 3.0), (25, 3.0), (5, 1.0)])
def test_offsets_of_rows_are_told_from_noise(tmp_path, steel, sigma, lines):
    offsets = np.random.default_rng(7).normal(size=(SIDE, 1))
    record = measured(tmp_path, steel + sigma * white() + lines * offsets)
    assert record.line_grey == pytest.approx(lines, rel=0.25)
    if record.sigma_grey is not None:
        assert max(np.abs(record.correlation_along)) < 0.3


def test_growth_with_grey_is_that_of_counted_electrons(tmp_path, steel):
    # Poisson counts of two grey levels each: the variance is twice the grey.
    counts = np.random.default_rng(3).poisson(np.maximum(steel, 0) / 2)
    record = measured(tmp_path, 2.0 * counts)
    assert record.variance_slope == pytest.approx(2, rel=0.3)
    for one in record.by_grey:
        assert one.sigma_grey**2 == pytest.approx(2 * one.grey, rel=0.35)


def test_noise_of_one_strength_does_not_grow_with_grey(tmp_path, steel):
    record = measured(tmp_path, steel + 15 * white())
    assert record.by_grey[-1].grey - record.by_grey[0].grey > 50
    # From dark to bright ferrite and martensite the variance grows by less than a fifth.
    assert abs(record.variance_slope) * 100 < 0.2 * 15**2


def test_gamma_is_told_from_gaussian(tmp_path, steel):
    gamma = (np.random.default_rng(4).gamma(6, size=steel.shape) - 6) / np.sqrt(6)
    assert measured(tmp_path, steel + 20 * gamma).distribution == "gamma"
    assert measured(tmp_path, steel + 20 * white()).distribution == "gaussian"
    # Poisson counts of the same strength lie between both.
    counts = np.random.default_rng(3).poisson(np.maximum(steel, 0) / 4)
    assert measured(tmp_path, 4.0 * counts).distribution != "gaussian"


def test_masked_and_clipped_pixels_are_no_part_of_it(tmp_path, steel):
    noisy = steel + 12 * white()
    mask = np.full(steel.shape, VALID, np.uint8)
    spoilt = noisy.copy()
    spoilt[:, :500] = 0
    spoilt[700:] = 128 + 60 * white((SIDE - 700, SIDE), seed=9)
    mask[700:] = CHARGING
    record = measured(tmp_path, spoilt, mask)
    assert record.sigma_grey == pytest.approx(12, rel=0.08)
    assert record.fine_grey == pytest.approx(12, rel=0.08)


def test_blocks_of_jpeg_are_not_taken_for_noise(tmp_path, steel):
    # Noise that survives the compression nearly whole is measured as it is in the image.
    kept = BytesIO()
    noisy = to_image(steel + 20 * white())
    Image.fromarray(noisy).save(kept, "JPEG", quality=92)
    decoded = np.asarray(Image.open(kept)).astype(float)
    record = measured(tmp_path, decoded)
    assert record.sigma_grey == pytest.approx(20, rel=0.08)
    # Blocks without noise have no variance at all and say nothing.
    flat = BytesIO()
    Image.fromarray(to_image(steel)).save(flat, "JPEG", quality=20)
    record = measured(tmp_path, np.asarray(Image.open(flat)).astype(float))
    assert record.sigma_grey is None
    assert record.fine_grey < 2.5


def test_strong_clipping_does_not_hide_all_noise(tmp_path):
    noisy = np.full((600, 600), 30.0) + 30 * white((600, 600))
    record = measured(tmp_path, noisy)
    # A sixth of the pixels is black; what is left is narrower than the noise, but not nothing.
    assert 15 < record.fine_grey < 31


@pytest.mark.parametrize("shape", [(1, 1), (20, 900), (33, 40)])
def test_small_panoramas_say_what_they_can(tmp_path, shape):
    record = measured(tmp_path, 100 + 10 * white(shape))
    assert record.sigma_grey is None
    assert record.distribution == "undecided"


def test_the_plane_takes_nothing_from_the_covariances():
    # The oracle: the covariance of the noise by its construction, in one large flat image.
    values = 120 + 20 * correlated(seed=2)
    patches = flat_patches(to_image(values), np.ones(values.shape, bool))
    found = covariances(patches)
    assert found[0, 0] == pytest.approx(400, rel=0.01)
    assert found[0, 1] == pytest.approx(400 * 0.6 / 1.36, rel=0.02)
    for offset in ((0, 2), (0, 3), (1, 0), (2, 0), (3, 0)):
        assert abs(found[offset]) < 4


def test_a_slope_is_no_noise():
    rows, columns = np.indices((200, 200))
    slope = 60 + 0.4 * rows + 0.3 * columns
    patches = flat_patches(to_image(slope + 8 * white((200, 200))), np.ones((200, 200), bool))
    assert np.sqrt(covariances(patches)[0, 0]) == pytest.approx(8, rel=0.02)


def test_patches_are_chosen_by_what_surrounds_them():
    values = 100 + 10 * white((112, 112))
    rows = np.indices(values.shape)[0]
    values[:, 64:] += 80 * (np.sin(rows / 5) > 0)[:, 64:]
    patches = flat_patches(to_image(values), np.ones(values.shape, bool))
    number = len(patches.greys)
    assert number == 36
    chosen = choose_flat(patches, part=0.5, least=1)
    # None of the striped half, and what is chosen does not have the least noise by chance.
    assert chosen.unevenness.max() < 0.2
    assert np.sqrt(chosen.variances.mean()) == pytest.approx(10, rel=0.06)
    assert choose_flat(patches, part=0, least=50).greys.size == number


def test_row_offsets_of_patches_that_stand_alone_are_unknown():
    values = 100 + 10 * white((PATCH_PX * 2, PATCH_PX * 2))
    patches = flat_patches(to_image(values), np.ones(values.shape, bool))
    assert line_variance(patches) == 0


def test_without_a_mask_the_finest_part_is_the_same(tmp_path, steel):
    record = measured(tmp_path, steel + 7 * white())
    with TiledImage(tmp_path / "image.ome.tif") as image:
        assert fine_noise(image) == record.fine_grey


def test_a_record_is_read_as_it_was_written(tmp_path):
    field = ndimage.gaussian_filter(white(), 30)
    record = measured(tmp_path, 100 + 300 * field + 12 * white(seed=1))
    record.write(tmp_path / "noise.json")
    assert NoiseRecord.read(tmp_path / "noise.json") == record


@pytest.mark.parametrize(
    ("pixels", "rows_valid"),
    [
        (np.full((1, 1), 90, np.uint8), 1),
        (np.full((1, 300), 90, np.uint8), 1),
        (np.full((300, 300), 90, np.uint8), 300),
        (to_image(120 + 10 * white((300, 300))), 0),
        (to_image(120 + 10 * white((300, 300))), 25),
    ],
    ids=["one pixel", "one row", "one grey", "all masked", "mostly masked"],
)
def test_noise_that_cannot_be_measured_is_no_number(tmp_path, pixels, rows_valid):
    mask = np.zeros_like(pixels)
    mask[:rows_valid] = 255
    for name, values in (("image", pixels), ("valid", mask)):
        write_tiled(tmp_path / name, [values], shape=values.shape, pixel_size_nm=40.0, name=name)
    with open_pair(tmp_path / "image", tmp_path / "valid") as (image, valid):
        record = measure_noise(image, valid, panorama="P1")
        assert record.fine_grey is None and record.sigma_grey is None
        found = denoise_panorama(
            image,
            panorama="P1",
            method="wavelet",
            strength="calibrated",
            noise=record,
            path=tmp_path / "denoised",
        )
        with TiledImage(tmp_path / "denoised") as denoised:
            np.testing.assert_array_equal(denoised.read(), pixels)
    assert found.noise_grey_levels is None
    assert "could not be measured" in found.strength.reason


def test_a_small_image_tells_the_finest_part_alone(tmp_path):
    path = tmp_path / "image"
    pixels = to_image(120 + 10 * white((31, 40)))
    write_tiled(path, [pixels], shape=pixels.shape, pixel_size_nm=40.0, name="small")
    with TiledImage(path) as image:
        record = measure_noise(image, panorama="P1")
    # About 400 coefficients leave 8 % of statistical error.
    assert record.fine_grey == pytest.approx(10, rel=0.25)
    assert record.sigma_grey is None and record.patches <= 1
