"""The perceptron whose learning is written out."""

import numpy as np
import pytest

from damascene.workshop.perceptron import (
    dropped,
    forward,
    gradients,
    gradients_by_differences,
    largest_difference,
    learn,
    loss_of,
    one_hot,
    start_layers,
)

rng = np.random.default_rng(8)
E = np.exp(1)


def made(sizes=(5, 7, 6, 3), number=11):
    layers = [
        (weights, rng.normal(0, 0.3, biases.shape))
        for weights, biases in start_layers(sizes, seed=2)
    ]
    inputs = rng.normal(size=(number, sizes[0]))
    return layers, inputs, np.eye(sizes[-1])[rng.integers(0, sizes[-1], number)]


def test_the_example_for_pencil_and_paper():
    """x = (1, 2), h = (2, 1) = o, p = (e, 1) / (e + 1); the second class is true."""
    layers = [(np.array([[1.0, -1.0], [0.5, 1.0]]), np.zeros(2)), (np.eye(2), np.zeros(2))]
    x, truth = np.array([[1.0, 2.0]]), np.array([[0.0, 1.0]])
    given, probabilities = forward(layers, x)
    np.testing.assert_allclose(given[1], [[2, 1]])
    p = E / (E + 1)
    np.testing.assert_allclose(probabilities, [[p, 1 - p]])
    loss, changes = gradients(layers, x, truth)
    assert loss == pytest.approx(np.log(E + 1))
    np.testing.assert_allclose(changes[1][0], [[2 * p, -2 * p], [p, -p]])
    np.testing.assert_allclose(changes[1][1], [p, -p])
    np.testing.assert_allclose(changes[0][0], [[p, -p], [2 * p, -2 * p]])
    np.testing.assert_allclose(changes[0][1], [p, -p])


def test_gradients_are_those_of_differences():
    layers, inputs, targets = made()
    loss, changes = gradients(layers, inputs, targets)
    slowly = gradients_by_differences(layers, inputs, targets)
    assert largest_difference(changes, slowly) < 1e-7
    assert max(np.abs(weights).max() for weights, _ in slowly) > 0.01
    # Nothing was left moved.
    assert loss_of(forward(layers, inputs)[1], targets) == loss


def test_gradients_are_those_of_keras():
    keras = pytest.importorskip("keras")
    tensorflow = pytest.importorskip("tensorflow")
    layers, inputs, targets = made()
    model = keras.Sequential([keras.Input((5,))])
    for number, (_, biases) in enumerate(layers):
        last = number == len(layers) - 1
        model.add(
            keras.layers.Dense(
                len(biases), activation="softmax" if last else "relu", dtype="float64"
            )
        )
    model.set_weights([values for layer in layers for values in layer])
    with tensorflow.GradientTape() as tape:
        answers = model(inputs)
        lost = tensorflow.reduce_mean(keras.losses.categorical_crossentropy(targets, answers))
    theirs = tape.gradient(lost, model.trainable_variables)
    loss, changes = gradients(layers, inputs, targets)
    assert loss == pytest.approx(float(lost), abs=1e-6)
    ours = [values for layer in changes for values in layer]
    for one, other in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(one, other.numpy(), atol=1e-6)


def test_gradients_know_which_units_were_dropped():
    layers, inputs, targets = made()
    kept = dropped(layers, len(inputs), share=0.5, random=np.random.default_rng(1))
    _, changes = gradients(layers, inputs, targets, kept=kept)
    step = 1e-6
    for number, layer in enumerate(layers):
        ends = []
        for sign in (1, -1):
            moved = [(weights.copy(), biases) for weights, biases in layers]
            moved[number][0][1, 1] = layer[0][1, 1] + sign * step
            ends.append(loss_of(forward(moved, inputs, kept=kept)[1], targets))
        assert changes[number][0][1, 1] == pytest.approx((ends[0] - ends[1]) / (2 * step), abs=1e-7)


def test_dropout_keeps_the_mean():
    layers = start_layers((4, 50, 2), seed=0)
    (kept,) = dropped(layers, 2000, share=0.25, random=np.random.default_rng(3))
    assert set(np.unique(kept)) == {0, 1 / 0.75}
    assert kept.mean() == pytest.approx(1, abs=0.01)


def test_it_learns_what_no_line_can_divide():
    """Exclusive or: one of two, but not both."""
    inputs = np.array([[0.0, 0], [0, 1], [1, 0], [1, 1]])
    targets = one_hot(np.array(["no", "yes", "yes", "no"]), ["no", "yes"])
    layers = start_layers((2, 8, 2), seed=4)
    before = [(weights.copy(), biases.copy()) for weights, biases in layers]
    _, history = learn(layers, (inputs, targets), (inputs, targets), epochs=300, batch=4)
    assert history["accuracy"].iloc[-1] == 1
    assert history["loss"].iloc[-1] < 0.1 < history["loss"].iloc[0]
    assert largest_difference(layers, before) == 0
    assert len(history) == 301 and history["test_loss"].equals(history["loss"].rename("test_loss"))
