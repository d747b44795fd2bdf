"""EERACN, the network of the damage stage in the published work."""

import keras

from damascene.networks.last_layer import softmax_layer

# Per block: kernel and filters of its convolutions.
_BLOCKS = (
    ((5, 192), (1, 160), (1, 96)),
    ((5, 192), (1, 192), (1, 192)),
    ((3, 192), (1, 192), (1, 10)),
)


def build_eeracn(*, input_px: int, class_count: int) -> keras.Model:
    """Build the network with exponential linear units after Xu et al.

    987,102 parameters for clips of 100 pixels and four classes; the one grey channel is repeated
    to three.

    References
    ----------
    Xu et al., Empirical Evaluation of Rectified Activations in Convolutional Network,
    arXiv 1505.00853. Used on damage sites by Kusche et al., PLoS ONE 14(5) e0216493,
    10.1371/journal.pone.0216493.
    """
    grey = keras.Input((input_px, input_px, 1), name="grey")
    features = keras.layers.Concatenate(name="repeat")([grey, grey, grey])
    for index, block in enumerate(_BLOCKS):
        for kernel, filters in block:
            features = keras.layers.Conv2D(filters, kernel, kernel_initializer="he_normal")(
                features
            )
            features = keras.layers.BatchNormalization()(features)
            features = keras.layers.Activation("elu")(features)
        if index < len(_BLOCKS) - 1:
            features = keras.layers.MaxPooling2D(3, strides=2)(features)
            features = keras.layers.Dropout(0.5)(features)
    features = keras.layers.AveragePooling2D(8, strides=1, padding="same")(features)
    features = keras.layers.Flatten()(features)
    classes = softmax_layer(class_count)
    return keras.Model(grey, classes(features), name="eeracn")
