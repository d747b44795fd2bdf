"""Groups without labels against paper, scikit-learn and made examples."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm
from sklearn.datasets import make_blobs
from sklearn.metrics import adjusted_rand_score

from damascene.workshop import groups


@pytest.fixture
def blobs():
    """Return four round groups far apart, and which point is of which."""
    return make_blobs(200, centers=4, n_features=6, cluster_std=0.5, random_state=2)


def test_principal_components_keep_what_there_is():
    rng = np.random.default_rng(1)
    values = rng.normal(size=(50, 2)) @ rng.normal(size=(2, 12))
    points, pca = groups.principal(values.reshape(50, 3, 4), count=5, seed=0)
    assert points.shape == (50, 5)
    assert np.allclose(pca.inverse_transform(points), values)
    assert np.isclose(pca.explained_variance_ratio_[:2].sum(), 1)
    assert groups.principal(values[:3], count=20, seed=0)[0].shape == (3, 3)


def test_measures_are_brought_to_one_scale_and_gaps_to_the_mean():
    measures = pd.DataFrame({"a": [1e6, 2e6, 3e6], "b": [0.1, np.nan, 0.3], "c": 5.0})
    values = groups.comparable(measures)
    assert np.allclose(values.mean(axis=0), 0)
    assert np.allclose(values[:, :2].std(axis=0), 1)
    assert np.isclose(values[1, 1], 0)
    assert np.allclose(values[:, 2], 0)


def test_agreement_is_that_worked_out_on_paper():
    classes = np.array(["a", "a", "a", "b", "b", "b", ""])
    found = {
        ("x", "the same"): np.array([1, 1, 1, 0, 0, 0, 1]),
        ("x", "all one"): np.zeros(7, int),
        ("x", "one wrong"): np.array([0, 0, 1, 1, 1, 1, 0]),
    }
    table = groups.agreement(found, classes).set_index("method")
    assert np.allclose(table.loc["the same", ["adjusted_rand", "mutual_information"]].tolist(), 1)
    assert np.allclose(table.loc["all one", ["adjusted_rand", "mutual_information"]].tolist(), 0)
    # 15 pairs: together in both 1 + 3 = 4, in groups 1 + 6 = 7, in classes 3 + 3 = 6; expected
    # 7 x 6 / 15 = 2.8, and (4 - 2.8) / (6.5 - 2.8).
    assert np.isclose(table.loc["one wrong", "adjusted_rand"], 1.2 / 3.7)


def test_classes_are_counted_in_groups():
    group = np.array([0, 0, 2, 2, 2])
    classes = np.array(["a", "b", "b", "b", ""])
    assert groups.classes_in_groups(group, classes, ["b", "a"]).tolist() == [[1, 1], [0, 0], [2, 0]]


def test_nearest_members_are_those_next_to_the_mean():
    points = np.array([[0.0], [1.0], [8.0], [10.0], [9.1]])
    first, second = groups.nearest_members(points, np.array([0, 0, 1, 1, 1]), count=2)
    assert first.tolist() == [0, 1]
    # Mean 9.03.
    assert second.tolist() == [4, 3]


def test_the_best_bandwidth_of_a_normal_distribution_is_neither_narrow_nor_wide():
    points = np.random.default_rng(1).normal(size=(400, 1))
    table = groups.best_bandwidth(points, np.array([0.01, 0.35, 5]))
    assert table["log_likelihood"].idxmax() == 1
    # No density calls unseen points more probable than the true one, on average.
    truth = norm.logpdf(points).mean()
    assert truth - 0.1 < table["log_likelihood"].max() < truth + 0.05


def test_the_criterion_finds_the_number_of_hills(blobs):
    criterion = groups.hills_by_criterion(blobs[0], most=6, seed=1)
    assert criterion.index.tolist() == [1, 2, 3, 4, 5, 6]
    assert criterion.idxmin() == 4


def test_both_methods_find_groups_far_apart(blobs):
    points, truth = blobs
    found = groups.group_each({"points": points}, count=4, seed=1)
    classes = np.array(list("abcd"))[truth]
    assert np.allclose(groups.agreement(found, classes)["adjusted_rand"], 1)


def test_fewer_groups_than_classes_reach_most_by_joining_the_smallest():
    classes = np.array(["a"] * 50 + ["b"] * 40 + ["c"] * 5 + ["d"] * 5 + [""] * 9)
    assert groups.best_rand_with(classes, count=4) == 1
    joined = np.array(list("a" * 50 + "b" * 40 + "c" * 10))
    expected = adjusted_rand_score(classes[:100], joined)
    assert groups.best_rand_with(classes, count=3) == pytest.approx(expected)
    assert 0 < groups.best_rand_with(classes, count=2) < expected < 1
    assert np.isnan(groups.best_rand_with(classes, count=5))
    assert (
        groups.told_reach(classes, count=3) == f"3 groups for 4 classes can reach {expected:.2f}."
    )
    assert "must divide some" in groups.told_reach(classes, count=5)


def test_the_class_that_one_group_holds_nearly_alone_is_told():
    tables = {
        "k-means on pixels": np.array([[10, 10], [10, 10]]),
        "k-means on measures": np.array([[19, 30], [1, 90]]),
    }
    told = groups.told_best_class(tables, ["martensite_crack", "notch_effect"])
    assert told == (
        "Found best: notch effect, by k-means on measures. One group holds 90 of 120, and "
        "1 of other classes."
    )
