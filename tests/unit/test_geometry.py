import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import ndimage
from scipy.spatial import ConvexHull

from damascene.clustering.geometry import Hulls, hulls_of, moments
from damascene.clustering.runs import runs_of


def runs_of_sites(masks):
    """Return the runs of several masks, one a site, and the site of each."""
    parts = [runs_of(*np.nonzero(mask)) for mask in masks]
    runs = parts[0]
    for part in parts[1:]:
        runs = runs.followed_by(part)
    return runs, np.repeat(np.arange(len(parts)), [len(part.row) for part in parts])


def corners(mask):
    """Return x and y of the corners of all pixels, pixel centres at whole numbers."""
    rows, columns = np.nonzero(mask)
    x = np.concatenate([columns - 0.5, columns + 0.5, columns - 0.5, columns + 0.5])
    y = np.concatenate([rows - 0.5, rows - 0.5, rows + 0.5, rows + 0.5])
    return np.column_stack([x, y])


MASKS = st.lists(
    arrays(bool, st.tuples(st.integers(1, 12), st.integers(1, 12)), fill=st.nothing()).filter(
        np.any
    ),
    min_size=1,
    max_size=4,
)


@settings(max_examples=80, deadline=None, derandomize=True)
@given(masks=MASKS)
def test_hull_areas_equal_those_of_qhull(masks):
    hulls = hulls_of(*runs_of_sites(masks))
    expected = [ConvexHull(corners(mask)).volume for mask in masks]
    np.testing.assert_allclose(hulls.areas(len(masks)), expected, rtol=1e-12)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(masks=MASKS)
def test_hulls_hold_the_points_that_qhull_holds(masks):
    hulls = hulls_of(*runs_of_sites(masks))
    # Quarters of a pixel hit edges and corners; a point on an edge is held.
    y, x = np.mgrid[-1:13:0.25, -1:13:0.25].reshape(2, -1)
    for site, mask in enumerate(masks):
        faces = ConvexHull(corners(mask)).equations
        expected = (np.column_stack([x, y]) @ faces[:, :2].T + faces[:, 2] <= 1e-9).all(axis=1)
        np.testing.assert_array_equal(hulls.hold(np.full(len(x), site), x, y), expected)


def test_only_corners_are_kept():
    disc = np.hypot(*(np.indices((41, 41)) - 20)) <= 20
    hulls = hulls_of(*runs_of_sites([np.ones((50, 3), bool), disc]))
    expected = len(ConvexHull(corners(disc)).vertices)
    for (site, y, x), edge in ((hulls.left, 0), (hulls.right, 3)):
        assert list(zip(y[site == 0], x[site == 0], strict=True)) == [(0, edge), (50, edge)]
        assert (site == 1).sum() == expected / 2


def test_joined_hulls_answer_as_before():
    masks = [np.ones((3, 5), bool), np.eye(6, dtype=bool), np.tri(7, dtype=bool)]
    each = [hulls_of(*runs_of_sites([mask])) for mask in masks]
    joined = Hulls.joined([hull.numbered(np.array([2 - site])) for site, hull in enumerate(each)])
    together = hulls_of(*runs_of_sites(masks[::-1]))
    for side in ("left", "right"):
        for values, expected in zip(getattr(joined, side), getattr(together, side), strict=True):
            np.testing.assert_array_equal(values, expected)
    assert Hulls.none().areas(0).shape == (0,)


@pytest.mark.parametrize("offset", [0, 60_000])
def test_moments_far_out_are_as_exact_as_at_the_corner(offset):
    field = ndimage.gaussian_filter(np.random.default_rng(2).normal(size=(60, 60)), 4)
    mask = field > 0.02
    runs, site = runs_of_sites([mask])
    rows, columns = np.nonzero(mask)
    moved = type(runs)(row=runs.row + offset, first=runs.first + offset, last=runs.last + offset)
    found = moments(
        moved,
        site,
        top=np.array([rows.min() + offset]),
        left=np.array([columns.min() + offset]),
    )
    assert found["area_px"] == [mask.sum()]
    assert found["x_px"] == [(columns + offset).mean()]
    assert found["y_px"] == [(rows + offset).mean()]
    # Pixels are squares: 1/12 more than the moments of their centres.
    covariance = np.cov(columns, rows, bias=True) + np.eye(2) / 12
    small, large = np.linalg.eigvalsh(covariance)
    assert found["aspect_ratio"] == pytest.approx(np.sqrt(large / small), rel=1e-9)
    x, y = np.linalg.eigh(covariance)[1][:, 1]
    assert found["orientation_deg"] == pytest.approx(
        (np.degrees(np.arctan2(y, x)) + 90) % 180 - 90, abs=1e-6
    )
