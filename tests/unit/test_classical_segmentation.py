"""Multi-Otsu and forest on pixels against scikit-image and scikit-learn called directly."""

import numpy as np
import pytest
from made_panoramas import write_pair
from scipy import ndimage
from skimage.feature import multiscale_basic_features
from skimage.filters import threshold_multiotsu

from damascene import InputError
from damascene.images.store import TiledImage, write_tiled
from damascene.segmentation.classical import learn_classical_phases
from damascene.segmentation.multi_otsu import (
    MultiOtsu,
    fit_multi_otsu,
    multi_otsu_map,
    multi_otsu_thresholds,
    phases_by_grey,
    smoothed_grey,
)
from damascene.segmentation.pixel_forest import (
    HALO_PX,
    draw_pixels,
    forest_answers,
    grow_pixel_forest,
    pixel_features,
)
from damascene.segmentation.segment import segment_panorama

SHAPE = (220, 620)
#: Grey values of the phases 1, 2, 3: the second is the darkest.
GREYS = (120, 50, 200)
PHASES = ("grey", "dark", "bright")


@pytest.fixture(scope="module")
def steel(tmp_path_factory):
    """Return image, valid area and labels, as arrays and as files, of noisy islands."""
    rng = np.random.default_rng(0)
    field = ndimage.gaussian_filter(rng.normal(size=SHAPE), 12)
    labels = np.digitize(field, np.quantile(field, [0.5, 0.85])).astype(np.uint8) + 1
    clean = np.array(GREYS)[labels - 1]
    image = np.clip(clean + rng.normal(0, 20, SHAPE), 0, 255).astype(np.uint8)
    valid = np.ones(SHAPE, bool)
    valid[:, :100] = False
    image[~valid] = 0
    folder = tmp_path_factory.mktemp("steel")
    paths = write_pair(folder, image, valid)
    files = [TiledImage(path) for path in paths]
    yield image, valid, labels, files
    for file in files:
        file.close()


def labels_in(labels):
    return lambda window: labels[window.slices()]


def test_thresholds_are_those_of_scikit_image():
    image = np.random.default_rng(1).normal(120, 40, (200, 200)).clip(0, 255).astype(np.uint8)
    histogram = np.bincount(image.ravel(), minlength=256)
    expected = threshold_multiotsu(image, classes=4)
    np.testing.assert_array_equal(multi_otsu_thresholds(histogram, phase_count=4), expected)
    np.testing.assert_array_equal(
        phases_by_grey(image, expected, order=(2, 0, 3, 1)),
        np.array([3, 1, 4, 2])[np.digitize(image, expected, right=True)],
    )


def test_as_many_grey_values_as_phases_are_told_apart():
    histogram = np.zeros(256, int)
    histogram[[10, 90, 200]] = 5, 7, 9
    thresholds = multi_otsu_thresholds(histogram, phase_count=3)
    greys = np.array([10, 90, 200], np.uint8)
    assert phases_by_grey(greys, thresholds, order=(0, 1, 2)).tolist() == [1, 2, 3]


def test_a_blank_panorama_is_refused():
    histogram = np.zeros(256, int)
    histogram[7] = 100
    with pytest.raises(InputError, match=r"1 grey value.* into 3 phases"):
        multi_otsu_thresholds(histogram, phase_count=3)


def test_multi_otsu_learns_which_phase_is_dark_and_how_much_to_smooth(steel):
    _, _, labels, files = steel
    model = fit_multi_otsu([(*files, labels_in(labels))], phase_count=3)
    assert model.order == (1, 0, 2)
    # Noise of 20 grey levels asks for some smoothing, islands of 12 px allow no more than a little.
    assert model.sigma_px in (1, 2)
    found = np.concatenate(list(multi_otsu_map(*files, model)))
    assert (found == labels)[:, 100:].mean() > 0.9


def test_a_map_by_multi_otsu_is_that_of_the_whole_image(steel):
    image, valid, _, files = steel
    model = MultiOtsu(sigma_px=2, order=(1, 0, 2))
    smoothed = np.rint(ndimage.gaussian_filter(image.astype(np.float32), 2)).astype(np.uint8)
    np.testing.assert_array_equal(smoothed_grey(image, sigma_px=2), smoothed)
    thresholds = threshold_multiotsu(
        hist=(np.bincount(smoothed[valid], minlength=256), np.arange(256)), classes=3
    )
    expected = phases_by_grey(smoothed, thresholds, order=model.order)
    found = np.concatenate(list(multi_otsu_map(*files, model, threads=2)))
    np.testing.assert_array_equal(found, expected)


def test_features_are_those_of_scikit_image_and_local(steel):
    image = steel[0]
    whole = pixel_features(image)
    assert whole.shape == (*SHAPE, 20) and whole.dtype == np.float32
    np.testing.assert_array_equal(
        whole, multiscale_basic_features(image, sigma_min=1, sigma_max=16)
    )
    part = pixel_features(image[:, 300:])
    np.testing.assert_array_equal(part[:, HALO_PX:], whole[:, 300 + HALO_PX :])


def test_a_forest_learns_and_answers_in_blocks_as_in_the_whole_image(steel):
    image, valid, labels, files = steel
    known = np.where(valid, labels, 0)
    lessons = draw_pixels([(files[0], labels_in(known))], phase_count=3, pixels=3000, seed=0)
    whole = pixel_features(image).reshape(-1, 20)
    # Every pixel that was drawn is one of the image.
    assert {row.tobytes() for row in lessons[0]} <= {row.tobytes() for row in whole}
    forest = grow_pixel_forest(*lessons, seed=3)
    found = np.concatenate(list(forest_answers(forest.predict_proba, files[0], phase_count=3)))
    expected = forest.predict_proba(whole).reshape(*SHAPE, 3)
    np.testing.assert_allclose(found, expected, atol=1e-6)
    assert (found.argmax(axis=-1) + 1 == labels)[valid].mean() > 0.95
    only = forest_answers(
        forest.predict_proba, files[0], phase_count=3, wanted=lambda window: window.left > 0
    )
    only = np.concatenate(list(only))
    np.testing.assert_array_equal(only[:, 512:], found[:, 512:])
    assert not only[:, :512].any()


