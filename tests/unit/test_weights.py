"""Weights from elsewhere: ImageNet, an earlier training, frozen layers, a faster head."""

import keras
import numpy as np
import pytest

from damascene import InputError
from damascene.learning.optimizer import LayerRateAdamW
from damascene.networks import weights
from damascene.networks.build import build_network
from damascene.networks.weights import (
    ImageNetFile,
    checksum,
    freeze_first,
    imagenet_file,
    set_weights_from,
)


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
    first, head = moved(
        build_network("lenet5", class_count=2, seed=0), LayerRateAdamW(1e-3, factors={})
    )
    faster = LayerRateAdamW(1e-3, factors={"classes": 10})
    same, further = moved(build_network("lenet5", class_count=2, seed=0), faster)
    np.testing.assert_allclose(same, first, atol=1e-8)
    # Adam divides by the gradient, whose sums over a batch may run in another order.
    np.testing.assert_allclose(further, 10 * head, rtol=5e-3)
    assert np.abs(head).max() > 1e-4


def test_frozen_layers_stay(tmp_path):
    model = build_network("lenet5", class_count=2, seed=0)
    freeze_first(model, 2)
    first, head = moved(model, LayerRateAdamW(1e-3, factors={}))
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
