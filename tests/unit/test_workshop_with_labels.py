"""What the page on learning with labels computes, beside perceptron and smoothing."""

import numpy as np
import pandas as pd
import pytest
from scipy.ndimage import gaussian_filter
from sklearn.linear_model import LinearRegression, Ridge

from damascene.contracts.descriptors import DESCRIPTOR_NAMES, DESCRIPTORS
from damascene.contracts.labels import SPLIT
from damascene.contracts.table import write_table
from damascene.workshop import fitting
from damascene.workshop.examples import (
    Examples,
    as_vectors,
    digits,
    examples_of,
    folds_of,
    line_of,
    plane_of,
)
from damascene.workshop.few_labels import LABELS_ALONE, accuracy_with_few_labels
from damascene.workshop.leakage import (
    chance_of_difference,
    chosen_before_and_after,
    copies_before_and_after,
    leaks,
    with_copies,
)

WITHOUT = {"split": [], "clips": [], "descriptors": []}
rng = np.random.default_rng(12)


def study_files(folder, labels, groups):
    """Write noisy clips and descriptors, of which `edge` tells the classes apart."""
    number = len(labels)
    clips = rng.integers(0, 255, (number, 32, 32, 1), dtype=np.uint8)
    np.save(folder / "damage.npy", clips)
    given = {"x_px": 1.0, "y_px": 1.0, "clip_x_px": 1.0, "clip_y_px": 1.0, "fold": 0}
    given |= {"panorama": "a", "annotator": "me", "answers": labels}
    split = pd.DataFrame({"label": labels, "group": groups, "site_id": range(number)})
    write_table(split.assign(**given), folder / "split.parquet", SPLIT)
    values = pd.DataFrame(rng.normal(size=(number, len(DESCRIPTOR_NAMES))).astype(np.float32))
    values.columns = DESCRIPTOR_NAMES
    values["edge"] += 5 * (np.array(labels) == "notch")
    values["log_area"] = 2 * values["log_length"] + 1
    table = pd.DataFrame({"panorama": "a", "site_id": range(number)}).join(values)
    write_table(table, folder / "descriptors.parquet", DESCRIPTORS)
    names = {"split": "split.parquet", "clips": "damage.npy", "descriptors": "descriptors.parquet"}
    return {name: folder / file for name, file in names.items()}


def test_classes_with_enough_labels_are_learned_from(tmp_path):
    labels = ["notch"] * 20 + ["martensite"] * 18 + ["inclusion"] * 3
    groups = [f"a/{number % 6}" for number in range(41)]
    examples = examples_of(study_files(tmp_path, labels, groups), seed=1)
    assert examples.own and examples.classes == ["martensite", "notch"]
    assert examples.clips.shape == (38, 32, 32) and examples.numbers.shape[0] == 38
    for training, test in examples.folds:
        assert not set(examples.groups[training]) & set(examples.groups[test])
    plane = plane_of(examples)
    assert plane.names[0] == "edge" and plane.classes == ("martensite", "notch")
    assert plane.points[plane.second, 0].mean() > plane.points[~plane.second, 0].mean() + 3
    x, y, names = line_of(examples)
    np.testing.assert_allclose(y, 2 * x + 1, rtol=1e-5, atol=1e-5)
    assert "length" in names[0]


@pytest.mark.parametrize("groups", [1, 6])
def test_too_few_labels_or_places_leave_digits_to_learn_from(tmp_path, groups):
    labels = ["notch"] * 20 + ["martensite"] * (14 if groups == 6 else 20)
    files = study_files(tmp_path, labels, [f"a/{n % groups}" for n in range(len(labels))])
    assert not examples_of(files, seed=1).own


def test_a_study_without_labels_learns_digits_and_irises():
    examples = examples_of(WITHOUT, seed=1)
    assert len(examples.labels) == 500 and examples.classes == [str(digit) for digit in range(10)]
    plane = plane_of(examples)
    assert plane.points.shape == (100, 2) and plane.second.sum() == 50
    assert len(line_of(examples)[0]) == 150


def test_clips_become_rows_of_means_without_their_brightness():
    clips = np.zeros((1, 4, 4))
    clips[0, :2, :2] = 4
    np.testing.assert_allclose(as_vectors(clips, edge_px=2), [[3, -1, -1, -1]])


