"""Panoramas held against a training set: measures, distances, verdicts, and what is said."""

import numpy as np
import pandas as pd
import pytest
from made_records import panorama_record
from scipy import ndimage
from sklearn.decomposition import PCA

from damascene import InputError
from damascene.classification.compared_sites import MOST_SITES, sampled_in_strip, sampled_rows
from damascene.contracts.domain_shift import VERDICT
from damascene.contracts.training_condition import TrainingCondition
from damascene.figures.shift import draw_shift
from damascene.images.store import open_pair, write_all_valid, write_tiled
from damascene.images.tiles import strip_slice
from damascene.shift.compare import _judged, measure_shift, read_condition
from damascene.shift.condition import write_condition
from damascene.shift.image_measures import MOST_WINDOWS, measure_windows, structure_px
from damascene.shift.measures import EMBEDDING, MEASURES, panorama_values, training_ranges
from damascene.shift.space import AXES, Space, fit_space
from damascene.shift.table import shift_table
from damascene.statistics.caveats import MARK, shift_lines

SIZE_NM = 40


def steel(seed, *, grain_px=8, noise=3.0, blur=0.6, shape=(512, 768)):
    """Return two phases with soft edges and white noise, as a picture of dual-phase steel."""
    rng = np.random.default_rng(seed)
    field = ndimage.gaussian_filter(rng.normal(size=shape), grain_px)
    phases = np.where(field > np.quantile(field, 0.65), 180.0, 80.0)
    picture = ndimage.gaussian_filter(phases, blur) + rng.normal(0, noise, shape)
    return np.rint(picture).clip(0, 255).astype(np.uint8)


def features_of(rng, count, *, shift=0.0):
    """Return features that vary in few directions, and how others differ: in all of them."""
    mixing = np.random.default_rng(5).normal(size=(6, 80))
    return (
        rng.normal(size=(count, 6)) @ mixing
        + rng.normal(0, 0.5, (count, 80))
        + shift * rng.normal(size=(count, 80))
    )


@pytest.fixture
def opened(tmp_path):
    pairs = []

    def open_steel(pixels, pixel_size_nm=SIZE_NM):
        place = tmp_path / str(len(pairs))
        place.mkdir()
        image, valid = place / "image.ome.tif", place / "valid.ome.tif"
        shape = {"shape": pixels.shape, "pixel_size_nm": pixel_size_nm}
        write_tiled(image, [pixels], name="image", **shape)
        write_all_valid(valid, name="valid", **shape)
        pair = open_pair(image, valid, by_windows=True)
        pairs.append(pair)
        return pair.__enter__()

    yield open_steel
    for pair in pairs:
        pair.__exit__(None, None, None)


def record(pixels, pixel_size_nm=SIZE_NM):
    return panorama_record(
        "test",
        pixel_size_nm=pixel_size_nm,
        shape=pixels.shape,
    )


@pytest.fixture
def condition(opened):
    """Return the training condition of four panoramas of one kind."""
    rng, windows, values = np.random.default_rng(0), [], {}
    for seed in range(4):
        measured = measure_windows(*opened(steel(seed)))
        windows.append(measured)
        values[str(seed)] = panorama_values(
            measured, pixel_size_nm=SIZE_NM, candidates=8, area_mm2=record(steel(0)).valid_area_mm2
        )
    known = TrainingCondition(
        panoramas=tuple(values),
        sites=120,
        groups=12,
        embedding="steel_lite0",
        window="5 um",
        measures=training_ranges(pd.concat(windows), values),
        versions={},
    )
    return known, fit_space(features_of(rng, 120), np.repeat(np.arange(12), 10))


def shift_of(opened, condition, pixels, *, pixel_size_nm=SIZE_NM, candidates=30, shift=0.0):
    rng = np.random.default_rng(9)
    return measure_shift(
        *opened(pixels, pixel_size_nm),
        record(pixels, pixel_size_nm),
        candidates=candidates,
        features=features_of(rng, candidates, shift=shift),
        condition=condition,
    )


