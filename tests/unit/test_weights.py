"""Weights from elsewhere: files of Keras 2, ImageNet, frozen layers, a faster head."""

import importlib.util
import os
import subprocess
import sys

import keras
import numpy as np
import pytest

from damascene import InputError
from damascene.classes import STAGE_CLASSES
from damascene.classification.predict import load_network, predict_clips
from damascene.classification.published import convert_published, main
from damascene.contracts.model_card import ModelCard
from damascene.learning.optimizer import LastLayerRateAdamW
from damascene.networks import weights
from damascene.networks.build import build_network
from damascene.networks.weights import (
    ImageNetFile,
    checksum,
    freeze_first,
    imagenet_file,
    set_weights_from,
)

needs_keras_2 = pytest.mark.skipif(
    importlib.util.find_spec("tf_keras") is None, reason="tf-keras, which is Keras 2, is missing"
)

# Both networks as Keras 2 code would write them, with three input channels, random weights and
# statistics of batch normalisation that are not those of an untrained layer.
KERAS_2 = """
import sys
import numpy as np
import tf_keras as keras

folder = sys.argv[1]
layers = keras.layers
keras.utils.set_random_seed(5)


def eeracn():
    inputs = x = layers.Input((100, 100, 3))
    blocks = [
        [(5, 192), (1, 160), (1, 96)],
        [(5, 192), (1, 192), (1, 192)],
        [(3, 192), (1, 192), (1, 10)],
    ]
    for number, block in enumerate(blocks):
        for kernel, filters in block:
            x = layers.Conv2D(filters, kernel, kernel_initializer="he_normal")(x)
            x = layers.BatchNormalization()(x)
            x = layers.ELU()(x)
        if number < 2:
            x = layers.MaxPooling2D(3, strides=2)(x)
            x = layers.Dropout(0.5)(x)
    x = layers.AveragePooling2D(8, strides=1, padding="same")(x)
    return keras.Model(inputs, layers.Dense(4, activation="softmax")(layers.Flatten()(x)))


def inception():
    base = keras.applications.InceptionV3(
        include_top=False, weights=None, input_shape=(250, 250, 3), pooling="avg"
    )
    return keras.Model(base.input, layers.Dense(2, activation="softmax")(base.output))


rng = np.random.default_rng(0)
for name, model, size in (("inclusion", inception(), 250), ("damage", eeracn(), 100)):
    for layer in model.layers:
        if isinstance(layer, layers.BatchNormalization):
            *given, mean, variance = layer.get_weights()
            mean, variance = rng.normal(0, 0.1, mean.shape), rng.uniform(0.3, 0.9, mean.shape)
            layer.set_weights([*given, mean, variance])
    # Clips that differ in brightness and in their stripes.
    stripes = np.sin(np.arange(size) / np.array([2, 7, 30])[:, None])[:, None, :]
    clips = rng.normal(np.array([40, 120, 200])[:, None, None] + 50 * stripes, 5, (3, size, size))
    clips = clips.clip(0, 255).astype(np.uint8)
    scaled = np.repeat(clips[..., None].astype("float32") * 2 / 255 - 1, 3, axis=-1)
    np.savez(f"{folder}/{name}.npz", clips=clips, predicted=model.predict(scaled, verbose=0))
    model.save(f"{folder}/{name}.h5")
"""


@pytest.fixture(scope="module")
def published(tmp_path_factory):
    folder = tmp_path_factory.mktemp("keras2")
    subprocess.run(
        [sys.executable, "-c", KERAS_2, str(folder)],
        env=os.environ | {"TF_USE_LEGACY_KERAS": "1", "TF_CPP_MIN_LOG_LEVEL": "3"},
        check=True,
        timeout=300,
    )
    return folder


@needs_keras_2
@pytest.mark.parametrize("stage", ["inclusion", "damage"])
def test_files_of_keras_2_answer_as_they_did(published, tmp_path, stage):
    classes = STAGE_CLASSES[stage]
    _, card = convert_published(published / f"{stage}.h5", stage=stage, folder=tmp_path)
    assert ModelCard.read(tmp_path / f"{stage}.json") == card
    model = load_network(tmp_path / f"{stage}.keras", card=card, classes=classes)
    with np.load(published / f"{stage}.npz") as stored:
        clips, expected = stored["clips"], stored["predicted"]
    predicted = predict_clips(model, clips[..., np.newaxis], card=card, batch_size=3)
    # The untrained networks tell clips apart, so that layers in a wrong order would show.
    assert np.ptp(expected, axis=0).max() > 1e-3
    np.testing.assert_allclose(predicted, expected, atol=2e-6)


@needs_keras_2
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
    monkeypatch.setattr(sys, "argv", ["published", str(tmp_path / "no.h5"), str(damage), "out"])
    with pytest.raises(SystemExit):
        main()
    assert "There is no file" in capsys.readouterr().err


@pytest.fixture
def imagenet(tmp_path, monkeypatch):
    """A stand-in for the public file of VGG-16: the base with random weights."""
    keras.utils.set_random_seed(3)
    base = keras.applications.VGG16(include_top=False, weights=None, input_shape=(32, 32, 3))
    folder = tmp_path / "weights"
    folder.mkdir()
    path = folder / "vgg.h5"
    base.save(path)
    public = ImageNetFile("vgg.h5", "vgg16", checksum(path, "md5"))
    monkeypatch.setitem(weights.IMAGENET_FILES, "vgg16", public)
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "home"))
    return base, path


