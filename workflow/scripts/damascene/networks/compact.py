"""A small network for a few hundred labels and a processor without accelerator."""

import keras

# Kernel, filters and stride of the convolutions; after one of them the features are pooled.
_CONVOLUTIONS = ((5, 16, 2), (3, 32, 2), (3, 48, 1), (3, 96, 1))
_POOLED = 2


def build_compact(*, input_px: int, class_count: int) -> keras.Model:
    """Build four convolutions with group normalisation, and a softmax layer on pooled features.

    Group normalisation does not depend on the batch, so it holds for few labels and small batches,
    where batch normalisation does not.

    References
    ----------
    Wu & He, Group Normalization, arXiv 1803.08494.
    """
    grey = keras.Input((input_px, input_px, 1), name="grey")
    features = grey
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
    pooled = keras.layers.Concatenate()(
        [
            keras.layers.GlobalAveragePooling2D()(features),
            keras.layers.GlobalMaxPooling2D()(features),
        ]
    )
    dropped = keras.layers.Dropout(0.3)(pooled)
    classes = keras.layers.Dense(class_count, activation="softmax", name="classes")
    return keras.Model(grey, classes(dropped), name="compact")
