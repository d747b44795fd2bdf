"""A multilayer perceptron, and the chain rule by which it learns, written out.

References
----------
Rumelhart, Hinton & Williams, Learning representations by back-propagating errors, Nature 323 (1986)
533, 10.1038/323533a0. Srivastava et al., Dropout, Journal of Machine Learning Research 15 (2014)
1929.
"""

import itertools
from collections.abc import Sequence

import numpy as np
import pandas as pd

#: Weights (inputs, outputs) and biases (outputs,) of each layer.
Layers = list[tuple[np.ndarray, np.ndarray]]


def start_layers(sizes: Sequence[int], *, seed: int) -> Layers:
    """Return random weights for layers of some sizes, inputs first, and biases of zero.

    Weights scatter by sqrt(2 / inputs), so that ReLU keeps the size of what it is given.
    """
    random = np.random.default_rng(seed)
    return [
        (random.normal(0, np.sqrt(2 / inputs), (inputs, outputs)), np.zeros(outputs))
        for inputs, outputs in itertools.pairwise(sizes)
    ]


def forward(
    layers: Layers, inputs: np.ndarray, *, kept: Sequence[np.ndarray] | None = None
) -> tuple[list[np.ndarray], np.ndarray]:
    """Send examples through the layers: ReLU after each but the last, softmax after that.

    Parameters
    ----------
    layers : Layers
    inputs : numpy.ndarray, float, shape (n, inputs)
    kept : sequence of numpy.ndarray, optional
        Factors on what each hidden layer gives, as `dropped` makes them.

    Returns
    -------
    outputs : list of numpy.ndarray
        What each layer is given: the inputs, then the outputs of the hidden layers.
    probabilities : numpy.ndarray, float64, shape (n, classes)
    """
    given = [inputs]
    for number, (weights, biases) in enumerate(layers[:-1]):
        hidden = np.maximum(given[-1] @ weights + biases, 0)
        given.append(hidden if kept is None else hidden * kept[number])
    weights, biases = layers[-1]
    scores = given[-1] @ weights + biases
    powers = np.exp(scores - scores.max(axis=1, keepdims=True))
    return given, powers / powers.sum(axis=1, keepdims=True)


def loss_of(probabilities: np.ndarray, targets: np.ndarray) -> float:
    """Return the cross-entropy: the mean of - ln (probability of the true class).

    Parameters
    ----------
    probabilities, targets : numpy.ndarray, shape (n, classes)
        Targets are 1 for the true class, else 0.
    """
    return float(-(targets * np.log(np.maximum(probabilities, 1e-300))).sum() / len(targets))


def gradients(
    layers: Layers,
    inputs: np.ndarray,
    targets: np.ndarray,
    *,
    kept: Sequence[np.ndarray] | None = None,
) -> tuple[float, Layers]:
    """Return the loss and how it changes with each weight: backpropagation.

    From the last layer to the first: `error` is how the loss changes with what a layer adds up.

    Parameters
    ----------
    layers, inputs, kept
        See `forward`.
    targets : numpy.ndarray, shape (n, classes)

    Returns
    -------
    loss : float
    changes : Layers
        Of the shape of the layers.
    """
    given, probabilities = forward(layers, inputs, kept=kept)
    error = (probabilities - targets) / len(inputs)
    changes = []
    for number in reversed(range(len(layers))):
        changes.append((given[number].T @ error, error.sum(axis=0)))
        if number:
            # Through the weights to the layer before, and only where its ReLU lets something pass.
            error = (error @ layers[number][0].T) * (given[number] > 0)
            if kept is not None:
                error = error * kept[number - 1]
    return loss_of(probabilities, targets), changes[::-1]


