"""What a training is handed of the tables and arrays of a study."""

import numpy as np
import pandas as pd
import pytest
from made_records import model_card, panorama_record

from damascene.classes import DAMAGE_CLASSES, SITE_CLASSES
from damascene.classification import stage
from damascene.classification.stage import Sites, train_stage
from damascene.clips.training_sites import shared_with_training
from damascene.config.networks import DamageNetwork
from damascene.config.training import Training
from damascene.contracts.descriptors import DESCRIPTOR_NAMES
from damascene.contracts.model_card import TrainingSite
from damascene.images.store import write_tiled
from damascene.labels.split import apart_from_held_out, assign_folds, assign_groups, fold_roles_in

COUNT = 120
RECORDS = [
    panorama_record("a", pixel_size_nm=40),
    panorama_record("b", pixel_size_nm=60),
]
WINDOWS = ["1 um", "2 um"]


def sites(count, *, seed):
    """Return sites in blocks, and arrays that tell which site each row is of."""
    rng = np.random.default_rng(seed)
    table = pd.DataFrame(
        {
            "panorama": np.resize(["a", "b"], count),
            "clip_x_px": rng.uniform(0, 1999, count),
            "clip_y_px": rng.uniform(0, 1999, count),
            "label": np.resize(SITE_CLASSES, count),
            "answers": "",
        }
    )
    table = table.assign(
        x_px=table["clip_x_px"], y_px=table["clip_y_px"], annotator="one", site_id=np.arange(count)
    )
    table = assign_groups(table, group_by="block", block_px={"a": 250, "b": 250})
    rows = np.arange(count)
    return Sites(
        table=table,
        clips=np.broadcast_to(rows[:, None, None, None], (count, 4, 4, 1)).astype(np.uint8),
        descriptors=np.tile(rows[:, None], len(DESCRIPTOR_NAMES)).astype(np.float32),
    )


@pytest.fixture
def labelled():
    dealt = sites(COUNT, seed=0)
    split = assign_folds(dealt.table, folds=4, seed=0)
    return Sites(table=split, clips=dealt.clips, descriptors=dealt.descriptors)


@pytest.fixture(scope="module")
def images(tmp_path_factory):
    """Store noise as both panoramas; return their paths."""
    folder, rng = tmp_path_factory.mktemp("images"), np.random.default_rng(0)
    paths = {one.panorama: folder / f"{one.panorama}.ome.tif" for one in RECORDS}
    for one in RECORDS:
        write_tiled(
            paths[one.panorama],
            [rng.integers(0, 256, (2000, 2000), np.uint8)],
            shape=(2000, 2000),
            pixel_size_nm=one.pixel_size_nm,
            name=one.panorama,
        )
    return paths


@pytest.fixture
def given(monkeypatch, labelled, images):
    """Run `train_stage` on these sites and return what the training was given, and the card."""

    def run(name, *, weights="none", joined=None, **options):
        calls = []
        trained = None, model_card(training_sites=joined)
        monkeypatch.setattr(stage, name, lambda **received: calls.append(received) or trained)
        _, card = train_stage(
            "damage",
            labelled=labelled,
            records=RECORDS,
            images=images,
            test_fold=1,
            folds=4,
            windows=WINDOWS,
            settings=DamageNetwork(network="compact", weights=weights),
            seed=3,
            model_path="m.keras",
            **options,
        )
        (received,) = calls
        return received | {"card": card}

    return run


def test_a_training_gets_roles_pixel_sizes_and_simulated_sites(given, labelled):
    simulated = pd.DataFrame(np.eye(2, len(DESCRIPTOR_NAMES)), columns=list(DESCRIPTOR_NAMES))
    simulated.insert(0, "label", ["notch", "inclusion"])
    received = given("train_network", training=Training(), simulated=simulated, note="a note")
    assert received["classes"] == DAMAGE_CLASSES and received["note"] == "a note"
    assert received["pixel_size_nm"] == (40, 60)
    np.testing.assert_array_equal(received["simulated"][0], simulated[list(DESCRIPTOR_NAMES)])
    assert received["simulated"][1].tolist() == ["notch", "inclusion"]
    roles = fold_roles_in(labelled.table, RECORDS, test_fold=1, folds=4, windows=WINDOWS)
    assert received["roles"].tolist() == roles.tolist()
    assert (roles[labelled.table["fold"] == 1] == "test").all()
    assert "unlabelled" not in received and received["clips"] is labelled.clips


