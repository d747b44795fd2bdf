"""What a stage answers to labelled sites under each of many settings, by the folds left out."""

import functools
import logging
import os
import tempfile
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
import pandas as pd

from damascene.classes import STAGE_CLASSES
from damascene.classification.last_layer import last_layer_answers, look_at_clips, solve_last_layer
from damascene.classification.predict import load_network, predict_clips
from damascene.classification.random_forest import grow_among_simulated
from damascene.classification.targets import (
    class_members,
    learned_classes,
    stage_answers,
    stage_targets,
)
from damascene.classification.train import train_network
from damascene.clips.storage import store_clips
from damascene.config.networks import Network
from damascene.config.training import Training
from damascene.contracts.descriptors import DESCRIPTOR_NAMES
from damascene.learning.class_balance import class_proportions
from damascene.networks import network_named

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Setting:
    """How the network of a stage is trained.

    Attributes
    ----------
    network, window, augmentation : str
        As in the configuration.
    strength : float or None
        See `last_layer.solve_last_layer`; None for networks that descend the gradient.
    simulated_sites : float or None
        Weight of simulated sites among the trees beside the network; None without trees.
    """

    network: str
    window: str
    augmentation: str
    strength: float | None
    simulated_sites: float | None

    @property
    def way(self) -> tuple[str, str, str]:
        """Return what the pictures and their features depend on."""
        return self.network, self.window, self.augmentation


@dataclass(frozen=True, kw_only=True)
class StageSites:
    """The labelled sites as one stage sees them.

    Attributes
    ----------
    stage : {"inclusion", "damage"}
    table : pandas.DataFrame
        `SPLIT`.
    clips : callable
        From network and window to the clips, uint8 (sites, size, size, scales).
    descriptors : numpy.ndarray, float32, shape (sites, descriptors)
    simulated : pandas.DataFrame
        `SIMULATED_SITES`.
    settings : Network
        Of the stage in the study, for what is not chosen.
    training : Training
        In the study, for what is not chosen.
    """

    stage: str
    table: pd.DataFrame
    clips: Callable[[str, str], np.ndarray]
    descriptors: np.ndarray
    simulated: pd.DataFrame
    settings: Network
    training: Training

    @property
    def classes(self) -> tuple[str, ...]:
        """Return the classes of the stage, in the order of its outputs."""
        return STAGE_CLASSES[self.stage]

    @functools.cached_property
    def targets(self) -> np.ndarray:
        """Return what is to be answered, float32 (sites, classes)."""
        return self.targets_among(self.classes)

    @functools.cached_property
    def members(self) -> np.ndarray:
        """Return the class that each site counts for; -1 where it is none of the stage."""
        return class_members(self.table["label"], classes=self.classes)

    def targets_among(self, classes: Sequence[str]) -> np.ndarray:
        """Return what is to be answered of other classes than those of the stage."""
        answers = self.table["answers"] if self.training.soft_labels else None
        return stage_targets(self.table["label"], answers, classes=classes)


def stage_sites(
    stage: str,
    split: pd.DataFrame,
    *,
    descriptors: np.ndarray,
    simulated: pd.DataFrame,
    settings: Network,
    training: Training,
    panoramas: Sequence[str],
    images: Sequence[str | Path],
    masks: Sequence[str | Path],
    folder: str | Path,
) -> StageSites:
    """Return the labelled sites of a stage, with clips that are cut when they are asked for.

    Parameters
    ----------
    stage, descriptors, settings, training
        See `StageSites`.
    split : pandas.DataFrame
        `SPLIT`.
    simulated : pandas.DataFrame
        `SIMULATED_SITES`.
    panoramas, images, masks : sequences
        All panoramas with labels, their images and masks, in the same order.
    folder : path
        Where clips are kept.
    """

    def clips(network, window):
        path = Path(folder) / f"{stage}.npy"
        store_clips(
            path,
            split,
            panoramas=panoramas,
            images=images,
            masks=masks,
            network=network,
            window=window,
            centre=settings.centre,
        )
        return np.load(path, mmap_mode="r")

    return StageSites(
        stage=stage,
        table=split,
        clips=clips,
        descriptors=descriptors,
        simulated=simulated,
        settings=settings,
        training=training,
    )


