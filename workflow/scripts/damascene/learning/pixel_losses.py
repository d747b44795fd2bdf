"""Losses of networks that answer with images; pixels without a target do not count."""

import os
from collections.abc import Sequence

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras

#: Label of a pixel whose class is not known.
IGNORED = 255
_SMALLEST = 1e-7


class PhaseLoss(keras.losses.Loss):
    """Cross-entropy and Dice loss of the phases of pixels, half of each by default.

    The cross-entropy is the mean over the known pixels of a batch, each with the weight of its
    class. The Dice loss is 1 - 2 sum(p t) / (sum(p) + sum(t)), summed over the known pixels of the
    batch for each class, and its mean over the classes that the batch holds: small phases count as
    much as large ones.

    Targets are labels, (n, rows, columns, 1), from 0 in the order of the answers, `IGNORED` where
    they are not known; answers are probabilities, (n, rows, columns, classes).

    Parameters
    ----------
    class_weights : sequence of float
        Of each class in the cross-entropy.
    dice_share : float, optional
        Part of the Dice loss in the sum, 0 to 1.

    References
    ----------
    Milletari, Navab & Ahmadi, V-Net, 10.1109/3DV.2016.79 (Dice loss).
    """

    def __init__(self, *, class_weights: Sequence[float], dice_share: float = 0.5):
        super().__init__(name="phase_loss")
        self._class_weights, self._dice_share = tuple(class_weights), dice_share

    def call(self, y_true, y_pred):
        """Return the loss of a batch."""
        labels, known = _labels_and_known(y_true)
        target = keras.ops.one_hot(labels, len(self._class_weights), dtype=y_pred.dtype)
        known = keras.ops.cast(known, y_pred.dtype)[..., None]
        target = target * known
        weights = keras.ops.convert_to_tensor(self._class_weights, dtype=y_pred.dtype)
        weighted = target * weights
        entropy = -keras.ops.sum(weighted * keras.ops.log(keras.ops.maximum(y_pred, _SMALLEST)))
        entropy = entropy / keras.ops.maximum(keras.ops.sum(weighted), _SMALLEST)
        common, answered, wanted = (
            keras.ops.sum(each, axis=(0, 1, 2))
            for each in (y_pred * target, y_pred * known, target)
        )
        dice = 1 - 2 * common / keras.ops.maximum(answered + wanted, _SMALLEST)
        present = keras.ops.cast(wanted > 0, y_pred.dtype)
        dice = keras.ops.sum(dice * present) / keras.ops.maximum(keras.ops.sum(present), 1)
        return (1 - self._dice_share) * entropy + self._dice_share * dice


class GreyLoss(keras.losses.Loss):
    """Mean square, or mean absolute, difference of greys over the pixels that count.

    Targets are greys and, as their last channel, the weight of each pixel, 0 where it does not
    count: (n, rows, columns, channels + 1).

    Parameters
    ----------
    squared : bool, optional
        Squares rather than absolute values.
    """

    def __init__(self, *, squared: bool = True):
        super().__init__(name="grey_loss")
        self._squared = squared

    def call(self, y_true, y_pred):
        """Return the loss of a batch."""
        target, weights = y_true[..., :-1], y_true[..., -1:]
        apart = target - y_pred
        apart = keras.ops.square(apart) if self._squared else keras.ops.abs(apart)
        counted = keras.ops.maximum(keras.ops.sum(weights), _SMALLEST) * y_pred.shape[-1]
        return keras.ops.sum(weights * apart) / counted


def pixel_accuracy(y_true, y_pred):
    """Return the part of the known pixels of each image whose most probable class is right.

    Targets and answers are those of `PhaseLoss`.
    """
    labels, known = _labels_and_known(y_true)
    right = keras.ops.logical_and(keras.ops.argmax(y_pred, axis=-1) == labels, known)
    counts = (
        keras.ops.sum(keras.ops.cast(each, "float32"), axis=(1, 2)) for each in (right, known)
    )
    hits, pixels = counts
    return hits / keras.ops.maximum(pixels, 1)


def _labels_and_known(y_true):
    labels = keras.ops.cast(keras.ops.round(y_true[..., 0]), "int32")
    known = labels != IGNORED
    return keras.ops.where(known, labels, 0), known
