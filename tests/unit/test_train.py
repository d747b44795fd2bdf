import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest

from damascene import InputError
from damascene.classes import DAMAGE_CLASSES, INCLUSION_CLASSES, SITE_CLASSES
from damascene.classification.last_layer import STRENGTHS, look_at_clips
from damascene.classification.predict import load_network, predict_clips
from damascene.classification.targets import stage_labels
from damascene.classification.train import train_network
from damascene.clips.network_input import network_inputs
from damascene.config.networks import DamageNetwork
from damascene.config.training import Training
from damascene.contracts.model_card import ModelCard
from damascene.evaluation.explanation import embedding_network, grad_cam, outer_maps
from damascene.learning.class_balance import class_proportions
from damascene.networks import network_named

SIZE_PX = 32


def clips_and_labels(count=48, seed=0, size_px=SIZE_PX):
    """Dark bars across for interface, upright for martensite; discs for inclusion."""
    rng = np.random.default_rng(seed)
    y, x = (np.mgrid[:size_px, :size_px] - size_px // 2) * SIZE_PX / size_px
    shapes = {
        "interface": (np.abs(y) < 3) & (np.abs(x) < 12),
        "martensite": (np.abs(x) < 3) & (np.abs(y) < 12),
        "inclusion": x**2 + y**2 < 100,
    }
    labels = np.resize(list(shapes), count)
    clips = np.stack([np.where(shapes[name], 10, 110) for name in labels])
    noisy = clips + rng.normal(0, 5, clips.shape)
    return noisy.clip(0, 255).astype(np.uint8)[..., np.newaxis], labels


QUICK = {"epochs": 2, "batch_size": 8, "learning_rate": 3e-3, "patience": 5, "refit": False}


def train(tmp_path, *, name="m", training=None, settings=None, **options):
    clips, labels = clips_and_labels()
    given = {
        "clips": clips,
        "labels": labels,
        "roles": np.resize(["train"] * 6 + ["validation"] * 3, len(labels)),
        "classes": ("interface", "martensite"),
        "settings": DamageNetwork(**({"network": "compact"} | (settings or {}))),
        "training": Training(**(QUICK | (training or {}))),
        "seed": 7,
        "model_path": tmp_path / f"{name}.keras",
        "pixel_size_nm": (50, 50),
    }
    return train_network(**(given | options))


def weights(path, card):
    return load_network(path, card=card, classes=card.classes).get_weights()


def test_network_learns_what_sets_the_classes_apart(tmp_path):
    history, card = train(tmp_path, training={"epochs": 12})
    clips, labels = clips_and_labels(seed=1)
    known = labels != "inclusion"
    model = load_network(tmp_path / "m.keras", card=card, classes=card.classes)
    probabilities = predict_clips(model, clips[known], card=card, batch_size=7)
    guessed = np.array(card.classes)[probabilities.argmax(axis=1)]
    assert np.mean(guessed == labels[known]) > 0.9
    assert history.loss.iloc[-1] < history.loss.iloc[0]


def test_history_card_and_file(tmp_path):
    history, card = train(tmp_path)
    assert list(history.columns) == [
        "run",
        "epoch",
        "loss",
        "accuracy",
        "validation_loss",
        "validation_accuracy",
        "learning_rate",
        "seconds",
    ]
    assert history.epoch.tolist() == [1, 2]
    card.write(tmp_path / "card.json")
    assert ModelCard.read(tmp_path / "card.json") == card
    (tmp_path / "card.json").unlink()
    assert card.validation_loss == history.validation_loss.min()
    assert card.best_epoch == history.epoch[history.validation_loss.idxmin()]
    # 48 sites in turns of three classes and of nine roles, of which inclusions are left out.
    assert card.class_counts == {
        "train": {"interface": 11, "martensite": 11},
        "validation": {"interface": 5, "martensite": 5},
    }
    assert card.input_px == SIZE_PX and card.grey_scaling == "clip_median"
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
    spoilt = {"epochs": 30, "patience": 2, "learning_rate": 0.5, "augmentation": "none"}
    history, card = train(tmp_path, training=spoilt)
    assert len(history) == card.epochs_run < 30
    assert card.epochs_run == card.best_epoch + 2
    clips, labels = clips_and_labels()
    rows = (np.resize([0] * 6 + [1] * 3, len(labels)) == 1) & (labels != "inclusion")
    model = load_network(tmp_path / "m.keras", card=card, classes=card.classes)
    probabilities = predict_clips(
        model, clips[rows], card=card.model_copy(update={"average_flips": False}), batch_size=64
    )
    guessed = np.array(card.classes)[probabilities.argmax(axis=1)]
    assert np.mean(guessed == labels[rows]) == pytest.approx(card.validation_accuracy)


def test_labels_of_the_stages():
    labels = ["inclusion", "notch", "martensite"]
    assert stage_labels(labels, classes=INCLUSION_CLASSES).tolist() == ["inclusion", "rest", "rest"]
    assert stage_labels(labels, classes=DAMAGE_CLASSES).tolist() == labels


def test_class_without_training_sites_is_named(tmp_path):
    with pytest.raises(InputError, match="No training site of class notch is left"):
        train(tmp_path, classes=DAMAGE_CLASSES)
    with pytest.raises(InputError, match="No validation site is left"):
        train(tmp_path, roles=["train"] * 48)


def test_shares_of_classes_in_an_epoch():
    assert class_proportions([90, 10], rule="natural").tolist() == [0.9, 0.1]
    assert class_proportions([90, 10], rule="square_root") == pytest.approx([0.75, 0.25])
    assert class_proportions([90, 10, 0], rule="equal").tolist() == [0.5, 0.5, 0]


def test_refit_uses_the_validation_sites_for_as_many_epochs_as_were_best(tmp_path):
    options = {"epochs": 8, "patience": 2, "learning_rate": 0.02}
    history, card = train(tmp_path, training=options | {"refit": True})
    runs = history.groupby("run", sort=False)
    assert runs.size().to_dict() == {
        "selection": card.epochs_run,
        "refit": card.best_epoch,
    }
    refit = runs.get_group("refit")
    assert refit["validation_loss"].isna().all() and refit["loss"].notna().all()
    kept, other = train(tmp_path, name="kept", training=options)
    assert kept.drop(columns="seconds").equals(runs.get_group("selection").drop(columns="seconds"))
    assert not all(
        np.array_equal(a, b)
        for a, b in zip(
            weights(tmp_path / "m.keras", card),
            weights(tmp_path / "kept.keras", other),
            strict=True,
        )
    )


def described_sites(labels, seed=0):
    """Descriptors of which the first one tells the class and the others are noise."""
    table = np.random.default_rng(seed).normal(0, 1, (len(labels), 6))
    table[:, 0] += 6 * (np.asarray(labels) == "martensite")
    return table.astype(np.float32)


def test_descriptors_decide_where_the_clips_tell_nothing(tmp_path):
    _, labels = clips_and_labels()
    blank = np.full((len(labels), SIZE_PX, SIZE_PX, 2), 90, np.uint8)
    simulated = (described_sites(labels, seed=3), labels)
    _, card = train(
        tmp_path,
        clips=blank,
        descriptors=described_sites(labels),
        simulated=simulated,
        training={"epochs": 20},
    )
    assert card.descriptors and card.scales == 2 and card.centre == 0.5
    model = load_network(tmp_path / "m.keras", card=card, classes=card.classes)
    # The answer is the mean of the softmax layer and of the trees.
    assert {"classes", "forest", "mean"} <= {layer.name for layer in model.layers}
    fresh = described_sites(labels, seed=1)
    probabilities = predict_clips(model, blank, fresh, card=card, batch_size=64)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-5)
    known = labels != "inclusion"
    right = np.array(card.classes)[probabilities.argmax(axis=1)] == labels
    assert right[known].mean() > 0.9
    _, plain = train(
        tmp_path, clips=blank, descriptors=described_sites(labels), settings={"descriptors": False}
    )
    assert not plain.descriptors