def test_folds_test_every_example_once():
    labels = np.repeat(["a", "b"], 30)
    for groups in (None, np.arange(60) // 3):
        tests = np.concatenate([test for _, test in folds_of(labels, groups)])
        assert sorted(tests) == list(range(60))


def test_least_squares_are_those_of_scikit_learn():
    x, y = fitting.noisy_wave(40, noise=0.2, seed=3)
    inputs = fitting.powers(x, degree=4)
    weights = fitting.least_squares(inputs, y)
    reference = LinearRegression(fit_intercept=False).fit(inputs, y)
    np.testing.assert_allclose(weights, reference.coef_, rtol=1e-8)
    np.testing.assert_allclose(
        fitting.least_squares(inputs, y, penalty=0.3),
        Ridge(0.3, fit_intercept=False).fit(inputs, y).coef_,
        rtol=1e-8,
    )


def test_a_ridge_path_is_that_of_scikit_learn_and_ends_at_nothing():
    training, test = (fitting.noisy_wave(30, noise=0.2, seed=seed) for seed in (1, 2))
    path, errors = fitting.ridge_path(training, test, degree=6, penalties=[0.01, 1, 1e9])
    inputs = fitting.powers(training[0], degree=6)[:, 1:]
    for weights, penalty in zip(path, [0.01, 1], strict=False):
        reference = Ridge(penalty).fit(inputs, training[1])
        np.testing.assert_allclose(weights, reference.coef_, rtol=1e-6)
    assert np.abs(path[2]).max() < 1e-6
    assert errors["training"][2] == pytest.approx(training[1].std(), rel=1e-6)
    assert errors["training"].is_monotonic_increasing


def test_more_freedom_fits_what_was_seen_and_not_what_was_not():
    training, test = (fitting.noisy_wave(20, noise=0.25, seed=seed) for seed in (5, 6))
    errors = fitting.polynomial_errors(training, test, degrees=range(1, 16))
    assert (np.diff(errors["training"]) <= 1e-9).all()
    best = errors["test"].idxmin()
    assert 0 < best < 14 and errors["test"][14] > 2 * errors["test"][best]


def random_examples(number=120, px=20):
    """Return clips that tell nothing of their class."""
    return Examples(
        source="noise",
        own=True,
        clips=gaussian_filter(rng.random((number, px, px)), (0, 3, 3)).astype(np.float32) * 5,
        numbers=rng.normal(size=(number, 12)),
        names=[f"feature_{index}" for index in range(12)],
        labels=rng.permutation(np.repeat(["a", "b"], number // 2)),
        groups=np.arange(number) // 3,
    )


def test_copies_are_near_their_clip():
    clips = rng.random((6, 20, 20))
    copies, origin = with_copies(clips, copies=2, seed=1)
    assert copies.shape == (18, 20, 20) and list(origin) == list(range(6)) * 3
    np.testing.assert_array_equal(copies[:6], clips)
    shifted = [
        np.roll(clips[3], (down, right), (0, 1)) for down in (-1, 0, 1) for right in (-1, 0, 1)
    ]
    assert min(np.abs(copies[9] - each).max() for each in shifted) < 0.2
    # Small pictures stay where they are.
    small, _ = with_copies(clips[:, :8, :8], copies=1, seed=1)
    assert np.abs(small[6:] - clips[:, :8, :8]).max() < 0.2


def test_where_nothing_can_be_learned_only_a_leak_is_right():
    examples = random_examples()
    found = copies_before_and_after(examples, seed=2)
    assert found["before"] > 0.75 and 0.3 < found["after"] < 0.65
    chosen = chosen_before_and_after(seed=2)
    assert chosen["before"] > 0.75 and 0.3 < chosen["after"] < 0.7


def test_all_leaks_are_told_and_those_of_places_only_where_places_are_known():
    examples = random_examples()
    told = leaks(examples, seed=1)
    number = len(examples.labels)
    assert told["tested"].tolist() == [number, 100, number, number]
    assert len(leaks(digits(), seed=1)) == 3


def test_two_accuracies_differ_by_chance_as_far_as_two_binomials_do():
    # On paper: both 0.5 of 100, sqrt(2 * 0.25 / 100) = 0.0707, times 1.96.
    assert chance_of_difference(0.5, 0.5, number=100) == pytest.approx(0.1386, abs=1e-4)
    drawn = rng.binomial(400, 0.8, (20_000, 2)) / 400
    beyond = np.abs(drawn[:, 0] - drawn[:, 1]) > chance_of_difference(0.8, 0.8, number=400)
    assert beyond.mean() == pytest.approx(0.05, abs=0.01)


def test_the_slope_between_two_that_scatter_lies_between_both_fits():
    size = rng.normal(size=20_000)
    x, y = size + rng.normal(0, 0.5, 20_000), 2 * size + rng.normal(0, 0.5, 20_000)
    classes = np.repeat(["a", "b"], 10_000)
    slopes = fitting.slopes_both_ways(x, y, classes=classes).set_index("examples")
    assert slopes["number"].tolist() == [20_000, 10_000, 10_000]
    # cov = 2, var x = 1.25, var y = 4.25.
    np.testing.assert_allclose(slopes["y from x"], 2 / 1.25, rtol=0.05)
    np.testing.assert_allclose(slopes["x from y"], 4.25 / 2, rtol=0.05)


def test_both_slopes_of_points_on_a_line_are_its_own_and_a_point_has_none():
    x = np.array([1.0, 2.0, 5.0])
    row = fitting.slopes_both_ways(x, 3 * x - 1).iloc[0]
    assert (row["y from x"], row["x from y"]) == pytest.approx((3, 3))
    assert fitting.slopes_both_ways(x * 0, x * 0).isna().iloc[0, 2:].all()


def test_accuracy_rises_with_labels_where_classes_are_apart():
    labels = np.repeat(["a", "b", "c"], 40)
    numbers = rng.normal(size=(120, 12)) + 3 * np.repeat(np.eye(3, 12), 40, axis=0)
    examples = Examples(
        source="clouds",
        own=True,
        clips=np.zeros((120, 4, 4)),
        numbers=numbers,
        names=[str(index) for index in range(12)],
        labels=labels,
        groups=np.arange(120),
    )
    table = accuracy_with_few_labels(examples, per_class=(1, 8), repeats=3, seed=1)
    assert sorted(table["labels"].unique()) == [3, 24]
    assert len(table) == 6 and table["accuracy"].between(0, 1).all()
    alone = table[table["method"] == LABELS_ALONE].set_index("labels")["accuracy"]
    assert alone[24] > alone[3] and alone[24] > 0.8
