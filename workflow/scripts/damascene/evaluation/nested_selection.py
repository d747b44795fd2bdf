"""Scores of networks whose settings, too, were chosen without the sites that test them.

Settings that were tried on labels fit these labels a little too well, and a score on the same
labels is too good by an unknown amount. Here every fold is tested with settings that were chosen,
by a cross-validation of their own, on the other folds alone.

References
----------
Cawley & Talbot, On over-fitting in model selection and subsequent selection bias in performance
evaluation, JMLR 11, 2079 (2010). Varma & Simon, Bias in error estimation when using
cross-validation for model selection, 10.1186/1471-2105-7-91.
"""

import itertools
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from sklearn.metrics import f1_score

from damascene import InputError
from damascene.classification.decide import decide_classes, with_classes
from damascene.contracts.panorama_record import PanoramaRecord
from damascene.evaluation.trained_answers import Setting, StageSites, answers_by_setting
from damascene.labels.split import fold_roles, windows_in
from damascene.learning.class_balance import class_weights
from damascene.networks import network_named
from damascene.units import scaled_length

logger = logging.getLogger(__name__)

_SMALLEST_PROBABILITY = 1e-6


@dataclass(frozen=True, kw_only=True)
class Options:
    """What is tried; every combination within a stage.

    Attributes
    ----------
    networks, augmentations : tuple of str
        Networks that descend the gradient are tried with the window and the augmentation of the
        study alone, as each training takes half a minute.
    window_factors : tuple of float
        On the windows of the study.
    strengths : tuple of float
        Of the fit of a last layer, ascending.
    simulated_sites : tuple of float or None
        Weight of simulated sites among the trees; None for answers without trees.
    inclusion_thresholds, damage_thresholds : tuple of float
    """

    networks: tuple[str, ...] = ("steel_lite0", "efficientnet_lite0")
    window_factors: tuple[float, ...] = (5 / 6, 1, 4 / 3)
    augmentations: tuple[str, ...] = ("mild", "strong")
    strengths: tuple[float, ...] = (3e-4, 1e-3, 3e-3, 1e-2, 3e-2)
    simulated_sites: tuple[float | None, ...] = (None, 0, 0.1, 0.3)
    inclusion_thresholds: tuple[float, ...] = (0.3, 0.35, 0.4, 0.5)
    damage_thresholds: tuple[float, ...] = (0.0, 0.3, 0.5)


