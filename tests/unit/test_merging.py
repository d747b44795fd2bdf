import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage
from scipy.spatial import ConvexHull, KDTree, distance_matrix

from damascene.clustering.pixels import Pixels
from damascene.contracts.candidate_counts import CandidateCounts
from damascene.detection.candidates import choose_sites, funnel_lines
from damascene.detection.clusters import clusters_of_strips
from damascene.detection.darkness import FixedThreshold
from damascene.detection.merging import close_owners
from damascene.detection.parameters import DetectionParameters
from damascene.detection.published import merged_as_published


def merged(table, **options):
    """Mark the clusters that no other takes."""
    owner = close_owners(table, **options)
    return owner == np.arange(len(owner))


POINTS = st.lists(
    st.tuples(st.integers(0, 60), st.integers(0, 60), st.integers(1, 30)), max_size=40
)


def measures(sites, order=None):
    rows, columns, areas = np.array(sites, float).reshape(-1, 3).T
    return {
        "y_px": rows,
        "x_px": columns,
        "area_px": areas,
        "top_px": rows,
        "left_px": columns,
        "order": np.arange(len(rows)) if order is None else np.array(order),
    }


@settings(max_examples=150, deadline=None, derandomize=True)
@given(sites=POINTS, distance_px=st.sampled_from([0, 1, 5, 10, 30]))
def test_the_larger_of_each_close_pair_is_kept(sites, distance_px):
    kept = merged(measures(sites), distance_px=distance_px)
    # The definition, one site at a time.
    expected = []
    by_size = sorted(range(len(sites)), key=lambda i: (-sites[i][2], sites[i][0], sites[i][1], i))
    for site in by_size:
        y, x, _ = sites[site]
        if all(np.hypot(y - sites[i][0], x - sites[i][1]) >= distance_px for i in expected):
            expected.append(site)
    position = np.array(sites, float).reshape(-1, 3)
    twins = len(np.unique(position, axis=0)) < len(position)
    if not twins:
        assert sorted(expected) == np.flatnonzero(kept).tolist()
    assert len(expected) == kept.sum()


def public_code(centroids, radius):
    """Take the entry at the earlier place of each close pair out of a list that gets shorter."""
    entries = [tuple(centroid) for centroid in centroids]
    for first, _ in KDTree(entries).query_pairs(radius):
        entries.pop(first)
    return entries


@settings(max_examples=300, deadline=None, derandomize=True)
@given(sites=POINTS.filter(len), distance_px=st.sampled_from([1, 5, 10]), seed=st.integers(0, 9))
def test_merging_as_published_is_what_the_public_code_does(sites, distance_px, seed):
    order = np.random.default_rng(seed).permutation(len(sites))
    table = measures(sites, order=order)
    kept = merged_as_published(table, distance_px=distance_px)
    centroids = np.column_stack([table["y_px"], table["x_px"]])[np.argsort(order)]
    try:
        expected = public_code(centroids, distance_px)
    except IndexError:
        assert kept is None
    else:
        assert sorted(expected) == sorted(
            zip(table["y_px"][kept], table["x_px"][kept], strict=True)
        )


def test_the_slip_of_the_public_code_in_its_smallest_form():
    # Two close pairs and a site by itself. The pairs are (0, 1) and (2, 3): when the second one
    # is looked at, place 2 holds what was at place 3.
    sites = [(0, 0, 9), (0, 4, 5), (50, 0, 5), (50, 4, 9), (100, 0, 9)]
    table = measures(sites)
    assert merged(table, distance_px=10).tolist() == [True, False, False, True, True]
    assert set(KDTree([site[:2] for site in sites]).query_pairs(10)) == {(0, 1), (2, 3)}
    left = np.flatnonzero(merged_as_published(table, distance_px=10)).tolist()
    assert left in ([1, 2, 4], [1, 3, 4])
    # Three close ones at the end of the list: three pairs, but soon too few entries.
    crowd = measures([(0, 0, 9), (0, 1, 9), (1, 0, 9), (1, 1, 9)])
    assert merged_as_published(crowd, distance_px=10) is None
    # At just the distance the public code merges, the corrected way does not.
    edge = measures([(0, 0, 9), (0, 10, 5)])
    assert merged(edge, distance_px=10).all()
    assert merged_as_published(edge, distance_px=10).tolist() == [False, True]


def test_no_sites_are_merged_to_none():
    assert merged(measures([]), distance_px=5).shape == (0,)
    assert merged_as_published(measures([]), distance_px=5).shape == (0,)


def squares(places, shape=(200, 300)):
    """A mask of squares: row, column, edge."""
    mask = np.zeros(shape, bool)
    for row, column, edge in places:
        mask[row : row + edge, column : column + edge] = True
    return mask