def gradients_by_differences(
    layers: Layers, inputs: np.ndarray, targets: np.ndarray, *, step: float = 1e-6
) -> Layers:
    """Return the same without the chain rule: each weight is moved both ways, one by one."""
    changes = [(np.zeros_like(weights), np.zeros_like(biases)) for weights, biases in layers]
    for layer, change in zip(layers, changes, strict=True):
        for values, result in zip(layer, change, strict=True):
            for place in np.ndindex(values.shape):
                before, ends = values[place], []
                for sign in (1, -1):
                    values[place] = before + sign * step
                    ends.append(loss_of(forward(layers, inputs)[1], targets))
                values[place] = before
                result[place] = (ends[0] - ends[1]) / (2 * step)
    return changes


def largest_difference(first: Layers, second: Layers) -> float:
    """Return the largest difference between two sets of gradients."""
    return max(
        float(np.abs(one - other).max())
        for layer, partner in zip(first, second, strict=True)
        for one, other in zip(layer, partner, strict=True)
    )


def dropped(layers: Layers, number: int, *, share: float, random: np.random.Generator) -> list:
    """Return factors that switch off a share of the hidden units, other ones for each example.

    Those left are enlarged by 1 / (1 - share), so that the next layer is given as much as before.

    Parameters
    ----------
    layers : Layers
    number : int
        Examples.
    share : float
        Of the units that are switched off, below 1.
    random : numpy.random.Generator
    """
    return [
        (random.random((number, len(biases))) >= share) / (1 - share) for _, biases in layers[:-1]
    ]


def learn(
    layers: Layers,
    training: tuple[np.ndarray, np.ndarray],
    test: tuple[np.ndarray, np.ndarray],
    *,
    epochs: int = 200,
    rate: float = 0.1,
    momentum: float = 0.9,
    batch: int = 32,
    dropout: float = 0.0,
    seed: int = 0,
) -> tuple[Layers, pd.DataFrame]:
    """Let a perceptron learn by steps down the gradient of a few examples at a time.

    Parameters
    ----------
    layers : Layers
        To start from; they are not changed.
    training, test : (numpy.ndarray, numpy.ndarray)
        Inputs (n, inputs) and targets (n, classes).
    epochs : int
        Passes over the training examples.
    rate, momentum : float
        Size of a step, and how much of the step before goes on.
    batch : int
        Examples of a step.
    dropout : float
        Share of hidden units that are switched off in each step; none in tests.
    seed : int

    Returns
    -------
    layers : Layers
    history : pandas.DataFrame
        `epoch`, `loss`, `accuracy`, `test_loss`, `test_accuracy`; the loss without dropout.
    """
    random = np.random.default_rng(seed)
    layers = [(weights.copy(), biases.copy()) for weights, biases in layers]
    speeds = [(np.zeros_like(weights), np.zeros_like(biases)) for weights, biases in layers]
    inputs, targets = training
    rows = [_scores(0, layers, training, test)]
    for epoch in range(1, epochs + 1):
        order = random.permutation(len(inputs))
        for start in range(0, len(order), batch):
            chosen = order[start : start + batch]
            kept = None
            if dropout:
                kept = dropped(layers, len(chosen), share=dropout, random=random)
            _, changes = gradients(layers, inputs[chosen], targets[chosen], kept=kept)
            for layer, speed, change in zip(layers, speeds, changes, strict=True):
                for values, moving, slope in zip(layer, speed, change, strict=True):
                    moving *= momentum
                    moving -= rate * slope
                    values += moving
        rows.append(_scores(epoch, layers, training, test))
    return layers, pd.DataFrame(rows)


def _scores(epoch, layers, training, test):
    row = {"epoch": epoch}
    for name, (inputs, targets) in (("", training), ("test_", test)):
        _, probabilities = forward(layers, inputs)
        row[f"{name}loss"] = loss_of(probabilities, targets)
        right = probabilities.argmax(axis=1) == targets.argmax(axis=1)
        row[f"{name}accuracy"] = float(right.mean())
    return row


def one_hot(labels: np.ndarray, classes: Sequence[str]) -> np.ndarray:
    """Return targets, float64 (n, classes): 1 for the class of each label, else 0."""
    return (np.asarray(labels)[:, None] == np.asarray(classes)).astype(float)
