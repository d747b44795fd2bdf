"""What the page on learning with labels learns from: clips of the study, or a data set."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from sklearn.datasets import load_digits, load_iris
from sklearn.feature_selection import f_classif
from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold

from damascene.workshop.clips import CLIP_PX, Files, labelled_clips, labelled_descriptors

#: Labels of a class, and the neighbourhoods they lie in, without which nothing is learned from it.
LEAST_LABELS, LEAST_GROUPS, LEAST_CLASSES = 15, 5, 2
# More make the page slow and teach nothing new.
_MOST = 800
_FOLDS = 5


@dataclass(frozen=True, kw_only=True)
class Examples:
    """Examples with their answers.

    Attributes
    ----------
    source : str
        Where they come from, in words.
    own : bool
        Whether the study labelled them.
    clips : numpy.ndarray, float32, shape (n, px, px)
        Pictures, from 0 to 1.
    numbers : numpy.ndarray, float64, shape (n, features)
        Descriptors of the sites, or the pixels of the pictures.
    names : list of str
        Of the features.
    labels : numpy.ndarray of str, shape (n,)
    groups : numpy.ndarray of int, shape (n,)
        Examples of one group share a neighbourhood; each is alone where nobody knows.
    """

    source: str
    own: bool
    clips: np.ndarray
    numbers: np.ndarray
    names: list[str]
    labels: np.ndarray
    groups: np.ndarray

    @property
    def classes(self) -> list[str]:
        """Names of the classes."""
        return sorted(set(self.labels.tolist()))

    @property
    def folds(self) -> list[tuple[np.ndarray, np.ndarray]]:
        """Training and test rows of each fold; no group is on both sides."""
        return folds_of(self.labels, self.groups)


def folds_of(labels: np.ndarray, groups: np.ndarray | None) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return training and test rows of five folds, with the classes about alike in all.

    Parameters
    ----------
    labels : numpy.ndarray, shape (n,)
    groups : numpy.ndarray, shape (n,), or None
        Which rows stay together; None deals every row by itself.
    """
    if groups is None:
        dealer = StratifiedKFold(_FOLDS, shuffle=True, random_state=0)
    else:
        dealer = StratifiedGroupKFold(_FOLDS, shuffle=True, random_state=0)
    return list(dealer.split(np.zeros(len(labels)), labels, groups))


def examples_of(files: Files, *, seed: int) -> Examples:
    """Return the labelled clips of a study where they suffice, else handwritten digits.

    Parameters
    ----------
    files : mapping of str to path or list of paths
        See `clips.labelled_clips`.
    seed : int
        Chooses among more clips than are learned from.
    """
    clips, table = labelled_clips(files)
    labels = table["label"].to_numpy(str)
    # By the letters of their names, so that groups have the same numbers in every run.
    groups = np.unique(table["group"].to_numpy(str), return_inverse=True)[1]
    enough = [name for name in sorted(set(labels.tolist())) if _suffices(groups[labels == name])]
    if len(enough) < LEAST_CLASSES:
        return digits()
    chosen = np.flatnonzero(np.isin(labels, enough))
    if len(chosen) > _MOST:
        chosen = np.sort(np.random.default_rng(seed).permutation(chosen)[:_MOST])
    descriptors = labelled_descriptors(files, table)
    return Examples(
        source="labelled clips of this study",
        own=True,
        clips=clips[chosen],
        numbers=descriptors.to_numpy(float)[chosen],
        names=list(descriptors.columns),
        labels=labels[chosen],
        groups=groups[chosen],
    )


def _suffices(groups):
    return len(groups) >= LEAST_LABELS and len(set(groups)) >= LEAST_GROUPS


