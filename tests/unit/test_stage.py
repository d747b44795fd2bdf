"""What a training is handed of the tables and arrays of a study."""

import numpy as np
import pandas as pd
import pytest
from made_records import panorama_record

from damascene.classes import DAMAGE_CLASSES, SITE_CLASSES
from damascene.classification import stage
from damascene.classification.stage import Sites, train_stage
from damascene.config.networks import DamageNetwork
from damascene.config.training import Training
from damascene.contracts.descriptors import DESCRIPTOR_NAMES
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


@pytest.fixture
def given(monkeypatch, labelled):
    """Run `train_stage` on these sites and return what the training was given."""

    def run(name, **options):
        calls = []
        monkeypatch.setattr(stage, name, lambda **received: calls.append(received))
        train_stage(
            "damage",
            labelled=labelled,
            records=RECORDS,
            test_fold=1,
            folds=4,
            windows=WINDOWS,
            settings=DamageNetwork(network="compact"),
            seed=3,
            model_path="m.keras",
            **options,
        )
        (received,) = calls
        return received

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