def drawn_shares(steel, natural, **options):
    rng = np.random.default_rng(4)
    labels = rng.choice(len(natural), SHAPE, p=natural).astype(np.uint8)
    features, phases = draw_pixels(
        [(steel[3][0], labels_in(labels))], phase_count=len(natural) - 1, seed=0, **options
    )
    assert len(features) == len(phases)
    return labels, np.bincount(phases, minlength=len(natural) - 1)


def test_rare_phases_are_drawn_more_often(steel):
    natural = np.array([0.1, 0.6, 0.28, 0.02])
    _, counts = drawn_shares(steel, natural, pixels=20_000)
    assert abs(counts.sum() - 20_000) < 500
    expected = np.sqrt(natural[1:]) / np.sqrt(natural[1:]).sum()
    np.testing.assert_allclose(counts / counts.sum(), expected, atol=0.02)


def test_fewer_pixels_than_asked_for_are_all_taken(steel):
    labels, counts = drawn_shares(steel, [0.999, 0.0005, 0.0005], pixels=10_000)
    assert counts.tolist() == np.bincount(labels.ravel())[1:].tolist()


def test_pixels_come_from_so_many_blocks_at_most(steel):
    _, counts = drawn_shares(steel, [0.0, 0.5, 0.5], pixels=10**9, blocks=1)
    assert counts.sum() in {220 * 512, 220 * 108}


@pytest.mark.parametrize("method", ["multi_otsu", "random_forest"])
def test_what_is_learned_makes_the_maps_of_the_study(steel, tmp_path, method):
    image, valid, labels, files = steel
    known = np.where(valid, labels, 0).astype(np.uint8)
    # Few enough for the trees to grow in a second.
    known[:, 200:] = 0
    path = tmp_path / "labels.ome.tif"
    write_tiled(path, [known], shape=SHAPE, pixel_size_nm=40, name="labels", pyramid=False)
    learned = learn_classical_phases(
        ["p"],
        [files[0].path],
        [files[1].path],
        [path],
        method=method,
        phases=PHASES,
        trained_on="one label image",
        seed=1,
        pixels_path=tmp_path / "classical_phases.npz",
    )
    learned.write(tmp_path / "classical_phases.json")
    record = segment_panorama(
        *files,
        panorama="p",
        model_path=tmp_path / "classical_phases.json",
        phases=PHASES,
        method=method,
        path=tmp_path / "phases.ome.tif",
    )
    with TiledImage(tmp_path / "phases.ome.tif") as written:
        found = written.read()
    lessons = [(*files, labels_in(known))]
    if method == "multi_otsu":
        model = fit_multi_otsu(lessons, phase_count=3)
        expected = np.concatenate(list(multi_otsu_map(*files, model)))
        assert record.confidence is None
    else:
        drawn = draw_pixels([(files[0], labels_in(known))], phase_count=3, seed=1)
        forest = grow_pixel_forest(*drawn, seed=1)
        answers = forest.predict_proba(pixel_features(image).reshape(-1, 20)).reshape(*SHAPE, 3)
        expected = answers.argmax(axis=-1) + 1
        assert record.confidence == pytest.approx(answers.max(axis=-1)[valid].mean(), abs=1e-3)
    expected = np.where(valid, expected, 0)
    np.testing.assert_array_equal(found, expected)
    assert record.method == method and record.trained_on == "one label image"
    assert record.pixels == {
        name: int((found == number).sum()) for number, name in enumerate(PHASES, 1)
    }


@pytest.mark.parametrize("method", ["multi_otsu", "random_forest"])
@pytest.mark.parametrize("highest", [0, 2])
def test_nothing_is_learned_without_one_of_the_phases(steel, tmp_path, method, highest):
    """Where the phase is labelled in what is not valid alone, too."""
    _, valid, labels, files = steel
    path = tmp_path / "labels.ome.tif"
    few = np.where(valid, np.minimum(labels, highest), 3).astype(np.uint8)
    write_tiled(path, [few], shape=SHAPE, pixel_size_nm=40, name="labels", pyramid=False)
    with pytest.raises(InputError, match=r"No valid pixel is labelled as .*bright"):
        learn_classical_phases(
            ["p"],
            [files[0].path],
            [files[1].path],
            [path],
            method=method,
            phases=PHASES,
            trained_on="",
            seed=1,
        )


def test_multi_otsu_leaves_panoramas_without_a_valid_pixel_empty(steel, tmp_path):
    """They have no thresholds of their own, and change nothing of what others teach."""
    _, _, labels, files = steel
    paths = write_pair(tmp_path, np.zeros(SHAPE, np.uint8), np.zeros(SHAPE, bool))
    lesson = (*files, labels_in(labels))
    with TiledImage(paths[0]) as image, TiledImage(paths[1]) as valid:
        nothing = (image, valid, labels_in(np.zeros_like(labels)))
        model = fit_multi_otsu([lesson, nothing], phase_count=3)
        assert model == fit_multi_otsu([lesson], phase_count=3)
        assert sum(map(len, multi_otsu_map(image, valid, model))) == SHAPE[0]
