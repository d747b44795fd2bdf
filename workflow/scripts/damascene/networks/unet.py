"""A plain U-Net whose answer at a pixel depends on its surroundings alone.

References
----------
Ronneberger, Fischer & Brox, U-Net: Convolutional Networks for Biomedical Image Segmentation,
10.1007/978-3-319-24574-4_28. Here the first convolution may already stride, so that no layer of
many channels works at full resolution; strides stand for pooling; and batch normalisation, which
is a fixed factor once a network is trained, for none.
"""

import os
from collections.abc import Sequence

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras


def build_unet(
    *,
    channels_in: int = 1,
    outputs: int,
    widths: Sequence[int] = (16, 32, 64, 128),
    first_stride: int = 2,
    convolutions: int = 2,
    last_width: int = 0,
    activation: str | None = "softmax",
    dropout: float = 0.0,
    name: str = "unet",
) -> keras.Model:
    """Build a U-Net of convolutions, batch normalisation and ReLU, with random weights.

    Parameters
    ----------
    channels_in : int, optional
        Channels of the image.
    outputs : int
        Channels of the answer.
    widths : sequence of int, optional
        Channels of each level from fine to coarse; each level has half the resolution of the one
        before.
    first_stride : int, optional
        Pixels between the places of the finest level: 1, 2 or 4.
    convolutions : int, optional
        Of each level, on the way down and on the way up.
    last_width : int, optional
        With more than 0, so many channels at full resolution meet the image in a last convolution,
        for answers as fine as the image itself.
    activation : str, optional
        Of the answer: `softmax` for probabilities of classes, None for grey values.
    dropout : float, optional
        Part of the coarsest features that is left out in training.
    name : str, optional

    Returns
    -------
    keras.Model
        Input `image`, float32 (n, rows, columns, channels_in), where rows and columns are multiples
        of first_stride * 2 ** (levels - 1); output float32 (n, rows, columns, outputs).
    """
    image = keras.Input((None, None, channels_in), name="image")
    features, fine = image, []
    for level, width in enumerate(widths):
        stride = 2 if level else first_stride
        for number in range(convolutions):
            # A first convolution that strides sees over the edges of its steps.
            kernel = 2 * stride + 1 if not (level or number) else 3
            features = convolved(
                features,
                name=f"down_{level}_{number}",
                filters=width,
                kernel=kernel,
                stride=1 if number else stride,
            )
        fine.append(features)
    if dropout:
        features = keras.layers.SpatialDropout2D(dropout, name="dropout")(features)
    for level in reversed(range(len(widths) - 1)):
        features = enlarged(features, name=f"up_{level}", filters=widths[level])
        features = keras.layers.Concatenate(name=f"meet_{level}")([features, fine[level]])
        for number in range(convolutions):
            features = convolved(features, name=f"up_{level}_{number}", filters=widths[level])
    if last_width:
        if first_stride > 1:
            features = enlarged(features, name="full", filters=last_width, factor=first_stride)
        features = keras.layers.Concatenate(name="meet_image")([features, image])
        features = convolved(features, name="full_0", filters=last_width)
    answer = answer_layers(
        features,
        outputs=outputs,
        factor=1 if last_width else first_stride,
        activation=activation,
    )
    return keras.Model(image, answer, name=name)


def enlarged(
    features: keras.KerasTensor, *, name: str, filters: int, factor: int = 2
) -> keras.KerasTensor:
    """Return features at a resolution some times as fine, each place by a kernel of its own."""
    return keras.layers.Conv2DTranspose(filters, factor, strides=factor, name=name)(features)


def answer_layers(
    features: keras.KerasTensor, *, outputs: int, factor: int, activation: str | None
) -> keras.KerasTensor:
    """Return the answer at full resolution, in single precision, from features of the last level.

    Parameters
    ----------
    features : keras.KerasTensor
    outputs, activation
        See `build_unet`.
    factor : int
        Pixels of the image between two places of the features.
    """
    scores = keras.layers.Conv2DTranspose(
        outputs, factor, strides=factor, name="scores", dtype="float32"
    )(features)
    return keras.layers.Activation(activation or "linear", name="answer", dtype="float32")(scores)


def convolved(
    features: keras.KerasTensor, *, name: str, filters: int, kernel: int = 3, stride: int = 1
) -> keras.KerasTensor:
    """Return features after a convolution, batch normalisation and ReLU."""
    features = keras.layers.Conv2D(
        filters, kernel, strides=stride, padding="same", use_bias=False, name=name
    )(features)
    # Trainings are short: the means must follow within some hundred steps.
    features = keras.layers.BatchNormalization(momentum=0.95, name=f"{name}_norm")(features)
    return keras.layers.Activation("relu", name=f"{name}_relu")(features)
