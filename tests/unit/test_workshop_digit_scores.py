"""Accuracies of networks on small public pictures, in small."""

import gzip

import numpy as np
import pandas as pd
import pytest

from damascene.config.workshop import PICTURE_SETS
from damascene.contracts.digit_scores import DIGIT_NETWORKS, DIGIT_SCORES
from damascene.contracts.table import read_tsv, write_tsv
from damascene.workshop import digit_scores, public_digits
from damascene.workshop.digit_scores import TRIALS, score_digits
from damascene.workshop.public_digits import CLASSES, Pictures, load_pictures, some_pictures


@pytest.fixture
def quick(monkeypatch):
    """Score the two light networks alone, on fewer digits."""
    whole = some_pictures(load_pictures("digits"), train=400, test=150, seed=1)
    monkeypatch.setattr(digit_scores, "load_pictures", lambda *_, **__: whole)
    light = {name: TRIALS[name] for name in ("lenet5", "small")}
    monkeypatch.setattr(digit_scores, "TRIALS", light)
    return whole


def test_networks_learn_digits_and_the_table_says_from_how_many(quick, tmp_path):
    table = score_digits("digits", folders=[tmp_path], fetch=False, seed=3)
    assert table["network"].tolist() == ["lenet5", "small"]
    assert table["accuracy"].between(0.8, 1).all() and (table["not_scored"] == "").all()
    assert (table["accuracy_low"] < table["accuracy"]).all()
    assert (table["accuracy_high"] > table["accuracy"]).all()
    assert table[["trained_on", "tested_on"]].to_numpy().tolist() == [[400, 150]] * 2
    assert table["weights"].iloc[0] == 61_706
    # Whole pictures right over whole pictures.
    right = table["accuracy"] * 150
    np.testing.assert_allclose(right, right.round())
    path = tmp_path / "scores.tsv"
    write_tsv(table, path, DIGIT_SCORES)
    again = score_digits("digits", folders=[tmp_path], fetch=False, seed=3)
    pd.testing.assert_frame_equal(again, table)
    assert read_tsv(path, DIGIT_SCORES)["epochs"].tolist() == [15, 10]


def test_missing_files_give_reasons_in_place_of_scores(tmp_path):
    folders = [tmp_path / "mnist", tmp_path]
    table = score_digits("mnist", folders=folders, fetch=False, seed=3)
    assert table["network"].tolist() == list(DIGIT_NETWORKS) and table["accuracy"].isna().all()
    reason = table["not_scored"].iloc[0]
    assert "pictures of mnist are not there: put mnist.npz from https://" in reason
    assert reason.endswith(f"into {folders[0]}")
    # Another file in the folder of this set is told; any may lie in the others.
    folders[0].mkdir()
    (folders[0] / "mnist.npz").write_bytes(b"something else")
    table = score_digits("mnist", folders=folders, fetch=False, seed=3)
    assert f"{folders[0] / 'mnist.npz'} is another file" in table["not_scored"].iloc[0]


def test_the_first_folder_that_holds_a_set_is_taken(tmp_path, monkeypatch):
    asked = []

    def load(name, folder="", fetch=True):
        asked.append(folder)
        if folder != "right":
            raise public_digits.InputError("not here")
        none = np.zeros(0, np.int64)
        return Pictures(name=name, train=none, train_labels=none, test=none, test_labels=none)

    monkeypatch.setattr(digit_scores, "load_pictures", load)
    found = digit_scores._found("mnist", folders=["wrong", "right", "late"], fetch=True)
    assert asked == ["wrong", "right"] and found.name == "mnist"


def test_a_damaged_file_is_told(tmp_path):
    for name in ("train-images", "train-labels", "t10k-images", "t10k-labels"):
        kind = "idx3" if name.endswith("images") else "idx1"
        path = tmp_path / f"{name}-{kind}-ubyte.gz"
        path.write_bytes(gzip.compress(b"cut off")[:-4])
    table = score_digits("fashion_mnist", folders=[tmp_path], fetch=False, seed=3)
    assert "is damaged" in table["not_scored"].iloc[0]


def test_trials_and_classes_are_those_of_the_contract():
    assert tuple(TRIALS) == DIGIT_NETWORKS and tuple(CLASSES) == PICTURE_SETS
