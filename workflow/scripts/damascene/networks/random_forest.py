"""A layer that holds a random forest, so that one file holds the whole classifier."""

import keras
import numpy as np

_LEAF = -1


# Stored networks know the layer by its name, and find its weights by the name of this class.
@keras.saving.register_keras_serializable("damascene", name="Forest")
class Forest(keras.layers.Layer):
    """Mean of the class proportions in the leaves that a site reaches in each tree.

    The trees are grown outside of Keras (`classification.random_forest`) and do not change in
    training.

    Parameters
    ----------
    trees, nodes, depth, class_count : int
        Number of trees, most nodes of one, most steps from the root to a leaf, and classes.
    """

    def __init__(self, trees, nodes, depth, class_count, **options):
        super().__init__(**({"trainable": False} | options))
        self.trees, self.nodes, self.depth, self.class_count = trees, nodes, depth, class_count

    def build(self, input_shape):
        """Make room for the nodes of all trees."""

        def table(name, dtype, *shape):
            return self.add_weight(
                name=name,
                shape=(self.trees * self.nodes, *shape),
                dtype=dtype,
                initializer="zeros",
                trainable=False,
            )

        # Of each node: the descriptor that is looked at, and the nodes for up to the threshold and
        # above it. A leaf leads to itself.
        self.feature = table("feature", "int32")
        self.threshold = table("threshold", "float32")
        self.lower, self.upper = table("lower", "int32"), table("upper", "int32")
        self.proportions = table("proportions", "float32", self.class_count)

    def call(self, descriptors):
        """Return the probability of each class, (n, classes)."""
        ops = keras.ops
        count = ops.shape(descriptors)[0]
        roots = np.arange(self.trees, dtype=np.int32) * self.nodes

        def step(_, node):
            feature = ops.take(self.feature, node)
            seen = ops.take_along_axis(descriptors, feature, axis=1)
            below = seen <= ops.take(self.threshold, node)
            return ops.where(below, ops.take(self.lower, node), ops.take(self.upper, node))

        # One step in the graph, walked again and again: one a level would take seconds to build.
        leaf = ops.fori_loop(0, self.depth, step, ops.broadcast_to(roots, (count, self.trees)))
        return ops.mean(ops.take(self.proportions, leaf, axis=0), axis=1)

    def compute_output_shape(self, input_shape):
        """Return the shape of what `call` gives, without a call."""
        return input_shape[0], self.class_count

    def get_config(self):
        """Return what is needed to build the layer again."""
        sizes = {name: getattr(self, name) for name in ("trees", "nodes", "depth", "class_count")}
        return super().get_config() | sizes


def random_forest_layer(estimators: list, *, classes: np.ndarray, class_count: int) -> Forest:
    """Return a layer that answers as the trees of a fitted scikit-learn forest do.

    Parameters
    ----------
    estimators : list of sklearn.tree.DecisionTreeClassifier
        `estimators_` of the forest.
    classes : numpy.ndarray, int
        `classes_` of the forest: which outputs its columns stand for.
    class_count : int
        Outputs of the layer; classes that no tree knows have probability 0.
    """
    trees = [each.tree_ for each in estimators]
    nodes = max(tree.node_count for tree in trees)
    layer = Forest(
        len(trees), nodes, max(tree.max_depth for tree in trees), class_count, name="forest"
    )
    layer.build((None, trees[0].n_features))
    feature = np.zeros((len(trees), nodes), np.int32)
    threshold = np.zeros((len(trees), nodes), np.float32)
    lower, upper = np.zeros((2, len(trees), nodes), np.int32)
    proportions = np.zeros((len(trees), nodes, class_count), np.float32)
    for index, tree in enumerate(trees):
        used = slice(tree.node_count)
        leaf = tree.children_left == _LEAF
        itself = np.arange(tree.node_count)
        feature[index, used] = np.where(leaf, 0, tree.feature)
        threshold[index, used] = _rounded_down(tree.threshold)
        lower[index, used] = np.where(leaf, itself, tree.children_left) + index * nodes
        upper[index, used] = np.where(leaf, itself, tree.children_right) + index * nodes
        value = tree.value[:, 0, :]
        proportions[index, used][:, classes] = value / value.sum(axis=1, keepdims=True)
    for variable, values in (
        (layer.feature, feature),
        (layer.threshold, threshold),
        (layer.lower, lower),
        (layer.upper, upper),
        (layer.proportions, proportions),
    ):
        variable.assign(values.reshape(variable.shape))
    return layer


def _rounded_down(threshold):
    """Return float64 thresholds as float32 that divide float32 descriptors in the same way."""
    rounded = threshold.astype(np.float32)
    return np.where(rounded > threshold, np.nextafter(rounded, np.float32(-np.inf)), rounded)