def train_frozen(tmp_path, *, settings=None, **options):
    """Train the network with the weights of ImageNet on clips of two equal scales."""
    clips, _ = clips_and_labels(size_px=64)
    settings = {"network": "efficientnet_lite0"} | (settings or {})
    given = {"clips": np.repeat(clips, 2, axis=-1)} | options
    return train(tmp_path, settings=settings, **given)


def test_a_frozen_network_learns_what_sets_the_classes_apart(tmp_path):
    history, card = train_frozen(tmp_path)
    assert list(history.columns) == [
        "run",
        "epoch",
        "strength",
        "loss",
        "accuracy",
        "validation_loss",
        "validation_accuracy",
        "seconds",
    ]
    assert history["strength"].tolist() == list(STRENGTHS) and card.epochs_run == len(STRENGTHS)
    best = history.loc[history["validation_loss"].idxmin()]
    card.write(tmp_path / "card.json")
    assert ModelCard.read(tmp_path / "card.json") == card
    (tmp_path / "card.json").unlink()
    assert card.network == "efficientnet_lite0" and card.grey_scaling == "full_range"
    assert (card.input_px, card.scales, card.centre) == (64, 2, 0.5)
    assert not card.average_flips and not card.descriptors
    for key in ("epoch", "validation_loss", "validation_accuracy"):
        assert getattr(card, {"epoch": "best_epoch"}.get(key, key)) == best[key]
    # Its last layer learns all classes of sites.
    learned = {"inclusion": 11, "notch": 0, "shadowing": 0, "interface": 11, "martensite": 11}
    assert card.class_counts["train"] == learned
    # Nothing half-written stays beside the model.
    assert [each.name for each in tmp_path.iterdir()] == ["m.keras"]
    model = load_network(tmp_path / "m.keras", card=card, classes=card.classes)
    clips, labels = clips_and_labels(seed=1, size_px=64)
    known = labels != "inclusion"
    probabilities = predict_clips(
        model, np.repeat(clips[known], 2, axis=-1), card=card, batch_size=7
    )
    guessed = np.array(card.classes)[probabilities.argmax(axis=1)]
    assert np.mean(guessed == labels[known]) > 0.9
    # The validation sites, seen once more by the file, give the loss in the card: that of all
    # classes of sites, from which the stage is answered.
    clips, labels = clips_and_labels(size_px=64)
    rows = np.resize([0] * 6 + [1] * 3, len(labels)) == 1
    joint = keras.Model(model.input, model.get_layer("classes").output)
    inputs = network_inputs(np.repeat(clips[rows], 2, axis=-1), grey_scaling=card.grey_scaling)
    probabilities = joint.predict_on_batch(inputs)
    members = [SITE_CLASSES.index(label) for label in labels[rows]]
    right = probabilities[np.arange(rows.sum()), members]
    # Features up to some tens, summed in another order in other batches.
    assert -np.log(right).mean() == pytest.approx(card.validation_loss, abs=1e-3)


