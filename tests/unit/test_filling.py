import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import ndimage

from damascene.clustering.dbscan import dbscan
from damascene.clustering.filling import fill_strips, holes_of_sites
from damascene.clustering.pixels import FILLED, Pixels
from damascene.clustering.runs import Runs, runs_of


def in_strips(mask, heights):
    """Cut a mask into strips whose heights repeat."""
    top = 0
    while top < len(mask):
        for height in heights:
            rows, columns = np.nonzero(mask[top : top + height])
            yield (
                Pixels(
                    rows=rows + top,
                    columns=columns,
                    greys=np.full(len(rows), 7, np.int16),
                    beside_invalid=np.ones(len(rows), bool),
                ),
                min(top + height, len(mask)),
            )
            top += height
            if top >= len(mask):
                return


def filled(mask, heights):
    """Fill a mask by strips; check that these follow on each other and are in order."""
    result = np.zeros(mask.shape, int)
    known = 0
    for pixels, bottom in fill_strips(in_strips(mask, heights), height=len(mask)):
        assert bottom >= known
        assert ((pixels.rows >= known) & (pixels.rows < bottom)).all()
        assert (np.diff(pixels.rows * mask.shape[1] + pixels.columns) > 0).all()
        result[pixels.rows, pixels.columns] += 1
        np.testing.assert_array_equal(pixels.greys == FILLED, ~mask[pixels.rows, pixels.columns])
        np.testing.assert_array_equal(pixels.beside_invalid, pixels.greys != FILLED)
        known = bottom
    assert known == len(mask)
    return result


@settings(max_examples=100, deadline=None, derandomize=True)
@given(
    mask=st.tuples(st.integers(1, 24), st.integers(1, 24)).flatmap(
        lambda shape: arrays(bool, shape, fill=st.nothing())
    ),
    heights=st.lists(st.integers(1, 9), min_size=1, max_size=3),
)
def test_strips_are_filled_as_the_whole_mask(mask, heights):
    np.testing.assert_array_equal(filled(mask, heights), ndimage.binary_fill_holes(mask))


@pytest.mark.parametrize("smoothing", [0, 0.7, 1.5])
@pytest.mark.parametrize("share", [0.4, 0.6, 0.8])
def test_textures_are_filled_as_the_whole_mask(smoothing, share):
    random = np.random.default_rng(int(share * 10))
    field = ndimage.gaussian_filter(random.normal(size=(90, 70)), smoothing)
    mask = field < np.quantile(field, share)
    expected = ndimage.binary_fill_holes(mask)
    assert expected.sum() > mask.sum()
    for heights in ([1], [7], [13, 2], [90]):
        np.testing.assert_array_equal(filled(mask, heights), expected)


def test_a_spiral_is_no_hole_until_it_is_closed():
    spiral = np.array(
        [
            [1, 1, 1, 1, 1, 1, 1],
            [1, 0, 0, 0, 0, 0, 1],
            [1, 0, 1, 1, 1, 0, 1],
            [1, 0, 1, 0, 1, 0, 1],
            [1, 0, 1, 0, 0, 0, 1],
            [1, 0, 1, 1, 1, 1, 1],
            [1, 0, 0, 0, 0, 0, 0],
        ],
        bool,
    )
    for heights in ([1], [3], [7]):
        np.testing.assert_array_equal(filled(spiral, heights), spiral)
    closed = np.vstack([spiral, np.ones((1, 7), bool)])
    closed[6, 6] = True
    for heights in ([1], [3], [8]):
        assert filled(closed, heights).all()


def test_a_gap_in_the_first_held_row_is_remembered_as_outside():
    # The bay opens upwards and is cut by a strip's border, beside a pocket that opens downwards
    # and one that is closed.
    mask = np.array(
        [
            [1, 0, 1, 1, 1, 1, 1, 1, 1],
            [1, 0, 1, 0, 1, 1, 0, 1, 1],
            [1, 0, 1, 0, 1, 1, 0, 1, 1],
            [1, 0, 1, 0, 1, 1, 1, 1, 1],
            [1, 1, 1, 0, 1, 1, 1, 1, 1],
        ],
        bool,
    )
    expected = mask.copy()
    expected[1:3, 6] = True
    for heights in ([1], [2], [3], [5]):
        np.testing.assert_array_equal(filled(mask, heights), expected)


def test_pixels_are_handed_on_as_soon_as_their_gaps_are_decided():
    mask = np.zeros((40, 30), bool)
    mask[5:9, 5:9] = True
    mask[6:8, 6] = False
    strips = list(fill_strips(in_strips(mask, [4]), height=40))
    # The last known row always waits: what is below may close a gap in it.
    assert [bottom for _, bottom in strips[:-1]] == [3, 6, 11, 15, 19, 23, 27, 31, 35]


@pytest.mark.parametrize("eps", [1, 1.5, 2.83])
def test_sites_are_filled_each_by_itself(eps):
    random = np.random.default_rng(5)
    mask = ndimage.gaussian_filter(random.normal(size=(120, 120)), 1) > 0.05
    mask[::30] = mask[:, ::30] = False
    clusters = dbscan(mask, eps=eps, min_samples=4)
    rows, columns = np.nonzero(mask)
    runs, site = Runs(row=rows[:0], first=rows[:0], last=rows[:0]), rows[:0]
    for number in range(clusters.max() + 1):
        more = runs_of(rows[clusters == number], columns[clusters == number])
        runs, site = runs.followed_by(more), np.append(site, np.full(len(more.row), number))
    holes, hole_site = holes_of_sites(runs, site)
    assert clusters.max() > 5
    assert holes.length.sum() > 20
    for number in range(clusters.max() + 1):
        cluster = np.zeros(mask.shape, bool)
        cluster[rows[clusters == number], columns[clusters == number]] = True
        found = np.zeros(mask.shape, int)
        hole_rows, hole_columns = holes[hole_site == number].pixels()
        np.add.at(found, (hole_rows, hole_columns), 1)
        np.testing.assert_array_equal(found, ndimage.binary_fill_holes(cluster) & ~cluster)
