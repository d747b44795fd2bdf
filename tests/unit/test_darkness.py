import numpy as np
import pytest
from made_panoramas import write_pair
from scipy import ndimage
from skimage.exposure import match_histograms
from skimage.filters import threshold_otsu

from damascene.detection.darkness import (
    FixedThreshold,
    MatchedThreshold,
    RelativeThreshold,
    dark_limit,
    dark_pixels_by_strip,
    dark_pixels_of,
    grey_at,
    matched_greys,
    valid_histogram,
)
from damascene.detection.phase_greys import block_histograms, phase_greys, split_phases
from damascene.images.store import TiledImage, Window
from damascene.images.valid_area import BLANK, CHARGING, NO_IMAGE, VALID


@pytest.fixture
def stored(tmp_path):
    """Write arrays as a panorama and its mask and open both."""
    opened = []

    def store(image, mask=None):
        folder = tmp_path / str(len(opened))
        opened.extend(map(TiledImage, write_pair(folder, image, mask, pyramid=True)))
        return opened[-2:]

    yield store
    for image in opened:
        image.close()


def speckled(shape=(1100, 1300), seed=0):
    """Dark speckles on a ramp of brightness, and a mask with every code."""
    random = np.random.default_rng(seed)
    image = np.linspace(60, 140, shape[1]) + random.normal(0, 25, shape)
    mask = np.full(shape, VALID, np.uint8)
    mask[:, 1290:] = NO_IMAGE
    mask[510:600, 300:400] = BLANK
    mask[random.random(shape) < 0.001] = CHARGING
    image = image.clip(0, 255).astype(np.uint8)
    image[mask == NO_IMAGE] = 0
    return image, mask


def joined(strips):
    names = ("rows", "columns", "greys", "beside_invalid")
    strips = list(strips)
    return [np.concatenate([getattr(strip, name) for strip in strips]) for name in names]


