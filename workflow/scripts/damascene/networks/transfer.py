"""EfficientNet-Lite0 pre-trained on ImageNet, and one softmax layer that learns."""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras

from damascene.networks.efficientnet import efficientnet_lite0
from damascene.networks.last_layer import FEATURES, softmax_layer

# Edges, textures and parts: later blocks know things of daily life, earlier ones single lines.
_TAPS = (7, 10, 13)


def build_lite0(
    *, input_px: int, class_count: int, scales: int = 1, name: str = "efficientnet_lite0"
) -> keras.Model:
    """Build frozen convolutions whose pooled maps go straight to a softmax layer.

    All scales of a site pass through the same convolutions. Maps behind three blocks are pooled in
    five ways: their mean, their maximum, and their means over the middle, where the site is, over
    the strips to its left and right, and over those above and below.

    The convolutions keep random weights until `efficientnet.set_lite0_weights`.

    Parameters
    ----------
    input_px, class_count
        See `build.build_network`.
    scales : int, optional
        Pictures of a site: its window, and the enlarged centre.
    name : str, optional
        Of the model.

    References
    ----------
    Sharif Razavian et al., CNN Features off-the-shelf, arXiv 1403.6382 (a linear classifier on
    features of a network trained on ImageNet).
    """
    grey = keras.Input((input_px, input_px, scales), name="grey")
    # The scales become clips of their own, those of a site one after the other.
    planes = keras.layers.Permute((3, 1, 2))(grey)
    planes = keras.ops.reshape(planes, (-1, input_px, input_px, 1))
    rgb = keras.layers.Concatenate(name="repeat")([planes, planes, planes])
    pooled = []
    for maps in efficientnet_lite0(rgb, taps=_TAPS):
        pooled += _pooled(maps)
    seen = keras.layers.Concatenate()(pooled)
    features = keras.layers.Reshape((scales * seen.shape[-1],), name=FEATURES)(
        keras.ops.reshape(seen, (-1, scales, seen.shape[-1]))
    )
    return keras.Model(grey, softmax_layer(class_count)(features), name=name)


def _pooled(maps):
    """Pool maps in five ways; mirrored maps have nearly the same means."""
    edge = maps.shape[1]
    middle, quarter = edge // 2, max(edge // 4, 1)
    # Where the strips on either side of the site end, and the band in which they lie.
    reach = middle - quarter // 2
    band = middle - quarter
    sides = [((band, band), (0, edge - reach)), ((band, band), (edge - reach, 0))]
    ends = [(rows, columns) for columns, rows in sides]
    return [
        keras.layers.GlobalAveragePooling2D()(maps),
        keras.layers.GlobalMaxPooling2D()(maps),
        _mean_within(maps, middle - max(edge // 8, 1)),
        # Cracks lie between martensite along the load, other damage beside it.
        keras.layers.Average()([_mean_within(maps, crop) for crop in sides]),
        keras.layers.Average()([_mean_within(maps, crop) for crop in ends]),
    ]


def _mean_within(maps, crop):
    return keras.layers.GlobalAveragePooling2D()(keras.layers.Cropping2D(crop)(maps))
