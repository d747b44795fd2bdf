"""The optimiser and its schedule."""

import math
import os
from collections.abc import Mapping

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras

# Part of the steps in which the learning rate rises to its value.
_WARM_UP = 0.1


class LayerRateAdamW(keras.optimizers.AdamW):
    """AdamW whose steps are a factor longer, or shorter, for some layers.

    A factor on their gradients would do nothing, as Adam divides by the size of the gradients.

    Parameters
    ----------
    factors : mapping of str to float
        By how the names of the layers begin.
    """

    def __init__(self, *arguments, factors: Mapping[str, float], **options):
        super().__init__(*arguments, **options)
        self.factors = dict(factors)

    def update_step(self, gradient, variable, learning_rate):
        """Update one variable."""
        layer = variable.name.split("/")[0]
        found = [factor for start, factor in self.factors.items() if layer.startswith(start)]
        super().update_step(gradient, variable, learning_rate * (found[0] if found else 1))


def scheduled_adamw(
    *,
    learning_rate: float,
    schedule: str,
    steps: int,
    weight_decay: float,
    last_layer_factor: float = 1,
    encoder_factor: float = 1,
) -> LayerRateAdamW:
    """Return the optimiser of one training.

    Parameters
    ----------
    learning_rate : float
        Largest step size.
    schedule : {"cosine", "constant"}
        `cosine`: it rises for a tenth of the steps, then falls to zero along a cosine.
    steps : int
        Of the whole training.
    weight_decay : float
    last_layer_factor, encoder_factor : float
        Of the steps of the layer `classes`, and of those of EfficientNet-Lite0.

    References
    ----------
    Loshchilov & Hutter, SGDR, arXiv 1608.03983 (cosine schedule) and Decoupled Weight Decay
    Regularization, arXiv 1711.05101 (AdamW).
    """
    rate = learning_rate
    if schedule == "cosine":
        rate = keras.optimizers.schedules.CosineDecay(
            initial_learning_rate=rate / 20,
            warmup_target=rate,
            warmup_steps=max(math.ceil(_WARM_UP * steps), 1),
            decay_steps=max(math.floor((1 - _WARM_UP) * steps), 1),
        )
    factors = {"classes": last_layer_factor, "stem": encoder_factor, "block_": encoder_factor}
    return LayerRateAdamW(rate, weight_decay=weight_decay, factors=factors)
