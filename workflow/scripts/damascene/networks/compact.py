"""A small network for a few hundred labels and a processor without accelerator."""

import keras

from damascene.networks.last_layer import softmax_layer
from damascene.networks.scores import GaussianScores

# Kernel, filters and stride of the convolutions; after one of them the features are pooled.
_CONVOLUTIONS = ((5, 16, 2), (3, 32, 2), (3, 48, 1), (3, 96, 1))
_POOLED = 2
# Units that stand for the pictures beside the descriptors.
_PICTURE_UNITS = 48


def build_compact(
    *, input_px: int, class_count: int, scales: int = 1, descriptor_count: int = 0
) -> keras.Model:
    """Build four convolutions with group normalisation a picture, and one softmax layer for all.

    Each scale has convolutions of its own, as a rim seen close is not a band seen from afar. The
    descriptors go straight to the softmax layer: with few labels the part of the network that is
    linear in them carries the answer, and the pictures add what the descriptors miss.

    Group normalisation does not depend on the batch, so it holds for few labels and small batches,
    where batch normalisation does not.

    Parameters
    ----------
    input_px, class_count
        See `build.build_network`.
    scales : int, optional
        Pictures of a site: its window, and the enlarged centre.
    descriptor_count : int, optional
        Descriptors of a site; with 0 there is no second input.

    References
    ----------
    Wu & He, Group Normalization, arXiv 1803.08494. Cheng et al., Wide & Deep Learning, arXiv
    1606.07792 (linear and deep part trained together).
    """
    grey = keras.Input((input_px, input_px, scales), name="grey")
    pooled = []
    for scale in range(scales):
        one = grey if scales == 1 else keras.ops.take(grey, [scale], axis=-1)
        pooled += _convolved(one)
    dropped = keras.layers.Dropout(0.4)(keras.layers.Concatenate()(pooled))
    if not descriptor_count:
        features, inputs = dropped, grey
    else:
        seen = keras.layers.Dense(_PICTURE_UNITS, activation="relu", name="seen")(dropped)
        descriptors = keras.Input((descriptor_count,), name="descriptors")
        scores = GaussianScores(name="scores")(descriptors)
        features = keras.layers.Concatenate()(
            [keras.layers.Dropout(0.3)(seen), keras.layers.Dropout(0.2)(scores)]
        )
        inputs = {"grey": grey, "descriptors": descriptors}
    classes = softmax_layer(class_count)
    return keras.Model(inputs, classes(features), name="compact")


def _convolved(features):
    for index, (kernel, filters, stride) in enumerate(_CONVOLUTIONS):
        features = keras.layers.Conv2D(
            filters,
            kernel,
            strides=stride,
            padding="same",
            use_bias=False,
            kernel_initializer="he_normal",
        )(features)
        features = keras.layers.GroupNormalization(filters // 8)(features)
        features = keras.layers.Activation("relu")(features)
        if index == _POOLED:
            features = keras.layers.MaxPooling2D(2)(features)
    return [
        keras.layers.GlobalAveragePooling2D()(features),
        keras.layers.GlobalMaxPooling2D()(features),
    ]
