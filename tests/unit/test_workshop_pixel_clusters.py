"""Roles of pixels in DBSCAN against paper and scikit-learn."""

import numpy as np
import pytest
from sklearn.cluster import DBSCAN

from damascene.workshop.pixel_clusters import (
    BORDER,
    CORE,
    NOISE,
    OUTSIDE,
    crescents_on_grid,
    pixel_roles,
)


def test_a_row_of_pixels_has_the_roles_worked_out_on_paper():
    row = np.array([[1, 1, 1, 0, 0, 1]], bool)
    clusters, roles = pixel_roles(row, eps=1, min_samples=3)
    assert roles.tolist() == [[BORDER, CORE, BORDER, OUTSIDE, OUTSIDE, NOISE]]
    assert clusters.tolist() == [[0, 0, 0, -1, -1, -1]]


def test_with_one_neighbour_every_pixel_is_core():
    mask = np.eye(5, dtype=bool)
    clusters, roles = pixel_roles(mask, eps=1, min_samples=1)
    assert (roles[mask] == CORE).all()
    assert clusters.max() == 4


@pytest.mark.parametrize(("eps", "min_samples"), [(1, 4), (4.5, 6), (3, 2)])
def test_clusters_and_core_pixels_are_those_of_scikit_learn(eps, min_samples):
    mask = crescents_on_grid(edge_px=90, points=220, noise=40, seed=3)
    clusters, roles = pixel_roles(mask, eps=eps, min_samples=min_samples)
    oracle = DBSCAN(eps=eps, min_samples=min_samples).fit(np.argwhere(mask))
    assert np.array_equal(clusters[mask], oracle.labels_)
    core = np.zeros(len(oracle.labels_), bool)
    core[oracle.core_sample_indices_] = True
    assert np.array_equal(roles[mask] == CORE, core)
    assert np.array_equal(roles[mask] == NOISE, oracle.labels_ == -1)


@pytest.mark.parametrize("seed", range(4))
def test_the_drawing_of_the_page_has_three_clusters(seed):
    mask = crescents_on_grid(edge_px=90, points=220, noise=40, seed=seed)
    clusters, _ = pixel_roles(mask, eps=4.5, min_samples=6)
    large = np.bincount(clusters[clusters >= 0]) > 50
    assert large.sum() == 3
