import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import ndimage
from sklearn.cluster import DBSCAN

from damascene import InputError
from damascene.clustering.connected_components import complete_components
from damascene.clustering.dbscan import dbscan, neighbour_half_widths
from damascene.clustering.pixels import FILLED, Pixels
from damascene.detection.clusters import clusters_of_strips
from damascene.detection.darkness import FixedThreshold
from damascene.detection.parameters import DetectionParameters

EIGHT = np.ones((3, 3))


def parameters(**changes):
    options = {"dark": FixedThreshold(grey=20), "eps_px": 1, "min_samples": 5}
    return DetectionParameters(**{**options, **changes})


def in_strips(mask, height):
    for top in range(0, len(mask), height):
        rows, columns = np.nonzero(mask[top : top + height])
        yield (
            Pixels(
                rows=rows + top,
                columns=columns,
                # Greys that tell pixels apart.
                greys=((rows + top) * 7 + columns * 3).astype(np.int16) % 20,
                beside_invalid=(rows + top + columns) % 17 == 0,
            ),
            min(top + height, len(mask)),
        )


def find(mask, *, height=None, **changes):
    return clusters_of_strips(
        in_strips(mask, height or len(mask)), shape=mask.shape, parameters=parameters(**changes)
    )


def texture(shape, *, share, smoothing, seed):
    field = ndimage.gaussian_filter(np.random.default_rng(seed).normal(size=shape), smoothing)
    return field < np.quantile(field, share)


def assert_same(found, expected):
    for name in ("dark_pixels", "filled_pixels", "noise_pixels", "found"):
        assert getattr(found, name) == getattr(expected, name), name
    for name, values in expected.measures.items():
        np.testing.assert_array_equal(found.measures[name], values, err_msg=name)
    for side in ("left", "right"):
        for values, others in zip(
            getattr(found.hulls, side), getattr(expected.hulls, side), strict=True
        ):
            np.testing.assert_array_equal(values, others)


RULES = st.fixed_dictionaries(
    {
        "fill_holes": st.sampled_from(["before", "after", "never"]),
        "eps_px": st.sampled_from([1, 1.5, 2, 2.83, 4, 6]),
        "min_samples": st.integers(1, 20),
        "metric": st.sampled_from(["euclidean", "manhattan", "chebyshev"]),
        "passes": st.integers(1, 2),
        "sites": st.sampled_from(["clusters", "blobs"]),
        "minimum_area_px": st.sampled_from([0, 9]),
    }
)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(
    mask=st.tuples(st.integers(1, 30), st.integers(1, 20)).flatmap(
        lambda shape: arrays(bool, shape, fill=st.nothing())
    ),
    height=st.integers(1, 12),
    changes=RULES,
)
def test_strips_change_nothing(mask, height, changes):
    assert_same(find(mask, height=height, **changes), find(mask, **changes))


@settings(max_examples=30, deadline=None, derandomize=True)
@given(
    share=st.sampled_from([0.05, 0.2, 0.4, 0.6]),
    smoothing=st.sampled_from([0, 0.8, 1.5]),
    seed=st.integers(0, 99),
    height=st.integers(1, 25),
    changes=RULES,
)
def test_strips_change_nothing_in_textures(share, smoothing, seed, height, changes):
    mask = texture((60, 50), share=share, smoothing=smoothing, seed=seed)
    assert_same(find(mask, height=height, **changes), find(mask, **changes))


@settings(max_examples=30, deadline=None, derandomize=True)
@given(
    share=st.sampled_from([0.05, 0.2, 0.4, 0.6]),
    smoothing=st.sampled_from([0, 0.8, 1.5]),
    seed=st.integers(0, 99),
    height=st.integers(1, 25),
    eps_px=st.sampled_from([1, 1.5, 2.83, 4]),
    min_samples=st.integers(1, 12),
    fill_holes=st.sampled_from(["before", "never"]),
    passes=st.integers(1, 2),
)
def test_clusters_are_those_of_scikit_learn(
    share, smoothing, seed, height, eps_px, min_samples, fill_holes, passes
):
    mask = texture((60, 50), share=share, smoothing=smoothing, seed=seed)
    found = find(
        mask,
        height=height,
        eps_px=eps_px,
        min_samples=min_samples,
        fill_holes=fill_holes,
        passes=passes,
    )
    full = ndimage.binary_fill_holes(mask) if fill_holes == "before" else mask
    points = kept = np.argwhere(full)
    for _ in range(passes):
        labels = DBSCAN(eps=eps_px, min_samples=min_samples).fit_predict(kept) if len(kept) else []
        labels = np.asarray(labels, int)
        kept, labels = kept[labels >= 0], labels[labels >= 0]
    assert found.dark_pixels == mask.sum()
    assert found.filled_pixels == full.sum() - mask.sum()
    assert found.noise_pixels == len(points) - len(kept)
    assert found.found == labels.max(initial=-1) + 1
    # In the order of the labels, each by itself.
    order = np.argsort(found.measures["order"])
    grey = (np.indices(mask.shape)[0] * 7 + np.indices(mask.shape)[1] * 3) % 20
    beside = sum(np.indices(mask.shape)) % 17 == 0
    for label, site in enumerate(order):
        members = kept[labels == label]
        dark = members[mask[tuple(members.T)]]
        expected = {
            "area_px": len(members),
            "y_px": members[:, 0].mean(),
            "x_px": members[:, 1].mean(),
            "mean_grey": grey[tuple(dark.T)].mean() if len(dark) else 255,
            "minimum_grey": grey[tuple(dark.T)].min(initial=255),
            "touches_mask": beside[tuple(dark.T)].any(),
            "touches_border": (members.min(axis=0) == 0).any()
            or (members.max(axis=0) == np.array(mask.shape) - 1).any(),
            "first_pixel": (members @ [mask.shape[1], 1]).min(),
        }
        # Equal to the last digit: merging as published depends on it.
        assert {name: found.measures[name][site] for name in expected} == expected


