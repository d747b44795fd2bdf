"""A small network for a few hundred labels and a processor without accelerator."""

import keras

_FILTERS = (24, 48, 96)


def build_compact(*, input_px: int, class_count: int) -> keras.Model:
    """Build a small residual-free network with group normalisation.

    Group normalisation does not depend on the batch, so it holds for few labels and small batches,
    where batch normalisation does not.

    References
    ----------
    Wu & He, Group Normalization, arXiv 1803.08494.
    """
    grey = keras.Input((input_px, input_px, 1), name="grey")
    features = keras.layers.Conv2D(
        16, 5, strides=2, padding="same", use_bias=False, kernel_initializer="he_normal"
    )(grey)
    features = keras.layers.GroupNormalization(4)(features)
    features = keras.layers.Activation("relu")(features)
    for filters in _FILTERS:
        features = keras.layers.Conv2D(
            filters, 3, padding="same", use_bias=False, kernel_initializer="he_normal"
        )(features)
        features = keras.layers.GroupNormalization(filters // 8)(features)
        features = keras.layers.Activation("relu")(features)
        features = keras.layers.MaxPooling2D(2)(features)
    pooled = keras.layers.Concatenate()(
        [
            keras.layers.GlobalAveragePooling2D()(features),
            keras.layers.GlobalMaxPooling2D()(features),
        ]
    )
    dropped = keras.layers.Dropout(0.3)(pooled)
    classes = keras.layers.Dense(class_count, activation="softmax", name="classes")
    return keras.Model(grey, classes(dropped), name="compact")
