"""What a network looks at, where the answer can be worked out by hand."""

import keras
import numpy as np
import pandas as pd
import pytest

from damascene.evaluation.embedding import embedding_map, group_agreement
from damascene.evaluation.explanation import (
    embedding_network,
    feature_maps,
    first_filters,
    grad_cam,
    outer_maps,
    scale_layers,
)
from damascene.figures.explanation import (
    draw_attention,
    draw_embedding,
    draw_feature_maps,
    draw_filters,
)
from damascene.figures.style import save_figure
from damascene.networks.build import build_network


@pytest.fixture(scope="module")
def clips():
    return np.random.default_rng(0).uniform(-1, 1, (5, 32, 32, 1)).astype(np.float32)


def linear_head(seed=0):
    """One convolution, a rectifier, global averages, and a softmax layer."""
    keras.utils.set_random_seed(seed)
    grey = keras.Input((32, 32, 1), name="grey")
    maps = keras.layers.Conv2D(6, 3, padding="same")(grey)
    maps = keras.layers.Activation("relu", name="maps")(maps)
    pooled = keras.layers.GlobalAveragePooling2D()(maps)
    return keras.Model(grey, keras.layers.Dense(3, "softmax", name="classes")(pooled))


def test_grad_cam_of_a_linear_head_is_the_class_activation_map(clips):
    model = linear_head()
    maps = keras.Model(model.input, model.get_layer("maps").output).predict(clips, verbose=0)
    kernel = np.asarray(model.get_layer("classes").kernel)
    for index in range(3):
        expected = np.maximum(maps @ kernel[:, index], 0)
        expected /= expected.max(axis=(1, 2), keepdims=True)
        heat = grad_cam(model, clips, class_index=index)
        assert heat.shape == (5, 32, 32, 1)
        # float32 sums over channels may run in another order.
        np.testing.assert_allclose(heat[..., 0], expected, atol=1e-4)


def test_a_spot_that_decides_lights_up_where_it_is():
    model = linear_head()
    model.layers[1].set_weights([np.ones((3, 3, 1, 6), np.float32), np.zeros(6, np.float32)])
    kernel = np.zeros((6, 3), np.float32)
    kernel[:, 1] = 1
    model.get_layer("classes").set_weights([kernel, np.zeros(3, np.float32)])
    clip = np.full((1, 32, 32, 1), -0.1, np.float32)
    clip[0, 20:23, 5:8] = 1
    heat = grad_cam(model, clip, class_index=1)[0, ..., 0]
    assert np.unravel_index(heat.argmax(), heat.shape) == (21, 6)
    assert heat.max() == pytest.approx(1) and heat[:10, 20:].max() == 0
    # Nothing speaks for a class without weights.
    assert grad_cam(model, clip, class_index=0).max() == 0


def compact(**options):
    return build_network("compact", class_count=4, seed=0, input_px=32, **options)


def test_networks_of_two_scales_and_descriptors_are_explained_scale_by_scale():
    model = compact(scales=2, descriptor_count=7)
    rng = np.random.default_rng(0)
    inputs = {
        "grey": rng.uniform(-1, 1, (3, 32, 32, 2)).astype(np.float32),
        "descriptors": rng.normal(0, 1, (3, 7)).astype(np.float32),
    }
    assert [each.shape for each in first_filters(model)] == [(5, 5, 16), (5, 5, 16)]
    assert len(feature_maps(model, inputs)) == 8
    heat = grad_cam(model, inputs, class_index=2)
    assert heat.shape == (3, 32, 32, 2)
    np.testing.assert_allclose(heat.max(axis=(1, 2, 3)), 1)


def two_scales(name):
    return build_network(name, class_count=4, seed=0, input_px=64, scales=2)


@pytest.fixture(scope="module")
def pairs():
    """Three sites at two scales, of grey values on different levels."""
    noise = np.random.default_rng(0).uniform(-0.4, 0.4, (3, 64, 64, 2))
    return (noise + np.array([0.5, -0.5])).astype(np.float32)


@pytest.mark.parametrize(
    ("name", "shapes"),
    [
        ("compact", [(32, 32, 16), (8, 8, 96)]),
        ("efficientnet_lite0", [(32, 32, 32), (2, 2, 192)]),
    ],
)
def test_outer_maps_are_those_of_the_first_site_scale_by_scale(name, shapes, pairs):
    model = two_scales(name)
    maps = outer_maps(model, pairs)
    assert [[each.shape for each in pair] for pair in maps] == [shapes] * 2
    for scale in range(2):
        changed = pairs.copy()
        changed[0, ..., scale] *= -1
        # Another first site at one scale, and other sites behind it.
        changed[1:] *= 0.5
        after = outer_maps(model, changed)
        for other in range(2):
            for index in range(2):
                same = np.allclose(maps[other][index], after[other][index], atol=1e-4)
                assert same == (other != scale)


