import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_records import panorama_record

from damascene import InputError
from damascene.classes import SITE_CLASSES
from damascene.clips.windows import clip_window
from damascene.contracts.labels import LABELLED_SITES
from damascene.contracts.table import check_table
from damascene.labels.split import (
    assign_folds,
    assign_groups,
    fold_roles,
    fold_roles_in,
    require_roles,
)


def labelled_sites(*, count, panoramas=3, size_px=2000, seed=0):
    rng = np.random.default_rng(seed)
    x_px, y_px = rng.uniform(0, size_px - 1, (2, count))
    return check_table(
        pd.DataFrame(
            {
                "panorama": [f"p{index}" for index in rng.integers(0, panoramas, count)],
                "x_px": x_px,
                "y_px": y_px,
                "label": rng.choice(SITE_CLASSES, count, p=[0.1, 0.3, 0.1, 0.2, 0.3]),
                "annotator": "a",
                "answers": "",
                "site_id": -1 - np.arange(count),
                "clip_x_px": x_px,
                "clip_y_px": y_px,
            }
        ),
        LABELLED_SITES,
        source="test",
    )


def blocks(labelled, edge=500):
    return assign_groups(
        labelled, group_by="block", block_px=dict.fromkeys(labelled.panorama.unique(), edge)
    )


def test_groups_are_panoramas_or_blocks():
    labelled = labelled_sites(count=200)
    assert (assign_groups(labelled, group_by="panorama").group == labelled.panorama).all()
    grouped = blocks(labelled)
    assert grouped.group.nunique() == 3 * 4 * 4
    extent = grouped.groupby("group").agg(
        left=("x_px", "min"),
        right=("x_px", "max"),
        top=("y_px", "min"),
        bottom=("y_px", "max"),
        panoramas=("panorama", "nunique"),
    )
    assert (extent.right - extent.left).max() < 500 and (extent.bottom - extent.top).max() < 500
    assert (extent.panoramas == 1).all()


def test_groups_stay_together_and_classes_are_spread():
    split = assign_folds(blocks(labelled_sites(count=300)), folds=5, seed=1)
    assert (split.groupby("group").fold.nunique() == 1).all()
    assert set(split.fold) == set(range(5))
    shares = pd.crosstab(split.fold, split.label, normalize="columns")
    # A fifth each; the groups are indivisible, so some unevenness stays.
    assert shares.to_numpy().min() > 0.1 and shares.to_numpy().max() < 0.3


def test_split_keeps_rows_and_repeats_with_the_seed():
    grouped = blocks(labelled_sites(count=300))
    split = assign_folds(grouped, folds=4, seed=3)
    pd.testing.assert_frame_equal(split.drop(columns="fold"), grouped, check_dtype=False)
    pd.testing.assert_frame_equal(split, assign_folds(grouped, folds=4, seed=3))


def test_order_of_rows_does_not_matter():
    grouped = blocks(labelled_sites(count=300))
    shuffled = grouped.sample(frac=1, random_state=0)
    folds = assign_folds(grouped, folds=4, seed=3).set_index(["x_px", "y_px"]).fold
    again = assign_folds(shuffled, folds=4, seed=3).set_index(["x_px", "y_px"]).fold
    pd.testing.assert_series_equal(folds.sort_index(), again.sort_index())


def test_class_with_too_few_labels_is_named():
    grouped = blocks(labelled_sites(count=300))
    few = grouped[grouped.label != "shadowing"]
    with pytest.raises(InputError, match=r"0 shadowing in 0 places\. Training"):
        assign_folds(few, folds=5, seed=0)
    one_group = grouped[
        (grouped.label != "inclusion")
        | (grouped.group == grouped[grouped.label == "inclusion"].group.iloc[0])
    ]
    with pytest.raises(InputError, match=r"\d+ inclusion in 1 place\..*at least 3"):
        assign_folds(one_group, folds=5, seed=0)


def test_the_fold_that_tests_alone_holds_every_class_if_any_does():
    """A class with labels in three groups only is in three of five folds: the first one has it."""
    grouped = blocks(labelled_sites(count=300))
    rare = grouped[grouped.label == "inclusion"].drop_duplicates("group").head(3)
    few = pd.concat([grouped[grouped.label != "inclusion"], rare])
    for seed in range(5):
        held = assign_folds(few, folds=5, seed=seed).groupby("fold").label.nunique()
        assert held.is_monotonic_decreasing and held.iloc[0] == 5 and held.iloc[-1] == 4


