"""The network with frozen convolutions of ImageNet: what its softmax layer is given."""

import keras
import numpy as np
import pytest

from damascene.evaluation.explanation import embedding_network
from damascene.networks.build import build_network
from damascene.networks.efficientnet import efficientnet_lite0, set_lite0_weights

# Maps behind three blocks, pooled in five ways.
FEATURE_COUNT = 5 * (80 + 112 + 192)
# Features are up to some tens; sums of other batches run in another order.
CLOSE = {"rtol": 1e-4, "atol": 1e-3}


@pytest.fixture(scope="module")
def grey():
    return np.random.default_rng(0).uniform(-1, 1, (3, 64, 64, 2)).astype(np.float32)


def lite0(*, seed=0, input_px=64, **options):
    return build_network(
        "efficientnet_lite0", class_count=3, seed=seed, input_px=input_px, **options
    )


def embed(model, grey):
    return embedding_network(model).predict_on_batch(grey)


@pytest.fixture(scope="module")
def published():
    """Return the convolutions as they are, with outputs behind the three blocks."""
    rgb = keras.Input((128, 128, 3))
    model = keras.Model(rgb, efficientnet_lite0(rgb, taps=[7, 10, 13]))
    set_lite0_weights(model)
    return model


def test_scales_are_seen_one_by_one(grey):
    one = lite0()
    expected = np.concatenate([embed(one, grey[..., [scale]]) for scale in range(2)], axis=1)
    features = embed(lite0(scales=2), grey)
    assert features.shape == (3, 2 * FEATURE_COUNT)
    np.testing.assert_allclose(features, expected, **CLOSE)
    # The scales are no copies of each other.
    half = features.shape[1] // 2
    assert np.abs(features[:, :half] - features[:, half:]).max() > 0.1


def test_features_are_maps_pooled_in_five_ways(published):
    clip = np.random.default_rng(0).uniform(-1, 1, (1, 128, 128, 1)).astype(np.float32)
    expected = []
    # Maps of 8, 8 and 4 pixels an edge: two in the middle; the band of half the edge round the
    # middle, and the parts of the edge before and behind the middle.
    large = (slice(3, 5), slice(2, 6), slice(0, 3), slice(5, 8))
    small = (slice(1, 3), slice(1, 3), slice(0, 2), slice(2, 4))
    for maps, parts in zip(
        published(np.repeat(clip, 3, axis=-1)), (large, large, small), strict=True
    ):
        pixels = np.asarray(maps)[0]
        middle, band, before, behind = parts
        expected += [
            pixels.mean(axis=(0, 1)),
            pixels.max(axis=(0, 1)),
            pixels[middle, middle].mean(axis=(0, 1)),
            # Left and right of the site, then above and below it.
            (pixels[band, before] + pixels[band, behind][:, ::-1]).mean(axis=(0, 1)) / 2,
            (pixels[before, band] + pixels[behind, band][::-1]).mean(axis=(0, 1)) / 2,
        ]
    (features,) = embed(lite0(input_px=128), clip)
    np.testing.assert_allclose(features, np.concatenate(expected), **CLOSE)


def test_only_the_softmax_layer_learns():
    model = lite0(scales=2)
    kernel, bias = model.trainable_weights
    assert kernel is model.get_layer("classes").kernel and bias is model.get_layer("classes").bias
    assert kernel.shape == (2 * FEATURE_COUNT, 3)


def test_the_frozen_weights_are_those_of_imagenet_whatever_the_seed(published):
    first, other = lite0(seed=1), lite0(seed=2, scales=2)
    layers = [layer for layer in published.layers if layer.get_weights()]
    assert len(layers) > 30
    for layer in layers:
        for model in (first, other):
            for weights, expected in zip(
                model.get_layer(layer.name).get_weights(), layer.get_weights(), strict=True
            ):
                np.testing.assert_array_equal(weights, expected)
    frozen = sum(weights.size for layer in layers for weights in layer.get_weights())
    assert sum(np.prod(each.shape) for each in first.non_trainable_weights) == frozen


def test_a_file_answers_as_the_network_did(grey, tmp_path):
    model = lite0(scales=2)
    model.save(tmp_path / "m.keras")
    loaded = keras.models.load_model(tmp_path / "m.keras", compile=False)
    np.testing.assert_array_equal(loaded.predict_on_batch(grey), model.predict_on_batch(grey))
    assert len(loaded.trainable_weights) == 2
