"""Training of one network on labelled clips."""

import hashlib
import logging
import os
import time
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
import pandas as pd
import tensorflow as tf

from damascene import InputError
from damascene.classification.batches import balanced_batches, clip_reader
from damascene.classification.last_layer import fit_last_layer, look_at_clips
from damascene.classification.predict import predict_clips
from damascene.classification.random_forest import with_random_forest
from damascene.classification.targets import (
    class_members,
    learned_classes,
    stage_groups,
    stage_labels,
    stage_targets,
)
from damascene.config.networks import Network
from damascene.config.training import Training
from damascene.contracts.model_card import ModelCard
from damascene.files import written_whole
from damascene.labels import APART
from damascene.learning.augmentation import augmentation_options
from damascene.learning.class_balance import class_proportions
from damascene.learning.descent import Descent, checkpoints_beside, descend
from damascene.learning.device import device_in_use
from damascene.networks import network_named
from damascene.networks.build import build_network
from damascene.networks.stage_answers import STAGE, StageAnswers
from damascene.networks.weights import freeze_first
from damascene.versions import NETWORK_PACKAGES, package_versions

logger = logging.getLogger(__name__)

# Sites on which the speed of prediction is measured.
_TIMED_SITES = 64


def train_network(
    *,
    clips: np.ndarray,
    features: np.ndarray | None = None,
    descriptors: np.ndarray | None = None,
    labels: Sequence[str],
    answers: Sequence[str] | None = None,
    roles: Sequence[str],
    classes: Sequence[str],
    settings: Network,
    training: Training,
    seed: int,
    model_path: str | Path,
    pixel_size_nm: tuple[float, float],
    note: str = "",
    simulated: tuple[np.ndarray, np.ndarray] | None = None,
    mixed_precision: bool = False,
) -> tuple[pd.DataFrame, ModelCard]:
    """Train a network, keep the weights of its best epoch, and write the model.

    Of a frozen network only the last layer is sought, see `last_layer.fit_last_layer`, for all
    classes of sites: `targets.learned_classes`. Any other
    descends the gradient, and training stops early when the loss on the validation sites, in which
    the classes weigh as in training, has not fallen for some epochs. With `training.refit` the
    network is then trained anew on training and validation sites together, for as many epochs as
    were best. Where the network takes descriptors, a random forest grows on the same sites, and
    the model answers with the weighted mean of both.

    The same arguments give the same weights on one machine. A descent that was killed goes on
    after its last whole epoch when it is started again with the same arguments.

    Parameters
    ----------
    clips : numpy.ndarray, uint8, shape (n, size, size, scales)
        May be memory-mapped: batches are read as they are needed.
    features : numpy.ndarray, float32, shape (n, views, features), optional
        What the frozen layers see in the clips, see `last_layer.look_at_clips`. Without it the
        clips of a frozen network are looked at here.
    descriptors : numpy.ndarray, float32, shape (n, descriptors), optional
        For networks that take them.
    labels : sequence of str, length n
        Site classes; see `targets.stage_labels`. Rows of other classes than the network learns
        take no part.
    answers : sequence of str, length n, optional
        Of all annotators, see `LABELS`; used with `training.soft_labels`.
    roles : sequence of str, length n
        `train` and `validation` rows are used, all others are left alone.
    classes : sequence of str
        Classes in the order of the network's outputs.
    settings : config.Network
        The network and its windows.
    training : config.Training
        How it is trained.
    seed : int
    model_path : path of the `.keras` file to write
    pixel_size_nm : (float, float)
        Finest and coarsest pixels of the panoramas, for the card.
    note : str, optional
        What a reader of the results must know, for the card.
    simulated : pair of numpy.ndarray, optional
        Descriptors (m, descriptors) and labels (m,) of simulated sites for the trees, which count
        as much as `training.simulated_sites` says.
    mixed_precision : bool, optional
        Calculate in half precision where that is safe; of use on GPUs.

    Returns
    -------
    history : pandas.DataFrame
        run (`selection` or `refit`), epoch, loss, accuracy, validation_loss, validation_accuracy,
        seconds, and learning_rate; of frozen networks see `last_layer.fit_last_layer`.
    card : ModelCard
        What is needed to use the model and to judge it.

    Raises
    ------
    InputError
        If a class has no training site, or there is no validation site.

    References
    ----------
    Szegedy et al., arXiv 1512.00567 (label smoothing). Those of the descent are in `learning`.
    """
    started = time.perf_counter()
    model_path = Path(model_path)
    names = stage_labels(labels, classes=classes)
    roles = np.asarray(roles, dtype=object)
    learned = learned_classes(settings.network, classes)
    members = class_members(labels, classes=learned)
    rows = {
        role: np.flatnonzero((members >= 0) & (roles == role)) for role in ("train", "validation")
    }
    _check_sites(names, members, rows, classes=classes)
    tf.config.experimental.enable_op_determinism()
    spec = network_named(settings.network)
    if not spec.descriptors or not settings.descriptors:
        descriptors = None
    targets = stage_targets(labels, answers if training.soft_labels else None, classes=learned)
    data = {
        "clips": clips,
        "features": features,
        "descriptors": descriptors,
        "targets": targets,
        "members": np.maximum(members, 0),
        "grey_scaling": spec.grey_scaling,
    }
    data_sha256 = _data_hash(clips, names, targets, roles)
    fit = {"settings": settings, "training": training, "seed": seed}
    if spec.frozen:
        checkpoints = []
        model, history = _solve(data, rows, **fit)
    else:
        checkpoints = checkpoints_beside(
            model_path, data_sha256, settings.model_dump(), training.model_dump(), seed
        )
        model, history = _descend(
            data, rows, checkpoints=checkpoints, mixed_precision=mixed_precision, **fit
        )
    fitted = rows["train"]
    if training.refit:
        fitted = np.concatenate([fitted, rows["validation"]])
    if descriptors is not None:
        model = with_random_forest(
            model,
            descriptors[fitted],
            targets[fitted],
            share=spec.tree_share,
            simulated=_simulated(simulated, classes=learned),
            simulated_weight=training.simulated_sites,
            seed=seed,
        )
    if learned != tuple(classes):
        answers_of_stage = StageAnswers(stage_groups(classes), name=STAGE)(model.output)
        model = keras.Model(model.input, answers_of_stage, name=model.name)
    selection = history[history["run"] == "selection"]
    best = selection.loc[selection["validation_loss"].idxmin()]
    with written_whole(model_path) as (part,):
        model.save(part)
    for path, _ in checkpoints:
        path.unlink(missing_ok=True)
    seconds = round(time.perf_counter() - started, 1)
    card = ModelCard(
        network=settings.network,
        classes=tuple(classes),
        input_px=int(clips.shape[1]),
        scales=int(clips.shape[3]),
        window=settings.window,
        centre=settings.centre if clips.shape[3] > 1 else None,
        descriptors=descriptors is not None,
        tree_share=None if descriptors is None else spec.tree_share,
        grey_scaling=spec.grey_scaling,
        average_flips=spec.average_flips,
        parameters=int(model.count_params()),
        pixel_size_nm=pixel_size_nm,
        note=note,
        epochs_run=len(selection),
        best_epoch=int(best["epoch"]),
        validation_loss=float(best["validation_loss"]),
        validation_accuracy=float(best["validation_accuracy"]),
        class_counts=_counts(stage_labels(labels, classes=learned), roles, classes=learned),
        training={
            **training.model_dump(),
            "initial_weights": settings.weights,
            "frozen_layers": settings.frozen_layers,
            "head_rate_factor": settings.head_rate_factor,
            "mixed_precision": mixed_precision,
        },
        training_s=seconds,
        seed=seed,
        data_sha256=data_sha256,
        device=device_in_use(),
        versions=package_versions(*NETWORK_PACKAGES),
    )
    sites_per_s = _speed(model, clips, descriptors, card=card)
    return history, card.model_copy(update={"sites_per_s": sites_per_s})