def test_frozen_convolutions_show_each_scale_as_a_network_of_that_scale_alone(pairs):
    both = two_scales("efficientnet_lite0")
    one = build_network("efficientnet_lite0", class_count=4, seed=0, input_px=64)
    kernel, bias = both.get_layer("classes").get_weights()
    maps = outer_maps(both, pairs)
    # One layer sees both scales: its filters are there once.
    assert [each.shape for each in first_filters(both)] == [(3, 3, 32)]
    for scale, half in enumerate(np.split(kernel, 2)):
        alone = pairs[..., [scale]]
        for given, expected in zip(maps[scale], outer_maps(one, alone)[0], strict=True):
            # Features up to some tens, summed in another order in other batches.
            np.testing.assert_allclose(given, expected, rtol=1e-4, atol=1e-3)
        one.get_layer("classes").set_weights([half, bias])
        seen = np.zeros_like(kernel).reshape(2, *half.shape)
        seen[scale] = half
        both.get_layer("classes").set_weights([seen.reshape(kernel.shape), bias])
        heat = grad_cam(both, pairs, class_index=2)
        np.testing.assert_allclose(
            heat[..., [scale]], grad_cam(one, alone, class_index=2), atol=1e-3
        )
        # The scale that has no weight does not count.
        assert heat[..., 1 - scale].max() == 0 and heat[..., scale].max() == 1


def test_heat_of_frozen_convolutions_is_that_of_each_site(pairs):
    model = two_scales("efficientnet_lite0")
    heat = grad_cam(model, pairs, class_index=1)
    assert heat.shape == (3, 64, 64, 2) and heat.min() >= 0
    np.testing.assert_allclose(heat.max(axis=(1, 2, 3)), 1)
    for site in range(3):
        alone = grad_cam(model, pairs[site : site + 1], class_index=1)
        np.testing.assert_allclose(alone[0], heat[site], atol=1e-3)
    kernel, bias = model.get_layer("classes").get_weights()
    model.get_layer("classes").set_weights([0 * kernel, bias])
    assert grad_cam(model, pairs, class_index=1).max() == 0


def test_heat_lies_where_the_picture_has_something():
    """A dark spot in one quarter of one scale, and flat grey otherwise."""
    model = build_network("efficientnet_lite0", class_count=2, seed=0, input_px=128, scales=2)
    flat = np.full((1, 128, 128, 2), 0.2, np.float32)
    spot = flat.copy()
    spot[0, 20:44, 84:108, 1] = -1
    features = embedding_network(model).predict_on_batch(np.concatenate([flat, spot]))
    # Speaks for the second class: what the spot adds to the features of the flat picture.
    added = features[1] - features[0]
    kernel = np.stack([0 * added, added], axis=1)
    model.get_layer("classes").set_weights([kernel, np.zeros(2, np.float32)])
    heat = grad_cam(model, spot, class_index=1)[0]
    row, column, scale = np.unravel_index(heat.argmax(), heat.shape)
    assert scale == 1 and 12 <= row < 52 and 76 <= column < 116


@pytest.mark.parametrize("name", ["compact", "eeracn", "lenet5"])
def test_embedding_and_last_layer_give_the_answer(name, clips):
    model = build_network(name, class_count=4, seed=0, input_px=32)
    features = embedding_network(model).predict_on_batch(clips)
    kernel, bias = (np.asarray(each) for each in model.get_layer("classes").weights)
    values = np.exp(features @ kernel + bias)
    expected = values / values.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(expected, model.predict_on_batch(clips), atol=1e-5)
    assert grad_cam(model, clips, class_index=0).shape == (5, 32, 32, 1)
    assert feature_maps(model, clips)


@pytest.mark.parametrize("pool", ["MaxPooling2D", "AveragePooling2D"])
def test_grad_cam_is_as_sharp_as_the_maps_before_the_last_pooling(pool):
    """The weights are those of the pooled maps, shared out; the places are finer than they are."""
    keras.utils.set_random_seed(0)
    grey = keras.Input((32, 32, 1), name="grey")
    maps = keras.layers.Conv2D(1, 1, use_bias=False)(grey)
    pooled = keras.layers.Dropout(0.5)(getattr(keras.layers, pool)(16)(maps))
    flat = keras.layers.Flatten()(pooled)
    model = keras.Model(grey, keras.layers.Dense(2, "softmax", name="classes")(flat))
    model.layers[1].set_weights([np.ones((1, 1, 1, 1), np.float32)])
    model.get_layer("classes").set_weights([np.ones((4, 2), np.float32), np.zeros(2, np.float32)])
    clip = np.full((1, 32, 32, 1), -0.1, np.float32)
    clip[0, 20, 5] = 1
    heat = grad_cam(model, clip, class_index=0)[0, ..., 0]
    expected = np.zeros((32, 32))
    expected[20, 5] = 1
    np.testing.assert_allclose(heat, expected, atol=1e-6)


def test_layers_of_a_scale_change_with_that_scale_alone():
    model = compact(scales=2)
    rng = np.random.default_rng(0)
    grey = rng.uniform(-1, 1, (1, 32, 32, 2)).astype(np.float32)
    before = feature_maps(model, grey)
    layers = scale_layers(model)
    assert sorted(name for names in layers for name in names) == sorted(before)
    for scale in range(2):
        other = grey.copy()
        other[..., scale] *= -1
        after = feature_maps(model, other)
        changed = [name for name in before if not np.array_equal(before[name], after[name])]
        assert changed == layers[scale]


