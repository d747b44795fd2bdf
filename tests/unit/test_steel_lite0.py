"""EfficientNet-Lite0 adapted to simulated steel, and one last layer for both stages."""

import keras
import numpy as np
import pytest

from damascene import InputError
from damascene.classes import DAMAGE_CLASSES, INCLUSION_CLASSES, SITE_CLASSES
from damascene.classification import steel_adaptation
from damascene.classification.targets import (
    class_members,
    learned_classes,
    stage_answers,
    stage_groups,
    stage_targets,
)
from damascene.networks.build import build_network
from damascene.networks.efficientnet import lite0_layers
from damascene.networks.stage_answers import StageAnswers, whole_answers
from damascene.networks.steel_lite0 import STEEL_WEIGHTS, set_steel_weights


def convolutions(name):
    model = build_network(name, class_count=5, seed=0, input_px=64)
    return {layer.name: layer.get_weights() for layer in lite0_layers(model)}


def test_weights_lie_near_those_of_imagenet_and_are_not_the_same():
    before, after = convolutions("efficientnet_lite0"), convolutions("steel_lite0")
    assert before.keys() == after.keys()
    first, second = (
        np.concatenate([kernel.ravel() for kernel, _ in each.values()]) for each in (before, after)
    )
    # Small changes of many weights.
    assert np.corrcoef(first, second)[0, 1] > 0.99
    for name, (kernel, _) in after.items():
        change = np.abs(kernel - before[name][0]).max() / np.abs(kernel).max()
        assert change > 0.0002, name


def test_the_file_is_small_and_holds_numbers():
    assert STEEL_WEIGHTS.stat().st_size < 4e6
    with np.load(STEEL_WEIGHTS) as stored:
        assert all(np.isfinite(stored[name]).all() for name in stored)


def test_simulated_sites_are_those_of_the_truth(monkeypatch):
    monkeypatch.setattr(steel_adaptation, "_SHAPE", (1024, 1536))
    clips, targets = steel_adaptation.simulated_clips(2, seed=3, threads=1)
    assert clips.shape == (len(targets), 128, 128, 2) and clips.dtype == np.uint8
    assert (targets.sum(axis=1) == 1).all() and (targets.sum(axis=0) > 0).sum() >= 3
    # Cavities are dark in the middle of both pictures, shadows need not be.
    cavity = targets[:, SITE_CLASSES.index("shadowing")] == 0
    middle = clips[cavity, 56:72, 56:72].astype(float).min(axis=(1, 2))
    assert np.median(middle) < 30
    again, _ = steel_adaptation.simulated_clips(2, seed=3, threads=1)
    np.testing.assert_array_equal(clips, again)


@pytest.mark.parametrize("classes", [INCLUSION_CLASSES, DAMAGE_CLASSES])
def test_a_stage_answers_from_all_classes(classes):
    answers = np.random.default_rng(0).dirichlet(np.ones(5), 20).astype(np.float32)
    of_stage = stage_answers(answers, classes=classes)
    layer = StageAnswers(stage_groups(classes))
    np.testing.assert_allclose(np.asarray(layer(answers)), of_stage, atol=1e-6)
    np.testing.assert_allclose(of_stage.sum(axis=1), 1, atol=1e-6)
    inclusion = answers[:, SITE_CLASSES.index("inclusion")]
    if classes == INCLUSION_CLASSES:
        np.testing.assert_allclose(of_stage[:, 0], inclusion, atol=1e-6)
    else:
        for place, name in enumerate(classes):
            expected = answers[:, SITE_CLASSES.index(name)] / (1 - inclusion)
            np.testing.assert_allclose(of_stage[:, place], expected, atol=1e-5)


def test_a_sure_inclusion_leaves_the_damage_classes_open():
    sure = np.eye(5, dtype=np.float32)[[SITE_CLASSES.index("inclusion")]]
    np.testing.assert_allclose(stage_answers(sure, classes=DAMAGE_CLASSES), 1 / 4)
    layer = StageAnswers(stage_groups(DAMAGE_CLASSES))
    np.testing.assert_allclose(np.asarray(layer(sure)), 1 / 4)


def test_the_layer_comes_back_from_a_file(tmp_path):
    grey = keras.Input((5,))
    model = keras.Model(grey, StageAnswers(stage_groups(DAMAGE_CLASSES), name="stage")(grey))
    model.save(tmp_path / "m.keras")
    answers = np.random.default_rng(1).dirichlet(np.ones(5), 4).astype(np.float32)
    stored = keras.models.load_model(tmp_path / "m.keras")
    np.testing.assert_array_equal(stored.predict_on_batch(answers), model.predict_on_batch(answers))
    np.testing.assert_array_equal(whole_answers(stored).predict_on_batch(answers), answers)


def test_frozen_networks_learn_all_classes_and_others_those_of_the_stage():
    assert learned_classes("steel_lite0", DAMAGE_CLASSES) == SITE_CLASSES
    assert learned_classes("compact", DAMAGE_CLASSES) == DAMAGE_CLASSES
    labels = ["inclusion", "notch", "unclear"]
    assert class_members(labels, classes=INCLUSION_CLASSES)[:2].tolist() == [0, 1]
    assert class_members(labels, classes=SITE_CLASSES).tolist() == [0, 1, -1]
    assert class_members(labels, classes=DAMAGE_CLASSES).tolist() == [-1, 0, -1]
    assert stage_targets(labels[:2], classes=SITE_CLASSES).argmax(axis=1).tolist() == [0, 1]


def test_missing_and_damaged_weights_are_told(tmp_path):
    model = build_network("steel_lite0", class_count=2, seed=0, input_px=64)
    path, whole = tmp_path / "w.npz", STEEL_WEIGHTS.read_bytes()
    flipped = bytearray(whole)
    flipped[len(whole) // 2] ^= 255
    for damaged in (None, b"", whole[:-1000], b"PK", bytes(flipped)):
        if damaged is not None:
            path.write_bytes(damaged)
        with pytest.raises(InputError, match=r"w\.npz is missing or damaged.*fresh copy"):
            set_steel_weights(model, path=path)
    np.savez(path, other=np.zeros(3))
    with pytest.raises(InputError, match=r"w\.npz is missing or damaged"):
        set_steel_weights(model, path=path)
