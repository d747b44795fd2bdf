"""Networks known from ImageNet, without their top: InceptionV3, Xception and VGG-16."""

import keras

from damascene.networks.last_layer import softmax_layer

# Mean of blue, green and red on ImageNet, which VGG-16 takes off grey values from 0 to 255.
_VGG_MEANS = (103.939, 116.779, 123.68)
_VGG_UNITS = 256


def build_inception(*, input_px: int, class_count: int) -> keras.Model:
    """Build InceptionV3 with global average pooling and a softmax layer.

    21,806,882 parameters for two classes; the one grey channel is repeated to three.

    References
    ----------
    Szegedy et al., Rethinking the Inception Architecture for Computer Vision,
    arXiv 1512.00567. Used on damage sites by Kusche et al., PLoS ONE 14(5) e0216493,
    10.1371/journal.pone.0216493.
    """
    grey, repeated = _repeated(input_px)
    # Given as tensor and not as nested model: legacy weight files are read layer by layer.
    base = keras.applications.InceptionV3(
        include_top=False, weights=None, input_tensor=repeated, pooling="avg"
    )
    return keras.Model(grey, softmax_layer(class_count)(base.output), name="inception_v3")


def build_xception(*, input_px: int, class_count: int) -> keras.Model:
    """Build Xception with global average pooling and a softmax layer.

    References
    ----------
    Chollet, Xception: Deep Learning with Depthwise Separable Convolutions, arXiv 1610.02357.
    """
    grey, repeated = _repeated(input_px)
    base = keras.applications.Xception(
        include_top=False, weights=None, input_tensor=repeated, pooling="avg"
    )
    return keras.Model(grey, softmax_layer(class_count)(base.output), name="xception")


def build_vgg(*, input_px: int, class_count: int) -> keras.Model:
    """Build VGG-16 with a head for small windows.

    The two layers of 4096 units, made for 224 pixels and a thousand classes, would hold nine
    tenths of all weights: global average pooling and 256 units stand in for them.

    References
    ----------
    Simonyan & Zisserman, Very Deep Convolutional Networks for Large-Scale Image Recognition,
    arXiv 1409.1556.
    """
    grey, repeated = _repeated(input_px)
    scaled = keras.layers.Rescaling(
        127.5, offset=[127.5 - mean for mean in _VGG_MEANS], name="imagenet_grey"
    )(repeated)
    base = keras.applications.VGG16(
        include_top=False, weights=None, input_tensor=scaled, pooling="avg"
    )
    features = keras.layers.Dense(_VGG_UNITS, activation="relu")(base.output)
    features = keras.layers.Dropout(0.5)(features)
    return keras.Model(grey, softmax_layer(class_count)(features), name="vgg16")


def _repeated(input_px):
    grey = keras.Input((input_px, input_px, 1), name="grey")
    return grey, keras.layers.Concatenate(name="repeat")([grey, grey, grey])
