"""Trees on the descriptors, grown beside the network and stored in it."""

import numpy as np
from sklearn.ensemble import RandomForestClassifier

TREES = 200
_SITES_IN_LEAF = 2
# Between the natural shares of the classes (0) and equal ones (1).
_BALANCE = 0.75


def grow_forest(
    descriptors: np.ndarray,
    targets: np.ndarray,
    *,
    weights: np.ndarray | None = None,
    seed: int,
) -> RandomForestClassifier:
    """Grow a forest on sites whose annotators may disagree.

    A site counts for each class by the share of its answers.

    Parameters
    ----------
    descriptors : numpy.ndarray, float, shape (n, descriptors)
    targets : numpy.ndarray, float, shape (n, classes)
        Shares of the answers, see `targets.stage_targets`.
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
