"""Leakage: a test that knows what was learned, done wrong on purpose and then right."""

import numpy as np
import pandas as pd
from sklearn.base import ClassifierMixin
from sklearn.feature_selection import SelectKBest, f_classif
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from damascene.workshop.examples import Examples, as_vectors, folds_of

_COPIES, _SHIFT_PX, _SMALL_PX, _NOISE = 3, 1, 16, 0.03
# Of random numbers beside random answers.
_RANDOM_ROWS, _RANDOM_FEATURES, _RANDOM_KEPT = 100, 2000, 20
_CHOSEN = "features chosen by all rows (random numbers)"


def with_copies(
    clips: np.ndarray, *, copies: int = _COPIES, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return clips with copies of each, shifted by a pixel and with a little noise.

    Pictures of less than 16 pixels are not shifted: a pixel is much of them.

    Parameters
    ----------
    clips : numpy.ndarray, float, shape (n, px, px)
    copies : int
        Of each clip, beside itself.
    seed : int

    Returns
    -------
    clips : numpy.ndarray, float, shape (n * (copies + 1), px, px)
        First all clips, then all first copies, and so on.
    origin : numpy.ndarray, int64
        The clip that each comes from.
    """
    random = np.random.default_rng(seed)
    reach = _SHIFT_PX if clips.shape[1] >= _SMALL_PX else 0
    parts = [clips]
    for _ in range(copies):
        steps = random.integers(-reach, reach + 1, (len(clips), 2))
        moved = [
            np.roll(clip, tuple(step), axis=(0, 1)) for clip, step in zip(clips, steps, strict=True)
        ]
        parts.append(np.reshape(moved, clips.shape) + random.normal(0, _NOISE, clips.shape))
    return np.concatenate(parts), np.tile(np.arange(len(clips)), copies + 1)


def copies_before_and_after(examples: Examples, *, seed: int) -> dict[str, float]:
    """Score a nearest neighbour with copies made before the split, and after it.

    Parameters
    ----------
    examples : Examples
    seed : int

    Returns
    -------
    dict
        Accuracy over five folds: `before` (a clip may be in training and its copy in the test),
        `after` (copies of training clips alone; no group is on both sides).
    """
    clips, origin = with_copies(examples.clips, seed=seed)
    vectors, labels = as_vectors(clips), examples.labels[origin]
    nearest, number = KNeighborsClassifier(1), len(examples.clips)
    # The first rows are the clips themselves; they alone are asked for.
    dealt = [(training, test[test < number]) for training, test in folds_of(labels, None)]
    apart = [(np.flatnonzero(np.isin(origin, training)), test) for training, test in examples.folds]
    return {
        "before": _accuracy(nearest, vectors, labels, dealt),
        "after": _accuracy(nearest, vectors, labels, apart),
    }


def scaled_before_and_after(examples: Examples) -> dict[str, float]:
    """Score a logistic regression with numbers scaled by all rows, and by the training rows alone.

    Returns
    -------
    dict
        Accuracy: `before` (means and scatter of all rows, so that the test has a say) and `after`.
    """
    model = LogisticRegression(C=0.1, max_iter=300)
    scaled = StandardScaler().fit_transform(examples.numbers)
    return {
        "before": _accuracy(model, scaled, examples.labels, examples.folds),
        "after": _accuracy(
            make_pipeline(StandardScaler(), model),
            examples.numbers,
            examples.labels,
            examples.folds,
        ),
    }


def dealt_singly_and_by_groups(examples: Examples) -> dict[str, float]:
    """Score neighbours with sites dealt one by one, and neighbourhood by neighbourhood.

    Returns
    -------
    dict
        Accuracy: `before` (sites of one neighbourhood on both sides) and `after`.
    """
    model = make_pipeline(StandardScaler(), KNeighborsClassifier(3))
    singly = folds_of(examples.labels, None)
    return {
        "before": _accuracy(model, examples.numbers, examples.labels, singly),
        "after": _accuracy(model, examples.numbers, examples.labels, examples.folds),
    }


def chosen_before_and_after(*, seed: int) -> dict[str, float]:
    """Score random numbers that tell nothing of random answers: half of the answers are right.

    Of 2,000 features those 20 are chosen that go best with the answers.

    Returns
    -------
    dict
        Accuracy: `before` (features chosen by all rows) and `after` (by the training rows alone).
    """
    random = np.random.default_rng(seed)
    numbers = random.normal(size=(_RANDOM_ROWS, _RANDOM_FEATURES))
    labels = random.permutation(np.repeat(["a", "b"], _RANDOM_ROWS // 2))
    model, choose = LogisticRegression(), SelectKBest(f_classif, k=_RANDOM_KEPT)
    folds = folds_of(labels, None)
    return {
        "before": _accuracy(model, choose.fit_transform(numbers, labels), labels, folds),
        "after": _accuracy(make_pipeline(choose, model), numbers, labels, folds),
    }


def chance_of_difference(first: float, second: float, *, number: int) -> float:
    """Return by how much two accuracies may differ by chance, with 95 % confidence.

    Parameters
    ----------
    first, second : float
        Shares of right answers.
    number : int
        Examples of each test.
    """
    variance = (first * (1 - first) + second * (1 - second)) / number
    return float(1.96 * np.sqrt(variance))


def leaks(examples: Examples, *, seed: int) -> pd.DataFrame:
    """Return accuracies of tests with a leak, and of the same without it.

    Parameters
    ----------
    examples : Examples
    seed : int

    Returns
    -------
    pandas.DataFrame
        `leak`, `with the leak`, `without`, `tested` (examples), `by chance`: half the width of the
        95 % interval of the difference, as if both tests had examples of their own. They share
        them, so the difference scatters less.
    """
    found = {
        "copies of clips made before the split": copies_before_and_after(examples, seed=seed),
        _CHOSEN: chosen_before_and_after(seed=seed),
        "numbers scaled by all rows": scaled_before_and_after(examples),
    }
    if examples.own:
        found["sites of one neighbourhood on both sides"] = dealt_singly_and_by_groups(examples)
    return pd.DataFrame(
        [
            {
                "leak": name,
                "with the leak": both["before"],
                "without": both["after"],
                "tested": tested,
                "by chance": chance_of_difference(both["before"], both["after"], number=tested),
            }
            for name, both in found.items()
            for tested in [_RANDOM_ROWS if name == _CHOSEN else len(examples.labels)]
        ]
    )


def _accuracy(
    model: ClassifierMixin, numbers: np.ndarray, labels: np.ndarray, folds: list
) -> float:
    right = [
        model.fit(numbers[training], labels[training]).predict(numbers[test]) == labels[test]
        for training, test in folds
    ]
    return float(np.concatenate(right).mean())
