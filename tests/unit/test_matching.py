import itertools

import numpy as np
import pandas as pd
import pytest

from damascene.contracts.candidates import CANDIDATES
from damascene.contracts.table import check_table
from damascene.contracts.truth import TRUTH
from damascene.detection.matching import match_points, match_to_outlines


def candidates(*boxes):
    """Sites from (left, top, width, height), the centroid in the middle."""
    left, top, width, height = np.array(boxes, float).reshape(-1, 4).T
    return pd.DataFrame(
        {
            "panorama": "p",
            "site_id": np.arange(len(left)) + 10,
            "x_px": left + (width - 1) / 2,
            "y_px": top + (height - 1) / 2,
            "fragments": 1,
            "area_px": width * height,
            "area_um2": width * height * 0.0016,
            "equivalent_diameter_um": 1.0,
            "aspect_ratio": 1.0,
            "orientation_deg": 0.0,
            "convexity": 1.0,
            "left_px": left,
            "top_px": top,
            "width_px": width,
            "height_px": height,
            "mean_grey": 5.0,
            "minimum_grey": 0.0,
            "touches_border": False,
            "touches_mask": False,
        }
    ).pipe(check_table, CANDIDATES, source="test")


def truth(*boxes, labels=None):
    """True sites with rectangular outlines from (left, top, width, height)."""
    rows = []
    for number, (left, top, width, height) in enumerate(boxes):
        right, bottom = left + width - 1, top + height - 1
        rows.append(
            {
                "panorama": "p",
                "truth_id": number + 50,
                "true_class": labels[number] if labels else "notch",
                "x_px": (left + right) / 2,
                "y_px": (top + bottom) / 2,
                "area_px": width * height,
                "area_um2": width * height * 0.0016,
                "outline_x_px": [left, right, right, left],
                "outline_y_px": [top, top, bottom, bottom],
            }
        )
    return pd.DataFrame(rows, columns=list(TRUTH.columns))


def pairs(found, known, **options):
    matched = match_to_outlines(found, known, **options)
    return list(zip(matched["site_id"] - 10, matched["truth_id"] - 50, strict=True))


def test_each_site_is_used_once():
    found = candidates((10, 10, 20, 20), (18, 18, 4, 4))
    known = truth((11, 11, 18, 18))
    assert len(pairs(found, known, tolerance_px=2)) == 1


def test_most_pairs_come_before_least_distance():
    # The second site is the nearest to the first true one, but the first site has no other.
    found = candidates((0, 0, 5, 5), (6, 0, 5, 5))
    known = truth((4, 0, 7, 5), (10, 0, 5, 5))
    assert pairs(found, known, tolerance_px=3) == [(0, 0), (1, 1)]


@pytest.mark.parametrize("seed", range(30))
def test_assignment_is_the_best_of_all(seed):
    random = np.random.default_rng(seed)
    found = candidates(*np.column_stack([random.integers(0, 40, (5, 2)), np.full((5, 2), 9)]))
    known = truth(*np.column_stack([random.integers(0, 40, (4, 2)), np.full((4, 2), 9)]))
    gap = found[["x_px", "y_px"]].to_numpy()[:, None] - known[["x_px", "y_px"]].to_numpy()
    # Squares of one size: centroid in the outline and centre in the box differ by half a pixel.
    possible = (np.abs(gap) <= 4.5 + 1).all(axis=2)
    distance = np.linalg.norm(gap, axis=2)
    best = min(
        (
            (-len(chosen), sum(distance[pair] for pair in chosen))
            for size in range(5)
            for rows in itertools.permutations(range(5), size)
            for columns in itertools.combinations(range(4), size)
            for chosen in [list(zip(rows, columns, strict=True))]
            if all(possible[pair] for pair in chosen)
        ),
    )
    matched = match_to_outlines(found, known, tolerance_px=1)
    assert len(matched) == -best[0]
    assert matched["distance_px"].sum() == pytest.approx(best[1])


def test_tolerance_grows_the_outline_and_the_box():
    known = truth((100, 100, 41, 9))
    inside = candidates((139, 101, 3, 3))
    near = candidates((143, 101, 3, 3))
    assert len(pairs(inside, known, tolerance_px=0)) == 1
    assert len(pairs(near, known, tolerance_px=3.9)) == 0
    assert len(pairs(near, known, tolerance_px=4)) == 1
    # A large site around a small true one whose outline does not hold its centroid.
    around = candidates((0, 0, 60, 60))
    assert len(pairs(around, truth((50, 50, 5, 5)), tolerance_px=0)) == 1


def test_concave_outlines_do_not_hold_the_bay():
    known = truth((0, 0, 50, 50))
    known.at[0, "outline_x_px"] = [0, 50, 50, 40, 40, 0]
    known.at[0, "outline_y_px"] = [0, 0, 50, 50, 10, 10]
    known.loc[0, ["x_px", "y_px"]] = 42.0, 5.0
    assert pairs(candidates((10, 30, 3, 3)), known, tolerance_px=5) == []
    assert pairs(candidates((44, 40, 3, 3)), known, tolerance_px=5) == [(0, 0)]


def test_nothing_matches_nothing():
    for found, known in (
        (candidates(), truth()),
        (candidates((0, 0, 5, 5)), truth()),
        (candidates(), truth((0, 0, 5, 5))),
        (candidates((0, 0, 5, 5)), truth((500, 500, 5, 5))),
    ):
        matched = match_to_outlines(found, known, tolerance_px=5)
        assert len(matched) == 0
        assert matched["site_id"].dtype == matched["truth_id"].dtype == np.int64


def test_points_belong_to_the_nearest_box_that_holds_them():
    found = candidates((10, 10, 20, 20), (28, 10, 6, 20), (100, 100, 5, 5))
    points = [(12, 12), (29, 20), (30, 20), (102, 102), (107, 102), (108, 102), (200, 200)]
    matched = match_points(points, found, tolerance_px=3)
    assert matched.tolist() == [10, 11, 11, 12, 12, -1, -1]
    assert matched.dtype == np.int64
    assert match_points(points, candidates(), tolerance_px=3).tolist() == [-1] * 7
    assert match_points(np.empty((0, 2)), found, tolerance_px=3).shape == (0,)
