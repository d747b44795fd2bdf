"""What more labels of one class would bring: networks that learn from a part of its labels.

Labels of one class are taken away, place by place, and those of all others stay. The convolutions
of the networks are frozen, so that every clip is looked at once, and only last layers are fitted.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats

from damascene.classes import SITE_CLASSES, STAGE_CLASSES
from damascene.classification.decide import decide_classes
from damascene.classification.last_layer import (
    STRENGTHS,
    last_layer_answers,
    solve_last_layer,
)
from damascene.classification.targets import (
    class_members,
    learned_classes,
    stage_answers,
    stage_targets,
)
from damascene.config.networks import Network
from damascene.config.training import Training
from damascene.contracts.panorama_record import PanoramaRecord
from damascene.labels.split import roles_by_fold
from damascene.learning.class_balance import class_proportions
from damascene.statistics.jackknife import LEAST_GROUPS, numbered

logger = logging.getLogger(__name__)

PROPORTIONS = (0.35, 0.6, 1.0)
#: Labels to add for which a gain is told; no curve reaches further than as many again.
MORE = 100
# Where settings would be chosen with few labels, chance would choose them.
_STRENGTH = STRENGTHS[len(STRENGTHS) // 2]


@dataclass(frozen=True, kw_only=True)
class StageFeatures:
    """What a last layer is fitted to, for all classes of sites: see `targets.learned_classes`.

    Attributes
    ----------
    classes : tuple of str
        Of the stage.
    features : numpy.ndarray, float32, shape (sites, 1, features)
    targets : numpy.ndarray, float32, shape (sites, len(SITE_CLASSES))
        See `targets.stage_targets`.
    members : numpy.ndarray, int, shape (sites,)
        Class that each site counts for; -1 where it is none.
    class_shares : str
        See `class_balance.class_proportions`.
    threshold : float
        Probability that must be exceeded, see `decide.decide_classes`.
    """

    classes: tuple[str, ...]
    features: np.ndarray
    targets: np.ndarray
    members: np.ndarray
    class_shares: str
    threshold: float

    def answers(self, learned: np.ndarray) -> np.ndarray:
        """Return the answers of the stage to all sites by a layer that learned from some."""
        rows = np.flatnonzero(learned & (self.members >= 0))
        counts = np.bincount(self.members[rows], minlength=self.targets.shape[1])
        (layer,) = solve_last_layer(
            self.features[rows],
            self.targets[rows],
            proportions=class_proportions(counts, rule=self.class_shares),
            members=self.members[rows],
            strengths=[_STRENGTH],
        )
        answers = last_layer_answers(layer, self.features[:, 0])
        return stage_answers(answers, classes=self.classes)


def stage_features(
    stage: str,
    split: pd.DataFrame,
    features: np.ndarray,
    *,
    settings: Network,
    training: Training,
) -> StageFeatures:
    """Return what the last layer of a stage is fitted to.

    Parameters
    ----------
    stage : {"inclusion", "damage"}
    split : pandas.DataFrame
        `SPLIT`.
    features : numpy.ndarray, float32, shape (sites, views, features)
        In the row order of `split`, see `last_layer.look_at_clips`; the clips as they are count.
    settings, training
        Of the study.
    """
    classes = learned_classes(settings.network, STAGE_CLASSES[stage])
    answers = split["answers"] if training.soft_labels else None
    return StageFeatures(
        classes=STAGE_CLASSES[stage],
        features=features[:, :1],
        targets=stage_targets(split["label"], answers, classes=classes),
        members=class_members(split["label"], classes=classes),
        class_shares=training.class_shares,
        threshold=settings.threshold,
    )


def measure_class_learning(
    stages: Mapping[str, StageFeatures],
    split: pd.DataFrame,
    records: Sequence[PanoramaRecord],
    *,
    folds: int,
    windows: Sequence[str],
    repeats: int,
    seed: int,
    confidence: float,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return `class_curves` of a study, in which all folds are held out in turn.

    Parameters
    ----------
    stages, split, repeats, seed, confidence
        See `class_curves`.
    records : sequence of PanoramaRecord
        Of all panoramas.
    folds, windows
        See `split.roles_by_fold`.
    """
    roles = roles_by_fold(split, records, test_folds=range(folds), folds=folds, windows=windows)
    return class_curves(stages, split, roles, repeats=repeats, seed=seed, confidence=confidence)


