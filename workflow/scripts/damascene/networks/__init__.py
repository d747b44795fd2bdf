"""Architectures of the classifying networks, without training.

Every network takes grey clips, float32 in [-1, 1] of shape (n, size, size, 1); networks that were
published for three equal channels repeat the channel themselves.
"""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import keras

from damascene import InputError
from damascene.networks.compact import build_compact
from damascene.networks.eeracn import build_eeracn
from damascene.networks.inception import build_inception


@dataclass(frozen=True, kw_only=True)
class Network:
    """What is needed to build a network and to prepare its input.

    Attributes
    ----------
    builder : callable
        Takes `input_px` and `class_count`, returns an untrained model.
    input_px : int
        Edge of the clips the network was designed for, in pixels.
    smallest_px : int
        Smallest edge of a clip that survives the network's strides.
    channels : int
        Channels of the first convolution.
    grey_scaling : str
        How grey values become input: see `damascene.classification.clips.scale_grey`.
    average_flips : bool
        Whether predictions are means over the four mirrored clips.
    """

    builder: Callable[..., keras.Model]
    input_px: int
    smallest_px: int
    channels: int
    grey_scaling: str
    average_flips: bool


NETWORKS = {
    "compact": Network(
        builder=build_compact,
        input_px=64,
        smallest_px=32,
        channels=1,
        grey_scaling="clip_median",
        average_flips=True,
    ),
    "inception_v3": Network(
        builder=build_inception,
        input_px=250,
        smallest_px=75,
        channels=3,
        grey_scaling="full_range",
        average_flips=False,
    ),
    "eeracn": Network(
        builder=build_eeracn,
        input_px=100,
        smallest_px=32,
        channels=3,
        grey_scaling="full_range",
        average_flips=False,
    ),
}


def network_named(name: str) -> Network:
    """Return the entry of a network in `NETWORKS`.

    Raises
    ------
    InputError
        If there is none of that name.
    """
    if name not in NETWORKS:
        raise InputError(f"There is no network {name!r}. Choose one of: {', '.join(NETWORKS)}.")
    return NETWORKS[name]


def build_network(
    name: str,
    *,
    class_count: int,
    seed: int,
    input_px: int | None = None,
    weights: str | Path | None = None,
) -> keras.Model:
    """Build a network with fresh weights, or with weights from a file.

    The seed becomes the global seed of Keras, TensorFlow, NumPy and `random`: the layers of
    InceptionV3 draw their weights from there.

    Parameters
    ----------
    name : str
        Key of `NETWORKS`.
    class_count : int
        Outputs of the softmax layer.
    seed : int
        Of the initial weights and of dropout.
    input_px : int, optional
        Edge of the clips in pixels; the network's own default without it.
    weights : path, optional
        Weights of the same architecture (`.weights.h5`, or a legacy Keras 2 `.h5`).

    Returns
    -------
    keras.Model
        Input float32 (n, input_px, input_px, 1) in [-1, 1], output float32 (n, class_count), the
        probability of each class.

    Raises
    ------
    InputError
        If the network is unknown, the clips are too small for it, or the weights do not fit.
    """
    network = network_named(name)
    size_px = network.input_px if input_px is None else input_px
    if size_px < network.smallest_px:
        raise InputError(
            f"The network {name} needs clips of at least {network.smallest_px} pixels, not "
            f"{size_px}. Raise input_px or choose another network."
        )
    keras.utils.set_random_seed(seed)
    model = network.builder(input_px=size_px, class_count=class_count)
    if weights is not None:
        try:
            model.load_weights(weights)
        except (ValueError, OSError) as error:
            raise InputError(
                f"{weights} does not fit the network {name} for clips of {size_px} pixels and "
                f"{class_count} classes: {error}. Name the weights of this very architecture."
            ) from error
    return model