def test_more_folds_than_groups_are_refused():
    grouped = assign_groups(labelled_sites(count=300), group_by="panorama")
    assert assign_folds(grouped, folds=3, seed=0).fold.nunique() == 3
    with pytest.raises(InputError, match="3 places, which cannot be divided into 5 folds"):
        assign_folds(grouped, folds=5, seed=0)


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 1000),
    edge=st.integers(20, 300),
    test_fold=st.sampled_from([None, 1, 2]),
)
def test_windows_of_different_roles_share_no_pixel(seed, edge, test_fold):
    size_px = 700
    labelled = labelled_sites(count=150, panoramas=2, size_px=size_px, seed=seed)
    split = assign_folds(blocks(labelled, edge=250), folds=4, seed=0)
    roles = fold_roles(
        split,
        test_fold=test_fold,
        validation_fold=0,
        window_px={"p0": edge, "p1": edge},
        shapes={"p0": (size_px, size_px), "p1": (size_px, size_px)},
    )
    covered = {
        (panorama, role): np.zeros((size_px, size_px), bool)
        for panorama in ("p0", "p1")
        for role in ("train", "validation", "test", "excluded")
    }
    for site, role in zip(split.itertuples(), roles, strict=True):
        window = clip_window(
            site.clip_x_px, site.clip_y_px, window_px=edge, shape=(size_px, size_px)
        )
        covered[site.panorama, role][window.slices()] = True
    for panorama in ("p0", "p1"):
        train, validation, test = (
            covered[panorama, role] for role in ("train", "validation", "test")
        )
        assert not (train & (validation | test)).any()
        assert not (validation & test).any()
    assert ((roles == "test") == (split.fold == test_fold)).all()
    assert set(roles[split.fold == 0]) <= {"validation", "excluded"}


def test_only_overlapping_sites_are_excluded():
    labelled = labelled_sites(count=4, panoramas=1)
    x_px = [100.0, 149.0, 150.0, 800.0]
    split = labelled.assign(
        x_px=x_px, clip_x_px=x_px, y_px=500.0, clip_y_px=500.0, group="g", fold=[0, 1, 1, 1]
    )
    roles = fold_roles(
        split, test_fold=None, validation_fold=0, window_px={"p0": 50}, shapes={"p0": (1000, 1000)}
    )
    assert roles.tolist() == ["validation", "excluded", "train", "train"]


def test_windows_shifted_inside_count_where_they_are():
    labelled = labelled_sites(count=2, panoramas=1)
    x_px = [0.0, 60.0]
    split = labelled.assign(
        x_px=x_px, clip_x_px=x_px, y_px=500.0, clip_y_px=500.0, group="g", fold=[0, 1]
    )
    roles = fold_roles(
        split, test_fold=None, validation_fold=0, window_px={"p0": 50}, shapes={"p0": (1000, 1000)}
    )
    # 60 px apart, but the first window is moved to columns 0 to 49 and the second begins at 35.
    assert roles.tolist() == ["validation", "excluded"]


def test_the_widest_window_of_each_panorama_decides_the_roles():
    split = assign_folds(blocks(labelled_sites(count=400)), folds=4, seed=1)
    sizes_nm = {"p0": 40, "p1": 50, "p2": 80}
    records = [panorama_record(name, pixel_size_nm=nm) for name, nm in sizes_nm.items()]
    roles = fold_roles_in(split, records, test_fold=3, folds=4, windows=["4 um", "8 um"])
    expected = fold_roles(
        split,
        test_fold=3,
        validation_fold=0,
        window_px={"p0": 200, "p1": 160, "p2": 100},
        shapes={name: (2000, 2000) for name in sizes_nm},
    )
    assert roles.tolist() == expected.tolist() and "excluded" in roles


def test_a_split_that_leaves_nothing_to_learn_is_refused_before_the_training():
    # All interfaces lie side by side across the border of two blocks.
    sites = labelled_sites(count=300)
    near = sites["label"] == "interface"
    x_px = 500 + np.resize([-3.0, 3.0], near.sum())
    for name, values in (
        ("x_px", x_px),
        ("clip_x_px", x_px),
        ("y_px", 500.0),
        ("clip_y_px", 500.0),
    ):
        sites.loc[near, name] = values
    records = [panorama_record(name, shape=(4000, 4000)) for name in sites["panorama"].unique()]
    split = blocks(sites).assign(fold=0)
    split["fold"] = np.where(split["clip_x_px"] < 500, 0, np.where(split["clip_y_px"] < 500, 1, 2))
    options = {"folds": 3, "windows": ["4 um"]}
    with pytest.raises(InputError, match=r"no site of class interface to learn from.*other places"):
        require_roles(split, records, test_folds=[], **options)
    fine = split[split["label"] != "interface"]
    more = fine.head(60).assign(label="interface")
    require_roles(pd.concat([fine, more]), records, test_folds=[0, 1, 2], **options)
