"""Build a network by its name."""

import importlib
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from pathlib import Path

import keras

from damascene import InputError
from damascene.networks import IMAGENET, network_named, networks_with_weights
from damascene.networks.pattern import is_pattern
from damascene.networks.weights import set_weights_from


def build_network(
    name: str,
    *,
    class_count: int,
    seed: int,
    input_px: int | None = None,
    scales: int = 1,
    descriptor_count: int = 0,
    weights: str | Path | None = None,
) -> keras.Model:
    """Build a network with fresh weights, with public ones, or with weights from a file.

    The seed becomes the global seed of Keras, TensorFlow, NumPy and `random`: the layers of
    InceptionV3 draw their weights from there.

    Parameters
    ----------
    name : str
        Key of `NETWORKS`, or a pattern.
    class_count : int
        Outputs of the softmax layer.
    seed : int
        Of the initial weights and of dropout.
    input_px : int, optional
        Edge of the clips in pixels; the network's own default without it.
    scales, descriptor_count : int, optional
        For the networks that take them, see `networks.Network`.
    weights : path or "imagenet", optional
        Weights to start from: a file, see `weights.set_weights_from`, or what the network's own
        loader brings. Frozen networks always have the latter.

    Returns
    -------
    keras.Model
        Inputs `grey`, float32 (n, input_px, input_px, scales) in [-1, 1], and with descriptors
        `descriptors`, float32 (n, descriptor_count); output float32 (n, class_count), the
        probability of each class, from the layer `classes`.

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
    options = {"input_px": size_px, "class_count": class_count}
    if network.scales > 1:
        options["scales"] = scales
    elif scales != 1:
        raise ValueError(f"the network {name} takes one scale, not {scales}")
    if network.descriptors and not network.frozen:
        options["descriptor_count"] = descriptor_count
    elif descriptor_count:
        raise ValueError(f"the network {name} itself takes no descriptors")
    if is_pattern(name):
        options["text"] = name
    keras.utils.set_random_seed(seed)
    model = _function(network.builder)(**options)
    if network.frozen or weights == IMAGENET:
        if network.weights_loader is None:
            raise InputError(
                f"There are no ImageNet weights of the network {name}; there are for "
                f"{', '.join(networks_with_weights())}. Set weights to none or to a file."
            )
        _function(network.weights_loader)(model)
    elif weights is not None:
        set_weights_from(model, weights)
    return model


def _function(place):
    """Return the function at `module:function`; only what is built is imported."""
    module, name = place.split(":")
    return getattr(importlib.import_module(module), name)