def flags(shift):
    return {one.measure: one.flag for one in shift.measures}


def test_another_panorama_of_the_same_kind_is_within(opened, condition):
    for seed in (11, 12, 13):
        shift = shift_of(opened, condition, steel(seed))
        assert shift.flag == "within", shift.reason
        assert shift.withheld == "" and set(flags(shift).values()) == {"within"}


@pytest.mark.parametrize(
    ("changes", "measure", "flag"),
    [
        ({"noise": 25.0}, "noise_grey", "foreign"),
        ({"blur": 3.0}, "sharpness", "foreign"),
        ({"grain_px": 40}, "structure_um", "foreign"),
    ],
)
def test_an_image_of_another_kind_is_foreign(opened, condition, changes, measure, flag):
    shift = shift_of(opened, condition, steel(11, **changes))
    assert flags(shift)[measure] == flag and shift.flag == "foreign"
    assert shift.withheld == shift.reason != ""


def test_other_pixels_are_beyond_and_classes_are_still_counted(opened, condition):
    pixels = steel(11, grain_px=4)
    shift = shift_of(opened, condition, pixels, pixel_size_nm=2 * SIZE_NM, candidates=30)
    assert flags(shift)["pixel_size_nm"] == "beyond" and "pixel size 80" in shift.reason


def test_sites_unlike_any_in_training_are_foreign(opened, condition):
    shift = shift_of(opened, condition, steel(11), shift=1.0)
    assert flags(shift)[EMBEDDING] == shift.flag == "foreign"


@pytest.mark.parametrize("candidates", [0, 1, 5])
def test_few_candidates_are_no_fault(opened, condition, candidates):
    shift = shift_of(opened, condition, steel(11), candidates=candidates)
    assert shift.flag == "within" and flags(shift)["candidates_per_mm2"] == "within"
    assert ("no candidates" in shift.reason) == (candidates == 0)


def test_networks_without_a_condition_are_said_not_to_be_tested(opened):
    shift = shift_of(opened, None, steel(11))
    assert shift.flag == "not_tested" and shift.withheld == ""
    table = shift_table([shift])
    (line,) = shift_lines(table)
    assert line.startswith(MARK) and "not tested, because" in line
    draw_shift(table)


def test_few_training_sites_compare_the_image_alone(opened, condition):
    shift = shift_of(opened, (condition[0], None), steel(11))
    assert flags(shift)[EMBEDDING] == "not_tested" and shift.flag == "within"
    assert "were not compared" in shift.reason


def test_table_has_a_verdict_for_each_panorama_and_lines_name_the_worst_first(opened, condition):
    shifts = [
        shift_of(opened, condition, pixels).model_copy(update={"panorama": name})
        for name, pixels in {"good": steel(11), "noisy": steel(11, noise=25)}.items()
    ]
    table = shift_table(shifts)
    assert len(table) == 2 * (len(MEASURES) + 1)
    verdicts = table[table["measure"] == VERDICT].set_index("panorama")
    assert verdicts["flag"].to_dict() == {"good": "within", "noisy": "foreign"}
    assert [line.split(":")[0] for line in shift_lines(table)] == [f"{MARK}noisy"]
    many = shift_table([shifts[1].model_copy(update={"panorama": f"p{n}"}) for n in range(5)])
    assert len(shift_lines(many)) == 1 and "5 of 5 panoramas" in shift_lines(many)[0]
    draw_shift(table)


def test_condition_survives_a_file_and_damage_is_told(condition, tmp_path):
    path = tmp_path / "condition.json"
    write_condition(*condition, path)
    known, space = read_condition(path)
    assert known == condition[0]
    probe = features_of(np.random.default_rng(3), 20)
    # Half precision has three digits.
    np.testing.assert_allclose(space.distances(probe), condition[1].distances(probe), rtol=5e-3)
    path.with_suffix(".npz").write_bytes(b"no archive")
    with pytest.raises(InputError, match=r"condition\.npz .* domain shift is not tested"):
        read_condition(path)
    write_condition(condition[0], None, path)
    assert read_condition(path)[1] is None
    path.with_suffix(".npz").unlink()
    assert read_condition(path)[1] is None