def test_the_card_lists_the_sites_that_were_learned_from(given, labelled, images):
    received = given("train_network", training=Training())
    learned = labelled.table[
        np.isin(received["roles"], ["train", "validation"])
        & (labelled.table["label"] != "inclusion")
    ]
    listed = received["card"].training_sites
    assert [(one.panorama, one.x_px, one.y_px) for one in listed] == list(
        learned[["panorama", "clip_x_px", "clip_y_px"]].itertuples(index=False, name=None)
    )
    # The widest window counts, 2 um.
    assert {(one.panorama, one.window_px) for one in listed} == {("a", 50), ("b", 33)}
    # The sites are found where they are, and the labels of the fold held out are not refused.
    shared = shared_with_training(labelled.table, images, sites={"a": listed}, windows=["2 um"])
    held_out = labelled.table[received["roles"] == "test"]
    met = set(zip(shared["panorama"], shared["x_px"], strict=True))
    assert set(zip(learned["panorama"], learned["x_px"], strict=True)) <= met
    assert not met & set(zip(held_out["panorama"], held_out["x_px"], strict=True))


def test_the_card_lists_the_sites_that_initial_weights_had_seen(given, tmp_path):
    site = TrainingSite(panorama="old", x_px=1, y_px=2, window_px=50, fingerprint="")
    weights = str(tmp_path / "damage.keras")
    card = given("train_network", training=Training(), weights=weights)["card"]
    assert "began with the weights" in card.unlisted_sites and "no card" in card.unlisted_sites
    for earlier, doubt in (((site,), ""), (None, "does not list")):
        model_card(training_sites=earlier).write(tmp_path / "damage.json")
        card = given("train_network", training=Training(), weights=weights)["card"]
        assert (site in card.training_sites) == bool(earlier)
        assert bool(card.unlisted_sites) == bool(doubt) and doubt in card.unlisted_sites


def test_only_sites_apart_from_those_held_out_get_labels_of_the_network(given, labelled):
    further = sites(200, seed=5)
    received = given(
        "train_with_pseudo_labels", training=Training(pseudo_labels=1.0), unlabelled=further
    )
    usable = apart_from_held_out(
        further.table, labelled.table, received["roles"], RECORDS, windows=WINDOWS
    )
    rows = np.flatnonzero(usable).tolist()
    assert 0 < len(rows) < 200
    # What the network labels by itself is learned from, too.
    joined = received["describe_joined"](np.array([4, 0, 2]))
    expected = further.table["clip_x_px"].iloc[[rows[4], rows[0], rows[2]]].tolist()
    assert [one.x_px for one in joined] == expected
    assert received["describe_joined"](np.array([], int)) == []
    card = given("train_network", training=Training(), joined=tuple(joined))["card"]
    assert card.training_sites[-3:] == tuple(joined)
    clips, descriptors = received["unlabelled"]
    assert clips[:, 0, 0, 0].tolist() == descriptors[:, 0].tolist() == rows
    held_out = labelled.table[np.isin(received["roles"], ["test", "validation"])]
    assert not set(further.table["group"][rows]) & set(held_out["group"])


def test_sites_without_descriptors_stay_without(given):
    further = sites(50, seed=6)
    bare = Sites(table=further.table, clips=further.clips, descriptors=None)
    received = given(
        "train_with_pseudo_labels", training=Training(pseudo_labels=1.0), unlabelled=bare
    )
    assert received["unlabelled"][1] is None
