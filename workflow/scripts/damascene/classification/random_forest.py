"""A random forest on the descriptors, grown beside the network and stored in it."""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
from sklearn.ensemble import RandomForestClassifier

from damascene.networks.random_forest import random_forest_layer

TREES = 200
_SITES_IN_LEAF = 2
# Between the natural proportions of the classes (0) and equal ones (1).
_BALANCE = 0.75


def grow_random_forest(
    descriptors: np.ndarray,
    targets: np.ndarray,
    *,
    weights: np.ndarray | None = None,
    seed: int,
) -> RandomForestClassifier:
    """Grow a random forest on sites whose annotators may disagree.

    A site counts for each class by the proportion of its answers.

    Parameters
    ----------
    descriptors : numpy.ndarray, float, shape (n, descriptors)
    targets : numpy.ndarray, float, shape (n, classes)
        Proportions of the answers, see `targets.stage_targets`.
    weights : numpy.ndarray, float, shape (n,), optional
        Of the sites; 1 without them.
    seed : int

    References
    ----------
    Breiman, Random Forests, Machine Learning 45, 10.1023/A:1010933404324.
    """
    rows, classes = np.nonzero(targets)
    weight = targets[rows, classes] * (1 if weights is None else weights[rows])
    totals = np.bincount(classes, weight, minlength=targets.shape[1])
    weight = weight * (weight.sum() / totals[classes]) ** _BALANCE
    forest = RandomForestClassifier(
        TREES,
        min_samples_leaf=_SITES_IN_LEAF,
        max_features=0.3,
        # Two threads may sum in another order.
        n_jobs=1,
        random_state=seed,
    )
    return forest.fit(descriptors[rows], classes, sample_weight=weight)


def grow_among_simulated(
    descriptors: np.ndarray,
    targets: np.ndarray,
    *,
    simulated: tuple[np.ndarray, np.ndarray] | None,
    simulated_weight: float,
    seed: int,
) -> RandomForestClassifier:
    """Grow a random forest on labelled and simulated sites together.

    Parameters
    ----------
    descriptors, targets, seed
        See `grow_random_forest`.
    simulated : pair of numpy.ndarray or None
        Descriptors and targets of simulated sites that join the labelled ones.
    simulated_weight : float
        Weight of all simulated sites together, relative to that of the others.
    """
    weights = np.ones(len(targets))
    if simulated is not None and simulated_weight > 0:
        # Simulated classes count alike.
        members = simulated[1].argmax(axis=1)
        each = 1 / np.bincount(members, minlength=targets.shape[1])[members]
        weights = np.concatenate([weights, each / each.sum() * simulated_weight * len(targets)])
        descriptors = np.concatenate([descriptors, simulated[0]])
        targets = np.concatenate([targets, simulated[1]])
    return grow_random_forest(descriptors, targets, weights=weights, seed=seed)


def with_random_forest(
    model: keras.Model,
    descriptors: np.ndarray,
    targets: np.ndarray,
    *,
    share: float,
    simulated: tuple[np.ndarray, np.ndarray] | None,
    simulated_weight: float,
    seed: int,
) -> keras.Model:
    """Return a network whose answer is the mean of that of another and of a random forest.

    Parameters
    ----------
    model : keras.Model
    share : float
        Weight of the trees in the mean, 0 to 1.
    descriptors, targets, simulated, simulated_weight, seed
        See `grow_among_simulated`.
    """
    forest = grow_among_simulated(
        descriptors, targets, simulated=simulated, simulated_weight=simulated_weight, seed=seed
    )
    layer = random_forest_layer(
        forest.estimators_, classes=forest.classes_, class_count=targets.shape[1]
    )
    inputs = {one.name: one for one in model.inputs}
    # A network that is frozen leaves the descriptors to the trees.
    inputs.setdefault("descriptors", keras.Input((descriptors.shape[1],), name="descriptors"))
    parts = [(model.output, 1 - share), (layer(inputs["descriptors"]), share)]
    # In single precision, as both answers are.
    weighed = [keras.layers.Rescaling(weight, dtype="float32")(part) for part, weight in parts]
    mean = keras.layers.Add(name="mean", dtype="float32")(weighed)
    return keras.Model(inputs, mean, name=model.name)