def test_a_frozen_network_is_the_same_from_the_same_seed_and_used_sites(tmp_path):
    clips, labels = clips_and_labels(size_px=64)
    clips = np.repeat(clips, 2, axis=-1)
    roles = np.resize(["train"] * 6 + ["validation"] * 3 + ["excluded", "test"], len(labels))
    first_history, card = train_frozen(tmp_path, name="a", roles=roles, clips=clips)
    clips[np.isin(roles, ["excluded", "test"])] = 0
    np.save(tmp_path / "clips.npy", clips)
    mapped = np.load(tmp_path / "clips.npy", mmap_mode="r")
    second_history, _ = train_frozen(tmp_path, name="b", roles=roles, clips=mapped)
    # The seed is that of the changed copies.
    train_frozen(tmp_path, name="c", roles=roles, clips=mapped, seed=8)
    first, second, other = (weights(tmp_path / f"{name}.keras", card) for name in "abc")
    assert all(np.array_equal(a, b) for a, b in zip(first, second, strict=True))
    assert not all(np.array_equal(a, b) for a, b in zip(first, other, strict=True))
    assert first_history.drop(columns="seconds").equals(second_history.drop(columns="seconds"))


def test_one_look_at_all_labels_serves_every_training(tmp_path):
    clips, labels = clips_and_labels(size_px=64)
    clips = np.repeat(clips, 2, axis=-1)
    roles = np.resize(["train"] * 6 + ["validation"] * 3 + ["test"], len(labels))
    network = {"network": "efficientnet_lite0", "rotation_deg": 15, "seed": 7}
    plain = look_at_clips(clips, augmentation="none", **network)
    options = {"roles": roles, "training": {"augmentation": "none"}}
    _, card = train_frozen(tmp_path, name="a", clips=clips, **options)
    train_frozen(tmp_path, name="b", clips=clips, features=plain, **options)
    own, given = (weights(tmp_path / f"{name}.keras", card) for name in "ab")
    # Batches are cut elsewhere, which changes the last digits of a feature at most.
    for one, other in zip(own, given, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-4)
    # What is seen of a site, and of its changed copies, does not depend on sites kept for the test.
    seen = look_at_clips(clips, augmentation="strong", **network)
    assert seen.shape[1] > 1 and np.array_equal(seen[:, 0], plain[:, 0])
    kept = roles != "test"
    clips[~kept] = 0
    again = look_at_clips(clips, augmentation="strong", **network)
    assert np.array_equal(seen[kept], again[kept]) and not np.array_equal(seen, again)


