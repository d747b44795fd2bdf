"""Networks for small pictures: patterns, layers in numbers, how far layers see, and training."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from damascene.networks.build import build_network
from damascene.networks.pattern import parse_pattern
from damascene.networks.receptive_field import receptive_fields
from damascene.workshop.small_networks import (
    VGG_STYLE,
    build_small,
    dense_weights,
    first_kernels,
    layer_table,
    maps_of,
    network_for,
    read_arrows,
    train,
    with_interval,
    write_pattern,
)

KINDS = ["CONV", "RELU"]


def behind(model, layer, place):
    """Return edge and first row of the pixels that a place depends on, from gradients.

    Of several random images together, as the largest of a window has the whole gradient.
    """
    rng = np.random.default_rng(3)
    for variable in model.trainable_variables:
        variable.assign(np.abs(variable.numpy()) * 0.1 + 1e-3)
    seen = keras.Model(model.inputs, model.get_layer(layer).output)
    touched = np.zeros(model.inputs[0].shape[1:3], bool)
    for _ in range(40):
        image = tf.constant(rng.random((1, *model.inputs[0].shape[1:]), np.float32))
        with tf.GradientTape() as tape:
            tape.watch(image)
            answer = tf.reduce_sum(seen(image)[0, place, place])
        touched |= np.asarray(tape.gradient(answer, image))[0, :, :, 0] != 0
    rows = np.flatnonzero(touched.any(axis=1))
    columns = np.flatnonzero(touched.any(axis=0))
    assert (rows[-1] - rows[0]) == (columns[-1] - columns[0])
    return int(rows[-1] - rows[0] + 1)


@pytest.mark.parametrize(
    ("name", "input_px", "place"),
    [("lenet5", 32, 2), (VGG_STYLE.replace("*3", "*2"), 40, 4), ("small", 20, 3)],
)
def test_receptive_fields_are_those_of_the_gradients(name, input_px, place):
    model = network_for(name, input_px=input_px, class_count=3, seed=2)
    fields = receptive_fields(model)
    kept = [layer.name for layer in model.layers[1:] if len(layer.output.shape) == 4]
    assert list(fields) == kept
    for layer, edge in fields.items():
        assert behind(model, layer, place) == edge, layer


def test_receptive_fields_of_alexnet_and_of_a_network_that_branches():
    fields = receptive_fields(build_network("alexnet", class_count=5, seed=0))
    assert list(fields.values()) == [1, 11, 19, 51, 67, 99, 131, 163, 195]
    grey = keras.Input((16, 16, 1))
    narrow = keras.layers.Conv2D(2, 3, padding="same")(grey)
    wide = keras.layers.Conv2D(2, 7, padding="same")(grey)
    both = keras.layers.Concatenate(name="both")([narrow, wide])
    model = keras.Model(grey, keras.layers.GlobalAveragePooling2D(name="mean")(both))
    assert receptive_fields(model)["both"] == 7
    assert "mean" not in receptive_fields(model)


@pytest.mark.parametrize(
    ("numbers", "expected"),
    [
        ({"convolutions": 0, "blocks": 0, "dense": 0}, ["FC"]),
        ({"convolutions": 1, "blocks": 1, "dense": 0, "pool": ""}, [*KINDS, "FC"]),
        (
            {"convolutions": 1, "blocks": 2, "dense": 1},
            [*([*KINDS, "POOL"] * 2), "FC", "RELU", "FC"],
        ),
        (
            {"convolutions": 2, "blocks": 3, "dense": 2, "pool": "POOL?"},
            [*([*KINDS * 2, "POOL"] * 3), *(["FC", "RELU"] * 2), "FC"],
        ),
    ],
)
def test_a_pattern_is_written_as_the_library_reads_it(numbers, expected):
    assert [step.kind for step in parse_pattern(write_pattern(**numbers))] == expected


def test_arrows_of_slides_are_read():
    steps = parse_pattern(read_arrows("Input >> [[Conv >> ReLU]*2 >> Pool]*3 >> FC"))
    assert [step.kind for step in steps] == [*([*KINDS * 2, "POOL"] * 3), "FC"]
    assert read_arrows("INPUT → FC") == "INPUT -> FC"


def test_layers_and_weights_of_lenet_are_those_of_paper_and_pencil():
    table = layer_table(build_network("lenet5", class_count=10, seed=0))
    weights = table.set_index("layer")["weights"]
    # Six kernels of 5 x 5 with a bias; sixteen on six channels; then 400 values to 120 units.
    assert weights.tolist() == [156, 0, 2416, 0, 0, 48_120, 10_164, 850]
    assert table["output"].tolist()[:5] == [
        "28 × 28 × 6",
        "14 × 14 × 6",
        "10 × 10 × 16",
        "5 × 5 × 16",
        "400",
    ]
    assert table["sees (px)"].tolist() == ["5", "6", "14", "16", "all", "all", "all", "all"]
    assert table["layer"].iloc[1] == "AveragePooling2D 2 × 2, stride 2"


def test_the_small_network_is_that_of_the_workshop():
    model = build_small(input_px=28, class_count=10)
    # 28 kernels; 13 x 13 x 28 values to 128 units; to ten classes.
    assert model.count_params() == 28 * 10 + (13 * 13 * 28 + 1) * 128 + 129 * 10
    assert [layer.rate for layer in model.layers if hasattr(layer, "rate")] == [0.2]


def test_dense_layers_on_a_film_frame_need_more_weights_than_anyone_has():
    assert dense_weights(1920 * 1080 * 3, 4_000_000) == 24_883_200_000_000


def stripes(count, seed):
    """Return pictures of horizontal (0) and vertical (1) stripes under noise."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 2, count)
    images = rng.normal(0, 0.3, (count, 16, 16, 1)).astype(np.float32)
    images[labels == 0, ::4] += 1
    images[labels == 1, :, ::4] += 1
    return images, labels


def test_training_learns_and_gives_the_same_again():
    images, labels = stripes(120, 1)
    answers = []
    for _ in range(2):
        model = network_for("lenet5", input_px=16, class_count=2, seed=4)
        history = train(
            model, images, labels, epochs=5, batch=16, seed=4, validation=stripes(40, 2)
        )
        answers.append(np.asarray(model(images)))
    np.testing.assert_array_equal(*answers)
    assert history["epoch"].tolist() == [1, 2, 3, 4, 5]
    assert history["val_accuracy"].iloc[-1] > 0.95 and history["loss"].is_monotonic_decreasing
    kernels, maps = first_kernels(model), maps_of(model, images[:3])
    assert kernels.shape == (5, 5, 6)
    assert [each.shape for each in maps] == [(3, 12, 12, 6), (3, 2, 2, 16)]


def test_an_accuracy_is_told_with_its_exact_interval():
    # Clopper and Pearson of 9 in 10, and of 10 in 10: 0.025 ** (1 / 10) = 0.6915.
    assert with_interval(0.9, number=10) == "0.900 [0.555, 0.997]"
    assert with_interval(1.0, number=10) == "1.000 [0.692, 1.000]"