def answers_by_setting(
    sites: StageSites,
    settings: Sequence[Setting],
    *,
    rows: dict[tuple[int, ...], np.ndarray],
    seed: int,
) -> dict[tuple[Setting, tuple[int, ...]], np.ndarray]:
    """Train under each setting on the sites that some folds leave, and answer all sites.

    Parameters
    ----------
    sites : StageSites
    settings : sequence of Setting
    rows : dict of tuple of int to numpy.ndarray of int
        By the folds that are left out: the rows of the sites to learn from.
    seed : int

    Returns
    -------
    dict of (Setting, tuple of int) to numpy.ndarray, float64, shape (sites, classes)
        Probabilities of all sites, those learned from included.
    """
    grown = functools.cache(functools.partial(_trees, sites, rows, seed=seed))
    answers = {}
    for way in sorted({one.way for one in settings}):
        of_way = [one for one in settings if one.way == way]
        share = network_named(way[0]).tree_share
        classes = learned_classes(way[0], sites.classes)
        learned = _of_classes(sites, rows, classes)
        strengths = sorted({one.strength for one in of_way if one.strength is not None})
        for left_out, by_strength in _network_answers(sites, way, strengths, learned, seed=seed):
            for setting in of_way:
                answer = by_strength[setting.strength]
                if setting.simulated_sites is not None:
                    trees = grown(classes, left_out, setting.simulated_sites)
                    answer = (1 - share) * answer + share * trees
                if classes != sites.classes:
                    answer = stage_answers(answer, classes=sites.classes)
                answers[setting, left_out] = answer
        logger.info("%s: %s on windows of %s, augmentation %s", sites.stage, *way)
    return answers


def _of_classes(sites, rows, classes):
    """Return the rows of sites of some classes, by the folds that are left out."""
    known = class_members(sites.table["label"], classes=classes) >= 0
    return {left_out: some[known[some]] for left_out, some in rows.items()}


def _trees(sites, rows, classes, left_out, weight, *, seed):
    """Return what trees on descriptors answer to all sites."""
    learned = _of_classes(sites, rows, classes)[left_out]
    targets = sites.targets_among(classes)
    simulated = sites.simulated
    known = class_members(simulated["label"], classes=classes) >= 0
    forest = grow_among_simulated(
        sites.descriptors[learned],
        targets[learned],
        simulated=(
            simulated.loc[known, list(DESCRIPTOR_NAMES)].to_numpy(),
            stage_targets(simulated.loc[known, "label"], classes=classes),
        ),
        simulated_weight=weight,
        seed=seed,
    )
    answers = np.zeros(targets.shape)
    answers[:, forest.classes_] = forest.predict_proba(sites.descriptors)
    return answers


def _network_answers(sites, way, strengths, learned, *, seed) -> Iterable:
    """Yield the folds left out and the answers by strength, for one way to see the sites."""
    network, window, augmentation = way
    spec = network_named(network)
    clips = sites.clips(network, window)
    if not spec.frozen:
        for left_out, rows in learned.items():
            yield left_out, {None: _descended(sites, way, clips, left_out, rows, seed=seed)}
        return
    classes = learned_classes(network, sites.classes)
    targets = sites.targets_among(classes)
    all_members = class_members(sites.table["label"], classes=classes)
    features = look_at_clips(
        clips,
        network=network,
        augmentation=augmentation,
        rotation_deg=sites.training.rotation_deg,
        seed=seed,
    )
    for left_out, rows in learned.items():
        members = all_members[rows]
        layers = solve_last_layer(
            features[rows],
            targets[rows],
            proportions=class_proportions(
                np.bincount(members, minlength=len(classes)),
                rule=sites.training.class_shares,
            ),
            members=members,
            strengths=strengths,
        )
        yield (
            left_out,
            {
                strength: last_layer_answers(layer, features[:, 0])
                for strength, layer in zip(strengths, layers, strict=True)
            },
        )


def _descended(sites, way, clips, left_out, rows, *, seed):
    """Train a network that descends the gradient; another fold says when to stop."""
    network, window, augmentation = way
    folds = sites.table["fold"].to_numpy()
    inner = min(set(folds) - set(left_out))
    roles = np.full(len(folds), "excluded", dtype=object)
    roles[rows] = np.where(folds[rows] == inner, "validation", "train")
    settings = sites.settings.model_copy(
        update={"network": network, "window": window, "weights": "none", "frozen_layers": 0}
    )
    training = sites.training.model_copy(update={"augmentation": augmentation, "refit": True})
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "network.keras"
        _, card = train_network(
            clips=clips,
            # Trees are grown apart.
            descriptors=None,
            labels=sites.table["label"],
            answers=sites.table["answers"],
            roles=roles,
            classes=sites.classes,
            settings=settings,
            training=training,
            seed=seed,
            model_path=path,
            # For the card alone, which is not kept.
            pixel_size_nm=(1.0, 1.0),
        )
        model = load_network(path, card=card, classes=sites.classes)
        return predict_clips(model, clips, None, card=card, batch_size=training.batch_size).astype(
            float
        )