@pytest.mark.filterwarnings("ignore:You are saving your model as an HDF5 file")
def test_imagenet_weights_reach_the_base(imagenet, tmp_path):
    base, path = imagenet
    assert imagenet_file("vgg16", folder=path.parent) == path
    model = build_network("vgg16", class_count=3, seed=1, input_px=32)
    before = model.get_layer("classes").get_weights()
    set_weights_from(model, path, top=False)
    convolutions = [layer for layer in model.layers if isinstance(layer, keras.layers.Conv2D)]
    taken = [each for layer in convolutions for each in layer.get_weights()]
    assert all(np.array_equal(a, b) for a, b in zip(taken, base.get_weights(), strict=True))
    after = model.get_layer("classes").get_weights()
    assert all(np.array_equal(a, b) for a, b in zip(before, after, strict=True))
    # What the base sees is what it was trained on: blue, green and red less their means.
    clip = np.full((1, 32, 32, 1), -0.2, np.float32)
    seen = keras.Model(model.inputs, model.get_layer("imagenet_grey").output).predict(
        clip, verbose=0
    )
    grey = np.full((1, 32, 32, 3), 0.8 * 127.5, np.float32)
    expected = keras.applications.vgg16.preprocess_input(grey)
    np.testing.assert_allclose(seen, expected, atol=1e-4)


@pytest.mark.filterwarnings("ignore:You are saving your model as an HDF5 file")
def test_missing_and_damaged_imagenet_files_are_told(imagenet, tmp_path, monkeypatch):
    _, path = imagenet
    path.write_bytes(b"cut off")
    with pytest.raises(InputError, match=r"vgg\.h5 is damaged or another file: its MD5"):
        imagenet_file("vgg16", folder=path.parent)

    def no_network(*_, **__):
        raise OSError("URL fetch failure")

    monkeypatch.setattr(keras.utils, "get_file", no_network)
    with pytest.raises(InputError, match=r"cannot be fetched.*put it into .*as vgg\.h5 \(MD5"):
        imagenet_file("vgg16", folder=tmp_path)
    cache = tmp_path / "home/models/vgg.h5"
    cache.parent.mkdir(parents=True)
    path.rename(cache)
    with pytest.raises(InputError, match=r"home/models/vgg\.h5 is damaged"):
        imagenet_file("vgg16", folder=tmp_path)
    with pytest.raises(InputError, match="no ImageNet weights of the network eeracn"):
        build_network("eeracn", class_count=3, seed=1, weights="imagenet")


def test_weights_of_an_earlier_training_fit_only_the_same_network(tmp_path):
    source = build_network("lenet5", class_count=3, seed=1)
    source.save(tmp_path / "a.keras")
    model = build_network("lenet5", class_count=3, seed=2, weights=tmp_path / "a.keras")
    pairs = zip(source.get_weights(), model.get_weights(), strict=True)
    assert all(np.array_equal(a, b) for a, b in pairs)
    with pytest.raises(InputError, match="layer classes needs weights"):
        build_network("lenet5", class_count=2, seed=2, weights=tmp_path / "a.keras")
    (tmp_path / "b.h5").write_bytes(b"nothing")
    with pytest.raises(InputError, match=r"b\.h5 does not fit the network lenet5"):
        build_network("lenet5", class_count=2, seed=2, weights=tmp_path / "b.h5")


def moved(model, optimizer):
    """Return how far the first and the last kernel move in one step."""
    clips = np.random.default_rng(0).uniform(-1, 1, (8, 32, 32, 1)).astype(np.float32)
    answers = np.eye(2, dtype=np.float32)[[0, 1] * 4]
    kernels = [model.get_layer(index=1).kernel, model.get_layer("classes").kernel]
    before = [each.numpy() for each in kernels]
    model.compile(optimizer, "categorical_crossentropy")
    model.train_on_batch(clips, answers)
    return [each.numpy() - old for each, old in zip(kernels, before, strict=True)]


def test_the_head_moves_a_factor_further():
    first, head = moved(build_network("lenet5", class_count=2, seed=0), LastLayerRateAdamW(1e-3))
    faster = LastLayerRateAdamW(1e-3, last_layer_factor=10)
    same, further = moved(build_network("lenet5", class_count=2, seed=0), faster)
    np.testing.assert_allclose(same, first, atol=1e-8)
    # Adam divides by the gradient, whose sums over a batch may run in another order.
    np.testing.assert_allclose(further, 10 * head, rtol=5e-3)
    assert np.abs(head).max() > 1e-4


def test_frozen_layers_stay(tmp_path):
    model = build_network("lenet5", class_count=2, seed=0)
    freeze_first(model, 2)
    first, head = moved(model, LastLayerRateAdamW(1e-3))
    assert np.abs(first).max() == 0 < np.abs(head).max()
    published = build_network("eeracn", class_count=2, seed=0)
    freeze_first(published, 3)
    # Input, convolution and normalisation, but not the layer that repeats the channel.
    frozen = [layer.name for layer in published.layers if not layer.trainable]
    assert len(frozen) == 3 and "repeat" not in frozen


@pytest.mark.parametrize(
    ("name", "convolutions"),
    # Ten layers of the published network: its input, and what follows.
    [("inception_v3", 3), ("vgg16", 7)],
)
def test_ten_frozen_layers_are_those_of_the_published_network(name, convolutions):
    model = build_network(name, class_count=2, seed=0, input_px=75)
    freeze_first(model, 10)
    frozen = [each for each in model.layers if not each.trainable]
    assert len(frozen) == 10
    assert sum(isinstance(each, keras.layers.Conv2D) for each in frozen) == convolutions
    with pytest.raises(InputError, match="leaves nothing of the network"):
        freeze_first(model, 1000)
