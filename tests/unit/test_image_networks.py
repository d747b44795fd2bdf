"""Networks that answer with images: how far they see, and what they are built from."""

import keras
import numpy as np
import pytest

from damascene import InputError
from damascene.networks.efficientnet import efficientnet_lite0, set_lite0_weights
from damascene.networks.folding import without_normalisation
from damascene.networks.image_networks import (
    IMAGE_NETWORKS,
    Margins,
    build_image_network,
    margins_of,
)
from damascene.networks.receptive_field import halo_px, multiple_px, receptive_radius
from damascene.networks.unet import build_unet
from damascene.networks.unet_lite0 import build_unet_lite0, release_encoder

# Widths, first stride, convolutions, last width, and the product of all strides.
SHAPES = [
    ((4, 4), 1, 2, 0, 2),
    ((4, 4), 2, 1, 0, 4),
    ((4, 4, 4), 2, 2, 4, 8),
    ((4,), 4, 2, 3, 4),
]


def unet(widths=(4, 4, 4), first_stride=2, convolutions=2, last_width=0, **options):
    keras.utils.set_random_seed(3)
    options = {"outputs": 2, "activation": None} | options
    model = build_unet(
        widths=widths,
        first_stride=first_stride,
        convolutions=convolutions,
        last_width=last_width,
        **options,
    )
    rng = np.random.default_rng(0)
    for layer in model.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            # As after training: no factor is 1 and no offset 0.
            layer.set_weights([rng.uniform(0.5, 1.5, each.shape) for each in layer.get_weights()])
    return model


@pytest.mark.parametrize(("widths", "stride", "convolutions", "last", "multiple"), SHAPES)
def test_the_reach_is_that_of_the_gradient(widths, stride, convolutions, last, multiple):
    model = unet(widths, stride, convolutions, last)
    assert multiple_px(model) == multiple
    radius = receptive_radius(model)
    edge = (2 * radius // multiple + 6) * multiple
    # All kernels positive, so that no path of the data cancels another or ends in a ReLU.
    for variable in model.trainable_variables:
        variable.assign(np.abs(variable.numpy()) + 0.01)
    base = np.full((1, edge, edge, 1), 0.5, np.float32)
    before = model(base).numpy()
    farthest = 0
    for phase in range(multiple):
        at = edge // 2 // multiple * multiple + phase
        changed = base.copy()
        changed[0, at, at] += 8
        rows, columns = np.nonzero((model(changed).numpy() != before)[0, :, :, 0])
        farthest = max(farthest, np.abs(rows - at).max(), np.abs(columns - at).max())
    assert farthest == radius
    assert halo_px(model) >= radius
    assert halo_px(model) % multiple == 0
    assert halo_px(model) < radius + multiple


def test_a_pixel_beyond_the_halo_changes_nothing_and_one_within_it_does():
    model = unet()
    halo, edge = halo_px(model), 160
    grey = np.random.default_rng(1).normal(size=(1, edge, edge, 1)).astype(np.float32)
    before = model(grey).numpy()
    at = edge // 2
    for away, changes in ((halo + 1, False), (4, True)):
        other = grey.copy()
        other[0, at - away, at] += 100
        assert np.array_equal(model(other).numpy()[0, at, at], before[0, at, at]) != changes


def test_a_layer_that_sees_all_has_no_halo():
    image = keras.Input((None, None, 1))
    model = keras.Model(image, keras.layers.GroupNormalization(groups=1)(image))
    with pytest.raises(ValueError, match=r"how far the layer group_normalization.* sees"):
        halo_px(model)


def test_folded_normalisations_give_the_same_answer():
    model = unet(last_width=4, outputs=3)
    grey = np.random.default_rng(2).normal(size=(2, 64, 48, 1)).astype(np.float32)
    plain = without_normalisation(model)
    assert not any(isinstance(each, keras.layers.BatchNormalization) for each in plain.layers)
    # Single precision: some 1e-6 of values near 1.
    np.testing.assert_allclose(plain(grey), model(grey), rtol=1e-4, atol=1e-5)


def test_answers_are_images_of_the_same_size():
    for name in IMAGE_NETWORKS:
        model = build_image_network(name, seed=1, outputs=4, dropout=0.1)
        answer = model(np.zeros((1, 64, 96, 1), np.float32)).numpy()
        assert answer.shape == (1, 64, 96, 4)
        np.testing.assert_allclose(answer.sum(axis=-1), 1, atol=1e-5)
        assert multiple_px(model) <= 64


def test_margins_follow_from_the_layers_where_they_are_short():
    assert margins_of("unet", unet()) == Margins(halo_px=halo_px(unet()), overlap_px=0)
    wide = margins_of("unet_lite0", unet())
    assert 0 < wide.overlap_px < wide.halo_px


def test_the_seed_decides_on_the_weights():
    first, same, other = (
        build_image_network("unet", seed=seed, outputs=2).get_weights()[0] for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(first, same)
    assert not np.array_equal(first, other)
    with pytest.raises(InputError, match="no image network 'vnet'"):
        build_image_network("vnet", seed=1, outputs=2)


def test_the_encoder_is_that_of_imagenet_and_frozen_until_released():
    model = build_image_network("unet_lite0", seed=1, outputs=2)
    rgb = keras.Input((64, 64, 3))
    oracle = keras.Model(rgb, efficientnet_lite0(rgb, taps=[4, 14]))
    set_lite0_weights(oracle)
    inner = keras.Model(
        model.inputs, [model.get_layer(f"block_{block}").output for block in ("04_add", "14_add")]
    )
    grey = np.random.default_rng(4).uniform(-1, 1, (1, 64, 64, 1)).astype(np.float32)
    for found, wanted in zip(inner(grey), oracle(np.repeat(grey, 3, -1)), strict=True):
        np.testing.assert_allclose(found, wanted, atol=1e-4)
    trained = len(model.trainable_weights)
    assert not any("block" in each.path or "stem" in each.path for each in model.trainable_weights)
    release_encoder(model, from_block=11)
    some = len(model.trainable_weights)
    release_encoder(model)
    assert trained < some < len(model.trainable_weights)


def test_impossible_decoders_are_refused():
    with pytest.raises(ValueError, match="1 to 4 levels, not 5"):
        build_unet_lite0(outputs=2, widths=(8,) * 5)
    with pytest.raises(ValueError, match="grey images, not 2 channels"):
        build_unet_lite0(outputs=2, channels_in=2)
