import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.cluster import DBSCAN

from damascene.clustering.dbscan import dbscan, dbscan_pixels

METRICS = ["euclidean", "manhattan", "chebyshev"]


def oracle(mask, **options):
    points = np.argwhere(mask)
    if not len(points):
        return np.empty(0, np.int64)
    return DBSCAN(**options).fit(points).labels_


@settings(max_examples=300, deadline=None, derandomize=True)
@given(
    mask=st.tuples(st.integers(1, 24), st.integers(1, 24)).flatmap(lambda s: arrays(bool, s)),
    eps=st.sampled_from([0.5, 1, 1.5, 2, np.sqrt(5), 2.83, np.sqrt(8), 4, 6]),
    min_samples=st.integers(1, 20),
    metric=st.sampled_from(METRICS),
)
def test_labels_equal_those_of_scikit_learn(mask, eps, min_samples, metric):
    labels = dbscan(mask, eps=eps, min_samples=min_samples, metric=metric)
    assert labels.dtype == np.int64
    expected = oracle(mask, eps=eps, min_samples=min_samples, metric=metric)
    np.testing.assert_array_equal(labels, expected)


# Hypothesis fills arrays sparsely; random masks reach the densities where clusters compete.
@pytest.mark.parametrize("density", [0.05, 0.2, 0.4, 0.7, 1.0])
@pytest.mark.parametrize(
    ("eps", "min_samples"), [(1, 4), (1.5, 5), (2, 7), (2.83, 12), (4, 20), (6, 18)]
)
def test_labels_of_random_masks_equal_those_of_scikit_learn(density, eps, min_samples):
    random = np.random.default_rng(int(density * 100))
    for metric in METRICS:
        mask = random.random((60, 45)) < density
        options = {"eps": eps, "min_samples": min_samples, "metric": metric}
        np.testing.assert_array_equal(dbscan(mask, **options), oracle(mask, **options))


# Neighbours lie just at the distance, or its square rounds to one side of theirs.
@pytest.mark.parametrize("eps", [np.sqrt(2), np.sqrt(5), np.sqrt(8), np.sqrt(10), 2.83, 5, 0.99])
def test_neighbours_at_just_the_distance(eps):
    mask = np.zeros((9, 9), bool)
    mask[4, 4] = True
    for row, column in np.argwhere(~mask):
        pair = mask.copy()
        pair[row, column] = True
        for metric in METRICS:
            options = {"eps": eps, "min_samples": 2, "metric": metric}
            np.testing.assert_array_equal(dbscan(pair, **options), oracle(pair, **options))


def test_a_border_pixel_goes_to_the_first_of_two_clusters():
    mask = np.zeros((5, 9), bool)
    mask[1:4, 0:4] = mask[1:4, 5:9] = True
    mask[2, 4] = True
    # The middle pixel has three neighbours with itself: a border pixel of both blocks.
    labels = np.full(mask.shape, -2)
    labels[mask] = dbscan(mask, eps=1, min_samples=4)
    assert labels[2, 4] == labels[2, 0] == 0
    assert labels[2, 8] == 1


def test_row_ends_are_not_neighbours():
    mask = np.zeros((2, 6), bool)
    mask[0, 5] = mask[1, 0] = True
    assert dbscan(mask, eps=1, min_samples=1).tolist() == [0, 1]
    assert dbscan(mask, eps=4, min_samples=1).tolist() == [0, 1]


def test_diagonal_pixels_are_neighbours_only_beyond_the_diagonal():
    mask = np.eye(4, dtype=bool)
    assert dbscan(mask, eps=1.41, min_samples=2).tolist() == [-1] * 4
    assert dbscan(mask, eps=1.42, min_samples=2).tolist() == [0] * 4


def test_no_pixels_give_no_labels():
    labels = dbscan(np.zeros((3, 4), bool), eps=2, min_samples=1)
    assert labels.shape == (0,)
    assert labels.dtype == np.int64


def test_coordinates_far_out_do_not_overflow():
    rows = np.array([0, 0, 99_999, 99_999])
    columns = np.array([0, 1, 99_998, 99_999])
    assert dbscan_pixels(rows, columns, eps=1, min_samples=2).tolist() == [0, 0, 1, 1]
