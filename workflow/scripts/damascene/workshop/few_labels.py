"""A few labels and many examples without, and whether these help."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.semi_supervised import LabelSpreading, SelfTrainingClassifier

from damascene.workshop.examples import Examples

#: Ways to learn, as they are called in tables.
LABELS_ALONE, SELF_TRAINING, SPREADING = "labels alone", "self-training", "label spreading"
# An answer that is at least this sure becomes a label.
_SURE = 0.9
_UNLABELLED = -1
_COMPONENTS = 10
# Labels spread to what is nearer than most: over the median of the squared distances.
_NARROW = 10.0
# How much of an answer comes from the neighbours, also where a label was given.
_FROM_OTHERS = 0.9


def accuracy_with_few_labels(
    examples: Examples, *, per_class: Sequence[int] = (1, 2, 4, 8), repeats: int = 5, seed: int
) -> pd.DataFrame:
    """Learn from a few labels of each class, with and without all other training examples.

    The test is the first fold; labels are drawn from the other folds, whose remaining examples
    are given without their label.

    Parameters
    ----------
    examples : Examples
    per_class : sequence of int
        Labels of each class; a class with fewer gives all it has.
    repeats : int
        Draws of the labels.
    seed : int

    Returns
    -------
    pandas.DataFrame
        `labels` (in all), `method`, `accuracy` (mean over the draws), `scatter` (standard
        deviation).
    """
    training, test = examples.folds[0]
    # What varies most, at one scale: found without any label.
    reduce = make_pipeline(StandardScaler(), PCA(_COMPONENTS, whiten=True, svd_solver="full")).fit(
        examples.numbers[training]
    )
    numbers, unseen = (reduce.transform(examples.numbers[rows]) for rows in (training, test))
    apart = float(np.median(np.square(numbers[:, None] - numbers).sum(axis=-1)))
    classes, answers = np.unique(examples.labels, return_inverse=True)
    truth = answers[training]
    random = np.random.default_rng(seed)
    rows = []
    for number in per_class:
        for _ in range(repeats):
            order = random.permutation(len(truth))
            known = np.concatenate(
                [order[truth[order] == each][:number] for each in range(len(classes))]
            )
            given = np.full(len(truth), _UNLABELLED)
            given[known] = truth[known]
            for name, model in _models(gamma=_NARROW / apart).items():
                seen = known if name == LABELS_ALONE else slice(None)
                right = model.fit(numbers[seen], given[seen]).predict(unseen) == answers[test]
                rows.append({"labels": len(known), "method": name, "accuracy": right.mean()})
    table = pd.DataFrame(rows).groupby(["labels", "method"], sort=False)["accuracy"]
    return table.agg(accuracy="mean", scatter=lambda each: each.std(ddof=0)).reset_index()


def _models(*, gamma):
    def simple():
        return LogisticRegression(tol=1e-3)

    return {
        LABELS_ALONE: simple(),
        SELF_TRAINING: SelfTrainingClassifier(simple(), threshold=_SURE),
        SPREADING: LabelSpreading(kernel="rbf", gamma=gamma, alpha=_FROM_OTHERS, max_iter=1000),
    }
