"""Build a network that was written as a pattern."""

import keras

from damascene.networks.last_layer import softmax_layer
from damascene.networks.pattern import layers_for

_ACTIVATIONS = {"RELU": "relu", "ELU": "elu", "TANH": "tanh"}


def build_pattern(text: str, *, input_px: int, class_count: int) -> keras.Model:
    """Build the network of a pattern, see `pattern`.

    Raises
    ------
    InputError
        If the pattern cannot be read, or pools more often than the clips are wide.
    """
    grey = keras.Input((input_px, input_px, 1), name="grey")
    features, flat = grey, False
    *steps, _ = layers_for(text, input_px=input_px)
    for step in steps:
        if step.kind == "CONV":
            features = keras.layers.Conv2D(
                step.size,
                step.kernel,
                padding="same",
                kernel_initializer="he_normal",
            )(features)
        elif step.kind == "POOL":
            features = keras.layers.MaxPooling2D(step.kernel)(features)
        elif step.kind == "FC":
            features, flat = _flat(features, flat), True
            features = keras.layers.Dense(step.size, kernel_initializer="he_normal")(features)
        elif step.kind == "NORM":
            features = keras.layers.BatchNormalization()(features)
        elif step.kind == "DROPOUT":
            features = keras.layers.Dropout(0.5)(features)
        else:
            features = keras.layers.Activation(_ACTIVATIONS[step.kind])(features)
    return keras.Model(grey, softmax_layer(class_count)(_flat(features, flat)), name="pattern")


def _flat(features, flat):
    return features if flat else keras.layers.Flatten()(features)
