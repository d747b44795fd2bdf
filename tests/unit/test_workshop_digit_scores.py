"""Accuracies of networks on small public pictures, in small."""

import gzip
import os

import keras
import numpy as np
import pandas as pd
import pytest

from damascene import InputError
from damascene.config.study import load_study
from damascene.config.workshop import PICTURE_SETS
from damascene.contracts.digit_scores import DIGIT_NETWORKS, DIGIT_SCORES
from damascene.contracts.table import read_tsv, write_tsv
from damascene.ledger.not_scored import not_scored_lines
from damascene.problems import MARK
from damascene.workshop import digit_scores, public_digits
from damascene.workshop.digit_scores import TRIALS, score_digits
from damascene.workshop.picture_files import files_seen, note_vain_fetch, vain_fetch
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


def reason_of(dataset, folders, *, fetch=False, **options):
    table = score_digits(dataset, folders=folders, fetch=fetch, seed=3, **options)
    assert table["network"].tolist() == list(DIGIT_NETWORKS) and table["accuracy"].isna().all()
    (reason,) = set(table["not_scored"])
    return reason


def test_missing_files_give_reasons_in_place_of_scores(tmp_path):
    folders = [tmp_path / "mnist", tmp_path]
    reason = reason_of("mnist", folders)
    assert "pictures of mnist are not there. Put mnist.npz from https://" in reason
    assert reason.endswith(f"into {folders[0]}.")


def test_wrong_files_are_told_in_every_folder_and_not_called_missing(tmp_path):
    folders = [tmp_path / "mnist", tmp_path, tmp_path / "empty"]
    for folder in folders:
        folder.mkdir(exist_ok=True)
    for folder in folders[:2]:
        (folder / "mnist.npz").write_bytes(b"something else")
    # The same folder may be named twice.
    reason = reason_of("mnist", [*folders, str(folders[0])])
    for folder in folders[:2]:
        assert reason.count(f"{folder / 'mnist.npz'} is another file than that of mnist.") == 1
    assert "not there" not in reason and "does not hold" not in reason
    assert "Put mnist.npz from https://storage.googleapis.com" in reason
    # The advice for the pages of the workshop does not help here.
    assert "digits_folder" not in reason


@pytest.fixture
def without_network(monkeypatch):
    """Let Keras fail as it does without a network."""

    def fail():
        raise Exception("URL fetch failure:\nNo route to host")

    monkeypatch.setattr(keras.datasets.mnist, "load_data", fail)


def test_a_vain_fetch_is_noted_for_the_next_run(tmp_path, without_network):
    note = tmp_path / "mnist.not_fetched.txt"
    assert vain_fetch(note) == ""
    reason_of("mnist", [tmp_path], vain_note=note)
    # Nothing was tried.
    assert not note.exists()
    reason = reason_of("mnist", [tmp_path], fetch=True, vain_note=note)
    assert reason.startswith(
        "mnist could not be fetched (URL fetch failure: No route to host). Put"
    )
    assert "run the same command again" in reason
    first = vain_fetch(note)
    assert first.startswith("20")
    reason_of("mnist", [tmp_path], fetch=True, vain_note=note)
    assert vain_fetch(note) != first


def test_a_wrong_file_is_told_beside_a_vain_fetch(tmp_path, without_network):
    (tmp_path / "mnist.npz").write_bytes(b"something else")
    reason = reason_of("mnist", [tmp_path], fetch=True)
    assert "mnist.npz is another file" in reason and "could not be fetched" in reason


def test_the_note_stays_when_pictures_come_so_that_nothing_is_repeated(quick, tmp_path):
    note = tmp_path / "note.txt"
    note_vain_fetch(note)
    before = vain_fetch(note)
    table = score_digits("digits", folders=[tmp_path], fetch=True, seed=3, vain_note=note)
    assert (table["not_scored"] == "").all() and vain_fetch(note) == before


def test_the_first_folder_that_holds_a_set_is_taken(tmp_path, monkeypatch):
    asked = []

    def load(name, folder="", fetch=True):
        asked.append(folder)
        if folder != "right":
            raise public_digits.NoPicturesError("not here", ways="them")
        none = np.zeros(0, np.int64)
        return Pictures(name=name, train=none, train_labels=none, test=none, test_labels=none)

    monkeypatch.setattr(digit_scores, "load_pictures", load)
    found = digit_scores._found("mnist", folders=["wrong", "right", "late"], fetch=True)
    assert asked == ["wrong", "right"] and found.name == "mnist"


