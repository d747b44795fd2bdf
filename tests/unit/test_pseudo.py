import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from made_records import model_card, panorama_record

from damascene.classes import SITE_CLASSES
from damascene.classification import pseudo
from damascene.classification.predict import load_network, predict_clips
from damascene.classification.pseudo import pick_sites, train_with_pseudo_labels
from damascene.clips.pictures import cut_pictures
from damascene.clips.storage import store_clips
from damascene.clips.windows import clip_window
from damascene.config.networks import DamageNetwork
from damascene.config.training import Training
from damascene.contracts.labels import LABELLED_SITES
from damascene.contracts.model_card import ModelCard
from damascene.contracts.table import check_table
from damascene.contracts.unlabelled import UNLABELLED
from damascene.images.store import TiledImage, write_all_valid, write_tiled
from damascene.labels.split import (
    apart_from_held_out,
    assign_folds,
    assign_groups,
    fold_roles_in,
)
from damascene.labels.unlabelled import choose_unlabelled, cut_unlabelled

SIZE_PX = 32
WIDTH_PX, HEIGHT_PX = 900, 700
CLASSES = ("interface", "martensite")


def sites_of(count, *, seed, panoramas=("p0", "p1")):
    rng = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "panorama": rng.choice(panoramas, count),
            "site_id": np.arange(count),
            "x_px": rng.uniform(0, WIDTH_PX - 1, count),
            "y_px": rng.uniform(0, HEIGHT_PX - 1, count),
        }
    )


def labelled_of(sites, *, seed):
    rng = np.random.default_rng(seed)
    table = sites.assign(
        label=rng.choice(SITE_CLASSES, len(sites)),
        annotator="a",
        answers="",
        clip_x_px=sites["x_px"],
        clip_y_px=sites["y_px"],
    )
    return check_table(table, LABELLED_SITES, source="test")


# Candidates without a label.


def test_candidates_that_are_labelled_or_close_to_a_label_are_never_drawn():
    candidates = pd.DataFrame(
        {
            "panorama": ["p0", "p0", "p0", "p0", "p1", "p1"],
            "site_id": [0, 1, 2, 3, 0, 7],
            "x_px": [100.0, 100, 100, 400, 100, 102],
            "y_px": [100.0, 109, 111, 400, 100, 100],
        }
    )
    # The last label means candidate 7 and lies off it, as the centre of a large site may.
    labelled = pd.DataFrame(
        {
            "panorama": ["p0", "p1"],
            "site_id": [-1, 7],
            "clip_x_px": [100.0, 500],
            "clip_y_px": [100.0, 500],
        }
    )
    options = {"distance_px": {"p0": 10, "p1": 10}, "until_px": {}, "most": 10, "seed": 0}
    assert choose_unlabelled(candidates, labelled, **options).tolist() == [2, 3, 4]
    # What lies beyond the labelled part of simulated steel is the test against the truth.
    kept = options | {"until_px": {"p0": 400}}
    assert choose_unlabelled(candidates, labelled, **kept).tolist() == [2, 4]


def test_the_draw_is_limited_and_repeats_with_the_seed():
    candidates, labelled = sites_of(400, seed=1), sites_of(0, seed=2)
    labelled = labelled.rename(columns={"x_px": "clip_x_px", "y_px": "clip_y_px"})
    options = {"distance_px": {}, "until_px": {}}

    def drawn(most, seed):
        return choose_unlabelled(candidates, labelled, most=most, seed=seed, **options).tolist()

    assert drawn(1000, 3) == list(range(400))
    few = drawn(50, 3)
    assert len(set(few)) == 50 and few == sorted(few) == drawn(50, 3) != drawn(50, 4)
    # Drawn from everywhere, not the first ones.
    assert few[-1] > 200


# Which of them may train.


