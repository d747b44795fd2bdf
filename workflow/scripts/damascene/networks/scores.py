"""A layer that brings descriptors of any scale and shape of distribution to a common one."""

import keras
import numpy as np
from scipy.stats import norm

# Scores beyond this many standard deviations are cut: far outliers would rule a linear layer.
_LARGEST = 2.5
_LANDMARKS = 33


@keras.saving.register_keras_serializable("damascene")
class GaussianScores(keras.layers.Layer):
    """Replace each descriptor by the normal score of its rank among the training sites.

    Between landmarks, which are quantiles of the training sites, the score rises linearly; values
    beyond them have the outermost score. Ties have the middle of the scores that they span.

    Call `adapt` before training; without it scores are the descriptors, cut at 2.5 either way.

    References
    ----------
    Conover, Practical Nonparametric Statistics, 3rd ed. (normal scores).
    """

    def __init__(self, **options):
        super().__init__(**({"trainable": False} | options))
        self._levels = np.linspace(-_LARGEST, _LARGEST, _LANDMARKS).astype(np.float32)

    def build(self, input_shape):
        """Make room for the landmarks, float32 (descriptors, landmarks)."""

        def levels(shape, dtype=None):
            return keras.ops.cast(np.broadcast_to(self._levels, shape), dtype)

        self.landmarks = self.add_weight(
            name="landmarks",
            shape=(input_shape[-1], _LANDMARKS),
            initializer=levels,
            trainable=False,
        )

    def adapt(self, descriptors: np.ndarray) -> None:
        """Take the landmarks from training sites, float (n, descriptors)."""
        quantiles = np.quantile(descriptors, norm.cdf(self._levels), axis=0)
        self.landmarks.assign(np.maximum.accumulate(quantiles, axis=0).T.astype(np.float32))

    def call(self, descriptors):
        """Return the scores, (n, descriptors) as given."""
        lower, upper = self.landmarks[:, :-1], self.landmarks[:, 1:]
        past = descriptors[..., None] - lower
        width = upper - lower
        # Where many training sites share a value, landmarks coincide and the score jumps there.
        jump = 0.5 * (1 + keras.ops.sign(past))
        risen = keras.ops.where(width > 0, past / keras.ops.where(width > 0, width, 1), jump)
        steps = self._levels[1:] - self._levels[:-1]
        return self._levels[0] + keras.ops.sum(keras.ops.clip(risen, 0, 1) * steps, axis=-1)
