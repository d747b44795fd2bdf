"""Architectures of the classifying networks, without training.

This module knows them by name and what they take; `build` builds them and needs keras.

Every network takes grey clips, float32 in [-1, 1] of shape (n, size, size, scales); networks that
were published for three equal channels repeat the one channel themselves.
"""

from dataclasses import dataclass

from damascene import InputError
from damascene.networks.pattern import is_pattern, parse_pattern

#: How grey values become the input of a network, see `damascene.clips.clips.scale_grey`.
GREY_SCALINGS = ("clip_median", "full_range")


#: Word for public weights in the configuration, and the networks that have them.
IMAGENET = "imagenet"
IMAGENET_NETWORKS = ("inception_v3", "xception", "vgg16")


@dataclass(frozen=True, kw_only=True)
class Network:
    """What is needed to build a network and to prepare its input.

    Attributes
    ----------
    input_px : int
        Edge of the clips the network was designed for, in pixels.
    smallest_px : int
        Smallest edge of a clip that survives the network's strides.
    channels : int
        Channels of the first convolution.
    scales : int
        Most pictures of a site it takes: its window alone, or the enlarged centre as well.
    descriptors : bool
        Whether it can take the descriptors of a site beside its pictures.
    frozen : bool
        Whether its convolutions keep the weights of ImageNet, so that only the softmax layer
        learns; descriptors are for the trees beside it alone.
    grey_scaling : str
        One of `GREY_SCALINGS`.
    average_flips : bool
        Whether predictions are means over the four mirrored clips.
    """

    input_px: int
    smallest_px: int
    channels: int
    scales: int = 1
    descriptors: bool = False
    frozen: bool = False
    grey_scaling: str
    average_flips: bool


def _published(*, input_px, smallest_px, channels=3):
    return Network(
        input_px=input_px,
        smallest_px=smallest_px,
        channels=channels,
        grey_scaling="full_range",
        average_flips=False,
    )


NETWORKS = {
    "efficientnet_lite0": Network(
        input_px=128,
        smallest_px=64,
        channels=3,
        scales=2,
        descriptors=True,
        frozen=True,
        grey_scaling="full_range",
        average_flips=False,
    ),
    "compact": Network(
        input_px=64,
        smallest_px=32,
        channels=1,
        scales=2,
        descriptors=True,
        grey_scaling="clip_median",
        average_flips=True,
    ),
    # The smallest clips are those of which the strides leave something.
    "inception_v3": _published(input_px=250, smallest_px=75),
    "eeracn": _published(input_px=100, smallest_px=32),
    "xception": _published(input_px=100, smallest_px=71),
    "vgg16": _published(input_px=100, smallest_px=32),
    "alexnet": _published(input_px=227, smallest_px=67),
    "lenet5": _published(input_px=32, smallest_px=16, channels=1),
}
_PATTERN = Network(
    input_px=64, smallest_px=8, channels=1, grey_scaling="clip_median", average_flips=True
)


def network_named(name: str) -> Network:
    """Return the entry of a network in `NETWORKS`, or what holds for those given by a pattern.

    Raises
    ------
    InputError
        If there is none of that name, or the pattern cannot be read.
    """
    if is_pattern(name):
        parse_pattern(name)
        return _PATTERN
    if name not in NETWORKS:
        raise InputError(
            f"There is no network {name!r}. Choose one of: {', '.join(NETWORKS)}, or write a "
            "pattern as INPUT -> [CONV -> RELU -> POOL]*3 -> FC."
        )
    return NETWORKS[name]