@settings(max_examples=30, deadline=None)
@given(
    seed=st.integers(0, 1000),
    edge=st.integers(10, 200),
    test_fold=st.sampled_from([None, 1, 2]),
)
def test_no_pixel_of_a_used_window_is_in_that_of_a_site_that_does_not_train(seed, edge, test_fold):
    block = {"group_by": "block", "block_px": {"p0": 250, "p1": 250}}
    labelled = labelled_of(sites_of(60, seed=seed), seed=seed)
    grouped = assign_groups(labelled, **block)
    assume((grouped.groupby("label")["group"].nunique() >= 3).all())
    split = assign_folds(grouped, folds=4, seed=0)
    shape = (HEIGHT_PX, WIDTH_PX)
    records = [panorama_record(name, shape=shape) for name in ("p0", "p1")]
    windows = [f"{edge // 2} px", f"{edge} px"]
    roles = fold_roles_in(split, records, test_fold=test_fold, folds=4, windows=windows)
    places = sites_of(150, seed=seed + 1).rename(columns={"x_px": "clip_x_px", "y_px": "clip_y_px"})
    places = check_table(assign_groups(places, **block), UNLABELLED, source="test")
    used = apart_from_held_out(places, split, roles, records, windows=windows)

    def window(site):
        return clip_window(site.clip_x_px, site.clip_y_px, window_px=edge, shape=shape)

    covered = {name: np.zeros(shape, bool) for name in ("p0", "p1")}
    for site, role in zip(split.itertuples(), roles, strict=True):
        if role != "train":
            covered[site.panorama][window(site).slices()] = True
    held_out = set(split.group[np.isin(roles, ["test", "validation"])])
    expected = [
        site.group not in held_out and not covered[site.panorama][window(site).slices()].any()
        for site in places.itertuples()
    ]
    # None too many and none too few.
    assert used.tolist() == expected


def test_a_panorama_that_is_held_out_as_a_whole_gives_no_site():
    shape = (HEIGHT_PX, WIDTH_PX)
    records = [panorama_record(name, shape=shape) for name in ("p0", "p1", "p2")]
    split = pd.DataFrame({"panorama": ["p0", "p1", "p2"], "group": ["p0", "p1", "p2"]})
    split = split.assign(clip_x_px=10.0, clip_y_px=10.0)
    places = split.assign(clip_x_px=800.0, clip_y_px=600.0)
    used = apart_from_held_out(
        places, split, ["train", "validation", "test"], records, windows=["20 px"]
    )
    assert used.tolist() == [True, False, False]


# Which of those a network is sure of.


def test_each_class_gains_its_surest_sites_up_to_its_limit():
    probabilities = np.array(
        [[0.9, 0.1], [0.95, 0.05], [0.8, 0.2], [0.79, 0.21], [0.99, 0.01], [0.1, 0.9], [0.3, 0.7]]
    )
    rows, members = pick_sites(probabilities, [2, 5])
    assert rows.tolist() == [1, 4, 5] and members.tolist() == [0, 0, 1]
    rows, members = pick_sites(probabilities, [9, 0])
    assert rows.tolist() == [0, 1, 2, 4] and not members.any()
    rows, members = pick_sites(np.empty((0, 2)), [9, 9])
    assert rows.tolist() == members.tolist() == []


# Training.


