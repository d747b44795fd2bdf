"""What a network is to answer for each labelled site, by the answers of the annotators."""

from collections.abc import Sequence

import numpy as np

from damascene.classes import INCLUSION_CLASSES, SITE_CLASSES
from damascene.contracts.labels import ANSWER_SEPARATOR
from damascene.networks import network_named

# That of `networks.stage_answers`.
_SMALLEST = 1e-7


def learned_classes(network: str, classes: Sequence[str]) -> tuple[str, ...]:
    """Return the classes that a network of a stage learns.

    Last layers of frozen networks learn all classes of sites in both stages, so that both answer
    from one whole: on real steel this gave better classes than two last layers for two questions.

    Parameters
    ----------
    network : str
        Key of `NETWORKS`, or a pattern.
    classes : sequence of str
        Of the stage.
    """
    return SITE_CLASSES if network_named(network).frozen else tuple(classes)


def stage_groups(classes: Sequence[str]) -> list[list[int]]:
    """Return for each class of a stage its places among `SITE_CLASSES`."""
    names = list(stage_labels(SITE_CLASSES, classes=classes))
    return [[place for place, each in enumerate(names) if each == name] for name in classes]


def stage_answers(probabilities: np.ndarray, *, classes: Sequence[str]) -> np.ndarray:
    """Return what answers to `SITE_CLASSES` say of the classes of a stage.

    Parameters
    ----------
    probabilities : numpy.ndarray, float, shape (n, len(SITE_CLASSES))
    classes : sequence of str
        Of the stage.

    Returns
    -------
    numpy.ndarray, float64, shape (n, classes)
        Given that a site is of one of them; rows add up to one.
    """
    sums = [probabilities[:, group].sum(axis=1) for group in stage_groups(classes)]
    stage = np.stack(sums, axis=1) + _SMALLEST
    return stage / stage.sum(axis=1, keepdims=True)


def stage_labels(labels: Sequence[str], *, classes: Sequence[str]) -> np.ndarray:
    """Return labels as one network sees them: all but inclusions are `rest` to the first."""
    labels = np.asarray(labels, dtype=object)
    if tuple(classes) == INCLUSION_CLASSES:
        inclusion, rest = INCLUSION_CLASSES
        return np.where(labels == inclusion, inclusion, rest).astype(object)
    return labels


def class_members(labels: Sequence[str], *, classes: Sequence[str]) -> np.ndarray:
    """Return the place of each label among the classes of a stage, int (n,); -1 outside of it."""
    places = {name: place for place, name in enumerate(classes)}
    return np.array([places.get(name, -1) for name in stage_labels(labels, classes=classes)], int)


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
