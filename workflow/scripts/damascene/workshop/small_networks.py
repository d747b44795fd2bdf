"""Networks for small pictures, their layers in a table, and a plain training."""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
import pandas as pd
import tensorflow as tf

from damascene.networks.build import build_network
from damascene.networks.last_layer import softmax_layer
from damascene.networks.receptive_field import receptive_fields
from damascene.statistics.intervals import proportion_interval

#: Two convolutions before each pooling, three times, as VGG has them; and dropout.
VGG_STYLE = "INPUT -> [[CONV -> RELU]*2 -> POOL]*3 -> FC-128 -> RELU -> DROPOUT -> FC"
_LEARNING_RATE = 1e-3


def build_small(*, input_px: int, class_count: int) -> keras.Model:
    """Build the small network of the workshop.

    28 kernels of 3 x 3 without an activation, pooling, 128 units with ReLU, dropout of 0.2.
    """
    grey = keras.Input((input_px, input_px, 1), name="grey")
    features = keras.layers.Conv2D(28, 3)(grey)
    features = keras.layers.MaxPooling2D(2)(features)
    features = keras.layers.Flatten()(features)
    features = keras.layers.Dense(128, activation="relu")(features)
    features = keras.layers.Dropout(0.2)(features)
    return keras.Model(grey, softmax_layer(class_count)(features), name="small")


def layer_table(model: keras.Model) -> pd.DataFrame:
    """Return what each layer of a network gives and learns.

    Returns
    -------
    pandas.DataFrame
        layer, output (shape without the batch), weights, and `sees (px)`: the edge of the square
        of pixels behind one place, or `all` where places are no longer told apart.
    """
    seen = receptive_fields(model)
    rows = [
        {
            "layer": _described(layer),
            "output": " × ".join(str(size) for size in layer.output.shape[1:]),
            "weights": layer.count_params(),
            "sees (px)": str(seen.get(layer.name, "all")),
        }
        for layer in model.layers
        if not isinstance(layer, keras.layers.InputLayer)
    ]
    return pd.DataFrame(rows)


def _described(layer):
    settings = layer.get_config()
    name = type(layer).__name__
    # A dense layer with its activation is one line, and a layer of it alone bears its name.
    activation = settings.get("activation")
    activation = "" if activation in (None, "linear") else f", {activation}"
    if isinstance(layer, keras.layers.Activation):
        return settings["activation"]
    if "kernel_size" in settings:
        name = f"{name} {' × '.join(map(str, settings['kernel_size']))}"
    if "pool_size" in settings:
        name = f"{name} {' × '.join(map(str, settings['pool_size']))}"
    if "strides" in settings and settings["strides"][0] != 1:
        name = f"{name}, stride {settings['strides'][0]}"
    return name + activation


def dense_weights(inputs: int, units: int) -> int:
    """Return the weights between all inputs and all units, without biases."""
    return inputs * units


def write_pattern(*, convolutions: int, blocks: int, dense: int, pool: str = "POOL") -> str:
    """Write `INPUT -> [[CONV -> RELU]*N -> POOL?]*M -> [FC -> RELU]*K -> FC` with its numbers.

    Parameters
    ----------
    convolutions, blocks, dense : int
        N, M and K, each 0 or more; what is repeated 0 times is left out.
    pool : str, optional
        `POOL`, `POOL?`, or empty for none.
    """
    inner = [f"[CONV -> RELU]*{convolutions}"] if convolutions else []
    inner += [pool] if pool else []
    parts = ["INPUT"]
    if blocks and inner:
        parts.append(f"[{' -> '.join(inner)}]*{blocks}")
    if dense:
        parts.append(f"[FC -> RELU]*{dense}")
    return " -> ".join([*parts, "FC"])


def read_arrows(text: str) -> str:
    """Return a pattern as the library reads it: slides and blackboards have `>>` for `->`."""
    return text.replace(">>", "->").replace("→", "->").upper()


def network_for(name: str, *, input_px: int, class_count: int, seed: int) -> keras.Model:
    """Build `small`, a network of the registry or one of a pattern, with fresh weights."""
    if name != "small":
        return build_network(name, class_count=class_count, seed=seed, input_px=input_px)
    keras.utils.set_random_seed(seed)
    return build_small(input_px=input_px, class_count=class_count)


def train(
    model: keras.Model,
    images: np.ndarray,
    labels: np.ndarray,
    *,
    epochs: int,
    batch: int,
    seed: int,
    validation: tuple[np.ndarray, np.ndarray] | None = None,
) -> pd.DataFrame:
    """Train a network by Adam on cross-entropy; the same seed gives the same weights.

    Parameters
    ----------
    model : keras.Model
        Answers with the probability of each class; its weights change.
    images : numpy.ndarray, float32, shape (n, edge, edge, 1)
    labels : numpy.ndarray, int, shape (n,)
    epochs, batch, seed : int
    validation : (images, labels), optional
        Pictures on which loss and accuracy are measured after each epoch.

    Returns
    -------
    pandas.DataFrame
        epoch, loss, accuracy and, with validation, val_loss and val_accuracy. Loss and accuracy
        of an epoch are means over it, with dropout, while the network still learns.
    """
    keras.utils.set_random_seed(seed)
    tf.config.experimental.enable_op_determinism()
    model.compile(
        optimizer=keras.optimizers.Adam(_LEARNING_RATE),
        loss="sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )
    fitted = model.fit(
        *(images, labels),
        epochs=epochs,
        batch_size=batch,
        validation_data=validation,
        verbose=0,
    )
    history = pd.DataFrame(fitted.history)
    history.insert(0, "epoch", np.arange(1, epochs + 1))
    return history


def with_interval(accuracy: float, *, number: int) -> str:
    """Return an accuracy on some independent pictures with its exact 95 % interval, as text."""
    low, high = proportion_interval(round(accuracy * number), number)
    return f"{accuracy:.3f} [{low:.3f}, {high:.3f}]"


def first_kernels(model: keras.Model) -> np.ndarray:
    """Return the kernels of the first convolution, shape (rows, columns, count)."""
    # A copy: training changes the weights in place.
    return np.array(_convolutions(model)[0].kernel)[:, :, 0]


def maps_of(model: keras.Model, images: np.ndarray) -> list[np.ndarray]:
    """Return the feature maps of each convolution, shape (n, rows, columns, maps)."""
    outputs = [layer.output for layer in _convolutions(model)]
    return [np.asarray(maps) for maps in keras.Model(model.input, outputs)(images)]


def _convolutions(model):
    return [layer for layer in model.layers if isinstance(layer, keras.layers.Conv2D)]
