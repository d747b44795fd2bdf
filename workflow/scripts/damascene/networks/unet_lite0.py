"""A U-Net whose way down is EfficientNet-Lite0, pre-trained on ImageNet."""

import os
from collections.abc import Sequence

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras

from damascene.networks.efficientnet import efficientnet_lite0
from damascene.networks.unet import answer_layers, convolved, enlarged

# The last block at each resolution: a half, a quarter, an eighth, a 16th and a 32nd.
_BLOCKS = (0, 2, 4, 10, 14)


def build_unet_lite0(
    *,
    channels_in: int = 1,
    outputs: int,
    widths: Sequence[int] = (16, 32, 48, 64),
    activation: str | None = "softmax",
    dropout: float = 0.0,
) -> keras.Model:
    """Build a decoder on the blocks of EfficientNet-Lite0, which are frozen.

    The encoder keeps random weights until `efficientnet.set_lite0_weights`; see
    `release_encoder` for training it as well.

    Parameters
    ----------
    channels_in : int, optional
        1: the grey image is given three times, for red, green and blue.
    outputs, activation, dropout
        See `unet.build_unet`.
    widths : sequence of int, optional
        Channels of each level of the decoder from fine (half the resolution of the image) to
        coarse; the encoder ends one level deeper.

    Returns
    -------
    keras.Model
        Input `image`, float32 (n, rows, columns, 1), grey values as (grey value - 127) / 128, where
        rows and columns are multiples of 2 ** (levels + 1); output float32 (n, rows, columns,
        outputs).
    """
    if channels_in != 1:
        raise ValueError(f"unet_lite0 takes grey images, not {channels_in} channels")
    if not 1 <= len(widths) < len(_BLOCKS):
        raise ValueError(f"unet_lite0 has 1 to {len(_BLOCKS) - 1} levels, not {len(widths)}")
    image = keras.Input((None, None, 1), name="image")
    rgb = keras.layers.Concatenate(name="repeat")([image, image, image])
    *fine, features = efficientnet_lite0(rgb, taps=_BLOCKS[: len(widths) + 1])
    if dropout:
        features = keras.layers.SpatialDropout2D(dropout, name="dropout")(features)
    for level in reversed(range(len(widths))):
        features = enlarged(features, name=f"up_{level}", filters=widths[level])
        features = keras.layers.Concatenate(name=f"meet_{level}")([features, fine[level]])
        for number in range(2):
            features = convolved(features, name=f"up_{level}_{number}", filters=widths[level])
    answer = answer_layers(features, outputs=outputs, factor=2, activation=activation)
    return keras.Model(image, answer, name="unet_lite0")


def release_encoder(model: keras.Model, *, from_block: int = 0) -> None:
    """Let the encoder be trained from a block on; with 0 the stem as well.

    Compile the model afterwards.
    """
    for layer in model.layers:
        kind, _, number = layer.name.partition("_")
        if kind == "block":
            layer.trainable = int(number[:2]) >= from_block
        elif kind == "stem":
            layer.trainable = from_block == 0