def choose(mask, **changes):
    rows, columns = np.nonzero(mask)
    pixels = Pixels(
        rows=rows,
        columns=columns,
        greys=np.zeros(len(rows), np.int16),
        beside_invalid=np.zeros(len(rows), bool),
    )
    options = {"dark": FixedThreshold(grey=20), "eps_px": 1, "min_samples": 1}
    parameters = DetectionParameters(**{**options, **changes})
    clusters = clusters_of_strips(
        iter([(pixels, len(mask))]), shape=mask.shape, parameters=parameters
    )
    owner, counts = choose_sites(clusters, parameters=parameters)
    kept = None if owner is None else owner == np.arange(len(owner))
    return clusters, kept, counts


def said(counts):
    return funnel_lines(CandidateCounts(panorama="p", versions={}, **counts))


def test_counts_tell_what_each_step_leaves():
    places = [(10, 10, 6), (10, 20, 5), (60, 10, 5), (100, 100, 2), (150, 200, 6), (180, 20, 6)]
    mask = squares(places)
    # An inclusion with a hole, a fragment in it, and a pixel of noise.
    mask[40:90, 120:170] = True
    mask[45:85, 125:170] = False
    mask[60:66, 140:146] = True
    mask[5, 250] = True
    _, kept, counts = choose(
        mask, min_samples=3, minimum_area_px=4, merge_distance_px=15, fill_holes="never"
    )
    assert counts == {
        "dark_pixels": mask.sum(),
        "filled_pixels": 0,
        "noise_pixels": 1,
        "clusters": 8,
        "larger_than_minimum": 7,
        "edged": 7,
        "rim_fragments": 1,
        "merged_corrected": 5,
        "merged_published": 5,
        "candidates": 5,
    }
    assert kept.sum() == 5
    assert said(counts)[-1] == "5 candidates"
    assert said(counts)[-2] == "5 sites after merging; merged as published: 5 (+0)"


def test_merging_follows_rim_fragments_and_only_where_asked():
    mask = squares([(10, 10, 6), (10, 20, 5), (100, 100, 6)])
    for merge, candidates in (("corrected", 2), ("published", 2), ("none", 3)):
        clusters, kept, counts = choose(mask, merge=merge, merge_distance_px=15)
        assert counts["candidates"] == candidates
        assert counts["merged_corrected"] == counts["merged_published"] == candidates
        if merge == "published":
            # The earlier one goes, though it is the larger.
            assert clusters.measures["area_px"][kept].tolist() == [25, 36]
        if merge == "corrected":
            assert clusters.measures["area_px"][kept].tolist() == [36, 36]


def test_where_the_public_code_stops_there_are_no_published_sites():
    mask = squares([(10, 10, 3), (10, 14, 3), (14, 10, 3), (14, 14, 3)])
    _, kept, counts = choose(mask, merge="published", merge_distance_px=20)
    assert kept is None
    assert counts["merged_published"] is counts["candidates"] is None
    _, kept, counts = choose(mask, merge="corrected", merge_distance_px=20)
    assert kept.sum() == counts["candidates"] == 1
    assert counts["merged_published"] is None
    assert "would stop" in said(counts)[-2]


def test_fragments_are_those_in_the_hull_of_a_larger_site():
    random = np.random.default_rng(4)
    mask = np.zeros((300, 300), bool)
    for centre, radius in zip(
        random.integers(30, 270, (12, 2)), random.integers(8, 30, 12), strict=True
    ):
        distance = np.hypot(*(np.indices(mask.shape) - centre[:, None, None]))
        mask |= (distance < radius) & (distance > radius - 3)
    for row, column in random.integers(0, 298, (200, 2)):
        mask[row : row + 2, column : column + 2] = True
    clusters, kept, counts = choose(mask, fill_holes="never")
    labels, count = ndimage.label(mask)
    sites = []
    for label in range(1, count + 1):
        rows, columns = np.nonzero(labels == label)
        x = np.concatenate([columns - 0.5, columns + 0.5, columns - 0.5, columns + 0.5])
        y = np.concatenate([rows - 0.5, rows - 0.5, rows + 0.5, rows + 0.5])
        faces = ConvexHull(np.column_stack([x, y])).equations
        sites.append((len(rows), rows.min(), columns.min(), columns.mean(), rows.mean(), faces))
    sites.sort(key=lambda site: (-site[0], site[1], site[2]))
    expected = []
    for site in sites:
        inside = [(faces[:, :2] @ site[3:5] + faces[:, 2] <= 1e-9).all() for *_, faces in expected]
        if not any(inside):
            expected.append(site)
    assert counts["rim_fragments"] == count - len(expected) > 10
    found = np.column_stack([clusters.measures["x_px"][kept], clusters.measures["y_px"][kept]])
    wanted = np.array([site[3:5] for site in expected])
    assert len(found) == len(wanted)
    # Every expected site was found where it is, to rounding.
    assert distance_matrix(found, wanted).min(axis=0).max() < 1e-9


@pytest.mark.parametrize("merge", ["corrected", "published"])
def test_without_a_distance_nothing_is_merged(merge):
    _, kept, counts = choose(squares([(10, 10, 3), (10, 14, 3)]), merge=merge)
    assert kept.all()
    assert counts["merged_corrected"] == counts["merged_published"] == 2