@pytest.mark.parametrize(("eps_px", "passes"), [(1, 1), (1, 2), (4, 1)])
def test_blobs_are_what_touches_of_the_clustered_pixels(eps_px, passes):
    mask = texture((80, 70), share=0.35, smoothing=0.7, seed=3)
    found = find(mask, height=9, eps_px=eps_px, passes=passes, sites="blobs", fill_holes="never")
    kept = mask.copy()
    for _ in range(passes):
        kept[kept] = dbscan(kept, eps=eps_px, min_samples=5) >= 0
    blobs, count = ndimage.label(kept, structure=EIGHT)
    assert found.found == count > 5
    order = np.argsort(found.measures["order"])
    np.testing.assert_array_equal(found.measures["area_px"][order], np.bincount(blobs.ravel())[1:])
    centres = np.array(ndimage.center_of_mass(kept, blobs, np.arange(1, count + 1)))
    np.testing.assert_allclose(found.measures["y_px"][order], centres[:, 0], rtol=1e-12)
    np.testing.assert_allclose(found.measures["x_px"][order], centres[:, 1], rtol=1e-12)


def test_a_site_surrounded_by_another_waits_for_its_hole():
    # Filled before, the ring and the dot in it are one; with strips, the dot ends long before.
    mask = np.zeros((40, 40), bool)
    mask[2:38, 2:38] = True
    mask[4:36, 4:36] = False
    mask[8:11, 8:11] = True
    for height in (1, 5, 40):
        found = find(mask, height=height, fill_holes="before", min_samples=1)
        assert found.measures["area_px"].tolist() == [36 * 36]
        assert found.filled_pixels == 32 * 32 - 9
        assert find(mask, height=height, fill_holes="never", min_samples=1).found == 2


def test_only_open_groups_wait():
    random = np.random.default_rng(1)
    mask = np.zeros((4000, 200), bool)
    for row, column in zip(
        random.integers(0, 3950, 400), random.integers(0, 190, 400), strict=True
    ):
        mask[row : row + random.integers(1, 30), column : column + 4] = True
    waiting, handed_on = [], 0

    def watched():
        for pixels, bottom in in_strips(mask, 20):
            yield pixels, bottom
            waiting.append(mask[:bottom].sum() - handed_on)

    half_widths = neighbour_half_widths(2)
    for group in complete_components(watched(), half_widths=half_widths):
        handed_on += len(group)
    assert handed_on == mask.sum()
    # Sites are at most about 60 rows high where they touch: a few strips, of 200.
    assert max(waiting) < 0.05 * mask.sum()


def test_a_cluster_without_dark_pixels_has_no_grey_below_255():
    # Pixels filled in a wide hole with a rim too thin for core pixels.
    pixels = Pixels(
        rows=np.repeat(np.arange(5), 5),
        columns=np.tile(np.arange(5), 5),
        greys=np.full(25, FILLED, np.int16),
        beside_invalid=np.zeros(25, bool),
    )
    found = clusters_of_strips(iter([(pixels, 9)]), shape=(9, 9), parameters=parameters())
    assert found.measures["mean_grey"].tolist() == [255]
    assert found.measures["minimum_grey"].tolist() == [255]


def test_pixels_of_rows_in_many_tables_are_neighbours(monkeypatch):
    mask = texture((300, 120), share=0.4, smoothing=0.8, seed=8)
    expected = DBSCAN(eps=4, min_samples=20).fit_predict(np.argwhere(mask))
    monkeypatch.setattr("damascene.clustering.dbscan._TABLE_CELLS", 1000)
    np.testing.assert_array_equal(dbscan(mask, eps=4, min_samples=20), expected)


def test_a_dark_area_without_end_is_refused_before_memory_is(monkeypatch):
    monkeypatch.setattr("damascene.clustering.pixels._MOST_WAITING", 500)
    mask = np.ones((100, 20), bool)
    for fill_holes in ("before", "after"):
        with pytest.raises(InputError, match=r"Rows 0 to \d+: more than 500 dark pixels"):
            find(mask, height=10, fill_holes=fill_holes)
    mask[::10] = False
    assert find(mask, height=10).found == 10
