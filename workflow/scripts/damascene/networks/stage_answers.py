"""From the answers to all classes of sites to those of one stage."""

from collections.abc import Sequence

import keras

#: Name of the layer in a network.
STAGE = "stage"


@keras.saving.register_keras_serializable("damascene")
class StageAnswers(keras.layers.Layer):
    """Probabilities of the classes of a stage, given that a site is of one of them.

    Parameters
    ----------
    groups : sequence of sequence of int
        For each class of the stage the inputs that stand for it.
    """

    def __init__(self, groups: Sequence[Sequence[int]], **options):
        super().__init__(**({"trainable": False} | options))
        self.groups = [list(group) for group in groups]

    def call(self, probabilities):
        """Return the probability of each class of the stage, (n, classes)."""
        ops = keras.ops
        # A site that is surely of another stage has the same probability for all classes here.
        sums = [
            ops.sum(ops.take(probabilities, group, axis=1), axis=1) + keras.config.epsilon()
            for group in self.groups
        ]
        stage = ops.stack(sums, axis=1)
        return stage / ops.sum(stage, axis=1, keepdims=True)

    def compute_output_shape(self, input_shape):
        """Return (n, classes)."""
        return input_shape[0], len(self.groups)

    def get_config(self):
        """Return what is needed to build the layer again."""
        return super().get_config() | {"groups": self.groups}


def whole_answers(model: keras.Model) -> keras.Model:
    """Return a network up to its answers to all classes that it learned, those of other stages too.

    That is the network itself where it learned the classes of its stage alone.
    """
    stage = [layer for layer in model.layers if layer.name == STAGE]
    return keras.Model(model.input, stage[0].input, name=model.name) if stage else model
