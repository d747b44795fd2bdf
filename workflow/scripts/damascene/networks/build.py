"""Build a network by its name."""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from pathlib import Path

import keras

from damascene import InputError
from damascene.networks import IMAGENET, network_named
from damascene.networks.compact import build_compact
from damascene.networks.early import build_alexnet, build_lenet
from damascene.networks.eeracn import build_eeracn
from damascene.networks.efficientnet import set_lite0_weights
from damascene.networks.imagenet import build_inception, build_vgg, build_xception
from damascene.networks.pattern import is_pattern
from damascene.networks.patterned import build_pattern
from damascene.networks.transfer import build_lite0
from damascene.networks.weights import imagenet_file, set_weights_from

BUILDERS = {
    "efficientnet_lite0": build_lite0,
    "compact": build_compact,
    "inception_v3": build_inception,
    "eeracn": build_eeracn,
    "xception": build_xception,
    "vgg16": build_vgg,
    "alexnet": build_alexnet,
    "lenet5": build_lenet,
}


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
    """Build a network with fresh weights, or with weights from a file.

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
        Weights to start from, see `weights.set_weights_from`. Frozen networks have those of
        ImageNet in any case.

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
    keras.utils.set_random_seed(seed)
    more = {}
    if network.scales > 1:
        more["scales"] = scales
    elif scales != 1:
        raise ValueError(f"the network {name} takes one scale, not {scales}")
    if network.descriptors and not network.frozen:
        more["descriptor_count"] = descriptor_count
    elif descriptor_count:
        raise ValueError(f"the network {name} itself takes no descriptors")
    if is_pattern(name):
        model = build_pattern(name, input_px=size_px, class_count=class_count)
    else:
        model = BUILDERS[name](input_px=size_px, class_count=class_count, **more)
    if network.frozen:
        set_lite0_weights(model)
    elif weights == IMAGENET:
        set_weights_from(model, imagenet_file(name), top=False)
    elif weights is not None:
        set_weights_from(model, weights)
    return model
