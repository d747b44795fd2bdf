import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.image import AxesImage
from scipy import ndimage
from skimage.restoration import estimate_sigma
from test_figures import check_page, texts

from damascene.contracts.quality import QUALITY
from damascene.contracts.quality_record import QualityRecord
from damascene.contracts.table import read_tsv, write_tsv
from damascene.detection.darkness import DarkLimit, RelativeThreshold, dark_limit
from damascene.figures.quality import draw_quality
from damascene.images.store import TiledImage, write_tiled
from damascene.images.valid_area import BLANK, CHARGING, NO_IMAGE, VALID
from damascene.quality import blocks as blocks_module
from damascene.quality.blocks import block_edges, measure_blocks, with_detection
from damascene.quality.measures import quantile, sharpness
from damascene.quality.summary import outlying, summarise
from damascene.restoration.noise import measure_noise, noise_of

PIXEL_NM = 100.0
EDGE = 200


def scene(shape, *, noise=4.0, blur=1.0, seed=0):
    """Islands of grey 170 in 70, with soft edges and noise."""
    rng = np.random.default_rng(seed)
    islands = ndimage.gaussian_filter(rng.standard_normal(shape), 6) > 0.02
    smooth = ndimage.gaussian_filter(np.where(islands, 170.0, 70.0), blur)
    noisy = smooth + rng.normal(0, noise, shape)
    return noisy.round().clip(0, 255).astype(np.uint8)


def stored(folder, pixels, mask, name="p"):
    paths = folder / f"{name}.tif", folder / f"{name}.valid.tif"
    for path, image, pyramid in zip(paths, (pixels, mask), (True, False), strict=True):
        options = {"shape": pixels.shape, "pixel_size_nm": PIXEL_NM, "name": name}
        write_tiled(path, [image], pyramid=pyramid, **options)
    return TiledImage(paths[0]), TiledImage(paths[1])


def candidates_at(x, y):
    """Candidates with what the quality needs of them."""
    return pd.DataFrame({"x_px": np.array(x, float), "y_px": np.array(y, float)})


@given(greys=st.lists(st.integers(0, 255), min_size=1, max_size=60), proportion=st.floats(0.01, 1))
@settings(max_examples=100, deadline=None)
def test_the_quantile_of_a_histogram_is_that_of_its_greys(greys, proportion):
    counts = np.bincount(greys, minlength=256)
    assert quantile(counts, proportion) == np.quantile(greys, proportion, method="inverted_cdf")