def test_every_damaged_file_is_told(tmp_path):
    paths = []
    for name in ("train-images", "train-labels", "t10k-images", "t10k-labels"):
        kind = "idx3" if name.endswith("images") else "idx1"
        paths.append(tmp_path / f"{name}-{kind}-ubyte.gz")
        paths[-1].write_bytes(gzip.compress(b"cut off")[:-4])
    paths[3].write_bytes(gzip.compress(b"whole, but other"))
    reason = reason_of("fashion_mnist", [tmp_path])
    assert all(f"{path} is damaged" in reason for path in paths[:3])
    assert f"{paths[3]} is another file than that of fashion_mnist." in reason


def test_missing_ones_of_several_files_are_named(tmp_path):
    (tmp_path / "t10k-images-idx3-ubyte.gz").write_bytes(gzip.compress(b"other"))
    reason = reason_of("fashion_mnist", [tmp_path])
    assert "without train-images-idx3-ubyte.gz, train-labels-idx1-ubyte.gz, t10k-labels" in reason
    assert "t10k-images-idx3-ubyte.gz is another file" in reason


def test_other_content_under_the_same_name_is_seen(tmp_path):
    folders, path = [tmp_path / "none", tmp_path], tmp_path / "mnist.npz"
    assert files_seen("mnist", folders=folders) == []
    path.write_bytes(b"one")
    os.utime(path, ns=(5, 5))
    assert files_seen("mnist", folders=folders) == ["1 mnist.npz 3 5"]
    path.write_bytes(b"two!")
    os.utime(path, ns=(5, 5))
    larger = files_seen("mnist", folders=folders)
    os.utime(path, ns=(6, 6))
    assert larger == ["1 mnist.npz 4 5"]
    assert files_seen("mnist", folders=folders) == ["1 mnist.npz 4 6"]
    # Files of other data are no reason to train again; unpacked ones are those of this set.
    (tmp_path / "image.tif").write_bytes(b"")
    (tmp_path / "train-images-idx3-ubyte").write_bytes(b"")
    names = [line.split()[1] for line in files_seen("mnist", folders=folders)]
    assert names == ["mnist.npz", "train-images-idx3-ubyte"]
    assert files_seen("cifar10", folders=folders) == files_seen("digits", folders=folders) == []


def test_sets_without_scores_are_warned_of(quick, tmp_path):
    paths = [tmp_path / f"{name}.tsv" for name in ("digits", "mnist", "cifar10")]
    for path in paths[:2]:
        table = score_digits(path.stem, folders=[tmp_path], fetch=False, seed=3)
        write_tsv(table, path, DIGIT_SCORES)
    assert not_scored_lines(paths) == []
    table = pd.DataFrame({"dataset": "mnist", "network": DIGIT_NETWORKS, "not_scored": "no file"})
    table = table.reindex(columns=list(DIGIT_SCORES.columns))
    write_tsv(table, paths[1], DIGIT_SCORES)
    assert not_scored_lines(paths) == [f"{MARK}No network was scored on mnist: no file"]


@pytest.mark.parametrize(
    ("written", "read"),
    [("MNIST", "mnist"), ("Fashion-MNIST", "fashion_mnist"), ("CIFAR-10", "cifar10")],
)
def test_sets_may_be_written_as_in_papers(written, read):
    study = load_study({"reproduce": {"scores": [written]}, "workshop": {"digits": written}})
    assert study.reproduce.scores == [read] and study.workshop.digits == read


def test_an_unknown_set_is_told_with_the_known_ones():
    with pytest.raises(InputError, match=r"(?s)scores.*'digits', 'mnist', 'fashion_mnist'"):
        load_study({"reproduce": {"scores": ["EMNIST"]}})


def test_trials_and_classes_are_those_of_the_contract():
    assert tuple(TRIALS) == DIGIT_NETWORKS and tuple(CLASSES) == PICTURE_SETS