def _counts(names, roles, *, classes):
    return {
        role: {name: int(np.sum((roles == role) & (names == name))) for name in classes}
        for role in ("train", "validation")
    }


def _speed(model, clips, descriptors, *, card):
    """Return how many sites a second the model answers, clips and descriptors at hand."""
    some = slice(_TIMED_SITES)
    given = (clips[some], None if descriptors is None else descriptors[some])
    # The first time, the model is compiled.
    for _ in range(2):
        started = time.perf_counter()
        predict_clips(model, *given, card=card, batch_size=_TIMED_SITES)
    return round(len(given[0]) / (time.perf_counter() - started), 1)


def _check_sites(names, members, rows, *, classes):
    """Refuse a stage without a training site of each class, or without any validation site."""
    for name in classes:
        if name not in names[rows["train"]]:
            raise InputError(f"No training site of class {name} is left. {APART}")
    # A site of a class that was not learned says nothing of how well a network learned.
    usable = rows["validation"][np.isin(members[rows["validation"]], members[rows["train"]])]
    if not np.isin(names[usable], classes).any():
        raise InputError(f"No validation site is left for {', '.join(classes)}. {APART}")


def _solve(data, rows, *, settings, training, seed):
    """Find the last layer of a frozen network."""
    clips, targets, members = data["clips"], data["targets"], data["members"]
    model = build_network(
        settings.network,
        seed=seed,
        class_count=targets.shape[1],
        input_px=clips.shape[1],
        scales=clips.shape[3],
    )
    used = np.concatenate([rows["train"], rows["validation"]])
    features = data["features"]
    if features is None:
        features = look_at_clips(
            clips[used],
            network=settings.network,
            augmentation=training.augmentation,
            rotation_deg=training.rotation_deg,
            seed=seed,
        )
    else:
        features = features[used]
    split = len(rows["train"])
    history = fit_last_layer(
        model,
        features,
        targets[used],
        train=range(split),
        validation=range(split, len(used)),
        proportions=class_proportions(
            np.bincount(members[rows["train"]], minlength=targets.shape[1]),
            rule=training.class_shares,
        ),
        members=members[used],
        refit=training.refit,
    )
    return model, history