def test_sharp_edges_have_sharpness_one_and_wide_ramps_the_least():
    row = np.arange(2000)
    steps = np.where(row // 50 % 2, 200, 50).astype(np.uint8)
    assert sharpness(np.tile(steps, (60, 1))) == pytest.approx(1, abs=0.01)
    ramp = (row % 250).astype(np.uint8)[: 250 * 8][:250]
    assert sharpness(np.tile(ramp, (60, 1))) == pytest.approx(5 * 3 / 35, rel=0.01)
    assert np.isnan(sharpness(np.full((50, 50), 90, np.uint8)))


def test_sharpness_falls_with_blur_and_not_with_noise_or_contrast():
    clean = [sharpness(scene((400, 400), noise=0, blur=blur)) for blur in (0.5, 1, 2, 4)]
    assert (np.diff(clean) < -0.05).all()
    for blur, expected in zip((0.5, 1, 2, 4), clean, strict=True):
        # 160,000 pixels leave about 0.02 of statistical error at this noise.
        assert sharpness(scene((400, 400), noise=15, blur=blur)) == pytest.approx(
            expected, abs=0.06
        )
    dim = (scene((400, 400), noise=0) * 0.5 + 30).round().astype(np.uint8)
    assert sharpness(dim) == pytest.approx(clean[1], abs=0.01)


def test_noise_is_the_estimate_of_scikit_image_and_can_leave_pixels_out():
    pixels = scene((301, 260), noise=6)
    assert noise_of(pixels) == pytest.approx(estimate_sigma(pixels.astype(float)))
    spoilt, usable = pixels.copy(), np.ones(pixels.shape, bool)
    usable[40:200, 100:] = False
    spoilt[~usable] = np.random.default_rng(1).integers(0, 255, (~usable).sum())
    # What is left out must not matter at all.
    assert noise_of(spoilt, usable) == noise_of(pixels, usable)
    assert noise_of(spoilt, usable) == pytest.approx(6, rel=0.1)
    assert noise_of(spoilt) > 1.4 * noise_of(pixels)
    left_out = sharpness(spoilt, usable)
    assert left_out == sharpness(pixels, usable)
    assert left_out == pytest.approx(sharpness(pixels), rel=0.1)


@given(length=st.integers(1, 40_000), pixel_size_nm=st.floats(10, 500))
@settings(max_examples=100, deadline=None)
def test_blocks_fill_the_panorama_and_are_nearly_equal(length, pixel_size_nm):
    edges = block_edges(length, pixel_size_nm=pixel_size_nm)
    sizes = np.diff(edges)
    assert edges[0] == 0 and edges[-1] == length and np.ptp(sizes) <= 1
    wanted = max(20_000 / pixel_size_nm, 128)
    assert len(sizes) == 1 or 2 / 3 * wanted - 1 <= sizes.mean() <= 4 / 3 * wanted


@pytest.fixture
def measured(tmp_path):
    """A panorama of 3 x 4 blocks: one dark, one blurred, one noisy, one without image."""
    pixels = scene((3 * EDGE, 4 * EDGE))
    soft = scene(pixels.shape, blur=4)
    rough = scene(pixels.shape, noise=20)
    pixels[:EDGE, :EDGE] = pixels[:EDGE, :EDGE] // 2
    pixels[:EDGE, 2 * EDGE : 3 * EDGE] = soft[:EDGE, 2 * EDGE : 3 * EDGE]
    pixels[EDGE : 2 * EDGE, EDGE : 2 * EDGE] = rough[EDGE : 2 * EDGE, EDGE : 2 * EDGE]
    mask = np.full(pixels.shape, VALID, np.uint8)
    mask[2 * EDGE :, : EDGE + 20] = NO_IMAGE
    mask[2 * EDGE :, 3 * EDGE :][:, 40:] = BLANK
    mask[500:510, 500:510] = CHARGING
    pixels[mask != VALID] = 0
    image, valid = stored(tmp_path, pixels, mask)
    yield image, valid, pixels, mask
    image.close()
    valid.close()


def test_every_block_is_measured_on_its_valid_pixels(measured):
    image, valid, pixels, mask = measured
    quality = measure_blocks(image, valid, panorama="p")
    table = quality.blocks
    assert list(zip(table["top_px"], table["left_px"], strict=True)) == [
        (top, left) for top in (0, 200, 400) for left in (0, 200, 400, 600)
    ]
    for row in table.itertuples():
        place = np.s_[row.top_px : row.top_px + EDGE, row.left_px : row.left_px + EDGE]
        inside = pixels[place][mask[place] == VALID]
        assert row.valid_fraction == pytest.approx(inside.size / EDGE**2)
        if row.valid_fraction >= 0.25:
            assert row.median_grey == np.quantile(inside, 0.5, method="inverted_cdf")
        else:
            assert np.isnan([row.median_grey, row.ferrite_grey, row.noise_grey]).all()
    np.testing.assert_array_equal(
        quality.histogram, np.bincount(pixels[mask == VALID], minlength=256)
    )
    assert quality.fractions == {
        name: pytest.approx((mask == code).mean())
        for name, code in (
            ("valid", VALID),
            ("no_image", NO_IMAGE),
            ("blank", BLANK),
            ("charging", CHARGING),
        )
    }
    by_place = table.set_index(["top_px", "left_px"])
    assert by_place.loc[(0, 0), "ferrite_grey"] == pytest.approx(35, abs=2)
    assert by_place.loc[(0, 200), "martensite_grey"] == pytest.approx(170, abs=3)
    assert by_place["sharpness"].idxmin() == (0, 400)
    assert by_place["noise_grey"].idxmax() == (200, 200)
    assert by_place.loc[(200, 200), "noise_grey"] == pytest.approx(20, rel=0.1)


def test_quality_does_not_depend_on_threads_and_windows(measured, monkeypatch):
    image, valid, *_ = measured
    expected = measure_blocks(image, valid, panorama="p")
    monkeypatch.setattr(blocks_module, "_WINDOW_PX", 250)
    quality = measure_blocks(image, valid, panorama="p", threads=3)
    pd.testing.assert_frame_equal(quality.blocks, expected.blocks)
    np.testing.assert_array_equal(quality.histogram, expected.histogram)


FIXED = DarkLimit(greys=np.full((1, 1), 20.0), block_px=10_000)


def complete(image, valid, *, x=(), y=(), limit=FIXED):
    quality = measure_blocks(image, valid, panorama="p")
    blocks = with_detection(
        quality.blocks, candidates_at(x, y), limit=limit, pixel_size_nm=PIXEL_NM
    )
    return quality, blocks


def test_candidates_fall_into_the_block_of_their_centroid(measured):
    image, valid, *_ = measured
    # Pixel 199 ends at 199.5, where the next block begins.
    _, blocks = complete(image, valid, x=[0, 199.4, 199.5, 799.5, 450], y=[0, 0, 0, 399, 399.6])
    counts = blocks.set_index(["top_px", "left_px"])["candidates"]
    assert counts[counts > 0].to_dict() == {(0, 0): 2, (0, 200): 1, (200, 600): 1, (400, 400): 1}
    densities = blocks.set_index(["top_px", "left_px"])["candidates_per_mm2"]
    assert densities[(0, 0)] == pytest.approx(2 / 0.02**2)
    # Charging is not counted as area.
    assert densities[(400, 400)] == pytest.approx(1 / (0.02**2 * (1 - 100 / EDGE**2)))


def test_relative_thresholds_follow_the_brightness(measured):
    image, valid, *_ = measured
    limit = dark_limit(image, valid, dark=RelativeThreshold(depth=0.42, block_px=EDGE))
    _, blocks = complete(image, valid, limit=limit)
    thresholds = blocks["threshold_grey"]
    assert len(thresholds) == 12 and 5 < thresholds.min() < thresholds.max() < 40


def test_outliers_are_few_and_far():
    values = np.r_[np.tile([9.0, 10, 11], 5), 20, np.nan]
    assert np.flatnonzero(outlying(values, sign=1, least_change=0.2)).tolist() == [15]
    assert not outlying(values, sign=-1, least_change=0.2).any()
    # Far by the spread of the others, but not enough to matter.
    assert not outlying(values, sign=1, least_change=1.5).any()
    assert not outlying(values, sign=1, least_change=0.2, least_deviation=3).any()
    assert not outlying(np.array([1.0, 1, 1, 9]), sign=1, least_change=0.2).any()


def test_notes_name_what_is_wrong(measured, tmp_path):
    image, valid, *_ = measured
    # Twenty candidates in one block, one in each other.
    x, y = np.tile([100, 300, 500, 700], 3), np.repeat([100, 300, 500], 4)
    quality, blocks = complete(image, valid, x=[*x, *[310] * 20], y=[*y, *[310] * 20])
    summary = summarise(quality, blocks=blocks, limit=FIXED)
    notes = "\n".join(summary.notes)
    for words in ("1 of 10 blocks is much noisier", "1 of 10 blocks is much more blurred"):
        assert words in notes
    assert "1 of 10 blocks is much richer in candidates" in notes
    # One dark block among bright neighbours is taken for a place without ferrite.
    assert "darker" not in notes
    summary.write(tmp_path / "quality.json")
    assert QualityRecord.read(tmp_path / "quality.json") == summary
    assert "NaN" not in (tmp_path / "quality.json").read_text()
    assert sum(summary.histogram) == (quality.histogram).sum()
    assert summary.measured_blocks == 10 and summary.blocks == 12


def test_a_dark_frame_is_named(tmp_path):
    pixels = scene((800, 2400), blur=0.6)
    pixels[:, :600] = pixels[:, :600] // 2
    image, valid = stored(tmp_path, pixels, np.full(pixels.shape, VALID, np.uint8))
    quality, blocks = complete(image, valid)
    (note,) = summarise(quality, blocks=blocks, limit=FIXED).notes
    assert "of 48 blocks are much darker" in note


def test_even_steel_needs_no_note(tmp_path):
    pixels = scene((800, 1200))
    image, valid = stored(tmp_path, pixels, np.full(pixels.shape, VALID, np.uint8))
    rng = np.random.default_rng(3)
    x, y = rng.uniform(0, 1199, 60), rng.uniform(0, 799, 60)
    quality, blocks = complete(image, valid, x=x, y=y)
    assert summarise(quality, blocks=blocks, limit=FIXED).notes == ()


def test_a_panorama_without_valid_pixels_is_no_crash(tmp_path):
    pixels = np.zeros((300, 500), np.uint8)
    image, valid = stored(tmp_path, pixels, np.full(pixels.shape, NO_IMAGE, np.uint8))
    quality, blocks = complete(image, valid)
    summary = summarise(quality, blocks=blocks, limit=FIXED)
    assert summary.median_grey is None and summary.fractions.no_image == 1
    figure = draw_quality(image, valid, blocks, summary, measure_noise(image, valid, panorama="p"))
    assert texts(figure).count("no valid block") == 4
    check_page(figure)


def test_the_table_survives_its_file(measured, tmp_path):
    image, valid, *_ = measured
    _, blocks = complete(image, valid, x=[300], y=[300])
    write_tsv(blocks, tmp_path / "quality.tsv", QUALITY)
    again = read_tsv(tmp_path / "quality.tsv", QUALITY)
    pd.testing.assert_frame_equal(again, blocks, rtol=1e-8)


@pytest.mark.parametrize("shape", [(600, 800), (400, 1200), (250, 2000), (1500, 300), (130, 150)])
def test_the_page_fits_panoramas_of_all_shapes(tmp_path, shape):
    mask = np.full(shape, VALID, np.uint8)
    mask[:, : shape[1] // 3] = NO_IMAGE
    mask[:20] = BLANK
    mask[shape[0] // 2 :, shape[1] // 2 :][:4, :4] = CHARGING
    image, valid = stored(tmp_path, scene(shape), mask)
    quality, blocks = complete(image, valid, x=[shape[1] - 20.0], y=[shape[0] - 20.0])
    summary = summarise(quality, blocks=blocks, limit=FIXED)
    notes = ("3 of 20 blocks are much darker than the rest (grey of ferrite 9)",) * 2
    summary = summary.model_copy(update={"notes": notes})
    figure = draw_quality(image, valid, blocks, summary, measure_noise(image, valid, panorama="p"))
    check_page(figure)
    shown = texts(figure)
    assert {"no image", "blank", "charging", "dark below 20"} <= set(shown)
    maps = {
        axes.get_title("left"): axes.findobj(AxesImage)[0].get_array()
        for axes in figure.axes
        if axes.get_title("left") in ("Noise", "Candidates")
    }
    grid = blocks["noise_grey"].to_numpy().reshape(blocks["top_px"].nunique(), -1)
    np.testing.assert_array_equal(maps["Noise"].filled(np.nan), grid)
    assert figure.get_figheight() * 25.4 < 300