@pytest.mark.parametrize("name", ["shadowing", "not_classified"])
def test_validation_sites_of_classes_that_were_not_learned_are_none(tmp_path, name):
    _, labels = clips_and_labels()
    roles = np.resize(["train"] * 6 + ["validation"] * 3, len(labels))
    labels = np.where(roles == "train", labels, name)
    with pytest.raises(InputError, match="No validation site is left for inclusion, rest"):
        train_frozen(tmp_path, labels=labels, roles=roles, classes=INCLUSION_CLASSES)
    # One that was learned is enough.
    labels[np.flatnonzero(roles == "validation")[0]] = "martensite"
    _, card = train_frozen(tmp_path, labels=labels, roles=roles, classes=INCLUSION_CLASSES)
    assert np.isfinite(card.validation_loss)


def test_trees_stand_beside_a_frozen_network(tmp_path):
    """Where the clips tell nothing, the descriptors do, in the trees alone."""
    _, labels = clips_and_labels()
    blank = np.full((len(labels), 64, 64, 2), 90, np.uint8)
    _, card = train_frozen(
        tmp_path,
        clips=blank,
        descriptors=described_sites(labels),
        simulated=(described_sites(labels, seed=3), labels),
        training={"refit": True, "augmentation": "none"},
    )
    assert card.descriptors and card.tree_share == network_named(card.network).tree_share
    assert [each.name for each in tmp_path.iterdir()] == ["m.keras"]
    model = load_network(tmp_path / "m.keras", card=card, classes=card.classes)
    assert {"classes", "forest", "mean"} <= {layer.name for layer in model.layers}
    fresh = described_sites(labels, seed=1)
    probabilities = predict_clips(model, blank, fresh, card=card, batch_size=64)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-5)
    known = labels != "inclusion"
    right = np.array(card.classes)[probabilities.argmax(axis=1)] == labels
    assert right[known].mean() > 0.9
    # The network itself has no opinion: every class keeps a part, whatever the trees say.
    assert probabilities.min() > 0.1 and probabilities.max() < 0.9
    inputs = network_inputs(blank[:3], fresh[:3], grey_scaling=card.grey_scaling)
    assert embedding_network(model).predict_on_batch(inputs).shape == (
        3,
        model.get_layer("features").output.shape[1],
    )
    assert grad_cam(model, inputs, class_index=0).shape == (3, 64, 64, 2)
    assert len(outer_maps(model, inputs)) == 2


