"""Published networks load from whatever file of Keras 2 they come in, and answer as they did."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from damascene import InputError
from damascene.classes import STAGE_CLASSES
from damascene.classification.predict import load_network, predict_clips
from damascene.classification.published import convert_published, main
from damascene.contracts.model_card import ModelCard
from damascene.networks.build import build_network
from damascene.networks.weights import checksum, set_weights_from

FILES = {
    "damage": [
        *("damage.h5", "damage_weights.h5", "damage_checkpoint.index", "damage_reordered.h5"),
        *("damage_weights_reordered.h5", "damage_trained.h5", "damage_saved"),
        *("damage_keras_2.keras", "damage_trained.weights.h5", "damage_sequential.h5"),
        *("damage_deep.h5", "damage_deep_weights.h5", "damage_deep"),
    ],
    "inclusion": [
        *("inclusion.h5", "inclusion_nested.h5", "inclusion_checkpoint.index"),
        *("inclusion_nested_weights.h5", "inclusion_nested_reordered.h5"),
    ],
}
NETWORKS = {"inclusion": "inception_v3", "damage": "eeracn"}


@pytest.fixture(scope="module")
def published(tmp_path_factory):
    folder = tmp_path_factory.mktemp("keras2")
    subprocess.run(
        [sys.executable, Path(__file__).parent / "keras_2_files.py", folder],
        env=os.environ | {"TF_USE_LEGACY_KERAS": "1", "TF_CPP_MIN_LOG_LEVEL": "3"},
        check=True,
        timeout=900,
    )
    return folder


@pytest.fixture(scope="module", params=STAGE_CLASSES)
def converted(request, published, tmp_path_factory):
    """Return stage, network and card as converted from the flat file."""
    stage = request.param
    folder = tmp_path_factory.mktemp(stage)
    _, card = convert_published(published / f"{stage}.h5", stage=stage, folder=folder)
    assert ModelCard.read(folder / f"{stage}.json") == card
    classes = STAGE_CLASSES[stage]
    return stage, load_network(folder / f"{stage}.keras", card=card, classes=classes), card


def test_files_of_keras_2_answer_as_they_did(published, converted):
    stage, model, card = converted
    with np.load(published / f"{stage}.npz") as stored:
        clips, expected = stored["clips"], stored["predicted"]
    predicted = predict_clips(model, clips[..., np.newaxis], card=card, batch_size=3)
    # The untrained networks tell clips apart, so that layers in a wrong order would show.
    assert np.ptp(expected, axis=0).max() > 1e-3
    np.testing.assert_allclose(predicted, expected, atol=2e-6)


def test_a_network_may_be_stored_in_any_way(published, converted):
    """All files of a stage hold the same weights, which are those of the one tested above."""
    stage, model, _ = converted
    expected = model.get_weights()
    for name in FILES[stage]:
        model.set_weights([np.zeros_like(each) for each in expected])
        set_weights_from(model, published / name)
        for one, other in zip(model.get_weights(), expected, strict=True):
            np.testing.assert_array_equal(one, other, err_msg=name)


def test_other_networks_are_refused(published, tmp_path):
    model = build_network("eeracn", class_count=4, seed=0)
    before = model.get_weights()
    (tmp_path / "notes.h5").write_text("no network")
    for path, words in (
        (published / "inclusion_nested.h5", "layers with weights, the network has 19"),
        (published / "other_relu.h5", "is relu, that of the network is elu"),
        (published, "a folder without a file saved_model.pb"),
        (tmp_path / "notes.h5", "not a file of Keras, or damaged"),
    ):
        with pytest.raises(InputError, match=words) as error:
            set_weights_from(model, path)
        assert "does not fit the network eeracn" in str(error.value)
    # Nothing is half taken over.
    pairs = zip(model.get_weights(), before, strict=True)
    assert all(np.array_equal(one, other) for one, other in pairs)
    with pytest.raises(InputError, match=r"layer conv2d\S* needs weights of shape|layer classes"):
        set_weights_from(build_network("eeracn", class_count=3, seed=0), published / "damage.h5")


def test_published_files_of_the_wrong_stage_are_refused(published, tmp_path, monkeypatch, capsys):
    damage = published / "damage.h5"
    with pytest.raises(InputError, match="does not fit the network inception_v3"):
        convert_published(damage, stage="inclusion", folder=tmp_path)
    registry = tmp_path / "registry.tsv"
    registry.write_text(
        f"file\tstage\tsha256\tdoi\nd.h5\tdamage\t{checksum(damage, 'sha256')}\t10.1/x\n"
    )
    with pytest.raises(InputError, match="is the public network of stage damage, not inclusion"):
        convert_published(damage, stage="inclusion", folder=tmp_path, registry=registry)
    _, card = convert_published(damage, stage="damage", folder=tmp_path, registry=registry)
    assert card.source.origin == "doi 10.1/x"
    _, card = convert_published(published / "damage_saved", stage="damage", folder=tmp_path)
    assert card.source.file == "damage_saved" and len(card.source.sha256) == 64
    monkeypatch.setattr(sys, "argv", ["published", str(tmp_path / "no.h5"), str(damage), "out"])
    with pytest.raises(SystemExit):
        main()
    assert "There is no file" in capsys.readouterr().err
