"""Early convolutional networks: LeNet-5 and AlexNet, adapted to one grey channel."""

import keras

from damascene.networks.last_layer import softmax_layer

_ALEXNET_UNITS = 1024


def build_lenet(*, input_px: int, class_count: int) -> keras.Model:
    """Build LeNet-5: two convolutions with average pooling, then 120 and 84 units.

    References
    ----------
    LeCun, Bottou, Bengio & Haffner, Gradient-based learning applied to document recognition,
    10.1109/5.726791.
    """
    grey = keras.Input((input_px, input_px, 1), name="grey")
    features = grey
    for filters in (6, 16):
        features = keras.layers.Conv2D(filters, 5, activation="tanh")(features)
        features = keras.layers.AveragePooling2D(2)(features)
    features = keras.layers.Flatten()(features)
    for units in (120, 84):
        features = keras.layers.Dense(units, activation="tanh")(features)
    return keras.Model(grey, softmax_layer(class_count)(features), name="lenet5")


def build_alexnet(*, input_px: int, class_count: int) -> keras.Model:
    """Build AlexNet on one processor, with 1024 instead of 4096 units in its two last layers.

    Made for 227 pixels; smaller windows leave less to these layers. The one grey channel is
    repeated to three.

    References
    ----------
    Krizhevsky, Sutskever & Hinton, ImageNet classification with deep convolutional neural
    networks, 10.1145/3065386.
    """
    grey = keras.Input((input_px, input_px, 1), name="grey")
    features = keras.layers.Concatenate(name="repeat")([grey, grey, grey])
    features = keras.layers.Conv2D(96, 11, strides=4, activation="relu")(features)
    features = keras.layers.MaxPooling2D(3, strides=2)(features)
    features = keras.layers.Conv2D(256, 5, padding="same", activation="relu")(features)
    features = keras.layers.MaxPooling2D(3, strides=2)(features)
    for filters in (384, 384, 256):
        features = keras.layers.Conv2D(filters, 3, padding="same", activation="relu")(features)
    features = keras.layers.MaxPooling2D(3, strides=2)(features)
    features = keras.layers.Flatten()(features)
    for _ in range(2):
        features = keras.layers.Dense(_ALEXNET_UNITS, activation="relu")(features)
        features = keras.layers.Dropout(0.5)(features)
    return keras.Model(grey, softmax_layer(class_count)(features), name="alexnet")