def test_strips_hold_the_dark_pixels_in_order(stored):
    image, mask = speckled()
    pair = stored(image, mask)
    strips = list(dark_pixels_by_strip(*pair, dark=FixedThreshold(grey=45), strip_rows=300))
    assert [strip.rows.min() // 300 for strip in strips] == [0, 1, 2, 3]
    rows, columns, greys, beside = joined(strips)
    expected = np.nonzero((image < 45) & (mask == VALID))
    np.testing.assert_array_equal((rows, columns), expected)
    np.testing.assert_array_equal(greys, image[expected])
    neighbours = ndimage.binary_dilation(mask != VALID, np.ones((3, 3)))
    np.testing.assert_array_equal(beside, neighbours[expected])
    assert beside.any() and not beside.all()
    assert (rows.dtype, columns.dtype, greys.dtype) == (np.int64, np.int64, np.uint8)


@pytest.mark.parametrize(
    "dark", [FixedThreshold(grey=45), RelativeThreshold(depth=0.42, block_px=100)]
)
def test_strips_and_threads_change_nothing(stored, dark):
    pair = stored(*speckled(seed=1))
    expected = joined(dark_pixels_by_strip(*pair, dark=dark))
    assert len(expected[0]) > 1000
    for strip_rows, threads in ((97, 2), (512, 3), (5000, 1)):
        found = joined(
            dark_pixels_by_strip(*pair, dark=dark, strip_rows=strip_rows, threads=threads)
        )
        for one, other in zip(found, expected, strict=True):
            np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("around_px", [0, 5])
def test_a_window_anywhere_has_the_dark_pixels_of_the_panorama(stored, around_px):
    image, valid = stored(*speckled(seed=2))
    dark = RelativeThreshold(depth=0.42, block_px=100)
    (whole,) = dark_pixels_by_strip(image, valid, dark=dark, strip_rows=5000, around_px=around_px)
    window = Window(top=470, left=260, bottom=640, right=450)
    limit = dark_limit(image, valid, dark=dark)
    found = dark_pixels_of(image.read(window), valid, window, limit, around_px=around_px)
    inside = (whole.rows >= window.top) & (whole.rows < window.bottom)
    inside &= (whole.columns >= window.left) & (whole.columns < window.right)
    assert inside.sum() > 100 and found.beside_invalid.any()
    for name in ("rows", "columns", "greys", "beside_invalid"):
        np.testing.assert_array_equal(getattr(found, name), getattr(whole, name)[inside])
    if around_px:
        # Surroundings beyond the window are not seen, all others are the same.
        clear = (found.rows >= window.top + around_px) & (found.rows < window.bottom - around_px)
        clear &= found.columns >= window.left + around_px
        clear &= found.columns < window.right - around_px
        np.testing.assert_array_equal(found.around[clear], whole.around[inside][clear])


@pytest.mark.parametrize(
    ("dark", "greys"),
    [
        (FixedThreshold(grey=20), [0, 19]),
        (FixedThreshold(grey=20, inclusive=True), [0, 19, 20]),
        (FixedThreshold(grey=20.5), [0, 19, 20]),
        (FixedThreshold(grey=20.5, inclusive=True), [0, 19, 20]),
        (FixedThreshold(grey=0), []),
        (FixedThreshold(grey=0, inclusive=True), [0]),
        (FixedThreshold(grey=255), [0, 19, 20, 21, 254]),
        (FixedThreshold(grey=255, inclusive=True), [0, 19, 20, 21, 254, 255]),
    ],
)
def test_a_fixed_threshold_includes_its_grey_on_request(stored, dark, greys):
    pair = stored(np.array([[0, 19, 20, 21, 254, 255]], np.uint8))
    assert joined(dark_pixels_by_strip(*pair, dark=dark))[2].tolist() == greys


def two_phases(shape=(900, 1200), *, ferrite=70, martensite=160, seed=0):
    """Martensite islands on ferrite with noise, and square cavities."""
    random = np.random.default_rng(seed)
    islands = ndimage.gaussian_filter(random.normal(size=shape), 8)
    greys = np.where(islands > np.quantile(islands, 0.7), martensite, ferrite)
    greys = greys + random.normal(0, 3, shape)
    for top in range(50, shape[0] - 8, 100):
        greys[top : top + 8, 50::100] = 12
    return greys


def cavities(image):
    """Mark the cavities of `two_phases`: the first column of each."""
    rows = np.concatenate([np.arange(top, top + 8) for top in range(50, image.shape[0] - 8, 100)])
    return np.stack(np.meshgrid(rows, np.arange(50, image.shape[1], 100), indexing="ij"))


def as_grey(values):
    return np.rint(values).clip(0, 255).astype(np.uint8)


RELATIVE = RelativeThreshold(depth=0.46, block_px=200)


def ramp(shape, low, high):
    return np.broadcast_to(np.linspace(low, high, shape[1]), shape)


@pytest.mark.parametrize(
    "change",
    [
        lambda image: image,
        lambda image: image + 60,
        # Cavities are cut off at black.
        lambda image: image - 25,
        lambda image: 0.6 * image,
        lambda image: 1.4 * image,
        lambda image: 60 + 0.6 * image,
        lambda image: image * ramp(image.shape, 0.7, 1.3),
        lambda image: image + ramp(image.shape, -10, 40),
        lambda image: image * ramp(image.shape, 1, 0.6) + ramp(image.shape, 0, 50),
    ],
)
def test_relative_thresholds_follow_brightness_and_contrast(stored, change):
    image = two_phases()
    pair = stored(as_grey(change(image)))
    rows, columns, *_ = joined(dark_pixels_by_strip(*pair, dark=RELATIVE))
    found = np.zeros(image.shape, bool)
    found[rows, columns] = True
    expected = np.zeros(image.shape, bool)
    expected[tuple(cavities(image))] = True
    np.testing.assert_array_equal(found, expected)


def test_levels_change_with_the_image(stored):
    image = two_phases()
    before = phase_greys(*stored(as_grey(image)), block_px=200)
    np.testing.assert_allclose(before.ferrite, 70, atol=1)
    np.testing.assert_allclose(before.step, 90, atol=2)
    after = phase_greys(*stored(as_grey(40 + 0.7 * image)), block_px=200)
    # Greys are whole numbers.
    np.testing.assert_allclose(after.ferrite, 40 + 0.7 * before.ferrite, atol=0.7)
    np.testing.assert_allclose(after.step, 0.7 * before.step, atol=1)


def test_phases_are_split_as_by_otsu():
    random = np.random.default_rng(2)
    for share in (0.3, 0.5, 0.7):
        greys = as_grey(np.where(random.random(5000) < share, 150, 70) + random.normal(0, 9, 5000))
        ferrite, martensite = split_phases(np.bincount(greys, minlength=256))
        threshold = threshold_otsu(greys)
        # Quantiles of whole numbers, and of the same spread evenly over their bins.
        assert ferrite == pytest.approx(np.median(greys[greys <= threshold]), abs=0.5)
        assert martensite == pytest.approx(np.median(greys[greys > threshold]), abs=0.5)


def test_one_phase_is_not_split_in_two():
    random = np.random.default_rng(4)
    grain = as_grey(random.normal(70, 10, 20_000))
    cavity = as_grey(random.normal(10, 3, 1000))
    carbides = as_grey(random.normal(220, 5, 200))
    for greys in (grain, np.r_[grain, cavity], np.full(100, 70), np.r_[np.full(100, 70), 0]):
        ferrite, martensite = split_phases(np.bincount(greys, minlength=256))
        assert np.isnan(martensite)
        assert 60 < ferrite <= 70.5
    assert np.isnan(split_phases(np.bincount(np.r_[grain, carbides], minlength=256))[1])
    assert np.isnan(split_phases(np.zeros((2, 256), int))).all()


def test_blocks_without_two_phases_take_the_levels_beside_them(stored):
    image = two_phases((1000, 1000))
    random = np.random.default_rng(6)
    image[200:400, 200:400] = 8
    image[600:800, 200:400] = random.normal(60, 5, (200, 200))
    mask = np.full(image.shape, VALID, np.uint8)
    mask[:400, 600:] = NO_IMAGE
    image[mask != VALID] = 0
    mask[:5, 600:] = VALID
    levels = phase_greys(*stored(as_grey(image), mask), block_px=200, threads=2)
    np.testing.assert_allclose(levels.ferrite, 70, atol=2)
    np.testing.assert_allclose(levels.step, 90, atol=3)


def test_a_panorama_of_one_phase_has_a_threshold_still(stored):
    image = np.full((300, 400), 100, np.uint8)
    image[50:60, 50:60] = 0
    pair = stored(image)
    assert len(joined(dark_pixels_by_strip(*pair, dark=RELATIVE))[0]) == 100
    assert dark_limit(*pair, dark=RELATIVE).greys == pytest.approx(100 * (1 - 0.46 * 1.5), abs=1)


def test_without_valid_pixels_nothing_is_dark(stored):
    pair = stored(np.zeros((300, 400), np.uint8), np.full((300, 400), NO_IMAGE, np.uint8))
    reference = np.bincount([3, 7, 7], minlength=256)
    for dark in (
        RELATIVE,
        FixedThreshold(grey=20),
        MatchedThreshold(grey=20, reference_histogram=reference),
    ):
        assert len(joined(dark_pixels_by_strip(*pair, dark=dark))[0]) == 0


@pytest.mark.parametrize("block_px", [90, 230, 437])
def test_block_histograms_count_the_reduced_image(stored, block_px):
    image, mask = speckled(shape=(1101, 1303), seed=3)
    pair = stored(image, mask)
    counts = block_histograms(*pair, block_px=block_px, threads=2)
    scale = {90: 1, 230: 2, 437: 4}[block_px]
    if scale == 4:
        # Two levels: 1303 columns, 652, 326.
        assert pair[0].level_count == 2
        scale = 2
    padded = np.pad(image, ((0, -1101 % scale), (0, -1303 % scale)), mode="edge").astype(int)
    valid = np.pad(mask == VALID, ((0, -1101 % scale), (0, -1303 % scale)), mode="edge")
    shape = (padded.shape[0] // scale, scale, padded.shape[1] // scale, scale)
    small = (padded.reshape(shape).sum(axis=(1, 3)) + scale**2 // 2) // scale**2
    valid = valid.reshape(shape).all(axis=(1, 3))
    rows, columns = np.nonzero(valid)
    block = [((positions + 0.5) * scale / block_px).astype(int) for positions in (rows, columns)]
    expected = np.zeros_like(counts)
    np.add.at(expected, (*block, small[rows, columns]), 1)
    np.testing.assert_array_equal(counts, expected)


def test_matched_greys_are_those_of_scikit_image():
    random = np.random.default_rng(8)
    image = as_grey(random.normal(90, 20, (200, 300)))
    reference = as_grey(random.gamma(4, 20, (150, 250)))
    matched = matched_greys(
        np.bincount(image.ravel(), minlength=256),
        reference=np.bincount(reference.ravel(), minlength=256),
    )
    np.testing.assert_allclose(matched[image], match_histograms(image, reference))


@pytest.mark.parametrize("inclusive", [False, True])
@pytest.mark.parametrize("grey", [0, 5.5, 30.6, 80, 255])
def test_a_matched_threshold_finds_what_is_dark_after_matching(stored, grey, inclusive):
    image, mask = speckled(seed=5)
    reference, _ = speckled(shape=(300, 500), seed=6)
    reference = as_grey(reference * 0.6 + 10)
    histogram = np.bincount(reference.ravel(), minlength=256)
    pair = stored(image, mask)
    np.testing.assert_array_equal(
        valid_histogram(*pair, threads=2), np.bincount(image[mask == VALID], minlength=256)
    )
    dark = MatchedThreshold(grey=grey, inclusive=inclusive, reference_histogram=histogram)
    rows, columns, *_ = joined(dark_pixels_by_strip(*pair, dark=dark))
    inside = np.nonzero(mask == VALID)
    matched = match_histograms(image[inside], reference.ravel())
    is_dark = matched <= grey if inclusive else matched < grey
    np.testing.assert_array_equal((rows, columns), np.array(inside)[:, is_dark])


def test_greys_are_interpolated_between_block_centres():
    greys = np.array([[10.0, 20.0], [30.0, 60.0]])
    # Centres of blocks of 10 lie at 4.5 and 14.5.
    rows = np.array([0, 4, 9, 10, 19, 9])
    columns = np.array([0, 4, 0, 0, 19, 9])
    expected = [10, 10, 10 + 20 * 0.45, 10 + 20 * 0.55, 60, None]
    upper, lower = 10 + 10 * 0.45, 30 + 30 * 0.45
    expected[-1] = upper + (lower - upper) * 0.45
    np.testing.assert_allclose(grey_at(greys, rows, columns, block_px=10), expected)
