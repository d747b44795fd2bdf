"""What a network is to answer for each labelled site, by the answers of the annotators."""

from collections.abc import Sequence

import numpy as np

from damascene.classes import INCLUSION_CLASSES, SITE_CLASSES
from damascene.contracts.labels import ANSWER_SEPARATOR


def stage_labels(labels: Sequence[str], *, classes: Sequence[str]) -> np.ndarray:
    """Return labels as one network sees them: all but inclusions are `rest` to the first."""
    labels = np.asarray(labels, dtype=object)
    if tuple(classes) == INCLUSION_CLASSES:
        inclusion, rest = INCLUSION_CLASSES
        return np.where(labels == inclusion, inclusion, rest).astype(object)
    return labels


def stage_targets(
    labels: Sequence[str],
    answers: Sequence[str] | None = None,
    *,
    classes: Sequence[str],
) -> np.ndarray:
    """Return the proportion of each class of a stage among the answers to each site.

    Answers outside the stage's classes do not count; where none is left, the label does.

    Parameters
    ----------
    labels : sequence of str, length n
        Classes of `SITE_CLASSES`.
    answers : sequence of str, length n, optional
        See `LABELS`; the labels stand alone without them.
    classes : sequence of str
        Of the stage.

    Returns
    -------
    numpy.ndarray, float32, shape (n, classes)
        Rows add up to one; they are zero where neither label nor answers are of the stage.
    """
    names = stage_labels(labels, classes=classes)
    given = [[name] for name in names]
    if answers is not None:
        known = [
            [each for each in text.split(ANSWER_SEPARATOR) if each in SITE_CLASSES]
            for text in answers
        ]
        given = [
            [each for each in stage_labels(some, classes=classes) if each in classes] or [name]
            for some, name in zip(known, names, strict=True)
        ]
    counts = np.array(
        [[some.count(name) for name in classes] for some in given], np.float32
    ).reshape(-1, len(classes))
    return counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