def _descend(data, rows, *, checkpoints, settings, training, seed, mixed_precision):
    """Train all weights of a network, see `descent.descend`."""
    descriptors, targets = data["descriptors"], data["targets"]

    def build(train):
        model = build_network(
            settings.network,
            seed=seed,
            weights=None if settings.weights == "none" else settings.weights,
            class_count=targets.shape[1],
            input_px=data["clips"].shape[1],
            scales=data["clips"].shape[3],
            descriptor_count=0 if descriptors is None else descriptors.shape[1],
        )
        freeze_first(model, settings.frozen_layers)
        if descriptors is not None:
            model.get_layer("scores").adapt(descriptors[train])
        return model

    return descend(
        build,
        balanced_batches(
            clip_reader(
                data["clips"],
                descriptors,
                targets,
                grey_scaling=data["grey_scaling"],
                augmentation=_augmentation(training),
            ),
            members=data["members"],
            class_count=targets.shape[1],
            rule=training.class_shares,
            batch_size=training.batch_size,
            seed=seed,
        ),
        train=rows["train"],
        validation=rows["validation"],
        loss=keras.losses.CategoricalCrossentropy(label_smoothing=training.label_smoothing),
        metrics=["accuracy"],
        options=Descent(
            **training.model_dump(include={field.name for field in fields(Descent)}),
            last_layer_factor=settings.head_rate_factor,
            mixed_precision=mixed_precision,
        ),
        checkpoints=checkpoints,
    )


def _augmentation(training):
    return augmentation_options(training.augmentation, rotation_deg=training.rotation_deg)


def _simulated(simulated, *, classes):
    """Return descriptors and targets of the simulated sites of a stage."""
    if simulated is None:
        return None
    descriptors, labels = simulated
    known = np.isin(stage_labels(labels, classes=classes), classes)
    return descriptors[known], stage_targets(np.asarray(labels)[known], classes=classes)


def _data_hash(clips, names, targets, roles):
    digest = hashlib.sha256()
    for start in range(0, len(clips), 256):
        digest.update(np.ascontiguousarray(clips[start : start + 256]).tobytes())
    digest.update(np.ascontiguousarray(targets).tobytes())
    digest.update(
        "\n".join(f"{name}\t{role}" for name, role in zip(names, roles, strict=True)).encode()
    )
    return digest.hexdigest()
