"""InceptionV3 for the inclusion stage."""

import keras

from damascene.networks.head import softmax_layer


def build_inception(*, input_px: int, class_count: int) -> keras.Model:
    """Build InceptionV3 without its top, with global average pooling and a softmax layer.

    21,806,882 parameters for two classes; the one grey channel is repeated to three.

    References
    ----------
    Szegedy et al., Rethinking the Inception Architecture for Computer Vision,
    arXiv 1512.00567. Used on damage sites by Kusche et al., PLoS ONE 14(5) e0216493,
    10.1371/journal.pone.0216493.
    """
    grey = keras.Input((input_px, input_px, 1), name="grey")
    channels = keras.layers.Concatenate(name="repeat")([grey, grey, grey])
    # Given as tensor and not as nested model: legacy weight files are read layer by layer.
    base = keras.applications.InceptionV3(
        include_top=False, weights=None, input_tensor=channels, pooling="avg"
    )
    classes = softmax_layer(class_count)
    return keras.Model(grey, classes(base.output), name="inception_v3")
