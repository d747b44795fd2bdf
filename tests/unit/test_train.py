import json

import numpy as np
import pytest

from damascene import InputError
from damascene.classification.predict import load_network, predict_clips
from damascene.classification.train import stage_labels, train_network
from damascene.tables import DAMAGE_CLASSES, INCLUSION_CLASSES

SIZE_PX = 32


def clips_and_labels(count=48, seed=0):
    """Dark bars across for interface, upright for martensite; discs for inclusion."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:SIZE_PX, :SIZE_PX] - SIZE_PX // 2
    shapes = {
        "interface": (np.abs(y) < 3) & (np.abs(x) < 12),
        "martensite": (np.abs(x) < 3) & (np.abs(y) < 12),
        "inclusion": x**2 + y**2 < 100,
    }
    labels = np.resize(list(shapes), count)
    clips = np.stack([np.where(shapes[name], 10, 110) for name in labels])
    return (clips + rng.normal(0, 5, clips.shape)).clip(0, 255).astype(np.uint8), labels


def train(tmp_path, *, name="m", **options):
    clips, labels = clips_and_labels()
    settings = {
        "clips": clips,
        "labels": labels,
        "roles": np.resize(["train"] * 6 + ["validation"] * 3, len(labels)),
        "classes": ("interface", "martensite"),
        "network": "compact",
        "window": "5 um",
        "epochs": 2,
        "batch_size": 8,
        "learning_rate": 3e-3,
        "patience": 5,
        "augment": True,
        "seed": 7,
        "model_path": tmp_path / f"{name}.keras",
    }
    return train_network(**(settings | options))


def weights(path, card):
    return load_network(path, card=card, classes=card["classes"]).get_weights()


def test_network_learns_what_sets_the_classes_apart(tmp_path):
    history, card = train(tmp_path, epochs=12)
    clips, labels = clips_and_labels(seed=1)
    known = labels != "inclusion"
    model = load_network(tmp_path / "m.keras", card=card, classes=card["classes"])
    probabilities = predict_clips(model, clips[known], card=card, batch_size=7)
    guessed = np.array(card["classes"])[probabilities.argmax(axis=1)]
    assert np.mean(guessed == labels[known]) > 0.9
    assert history.loss.iloc[-1] < history.loss.iloc[0]


def test_history_card_and_file(tmp_path):
    history, card = train(tmp_path)
    assert list(history.columns) == [
        "epoch",
        "loss",
        "accuracy",
        "validation_loss",
        "validation_accuracy",
        "learning_rate",
        "seconds",
    ]
    assert history.epoch.tolist() == [1, 2]
    assert json.loads(json.dumps(card)) == card
    assert card["validation_loss"] == history.validation_loss.min()
    assert card["best_epoch"] == history.epoch[history.validation_loss.idxmin()]
    # 48 sites in turns of three classes and of nine roles, of which inclusions are left out.
    assert card["class_counts"] == {
        "train": {"interface": 11, "martensite": 11},
        "validation": {"interface": 5, "martensite": 5},
    }
    assert card["input_px"] == SIZE_PX and card["grey_scaling"] == "clip_median"
    # Nothing half-written stays beside the model.
    assert [each.name for each in tmp_path.iterdir()] == ["m.keras"]


def test_same_seed_and_used_sites_give_the_same_weights(tmp_path):
    clips, labels = clips_and_labels()
    roles = np.resize(["train"] * 6 + ["validation"] * 3 + ["excluded", "test"], len(labels))
    first_history, card = train(tmp_path, name="a", roles=roles)
    clips[np.isin(roles, ["excluded", "test"])] = 0
    np.save(tmp_path / "clips.npy", clips)
    mapped = np.load(tmp_path / "clips.npy", mmap_mode="r")
    second_history, _ = train(tmp_path, name="b", roles=roles, clips=mapped)
    train(tmp_path, name="c", roles=roles, seed=8)
    first, second, other = (weights(tmp_path / f"{name}.keras", card) for name in "abc")
    assert all(np.array_equal(a, b) for a, b in zip(first, second, strict=True))
    assert not all(np.array_equal(a, b) for a, b in zip(first, other, strict=True))
    assert first_history.drop(columns="seconds").equals(second_history.drop(columns="seconds"))


def test_best_weights_are_kept_and_training_stops_early(tmp_path):
    # A learning rate far too large spoils the weights after the first epochs.
    history, card = train(tmp_path, epochs=30, patience=2, learning_rate=0.5, augment=False)
    assert len(history) == card["epochs_run"] < 30
    assert card["epochs_run"] == card["best_epoch"] + 2
    clips, labels = clips_and_labels()
    rows = (np.resize([0] * 6 + [1] * 3, len(labels)) == 1) & (labels != "inclusion")
    model = load_network(tmp_path / "m.keras", card=card, classes=card["classes"])
    probabilities = predict_clips(
        model, clips[rows], card=card | {"average_flips": False}, batch_size=64
    )
    guessed = np.array(card["classes"])[probabilities.argmax(axis=1)]
    assert np.mean(guessed == labels[rows]) == pytest.approx(card["validation_accuracy"])


def test_labels_of_the_stages():
    labels = ["inclusion", "notch", "martensite"]
    assert stage_labels(labels, classes=INCLUSION_CLASSES).tolist() == ["inclusion", "rest", "rest"]
    assert stage_labels(labels, classes=DAMAGE_CLASSES).tolist() == labels


def test_class_without_training_sites_is_named(tmp_path):
    with pytest.raises(InputError, match="No training site of class notch is left"):
        train(tmp_path, classes=DAMAGE_CLASSES)
    with pytest.raises(InputError, match="No validation site is left"):
        train(tmp_path, roles=["train"] * 48)