def bars(count, *, seed, noise=5):
    """Dark bars across for interface, upright for martensite."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:SIZE_PX, :SIZE_PX] - SIZE_PX // 2
    shapes = {
        "interface": (np.abs(y) < 3) & (np.abs(x) < 12),
        "martensite": (np.abs(x) < 3) & (np.abs(y) < 12),
    }
    labels = np.resize(list(shapes), count)
    clips = np.stack([np.where(shapes[name], 10, 110) for name in labels])
    noisy = clips + rng.normal(0, noise, clips.shape)
    return noisy.clip(0, 255).astype(np.uint8)[..., np.newaxis], labels


def train(tmp_path, unlabelled, *, pseudo_labels, **options):
    clips, labels = bars(36, seed=0)
    given = {
        "clips": clips,
        "labels": labels,
        "answers": labels,
        "roles": np.resize(["train"] * 4 + ["validation"] * 2 + ["test"] * 3, len(labels)),
        "classes": CLASSES,
        "settings": DamageNetwork(network="compact"),
        "training": Training(
            epochs=8,
            batch_size=8,
            learning_rate=3e-3,
            label_smoothing=0,
            augmentation="none",
            pseudo_labels=pseudo_labels,
        ),
        "seed": 7,
        "model_path": tmp_path / "m.keras",
        "pixel_size_nm": (50, 50),
    }
    return train_with_pseudo_labels(unlabelled=unlabelled, **(given | options))


def stand_in(monkeypatch, probabilities):
    """Put a network in place that answers with these, and keep what trainings were given."""
    calls = []

    def train_network(**given):
        calls.append(given)
        given["model_path"].write_bytes(b"")
        roles, labels = np.asarray(given["roles"], object), np.asarray(given["labels"], object)
        train = {name: int(np.sum((roles == "train") & (labels == name))) for name in CLASSES}
        return pd.DataFrame(), model_card(CLASSES, class_counts={"train": train})

    monkeypatch.setattr(pseudo, "train_network", train_network)
    monkeypatch.setattr(pseudo, "load_network", lambda path, **_: path.read_bytes())
    monkeypatch.setattr(pseudo, "whole_answers", lambda model: model)
    monkeypatch.setattr(pseudo, "predict_clips", lambda *_, **__: np.array(probabilities))
    return calls


def test_the_second_training_has_the_sites_that_joined_with_the_answers_to_them(
    tmp_path, monkeypatch
):
    probabilities = [[0.1, 0.9], [0.6, 0.4], [0.95, 0.05], [0.03, 0.97], [0.02, 0.98]]
    calls = stand_in(monkeypatch, probabilities)
    clips, _ = bars(5, seed=1)
    descriptors = np.arange(36 + 5, dtype=np.float32)[:, np.newaxis]
    _, card = train(
        tmp_path,
        (clips, descriptors[36:]),
        pseudo_labels=0.25,
        descriptors=descriptors[:36],
        describe_joined=lambda rows: [f"site {row}" for row in rows],
    )
    first, second = calls
    # 36 sites of two classes in turns of nine roles: 8 of each class train, 2 more may.
    assert card.class_counts["train"] == {"interface": 8, "martensite": 8}
    assert card.pseudo_labels == {"interface": 1, "martensite": 2}
    # The validation sites stay unseen by the network whose answers become labels.
    assert not first["training"].refit and second["training"].refit
    rows = [2, 3, 4]
    for name in ("labels", "answers"):
        assert list(second[name][:36]) == list(first[name])
        assert list(second[name][36:]) == ["interface", "martensite", "martensite"]
    assert list(second["roles"]) == [*first["roles"], "train", "train", "train"]
    np.testing.assert_array_equal(second["clips"], np.concatenate([first["clips"], clips[rows]]))
    assert second["descriptors"][36:, 0].tolist() == [38, 39, 40]
    assert card.training_sites == ("site 2", "site 3", "site 4")
    # Nothing is left of the first network.
    assert {each.name for each in tmp_path.iterdir()} == {"m.keras"}


@pytest.mark.parametrize("probabilities", [np.empty((0, 2)), [[0.7, 0.3]]])
def test_without_a_site_to_join_the_labels_alone_train(tmp_path, monkeypatch, probabilities):
    calls = stand_in(monkeypatch, probabilities)
    clips, _ = bars(2, seed=1)
    unlabelled = (clips[: len(probabilities)], None)
    _, card = train(tmp_path, unlabelled, pseudo_labels=1, answers=None)
    assert card.pseudo_labels == {"interface": 0, "martensite": 0}
    first, second = calls
    assert second["answers"] is None and second["descriptors"] is None
    for name in ("clips", "labels", "roles"):
        assert np.array_equal(first[name], second[name])


def test_networks_learn_from_labels_and_their_own_answers(tmp_path):
    clips, _ = bars(30, seed=1)
    history, card = train(tmp_path, (clips, None), pseudo_labels=1)
    assert card.pseudo_labels == card.class_counts["train"]
    card.write(tmp_path / "card.json")
    assert ModelCard.read(tmp_path / "card.json") == card
    assert set(history["run"]) == {"selection", "refit"}
    model = load_network(tmp_path / "m.keras", card=card, classes=CLASSES)
    fresh, labels = bars(40, seed=2)
    probabilities = predict_clips(model, fresh, card=card, batch_size=40)
    assert np.mean(np.array(CLASSES)[probabilities.argmax(axis=1)] == labels) > 0.9
    assert {each.name for each in tmp_path.iterdir()} == {"m.keras", "card.json"}


def test_what_a_frozen_network_takes_for_another_stage_joins_as_that(tmp_path):
    clips, labels = bars(54, seed=0)
    labels = labels.astype(object)
    y, x = np.mgrid[:SIZE_PX, :SIZE_PX] - SIZE_PX // 2
    clips[::3, ..., 0], labels[::3] = np.where(x**2 + y**2 < 100, 10, 110), "inclusion"
    clips = clips.repeat(2, axis=1).repeat(2, axis=2)
    roles = np.where(np.arange(54) < 18, "train", np.where(np.arange(54) < 36, "validation", ""))
    _, card = train(
        tmp_path,
        (clips[36:], None),
        pseudo_labels=1,
        clips=clips,
        labels=labels,
        answers=labels,
        roles=roles,
        settings=DamageNetwork(network="steel_lite0"),
    )
    none = dict.fromkeys(SITE_CLASSES, 0)
    assert card.pseudo_labels == none | {"inclusion": 6, "interface": 6, "martensite": 6}


# Clips.


@pytest.mark.parametrize(("centre", "scales"), [(0.5, 2), (1.0, 1)])
def test_clips_are_stored_as_they_are_cut(tmp_path, centre, scales):
    grey = np.random.default_rng(0).integers(1, 255, (300, 300), dtype=np.uint8)
    paths = [tmp_path / "a.ome.tif", tmp_path / "b.ome.tif"]
    masks = [path.with_suffix(".valid.tif") for path in paths]
    options = {"shape": grey.shape, "pixel_size_nm": 50, "name": "p"}
    for path, mask, image in zip(paths, masks, (grey, grey[::-1]), strict=True):
        write_tiled(path, [image], **options)
        write_all_valid(mask, **options)
    sites = pd.DataFrame(
        {"panorama": ["b", "a", "b"], "clip_x_px": [50.0, 150, 250], "clip_y_px": [150.0, 20, 90]},
        index=[4, 2, 9],
    )
    shape = store_clips(
        tmp_path / "clips.npy",
        sites,
        panoramas=["a", "b"],
        images=paths,
        masks=masks,
        network="compact",
        window="5 um",
        centre=centre,
    )
    clips = np.load(tmp_path / "clips.npy", mmap_mode="r")
    assert shape == clips.shape == (3, *clips.shape[1:3], scales)
    with TiledImage(paths[1]) as image:
        cut = cut_pictures(
            image,
            [50, 250],
            [150, 90],
            window_px=100,
            centre=centre if scales == 2 else None,
            size_px=clips.shape[1],
        )
    np.testing.assert_array_equal(clips[[0, 2]], cut)
    none = store_clips(
        tmp_path / "none.npy",
        sites[:0],
        panoramas=["a", "b"],
        images=paths,
        masks=masks,
        network="compact",
        window="5 um",
        centre=centre,
    )
    assert none[0] == 0 and len(np.load(tmp_path / "none.npy", mmap_mode="r")) == 0


def test_clips_without_a_label_lie_beside_their_sites(tmp_path):
    grey = np.random.default_rng(0).integers(1, 255, (300, 300), dtype=np.uint8)
    paths = [tmp_path / "a.ome.tif", tmp_path / "b.ome.tif"]
    masks = [path.with_suffix(".valid.tif") for path in paths]
    options = {"shape": grey.shape, "pixel_size_nm": 50, "name": "p"}
    for path, mask, image in zip(paths, masks, (grey, grey[::-1]), strict=True):
        write_tiled(path, [image], **options)
        write_all_valid(mask, **options)
    rng = np.random.default_rng(1)
    candidates = pd.DataFrame({"panorama": ["a", "b"] * 15, "site_id": np.arange(30)})
    candidates = candidates.assign(x_px=rng.uniform(0, 299, 30), y_px=rng.uniform(0, 299, 30))
    labelled = candidates.head(1).rename(columns={"x_px": "clip_x_px", "y_px": "clip_y_px"})
    sites = cut_unlabelled(
        tmp_path / "clips.npy",
        candidates,
        labelled,
        [panorama_record(name, shape=grey.shape) for name in "ab"],
        images=paths,
        masks=masks,
        distance="0.1 um",
        until_px={},
        most=20,
        seed=2,
        group_by="block",
        block="5 um",
        network="compact",
        window="3 um",
        centre=1.0,
    )
    assert len(sites) == 20 and 0 not in set(sites["site_id"])
    # Blocks of 5 um are 100 px wide: nine in each panorama.
    assert 2 < sites["group"].nunique() <= 18
    clips = np.load(tmp_path / "clips.npy")
    site = sites.iloc[7]
    with TiledImage(paths["ab".index(site["panorama"])]) as image:
        place = [site["clip_x_px"]], [site["clip_y_px"]]
        cut = cut_pictures(image, *place, window_px=60, centre=None, size_px=clips.shape[1])
    np.testing.assert_array_equal(clips[7], cut[0])