def digits() -> Examples:
    """Return 500 handwritten digits of scikit-learn; their pixels are their features."""
    bunch = load_digits()
    pictures = bunch.images[:500].astype(np.float32) / 16
    return Examples(
        source="handwritten digits that come with scikit-learn",
        own=False,
        clips=pictures,
        numbers=pictures.reshape(len(pictures), -1).astype(float),
        names=[f"pixel {number}" for number in range(pictures[0].size)],
        labels=np.array([str(digit) for digit in bunch.target[:500]]),
        groups=np.arange(500),
    )


@dataclass(frozen=True, kw_only=True)
class Plane:
    """Examples of two classes in two features, which can be drawn.

    Attributes
    ----------
    points : numpy.ndarray, float64, shape (n, 2)
    second : numpy.ndarray, bool, shape (n,)
        Whether an example is of the second class.
    names : tuple of str
        Of both features.
    classes : tuple of str
    source : str
    """

    points: np.ndarray
    second: np.ndarray
    names: tuple[str, str]
    classes: tuple[str, str]
    source: str


def plane_of(examples: Examples) -> Plane:
    """Return the two most frequent classes in the two features that tell them apart best.

    The second feature is the best of those that are not much like the first (correlation below
    0.6). Without labelled sites: two irises in length and width of their petals.

    Parameters
    ----------
    examples : Examples
    """
    if not examples.own:
        bunch = load_iris()
        chosen = bunch.target > 0
        return Plane(
            points=bunch.data[chosen][:, 2:],
            second=bunch.target[chosen] == 2,
            names=("length of the petal / cm", "width of the petal / cm"),
            classes=("versicolor", "virginica"),
            source="irises that come with scikit-learn",
        )
    counts = pd.Series(examples.labels).value_counts(sort=True)
    first, second = sorted(counts.index[:2])
    chosen = np.isin(examples.labels, [first, second])
    numbers, is_second = examples.numbers[chosen], examples.labels[chosen] == second
    varies = numbers.std(axis=0) > 0
    scores = np.zeros(numbers.shape[1])
    scores[varies] = f_classif(numbers[:, varies], is_second)[0]
    best = int(scores.argmax())
    other = [
        index
        for index in np.argsort(-scores)
        if varies[index] and abs(np.corrcoef(numbers[:, [best, index]].T)[0, 1]) < 0.6
    ]
    pair = [best, other[0] if other else int(np.argsort(-scores)[1])]
    return Plane(
        points=numbers[:, pair],
        second=is_second,
        names=tuple(examples.names[index].replace("_", " ") for index in pair),
        classes=(first, second),
        source=examples.source,
    )


def line_of(examples: Examples) -> tuple[np.ndarray, np.ndarray, tuple[str, str]]:
    """Return two features that depend on each other: length and area of sites, or of petals.

    Returns
    -------
    x, y : numpy.ndarray, float64, shape (n,)
    names : (str, str)
    """
    if not examples.own:
        petals = load_iris().data[:, 2:]
        return petals[:, 0], petals[:, 1], ("length of the petal / cm", "width of the petal / cm")
    x, y = (examples.numbers[:, examples.names.index(name)] for name in ("log_length", "log_area"))
    return x, y, ("ln (length / µm)", "ln (area / µm²)")


def as_vectors(clips: np.ndarray, *, edge_px: int = CLIP_PX // 2) -> np.ndarray:
    """Return the greys of clips as rows of numbers, each without its mean.

    Parameters
    ----------
    clips : numpy.ndarray, float, shape (n, px, px)
    edge_px : int, optional
        Larger clips are reduced to this edge by means of pixels.

    Returns
    -------
    numpy.ndarray, float64, shape (n, edge_px * edge_px or less)
    """
    step = max(clips.shape[1] // edge_px, 1)
    edge = clips.shape[1] // step * step
    parts = clips[:, :edge, :edge].reshape(len(clips), edge // step, step, edge // step, step)
    vectors = parts.mean(axis=(2, 4), dtype=float).reshape(len(clips), -1)
    return vectors - vectors.mean(axis=1, keepdims=True)