def select_nested(
    stages: Mapping[str, StageSites],
    records: Sequence[PanoramaRecord],
    *,
    folds: int,
    seed: int,
    options: Options = Options(),
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Choose settings without each fold in turn, and classify the sites of the fold with them.

    For each fold, the other folds are held out in turn, too: the settings of a stage are those of
    least loss on these inner held-out sites, in which the classes weigh alike. The thresholds are
    those of the highest macro-F1 there. With them the stages are trained on all folds but the one,
    and answer its sites. Sites whose windows share a pixel with one that is held out are left out.

    Parameters
    ----------
    stages : mapping of stage to StageSites
        Of the same sites.
    records : sequence of PanoramaRecord
        Of all panoramas.
    folds : int
        At least 3.
    seed : int
    options : Options, optional

    Returns
    -------
    choices : pandas.DataFrame
        `NESTED_CHOICES`.
    predictions : pandas.DataFrame
        The rows of `SPLIT` with the probabilities of both stages and `predicted_class`.

    Raises
    ------
    InputError
        With fewer than three folds, or if two of them hold all labels of a class.
    """
    if folds < 3:
        raise InputError(
            "Settings are chosen on folds beside the one that tests: set split.folds to 3 or more."
        )
    split = stages["inclusion"].table
    tried = {stage: settings_of(sites, options) for stage, sites in stages.items()}
    windows = sorted({setting.window for some in tried.values() for setting in some})
    extents = windows_in(records, windows)

    def roles(test_fold, validation_fold):
        held_out = {"test_fold": test_fold, "validation_fold": validation_fold}
        return fold_roles(split, **held_out, **extents)

    pairs = list(itertools.combinations(range(folds), 2))
    without_pair = {pair: np.flatnonzero(roles(*pair) == "train") for pair in pairs}
    # No fold has the number -1: nothing but the test fold is held out.
    without_one = {(fold,): np.flatnonzero(roles(fold, -1) == "train") for fold in range(folds)}
    for sites in stages.values():
        _check_classes(sites, without_pair)
    answers = {
        stage: answers_by_setting(sites, tried[stage], rows=without_pair, seed=seed)
        for stage, sites in stages.items()
    }

    choices, chosen = [], {}
    for fold in range(folds):
        inner = {
            other: np.flatnonzero(roles(fold, other) == "validation")
            for other in range(folds)
            if other != fold
        }
        rows = np.concatenate(list(inner.values()))
        best = {}
        for stage, sites in stages.items():
            pooled = {
                setting: _inner_answers(answers[stage], setting, fold, inner)
                for setting in tried[stage]
            }
            losses = {
                setting: balanced_loss(of_setting, sites.targets[rows], sites.members[rows])
                for setting, of_setting in pooled.items()
            }
            setting = min(losses, key=losses.get)
            best[stage] = (setting, losses[setting], pooled[setting])
        thresholds = best_thresholds(
            split["label"].to_numpy()[rows],
            best["inclusion"][2][:, 0],
            best["damage"][2],
            options=options,
        )
        for stage, (setting, loss, _) in best.items():
            chosen[stage, fold] = setting
            choices.append(_choice(fold, stage, setting, thresholds[stage], loss))
        logger.info("fold %d: %s", fold, choices[-2:])
    table = pd.DataFrame(choices)
    return table, _classified(split, stages, chosen, table, without_one, seed=seed)


def settings_of(sites: StageSites, options: Options) -> list[Setting]:
    """Return all combinations that are tried in a stage."""
    own = sites.settings.window
    settings = []
    for network in options.networks:
        frozen = network_named(network).frozen
        windows = [scaled_length(own, factor) for factor in options.window_factors]
        for window, augmentation, strength, weight in itertools.product(
            windows if frozen else [own],
            options.augmentations if frozen else [sites.training.augmentation],
            options.strengths if frozen else [None],
            options.simulated_sites,
        ):
            settings.append(
                Setting(
                    network=network,
                    window=window,
                    augmentation=augmentation,
                    strength=strength,
                    simulated_sites=weight,
                )
            )
    return settings


def balanced_loss(probabilities: np.ndarray, targets: np.ndarray, members: np.ndarray) -> float:
    """Return the cross-entropy of answers with classes of equal weight.

    Parameters
    ----------
    probabilities, targets : numpy.ndarray, float, shape (sites, classes)
    members : numpy.ndarray, int, shape (sites,)
        Class that a site counts for; sites with -1 are left out.
    """
    known = members >= 0
    logs = np.log(np.maximum(probabilities[known], _SMALLEST_PROBABILITY))
    losses = -(targets[known] * logs).sum(axis=1)
    weights = class_weights(members[known], np.ones(targets.shape[1]))[members[known]]
    return float(np.average(losses, weights=weights))


def best_thresholds(
    labels: Sequence[str], p_inclusion: np.ndarray, p_damage: np.ndarray, *, options: Options
) -> dict[str, float]:
    """Return the thresholds of the highest macro-F1, the lowest of equally good ones."""
    pairs = itertools.product(options.inclusion_thresholds, options.damage_thresholds)
    occurring = sorted(set(labels))

    def macro_f1(pair):
        classes = decide_classes(
            p_inclusion, p_damage, inclusion_threshold=pair[0], damage_threshold=pair[1]
        )
        return f1_score(labels, classes, labels=occurring, average="macro", zero_division=0)

    inclusion, damage = max(pairs, key=macro_f1)
    return {"inclusion": inclusion, "damage": damage}


def _check_classes(sites, rows):
    for left_out, learned in rows.items():
        for index, name in enumerate(sites.classes):
            if not (sites.members[learned] == index).any():
                raise InputError(
                    f"Without the folds {left_out[0]} and {left_out[1]} no label of class {name} "
                    "is left to learn from. Label more sites of it in other groups, or raise "
                    "split.folds."
                )


def _inner_answers(answers, setting, fold, inner):
    """Return the answers to the inner held-out sites, by the trainings without either fold."""
    return np.concatenate(
        [answers[setting, tuple(sorted((fold, other)))][rows] for other, rows in inner.items()]
    )


def _choice(fold, stage, setting, threshold, loss):
    return {
        "fold": fold,
        "stage": stage,
        "network": setting.network,
        "window": setting.window,
        "augmentation": setting.augmentation,
        "strength": np.nan if setting.strength is None else setting.strength,
        "descriptors": setting.simulated_sites is not None,
        "simulated_sites": np.nan if setting.simulated_sites is None else setting.simulated_sites,
        "threshold": threshold,
        "loss": loss,
    }


def _classified(split, stages, chosen, choices, without_one, *, seed):
    """Train both stages as chosen for each fold, and classify its sites."""
    probabilities = {}
    for stage, sites in stages.items():
        probabilities[stage] = np.full((len(split), len(sites.classes)), np.nan)
        for setting in dict.fromkeys(chosen[stage, left_out[0]] for left_out in without_one):
            rows = {
                left_out: some
                for left_out, some in without_one.items()
                if chosen[stage, left_out[0]] == setting
            }
            answers = answers_by_setting(sites, [setting], rows=rows, seed=seed)
            for left_out in rows:
                held_out = (split["fold"] == left_out[0]).to_numpy()
                probabilities[stage][held_out] = answers[setting, left_out][held_out]
    parts = []
    for fold, of_fold in choices.groupby("fold"):
        threshold = of_fold.set_index("stage")["threshold"]
        held_out = (split["fold"] == fold).to_numpy()
        parts.append(
            with_classes(
                split[held_out],
                probabilities["inclusion"][held_out, 0],
                probabilities["damage"][held_out],
                inclusion_threshold=threshold["inclusion"],
                damage_threshold=threshold["damage"],
            )
        )
    return pd.concat(parts).sort_index()
