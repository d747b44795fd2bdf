"""The last layer of every network."""

import keras

#: Name of the layer whose output the last layer of a frozen network is given.
FEATURES = "features"


def softmax_layer(class_count: int) -> keras.layers.Layer:
    """Return the layer `classes`, which gives the probability of each class.

    It calculates in single precision also where the network before it does not: probabilities near
    1 cannot be distinguished in half precision.
    """
    return keras.layers.Dense(class_count, activation="softmax", name="classes", dtype="float32")
