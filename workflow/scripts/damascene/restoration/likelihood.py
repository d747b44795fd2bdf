"""What a recorded grey says of the steel, if it is noisy and cut at black and white.

A pixel that was recorded as 0 does not say that its grey was 0, but that it was at most 0: so noise
that is cut off at black does not lift the voids (J. Tobin, Econometrica 26 (1958) 24,
doi:10.2307/1907382).
"""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
import tensorflow as tf
from scipy import special

# Where rounding makes a grey the darkest or the brightest that is recorded.
_BLACK, _WHITE = 0.5, 254.5
#: Grey levels of one unit of a network's input and answer, and the grey of input 0.
GREY_SCALE, GREY_CENTRE = 64.0, 96.0
# How much the pixels of a cell differ without noise.
_TEXTURE_GREY = 10.0
#: How much more errors count in voids than elsewhere.
VOID_WEIGHT = 3.0
# How gradually that begins, as a part of the grey of voids.
_DARK_STEP = 0.25
# The logarithm of the answered uncertainty stays within these.
_LEAST_LOG, _MOST_LOG = -5.0, 2.0
_HALF_LOG_2_PI = float(np.log(2 * np.pi) / 2)


def network_input(greys: np.ndarray) -> np.ndarray:
    """Return greys as networks take them, float32."""
    return (np.asarray(greys, np.float32) - np.float32(GREY_CENTRE)) / np.float32(GREY_SCALE)


def base_of(seen: np.ndarray, *, noise: float | None) -> np.ndarray:
    """Return the greys that answers are differences from, so that noise need not be repeated.

    Parameters
    ----------
    seen : numpy.ndarray, float32, shape (..., seen)
        Greys of the seen pixels of cells.
    noise : float or None
        Standard deviation of their noise: each pixel is brought towards the mean of its cell, the
        more the noisier it is. None for a blind network, whose pixels have the mean alone.
    """
    mean = seen.mean(axis=-1, keepdims=True)
    if noise is None:
        return mean
    gain = _TEXTURE_GREY**2 / (_TEXTURE_GREY**2 + noise**2)
    return mean + np.float32(gain) * (seen - mean)


@keras.saving.register_keras_serializable("damascene")
class RecordedGreyLoss(keras.losses.Loss):
    """Negative logarithm of the likelihood of the recorded greys under normal noise.

    Targets are float32 (n, rows, columns, 4 k) for k answered pixels of a cell: their recorded
    greys, the greys that answers are differences from, the standard deviation of the recording, and
    how much they count: not at all with 0. Answers are (n, rows, columns, k), expected greys, or
    (n, rows, columns, 2 k) with the logarithm of their uncertainty, both in `GREY_SCALE`.
    """

    def call(self, y_true, y_pred):
        """Return the loss of each cell."""
        recorded, base, noise, counts = tf.split(y_true, 4, axis=-1)
        pixels = recorded.shape[-1]
        expected = base + GREY_SCALE * y_pred[..., :pixels]
        variance = tf.square(noise)
        if y_pred.shape[-1] > pixels:
            log = tf.clip_by_value(y_pred[..., pixels:], _LEAST_LOG, _MOST_LOG)
            variance += tf.square(GREY_SCALE * tf.exp(log))
        spread = tf.sqrt(variance)
        deviation = (recorded - expected) / spread
        likely = -0.5 * tf.square(deviation) - tf.math.log(spread) - _HALF_LOG_2_PI
        dark = _log_normal_share((_BLACK - expected) / spread)
        bright = _log_normal_share((expected - _WHITE) / spread)
        likely = tf.where(recorded < _BLACK, dark, tf.where(recorded > _WHITE, bright, likely))
        return -tf.reduce_mean(counts * likely, axis=-1)


def _log_normal_share(limit):
    """Return the logarithm of the share of a normal variable below a limit, with a usable slope."""
    # Far out the error function is 0 in single precision.
    near = tf.maximum(limit, -5.0)
    far = tf.minimum(limit, -5.0)
    asymptote = -0.5 * tf.square(far) - tf.math.log(-far) - _HALF_LOG_2_PI
    inner = tf.math.log(0.5 * tf.math.erfc(-near / np.sqrt(2).astype(np.float32)))
    return tf.where(limit < -5.0, asymptote, inner)


def uncertainty_of(logarithm: np.ndarray) -> np.ndarray:
    """Return the standard deviation in grey levels that a blind network answers."""
    return GREY_SCALE * np.exp(np.clip(logarithm, _LEAST_LOG, _MOST_LOG))


def void_weight(greys: np.ndarray, dark_grey: float) -> np.ndarray:
    """Return how much errors count where the steel has these greys: in voids more than elsewhere.

    Voids are a hundredth of the area, but they are what is counted; the least squared error of all
    pixels fills small ones.
    """
    return 1 + VOID_WEIGHT * special.ndtr((dark_grey - greys) / (_DARK_STEP * dark_grey))


def posterior_mean(
    recorded: np.ndarray,
    *,
    expected: np.ndarray,
    uncertainty: np.ndarray,
    noise: float,
    dark_grey: float | None = None,
) -> np.ndarray:
    """Return the best grey of the steel from its surroundings and from the pixel itself.

    It is the mean of the greys that are possible, weighed by `void_weight`.

    Parameters
    ----------
    recorded : numpy.ndarray
        Greys as recorded, 0 to 255.
    expected, uncertainty : numpy.ndarray, same shape
        Mean and standard deviation of the grey from the surroundings alone.
    noise : float
        Standard deviation of the noise of the recording.
    dark_grey : float, optional
        Grey below which errors count more; without it all count alike.

    Returns
    -------
    numpy.ndarray, float32

    References
    ----------
    Laine et al., High-Quality Self-Supervised Deep Image Denoising, arXiv 1901.10277; here with
    recorded greys that are cut at black and white.
    """
    variance = uncertainty**2
    spread = np.sqrt(variance + noise**2)
    gain = variance / spread**2
    mean = expected + gain * (recorded - expected)
    left = gain * noise**2
    for cut, limit, sign in (
        (recorded < _BLACK, _BLACK, -1.0),
        (recorded > _WHITE, _WHITE, 1.0),
    ):
        # Mean and variance of a normal variable beyond a limit.
        away = sign * (expected[cut] - limit) / spread[cut]
        hazard = np.exp(-0.5 * away**2 - _HALF_LOG_2_PI - special.log_ndtr(away))
        mean[cut] = expected[cut] + sign * variance[cut] / spread[cut] * hazard
        left[cut] = variance[cut] * (1 - gain[cut] * hazard * (hazard + away))
    if dark_grey is not None:
        width = np.sqrt(left + (_DARK_STEP * dark_grey) ** 2)
        darker = (dark_grey - mean) / width
        density = np.exp(-0.5 * darker**2 - _HALF_LOG_2_PI)
        mean -= VOID_WEIGHT * left / width * density / (1 + VOID_WEIGHT * special.ndtr(darker))
    return mean.astype(np.float32)
