"""The optimiser and its schedule."""

import math
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras

# Part of the steps in which the learning rate rises to its value.
_WARM_UP = 0.1


class LastLayerRateAdamW(keras.optimizers.AdamW):
    """AdamW whose steps are a factor longer for the layer `classes`.

    A factor on its gradient would do nothing, as Adam divides by the size of the gradients.
    """

    def __init__(self, *arguments, last_layer_factor: float = 1, **options):
        super().__init__(*arguments, **options)
        self.last_layer_factor = last_layer_factor

    def update_step(self, gradient, variable, learning_rate):
        """Update one variable."""
        last = variable.name.split("/")[0] == "classes"
        factor = self.last_layer_factor if last else 1
        super().update_step(gradient, variable, learning_rate * factor)


def scheduled_adamw(
    *,
    learning_rate: float,
    schedule: str,
    steps: int,
    weight_decay: float,
    last_layer_factor: float = 1,
) -> LastLayerRateAdamW:
    """Return the optimiser of one training.

    Parameters
    ----------
    learning_rate : float
        Largest step size.
    schedule : {"cosine", "constant"}
        `cosine`: it rises for a tenth of the steps, then falls to zero along a cosine.
    steps : int
        Of the whole training.
    weight_decay, last_layer_factor : float

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
    return LastLayerRateAdamW(rate, weight_decay=weight_decay, last_layer_factor=last_layer_factor)
