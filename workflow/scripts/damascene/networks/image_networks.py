"""The registry of networks that answer with images: denoised greys, or the phase of each pixel.

A new one is one entry in `IMAGE_NETWORKS` and one module beside this one. Their models take
`image`, float32 (n, rows, columns, channels), and answer with float32 (n, rows, columns, outputs).
This module needs no keras until a network is built.
"""

import importlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from damascene import InputError

if TYPE_CHECKING:
    import keras


class Margins(NamedTuple):
    """How blocks of a panorama are answered so that the result has no seams.

    Attributes
    ----------
    halo_px : int
        Pixels read around each block.
    overlap_px : int
        How far answers reach over each cut to be mixed; 0 where the halo makes them exact.
    """

    halo_px: int
    overlap_px: int


@dataclass(frozen=True, kw_only=True)
class ImageNetwork:
    """What is needed to build a network and to plan its jobs.

    Attributes
    ----------
    builder : str
        `module:function`; it takes `outputs`, `activation`, `dropout` and options of its own.
    weights_loader : str, optional
        `module:function` that gives a built model its pre-trained weights.
    margins : Margins, optional
        Where the network sees too far for an exact halo; without them it follows from the layers.
    cost_kind : str
        Row of its jobs in `resources/unit_costs.tsv`.
    """

    builder: str
    weights_loader: str | None = None
    margins: Margins | None = None
    cost_kind: str


IMAGE_NETWORKS = {
    "unet": ImageNetwork(builder="damascene.networks.unet:build_unet", cost_kind="unet"),
    "unet_lite0": ImageNetwork(
        builder="damascene.networks.unet_lite0:build_unet_lite0",
        weights_loader="damascene.networks.efficientnet:set_lite0_weights",
        margins=Margins(halo_px=128, overlap_px=64),
        cost_kind="unet_lite0",
    ),
}


def image_network_named(name: str) -> ImageNetwork:
    """Return the entry of a network in `IMAGE_NETWORKS`.

    Raises
    ------
    InputError
        If there is no network of that name.
    """
    if name not in IMAGE_NETWORKS:
        raise InputError(
            f"There is no image network {name!r}. Choose one of: {', '.join(IMAGE_NETWORKS)}."
        )
    return IMAGE_NETWORKS[name]


def build_image_network(name: str, *, seed: int, **options) -> "keras.Model":
    """Build a network with fresh weights, pre-trained where it has such.

    Parameters
    ----------
    name : str
        Key of `IMAGE_NETWORKS`.
    seed : int
        Of the initial weights and of dropout.
    **options
        Of its builder.

    Raises
    ------
    InputError
        If the network is unknown, or its pre-trained weights are not there.
    """
    network = image_network_named(name)
    import keras

    keras.utils.set_random_seed(seed)
    model = _function(network.builder)(**options)
    if network.weights_loader is not None:
        _function(network.weights_loader)(model)
    return model


def margins_of(name: str, model: "keras.Model") -> Margins:
    """Return how the blocks of a panorama are answered by a network."""
    margins = image_network_named(name).margins
    if margins is not None:
        return margins
    from damascene.networks.receptive_field import halo_px

    return Margins(halo_px=halo_px(model), overlap_px=0)


def _function(place):
    module, name = place.split(":")
    return getattr(importlib.import_module(module), name)