def test_distance_is_the_residual_of_principal_components():
    """scikit-learn as the oracle, on standardised features."""
    rng = np.random.default_rng(1)
    features, groups = features_of(rng, 90), np.arange(90) // 9
    space = fit_space(features, groups)
    standard = (features - features.mean(axis=0)) / features.std(axis=0)
    pca = PCA(AXES, svd_solver="full").fit(standard)
    rest = standard - pca.inverse_transform(pca.transform(standard))
    expected = np.sqrt((rest**2).mean(axis=1))
    np.testing.assert_allclose(space.distances(features), expected, rtol=1e-3)


def test_neither_order_of_sites_nor_names_of_groups_matter():
    rng = np.random.default_rng(2)
    features, groups = features_of(rng, 80), np.arange(80) // 8
    order = rng.permutation(80)
    one, other = fit_space(features, groups), fit_space(features[order], groups[order])
    probe = features_of(rng, 10)
    np.testing.assert_allclose(one.distances(probe), other.distances(probe), rtol=1e-3)
    np.testing.assert_allclose(one.within[order], other.within, rtol=1e-3)


def test_yardstick_is_wider_for_fewer_sites():
    space = fit_space(features_of(np.random.default_rng(2), 120), np.arange(120) // 10)
    limits = [space.yardstick(count) for count in (1, 5, 50)]
    assert limits == sorted(limits, reverse=True) and limits[0] > limits[2]


def test_structure_grows_with_its_scale_and_not_with_brightness():
    fine, coarse = (structure_px(steel(3, grain_px=size)) for size in (6, 12))
    # Of one random field each, in a window of some tens of grains.
    assert coarse / fine == pytest.approx(2, rel=0.25)
    darker = (steel(3, grain_px=6) // 2).astype(np.uint8)
    assert structure_px(darker) == pytest.approx(fine, rel=0.05)
    assert np.isnan(structure_px(np.full((300, 300), 7, np.uint8)))


def test_windows_are_few_in_large_panoramas_and_small_ones_are_measured(opened):
    big = np.tile(steel(0, shape=(512, 512)), (6, 8))
    assert 12 <= len(measure_windows(*opened(big))) <= MOST_WINDOWS
    assert len(measure_windows(*opened(steel(0, shape=(200, 300))))) == 1


@pytest.mark.parametrize("count", [0, 1, 255, 256, 257, 5000])
def test_strips_together_sample_what_a_whole_panorama_does(count):
    whole = sampled_rows(count)
    assert len(whole) == min(count, MOST_SITES) and len(set(whole)) == len(whole)
    parts = [strip_slice(count, strip=(one, 3), step=256) for one in range(3)]
    joined = [part.start + sampled_in_strip(count, part) for part in parts]
    np.testing.assert_array_equal(np.concatenate(joined), whole)


def test_what_is_no_number_is_not_tested_and_never_within(opened, condition):
    for value, high in ((np.nan, 1.0), (0.5, np.nan), (np.inf, 1.0)):
        found = _judged("embedding_distance", value, 0.0, high)
        assert found.flag == "not_tested" and found.excess is None


@pytest.mark.parametrize("factor", [1e-7, 1e5])
def test_features_of_any_size_keep_their_distances_in_a_file(tmp_path, factor):
    random = np.random.default_rng(0)
    space = fit_space(random.normal(size=(40, 64)) * factor, np.repeat(range(4), 10))
    others = random.normal(size=(5, 64)) * factor + 3 * factor
    space.write(tmp_path / "condition.npz")
    read = Space.read(tmp_path / "condition.npz")
    assert read.distances(others) == pytest.approx(space.distances(others), rel=0.05)


def test_the_training_set_itself_is_no_test():
    alone = _judged("noise_grey", 4.0, 4.0, 4.0)
    assert alone.flag == "within" and "which is no test" in alone.meaning
    assert "within the range" in _judged("noise_grey", 4.0, 3.0, 5.0).meaning