def test_a_network_of_one_convolution_has_its_maps(clips):
    model = build_network("INPUT -> CONV -> POOL -> FC", class_count=2, seed=0, input_px=32)
    ((_, maps),) = feature_maps(model, clips).items()
    assert maps.shape == (5, 32, 32, 16)


def test_grad_cam_weights_are_slopes_of_the_logit_through_a_hidden_layer():
    """Slopes by finite differences in numpy, in double precision."""
    keras.utils.set_random_seed(1)
    grey = keras.Input((8, 8, 1), name="grey")
    seen = keras.layers.Conv2D(3, 3, padding="same")(grey)
    seen = keras.layers.Activation("tanh", name="maps")(seen)
    hidden = keras.layers.Dense(5, "tanh", name="hidden")(keras.layers.Flatten()(seen))
    model = keras.Model(grey, keras.layers.Dense(2, "softmax", name="classes")(hidden))
    clip = np.random.default_rng(0).uniform(-1, 1, (1, 8, 8, 1)).astype(np.float32)
    maps = np.asarray(keras.Model(grey, seen)(clip), np.float64)[0]
    inner, bias = (np.asarray(each, np.float64) for each in model.get_layer("hidden").weights)
    outer = np.asarray(model.get_layer("classes").kernel, np.float64)

    def logit(values, index):
        return np.tanh(values.ravel() @ inner + bias) @ outer[:, index]

    # A step of 1e-5 leaves an error of about 1e-10.
    steps = 1e-5 * np.eye(maps.size).reshape(-1, *maps.shape)
    for index in range(2):
        slopes = [(logit(maps + s, index) - logit(maps - s, index)) / 2e-5 for s in steps]
        weights = np.reshape(slopes, maps.shape).mean(axis=(0, 1))
        expected = np.maximum(maps @ weights, 0)
        heat = grad_cam(model, clip, class_index=index)[0, ..., 0]
        # float32 gradients against float64 ones
        np.testing.assert_allclose(heat, expected / expected.max(), atol=1e-5)


def groups_of(rng, count=60):
    labels = np.repeat(["notch", "martensite", "interface"], count)
    centres = rng.normal(0, 6, (3, 12))
    return labels, np.repeat(centres, count, axis=0) + rng.normal(0, 1, (3 * count, 12))


def test_groups_that_are_there_are_found():
    labels, features = groups_of(np.random.default_rng(2))
    table, summary = embedding_map(features, clusters=3, seed=0)
    again, _ = embedding_map(features, clusters=3, seed=0)
    pd.testing.assert_frame_equal(table, again)
    assert summary["mixture_components"] == 3
    assert summary["explained_1"] > summary["explained_2"] > 0
    table = table.assign(predicted_class=labels, panorama=np.resize(["a", "b"], len(labels)))
    agreement = group_agreement(table).set_index(["groups", "against"])
    for groups in ("k_means", "mixture"):
        assert agreement.loc[(groups, "predicted_class"), "adjusted_rand"] == 1
        assert agreement.loc[(groups, "panorama"), "adjusted_rand"] < 0.05
    # Sites of one group lie together in the plane.
    spread = table.groupby("predicted_class")[["axis_1", "axis_2"]].std().max(axis=None)
    assert spread < 0.5 * table[["axis_1", "axis_2"]].std().max()


def test_few_sites_are_no_error():
    table, _ = embedding_map(np.random.default_rng(0).normal(0, 1, (3, 8)), clusters=4, seed=0)
    assert len(table) == 3 and np.isfinite(table[["axis_1", "axis_2"]]).all(axis=None)


def test_figures_are_drawn(tmp_path):
    rng = np.random.default_rng(0)
    pictures = rng.integers(0, 256, (2, 32, 32, 2), dtype=np.uint8)
    heat = rng.uniform(0, 1, (2, 32, 32, 2))
    examples = {
        "notch": (pictures, heat, ["p = 0.90", "p = 0.80"]),
        "interface": (pictures[:1], heat[:1], ["p = 0.70"]),
    }
    labels, features = groups_of(rng)
    table, summary = embedding_map(features, clusters=3, seed=0)
    table = table.assign(predicted_class=labels, panorama="a")
    maps = [(rng.normal(0, 1, (8, 8, 16)), rng.normal(0, 1, (4, 4, 30)))] * 2
    figures = [
        draw_filters([rng.normal(0, 1, (5, 5, 16))] * 2, names=["window", "centre"]),
        draw_attention(examples, window_um=5, centre=0.4),
        draw_feature_maps({"notch": pictures[0]}, {"notch": maps}),
        draw_embedding(table, summary, group_agreement(table)),
    ]
    shown = [sum(len(axes.get_images()) for axes in figure.axes) for figure in figures]
    # 32 kernels; plain and heated clips of both scales of three sites; clip, 4 and 4 maps twice.
    assert shown == [32, 3 * (2 + 4), 18, 0]
    for index, figure in enumerate(figures):
        save_figure(figure, tmp_path / f"{index}.svg", tmp_path / f"{index}.png")