KILLED = """
import os, sys, signal
import numpy as np
from damascene.learning import progress
import test_train

class Killed(progress.Progress):
    def on_epoch_end(self, epoch, logs=None):
        super().on_epoch_end(epoch, logs)
        if epoch + 1 == {epoch} and self._patience is {patience}:
            os.kill(os.getpid(), signal.SIGKILL)

import damascene.learning.descent as descent
descent.Progress = Killed
from pathlib import Path
test_train.train(Path(sys.argv[1]), training=test_train.RESUMED)
"""
RESUMED = {"epochs": 6, "patience": 3, "refit": True, "learning_rate": 0.02}


@pytest.mark.parametrize(("epoch", "patience"), [(2, "not None"), (1, "None")])
def test_a_killed_training_goes_on_to_the_same_weights(tmp_path, epoch, patience, caplog):
    """Killed in the selection of the epoch, and in the training on all labels."""
    whole, card = train(tmp_path, name="whole", training=RESUMED)
    assert card.best_epoch > 1
    folder = tmp_path / "killed"
    folder.mkdir()
    script = KILLED.format(epoch=epoch, patience=patience)
    here = Path(__file__).parent
    paths = [str(here), str(here.parents[1] / "workflow/scripts")]
    killed = subprocess.run(
        [sys.executable, "-c", script, str(folder)],
        env=os.environ | {"PYTHONPATH": os.pathsep.join(paths)},
        timeout=300,
    )
    assert killed.returncode == -signal.SIGKILL
    assert not (folder / "m.keras").exists()
    assert list(folder.glob(".m.*.checkpoint.npz"))
    with caplog.at_level("INFO"):
        resumed, _ = train(folder, training=RESUMED)
    assert "interrupted" in caplog.text
    assert resumed.drop(columns="seconds").equals(whole.drop(columns="seconds"))
    pairs = zip(
        weights(tmp_path / "whole.keras", card), weights(folder / "m.keras", card), strict=True
    )
    assert all(np.array_equal(a, b) for a, b in pairs)
    # Nothing is left that a later training could take up.
    assert [each.name for each in folder.iterdir()] == ["m.keras"]


def test_a_checkpoint_of_other_settings_is_left_aside(tmp_path):
    first, _ = train(tmp_path, name="a")
    path = tmp_path / ".b.selection.checkpoint.npz"
    np.savez(path, told=json.dumps({"key": "another", "rows": [], "best": 0}))
    second, _ = train(tmp_path, name="b")
    assert first.drop(columns="seconds").equals(second.drop(columns="seconds"))
    path.write_bytes(b"torn")
    third, _ = train(tmp_path, name="b")
    assert first.drop(columns="seconds").equals(third.drop(columns="seconds"))


def test_half_precision_is_stored_as_single(tmp_path):
    _, card = train(tmp_path, training={"epochs": 8, "refit": True}, mixed_precision=True)
    model = load_network(tmp_path / "m.keras", card=card, classes=card.classes)
    assert {layer.compute_dtype for layer in model.layers} == {"float32"}
    clips, labels = clips_and_labels(seed=1)
    known = labels != "inclusion"
    probabilities = predict_clips(model, clips[known], card=card, batch_size=64)
    guessed = np.array(card.classes)[probabilities.argmax(axis=1)]
    assert np.mean(guessed == labels[known]) > 0.8