def class_curves(
    stages: Mapping[str, StageFeatures],
    split: pd.DataFrame,
    roles: Mapping[int, np.ndarray],
    *,
    repeats: int,
    seed: int,
    confidence: float,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Score each class with a part of its labels, and say what more of them would bring.

    Parameters
    ----------
    stages : mapping of stage to StageFeatures
        Of the same sites.
    split : pandas.DataFrame
        `SPLIT`.
    roles : mapping of fold to numpy.ndarray of str
        From `split.roles_by_fold`.
    repeats : int
        How often groups are drawn for each proportion, two at least.
    seed : int
    confidence : float
        Of the interval of the gain, see `expected_gain`.

    Returns
    -------
    curves, gains : pandas.DataFrame
        `CLASS_LEARNING` and `LABELS_TO_ADD`.
    """
    labels = split["label"].to_numpy()
    learning = {fold: np.isin(each, ["train", "validation"]) for fold, each in roles.items()}
    tested = np.any([each == "test" for each in roles.values()], axis=0)
    whole = _predicted(stages, split, learning)
    curves, gains = [], []
    for name in SITE_CLASSES:
        if split.loc[labels == name, "group"].nunique() < LEAST_GROUPS:
            continue
        points = []
        for proportion in PROPORTIONS:
            for repeat in range(1 if proportion == 1 else repeats):
                kept = {
                    fold: rows
                    & ~_taken_away(split, rows, name, proportion, seed=[seed, repeat, fold])
                    for fold, rows in learning.items()
                }
                predicted = whole if proportion == 1 else _predicted(stages, split, kept)
                count = np.mean([(rows & (labels == name)).sum() for rows in kept.values()])
                hits = _counts_by_group(split[tested], predicted[tested], name)
                points.append((proportion, repeat, count, hits))
        curves += [
            {
                "class": name,
                "share": proportion,
                "repeat": repeat,
                "labels": count,
                "f1": float(_f1(hits.sum(axis=0))),
                "recall": hits[:, 0].sum() / hits[:, 1].sum(),
            }
            for proportion, repeat, count, hits in points
        ]
        gains.append(_gain_row(name, int((labels == name).sum()), points, confidence=confidence))
        logger.info("%s: %s", name, gains[-1])
    columns = ["class", "share", "repeat", "labels", "f1", "recall"]
    told = ["class", "labels", "more", "f1", "gain", "low", "high", "groups"]
    return pd.DataFrame(curves, columns=columns), pd.DataFrame(gains, columns=told)


def expected_gain(labels: np.ndarray, f1: np.ndarray, *, now: float, more: float) -> np.ndarray:
    """Return what F1 gains from more labels if its distance from 1 follows a power law.

    Parameters
    ----------
    labels : numpy.ndarray, float, shape (points,)
    f1 : numpy.ndarray, float, shape (..., points)
        Below 1.
    now, more : float
        Labels that there are and that are added.

    Returns
    -------
    numpy.ndarray, float64, shape (...)

    References
    ----------
    Cortes et al., Learning curves: asymptotic values and rate of convergence, NIPS 6 (1993).
    """
    logs = np.log(labels)
    centred = logs - logs.mean()
    errors = np.log(1 - np.asarray(f1))
    slope = (errors * centred).sum(axis=-1) / (centred**2).sum()
    level = errors.mean(axis=-1) - slope * logs.mean()
    before, after = (np.exp(level + slope * np.log(count)) for count in (now, now + more))
    return before - after


def _predicted(stages, split, learned):
    """Return the class of each site by layers that did not learn from its fold."""
    predicted = np.full(len(split), "", dtype=object)
    folds = split["fold"].to_numpy()
    for fold, rows in learned.items():
        answers = {name: stage.answers(rows)[folds == fold] for name, stage in stages.items()}
        predicted[folds == fold] = decide_classes(
            answers["inclusion"][:, 0],
            answers["damage"],
            inclusion_threshold=stages["inclusion"].threshold,
            damage_threshold=stages["damage"].threshold,
        )
    return predicted


def _taken_away(split, rows, name, proportion, *, seed):
    """Say which sites of a class lie in groups that are left out, bool (sites,)."""
    groups, of_class = split["group"].to_numpy(), rows & (split["label"] == name).to_numpy()
    order = np.random.default_rng(seed).permutation(np.unique(groups[of_class]))
    return of_class & ~np.isin(groups, order[: max(round(proportion * len(order)), 1)])


def _counts_by_group(sites, predicted, name):
    """Return hits, labels and answers of a class in each group that has any, (groups, 3)."""
    member, number = numbered(sites["group"])
    true, said = (sites["label"] == name).to_numpy(), predicted == name
    counts = np.zeros((number, 3), int)
    np.add.at(counts, member, np.stack([true & said, true, said], axis=1))
    return counts


def _f1(counts):
    return 2 * counts[..., 0] / (counts[..., 1] + counts[..., 2])


def _gain_row(name, labels, points, *, confidence):
    """Return the gain with an interval that holds the scatter of tested places and of draws."""
    proportions = np.array([point[0] for point in points])
    counts = np.array([point[2] for point in points])
    hits = np.stack([point[3] for point in points])
    # Groups where nobody labelled the class and no draw named it say nothing.
    hits = hits[:, hits.sum(axis=(0, 2)) > 0]
    more = min(MORE, labels)
    # F1 is what the labels outside the fold gave.
    now = counts[-1]

    def gain(of_draws, chosen):
        """Fit the means over the draws of each proportion: all of them, and the last two."""
        # A class that is always right is taken for half a mistake: a logarithm follows.
        f1 = np.minimum(_f1(of_draws), 1 - 0.5 / of_draws[..., 1])
        shares = [chosen & (proportions == share) for share in np.unique(proportions)]
        means = np.array([(counts[some].mean(), f1[some].mean()) for some in shares])
        # A curve that flattens is taken by its end.
        return min(
            float(expected_gain(*some.T, now=now, more=more)) for some in (means, means[-2:])
        )

    every = np.ones(len(points), bool)
    total = hits.sum(axis=1)
    value = gain(total, every)
    low = high = np.nan
    if hits.shape[1] >= LEAST_GROUPS:
        places = [gain(total - hits[:, group], every) for group in range(hits.shape[1])]
        repeats = np.array([point[1] for point in points])
        draws = [gain(total, (repeats != one) | (proportions == 1)) for one in np.unique(repeats)]
        variance = sum(
            (len(some) - 1) / len(some) * np.square(some - np.mean(some)).sum()
            for some in (places, draws)
        )
        half = stats.t.ppf((1 + confidence) / 2, hits.shape[1] - 1) * np.sqrt(variance)
        low, high = value - half, value + half
    return {
        "class": name,
        "labels": labels,
        "more": more,
        "f1": float(_f1(total[-1])),
        "gain": value,
        "low": low,
        "high": high,
        "groups": hits.shape[1],
    }
