"""The registry of classifying networks: what each takes, and who builds it and loads its weights.

A new network is one entry in `NETWORKS` and one module beside this one; the configuration, the
clips, the training and the plan of the jobs read what they need from the entry. This module needs
no keras: `build` imports the builder and the loader of a network when it builds it.

Every network takes grey clips, float32 in [-1, 1] of shape (n, size, size, scales); networks that
were published for three equal channels repeat the one channel themselves.
"""

from dataclasses import dataclass
from pathlib import Path

from damascene import InputError
from damascene.networks.pattern import is_pattern, parse_pattern

#: How grey values become the input of a network, see `damascene.clips.network_input.scale_grey`.
GREY_SCALINGS = ("clip_median", "full_range")
#: Kinds of networks by what their jobs cost, from light to heavy: few channels; frozen
#: convolutions; published for a GPU. `resources/unit_costs.tsv` has a row for each.
COST_KINDS = ("small", "frozen", "large")
#: EfficientNet-Lite0 adapted to simulated steel, in half precision.
STEEL_WEIGHTS = Path(__file__).parents[4] / "resources/models/steel_lite0.npz"
#: Word for public weights in the configuration.
IMAGENET = "imagenet"


@dataclass(frozen=True, kw_only=True)
class Network:
    """What is needed to build a network, to prepare its input and to plan its jobs.

    Attributes
    ----------
    builder : str
        `module:function` that returns the keras model, see `build.build_network` for its
        options. The model has the name of the network and ends in `last_layer.softmax_layer`.
    weights_loader : str, optional
        `module:function` that gives a built model its pre-trained weights.
    weights_file : pathlib.Path, optional
        Where these are, if they come with the workflow.
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
        Whether its convolutions keep their pre-trained weights, so that only the softmax layer
        learns; it is given the output of the layer `last_layer.FEATURES`. Descriptors are for
        the trees beside it alone.
    tree_share : float
        Weight of the trees on descriptors in the mean of their answer and that of the network.
    grey_scaling : str
        One of `GREY_SCALINGS`.
    average_flips : bool
        Whether predictions are means over the four mirrored clips.
    threads : int
        Most threads that make it faster.
    cost_kind : str
        One of `COST_KINDS`.
    """

    builder: str
    weights_loader: str | None = None
    weights_file: Path | None = None
    input_px: int
    smallest_px: int
    channels: int
    scales: int = 1
    descriptors: bool = False
    frozen: bool = False
    tree_share: float = 0.5
    grey_scaling: str
    average_flips: bool
    threads: int = 8
    cost_kind: str


def _published(builder, *, channels=3, cost_kind="large", **facts):
    return Network(
        builder=builder,
        channels=channels,
        grey_scaling="full_range",
        average_flips=False,
        cost_kind=cost_kind,
        **facts,
    )


def _lite0(builder, **facts):
    return Network(
        builder=builder,
        input_px=128,
        smallest_px=64,
        channels=3,
        scales=2,
        descriptors=True,
        frozen=True,
        # With as much weight as the network they hide what it sees.
        tree_share=0.25,
        grey_scaling="full_range",
        average_flips=False,
        cost_kind="frozen",
        **facts,
    )


_ON_IMAGENET = "damascene.networks.weights:set_imagenet_weights"
NETWORKS = {
    "steel_lite0": _lite0(
        "damascene.networks.steel_lite0:build_steel_lite0",
        weights_loader="damascene.networks.steel_lite0:set_steel_weights",
        weights_file=STEEL_WEIGHTS,
    ),
    "efficientnet_lite0": _lite0(
        "damascene.networks.transfer:build_lite0",
        weights_loader="damascene.networks.efficientnet:set_lite0_weights",
    ),
    "compact": Network(
        builder="damascene.networks.compact:build_compact",
        input_px=64,
        smallest_px=32,
        channels=1,
        scales=2,
        descriptors=True,
        grey_scaling="clip_median",
        average_flips=True,
        # Too small to be shared out.
        threads=1,
        cost_kind="small",
    ),
    # The smallest clips are those of which the strides leave something.
    "inception_v3": _published(
        "damascene.networks.imagenet:build_inception",
        weights_loader=_ON_IMAGENET,
        input_px=250,
        smallest_px=75,
    ),
    "eeracn": _published("damascene.networks.eeracn:build_eeracn", input_px=100, smallest_px=32),
    "xception": _published(
        "damascene.networks.imagenet:build_xception",
        weights_loader=_ON_IMAGENET,
        input_px=100,
        smallest_px=71,
    ),
    "vgg16": _published(
        "damascene.networks.imagenet:build_vgg",
        weights_loader=_ON_IMAGENET,
        input_px=100,
        smallest_px=32,
    ),
    "alexnet": _published(
        "damascene.networks.lenet_alexnet:build_alexnet", input_px=227, smallest_px=67
    ),
    "lenet5": _published(
        "damascene.networks.lenet_alexnet:build_lenet",
        input_px=32,
        smallest_px=16,
        channels=1,
        cost_kind="small",
    ),
}
_PATTERN = Network(
    builder="damascene.networks.patterned:build_pattern",
    input_px=64,
    smallest_px=8,
    channels=1,
    grey_scaling="clip_median",
    average_flips=True,
    cost_kind="small",
)


def network_named(name: str) -> Network:
    """Return the entry of a network in `NETWORKS`, or what holds for those given by a pattern.

    Raises
    ------
    InputError
        If there is no network of that name, or the pattern cannot be read.
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


def networks_with_weights() -> list[str]:
    """Return the networks whose training can start from public weights."""
    return [name for name, spec in NETWORKS.items() if spec.weights_loader and not spec.frozen]
