"""Training of one network on labelled clips."""

import contextlib
import hashlib
import json
import logging
import math
import os
import platform
import time
from collections.abc import Sequence
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
import pandas as pd
import tensorflow as tf

from damascene import InputError
from damascene.classification.forest import grow_forest
from damascene.classification.head import clip_features, fit_head
from damascene.classification.predict import predict_clips
from damascene.classification.targets import stage_labels, stage_targets
from damascene.config.networks import Network
from damascene.config.training import Training
from damascene.files import written_whole
from damascene.learning.augmentation import augmentation_options
from damascene.learning.batches import Batches
from damascene.learning.progress import Progress
from damascene.networks import network_named
from damascene.networks.build import build_network
from damascene.networks.forest import forest_layer
from damascene.networks.weights import HeadRateAdamW, freeze_first

logger = logging.getLogger(__name__)

# Share of the epochs in which the learning rate rises to its value.
WARM_UP = 0.1
_RUNS = ("selection", "refit")
# Sites on which the speed of prediction is measured.
_TIMED_SITES = 64


def train_network(
    *,
    clips: np.ndarray,
    descriptors: np.ndarray | None = None,
    labels: Sequence[str],
    answers: Sequence[str] | None = None,
    roles: Sequence[str],
    classes: Sequence[str],
    settings: Network,
    training: Training,
    seed: int,
    model_path: str | Path,
    simulated: tuple[np.ndarray, np.ndarray] | None = None,
    mixed_precision: bool = False,
) -> tuple[pd.DataFrame, dict]:
    """Train a network, keep the weights of its best epoch, and write the model.

    Of a frozen network only the last layer is sought, see `head.fit_head`. Any other descends the
    gradient, and training stops early when the loss on the validation sites, in which
    the classes weigh as in training, has not fallen for some epochs. With `training.refit` the
    network is then trained anew on training and validation sites together, for as many epochs as
    were best. Where the network takes descriptors, trees grow on the same sites, and the model
    answers with the mean of both.

    The same arguments give the same weights on one machine. A descent that was killed goes on
    after its last whole epoch when it is started again with the same arguments.

    Parameters
    ----------
    clips : numpy.ndarray, uint8, shape (n, size, size, scales)
        May be memory-mapped: batches are read as they are needed.
    descriptors : numpy.ndarray, float32, shape (n, descriptors), optional
        For networks that take them.
    labels : sequence of str, length n
        Site classes; see `targets.stage_labels`. Rows of other classes than `classes` take no part.
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
    simulated : pair of numpy.ndarray, optional
        Descriptors (m, descriptors) and labels (m,) of simulated sites for the trees, which count
        as much as `training.simulated_sites` says.
    mixed_precision : bool, optional
        Calculate in half precision where that is safe; of use on GPUs.

    Returns
    -------
    history : pandas.DataFrame
        run (`selection` or `refit`), epoch, loss, accuracy, validation_loss, validation_accuracy,
        seconds, and learning_rate; of frozen networks see `head.fit_head`.
    card : dict
        What is needed to use the model and to judge it; can be written as JSON.

    Raises
    ------
    InputError
        If a class has no training site, or there is no validation site.

    References
    ----------
    Loshchilov & Hutter, SGDR, arXiv 1608.03983 (cosine schedule) and Decoupled Weight Decay
    Regularization, arXiv 1711.05101 (AdamW). Szegedy et al., arXiv 1512.00567 (label smoothing).
    """
    started = time.perf_counter()
    model_path = Path(model_path)
    names = stage_labels(labels, classes=classes)
    roles = np.asarray(roles, dtype=object)
    known = np.isin(names, classes)
    counts = {
        role: {name: int(np.sum(known & (roles == role) & (names == name))) for name in classes}
        for role in ("train", "validation")
    }
    _check_counts(counts)
    tf.config.experimental.enable_op_determinism()
    spec = network_named(settings.network)
    if not spec.descriptors or not settings.descriptors:
        descriptors = None
    targets = stage_targets(labels, answers if training.soft_labels else None, classes=classes)
    data = {
        "clips": clips,
        "descriptors": descriptors,
        "targets": targets,
        "members": np.array(
            [list(classes).index(name) if name in classes else 0 for name in names]
        ),
        "grey_scaling": spec.grey_scaling,
    }
    data_sha256 = _data_hash(clips, names, targets, roles)
    fit = {"settings": settings, "training": training, "seed": seed}
    rows = {role: np.flatnonzero(known & (roles == role)) for role in ("train", "validation")}
    if spec.frozen:
        checkpoints = []
        model, history = _solve(data, rows, **fit)
    else:
        checkpoints = [_checkpoint(run, model_path, data_sha256, **fit) for run in _RUNS]
        model, history = _descend(
            data, rows, checkpoints=checkpoints, mixed_precision=mixed_precision, **fit
        )
    learned = rows["train"]
    if training.refit:
        learned = np.concatenate([learned, rows["validation"]])
    if descriptors is not None:
        model = _with_forest(
            model,
            descriptors[learned],
            targets[learned],
            simulated=_simulated(simulated, classes=classes),
            share=training.simulated_sites,
            seed=seed,
        )
    selection = history[history["run"] == "selection"]
    best = selection.loc[selection["validation_loss"].idxmin()]
    with written_whole(model_path) as (part,):
        model.save(part)
    for path, _ in checkpoints:
        path.unlink(missing_ok=True)
    seconds = round(time.perf_counter() - started, 1)
    card = {
        "network": settings.network,
        "classes": list(classes),
        "input_px": int(clips.shape[1]),
        "scales": int(clips.shape[3]),
        "window": settings.window,
        "centre": settings.centre if clips.shape[3] > 1 else None,
        "descriptors": descriptors is not None,
        "grey_scaling": spec.grey_scaling,
        "average_flips": spec.average_flips,
        "parameters": int(model.count_params()),
        "epochs_run": len(selection),
        "best_epoch": int(best["epoch"]),
        "validation_loss": float(best["validation_loss"]),
        "validation_accuracy": float(best["validation_accuracy"]),
        "class_counts": counts,
        "training": {
            **training.model_dump(),
            "initial_weights": settings.weights,
            "frozen_layers": settings.frozen_layers,
            "head_rate_factor": settings.head_rate_factor,
            "mixed_precision": mixed_precision,
            "seconds": seconds,
        },
        "seed": seed,
        "data_sha256": data_sha256,
        "versions": {
            "python": platform.python_version(),
            "keras": keras.__version__,
            "tensorflow": tf.__version__,
            "numpy": np.__version__,
        },
        "device": "GPU" if tf.config.get_visible_devices("GPU") else "CPU",
    }
    card["training"]["sites_per_s"] = _speed(model, clips, descriptors, card=card)
    return history, card


def _speed(model, clips, descriptors, *, card):
    """Return how many sites a second the model answers, clips and descriptors at hand."""
    some = slice(_TIMED_SITES)
    given = (clips[some], None if descriptors is None else descriptors[some])
    # The first time, the model is compiled.
    for _ in range(2):
        started = time.perf_counter()
        predict_clips(model, *given, card=card, batch_size=_TIMED_SITES)
    return round(len(given[0]) / (time.perf_counter() - started), 1)


def _check_counts(counts):
    for name, count in counts["train"].items():
        if not count:
            raise InputError(
                f"No training site of class {name} is left. Label more sites of that class in "
                "other groups, use larger blocks or another seed of the split."
            )
    if not sum(counts["validation"].values()):
        raise InputError(
            "No validation site is left for "
            f"{', '.join(counts['validation'])}. Label sites in more groups."
        )


def class_shares(counts: Sequence[int], *, rule: str) -> np.ndarray:
    """Return the share of each class in an epoch, by a rule of `config.Training.class_shares`."""
    counts = np.asarray(counts, float)
    power = {"natural": 1, "square_root": 0.5, "equal": 0}[rule]
    shares = np.where(counts > 0, counts**power, 0)
    return shares / shares.sum()


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
    logger.info("%d sites pass through the frozen convolutions", len(used))
    features = clip_features(
        model,
        clips,
        used,
        grey_scaling=data["grey_scaling"],
        augmentation=_augmentation(training),
        seed=seed,
    )
    split = len(rows["train"])
    history = fit_head(
        model,
        features,
        targets[used],
        train=range(split),
        validation=range(split, len(used)),
        shares=_shares(data, rows["train"], training),
        members=members[used],
        refit=training.refit,
    )
    return model, history


def _checkpoint(run, model_path, data_sha256, *, settings, training, seed):
    """Return the file of an unfinished run and the key of all that the run depends on."""
    given = [run, data_sha256, settings.model_dump(), training.model_dump(), seed]
    key = json.dumps([*given, keras.__version__])
    path = model_path.with_name(f".{model_path.stem}.{run}.checkpoint.npz")
    return path, hashlib.sha256(key.encode()).hexdigest()


def _descend(data, rows, *, checkpoints, training, **fit):
    """Train by gradient descent until validation says when to stop, and anew for `refit`."""
    (path, key), (refit_path, refit_key) = checkpoints
    selection = Progress(path, key=key, epochs=training.epochs, patience=training.patience)
    fit = {"training": training} | fit
    model = _fit(data, rows["train"], rows["validation"], progress=selection, **fit)
    runs = [pd.DataFrame(selection.rows).assign(run="selection")]
    if training.refit:
        logger.info(
            "best after epoch %d; training anew on the validation sites as well",
            selection.best_epoch,
        )
        both = np.concatenate([rows["train"], rows["validation"]])
        refit = Progress(refit_path, key=refit_key, epochs=selection.best_epoch, patience=None)
        model = _fit(data, both, [], progress=refit, **fit)
        runs.append(pd.DataFrame(refit.rows).assign(run="refit"))
    history = pd.concat(runs, ignore_index=True)
    history.insert(0, "run", history.pop("run"))
    return model, history


def _shares(data, rows, training):
    counts = np.bincount(data["members"][rows], minlength=data["targets"].shape[1])
    return class_shares(counts, rule=training.class_shares)


def _augmentation(training):
    return augmentation_options(training.augmentation, rotation_deg=training.rotation_deg)


def _fit(data, rows, validation_rows, *, progress, settings, training, seed, mixed_precision):
    """Train from the start, or from where an interrupted training left off."""
    descriptors, targets = data["descriptors"], data["targets"]
    data = data | {"shares": _shares(data, rows, training), "batch_size": training.batch_size}
    batches = Batches(**data, rows=rows, seed=seed, augmentation=_augmentation(training))
    architecture = {
        "class_count": targets.shape[1],
        "input_px": data["clips"].shape[1],
        "scales": data["clips"].shape[3],
        "descriptor_count": 0 if descriptors is None else descriptors.shape[1],
    }
    with _precision("mixed_float16" if mixed_precision else "float32"):
        model = build_network(
            settings.network, seed=seed, weights=_initial_weights(settings), **architecture
        )
    freeze_first(model, settings.frozen_layers)
    if descriptors is not None:
        model.get_layer("scores").adapt(descriptors[rows])
    model.compile(
        optimizer=_optimizer(
            training, steps=len(batches), head_rate_factor=settings.head_rate_factor
        ),
        loss=keras.losses.CategoricalCrossentropy(label_smoothing=training.label_smoothing),
        metrics=["accuracy"],
    )
    done = progress.resume(model)
    if not progress.finished:
        batches.start_epoch(done)
        model.fit(
            batches,
            initial_epoch=done,
            epochs=training.epochs,
            validation_data=Batches(**data, rows=validation_rows) if len(validation_rows) else None,
            callbacks=[progress],
            shuffle=False,
            verbose=0,
        )
    progress.keep_best(model)
    if mixed_precision:
        # The stored model calculates in single precision wherever it is used.
        weights = model.get_weights()
        model = build_network(settings.network, seed=seed, **architecture)
        model.set_weights(weights)
    return model


def _initial_weights(settings):
    return None if settings.weights == "none" else settings.weights


@contextlib.contextmanager
def _precision(policy):
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(policy)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)


def _optimizer(training, *, steps, head_rate_factor):
    rate = training.learning_rate
    if training.schedule == "cosine":
        total = training.epochs * steps
        rate = keras.optimizers.schedules.CosineDecay(
            initial_learning_rate=rate / 20,
            warmup_target=rate,
            warmup_steps=max(math.ceil(WARM_UP * total), 1),
            decay_steps=max(math.floor((1 - WARM_UP) * total), 1),
        )
    return HeadRateAdamW(
        rate, weight_decay=training.weight_decay, head_rate_factor=head_rate_factor
    )


def _simulated(simulated, *, classes):
    """Return descriptors and targets of the simulated sites of a stage."""
    if simulated is None:
        return None
    descriptors, labels = simulated
    known = np.isin(stage_labels(labels, classes=classes), classes)
    return descriptors[known], stage_targets(np.asarray(labels)[known], classes=classes)


def _with_forest(model, descriptors, targets, *, simulated, share, seed):
    """Return the network whose answer is the mean of its own and that of trees."""
    weights = np.ones(len(targets))
    if simulated is not None and share > 0:
        # Simulated classes count alike, and all together as a share of the labels.
        members = simulated[1].argmax(axis=1)
        each = 1 / np.bincount(members, minlength=targets.shape[1])[members]
        weights = np.concatenate([weights, each / each.sum() * share * len(targets)])
        descriptors = np.concatenate([descriptors, simulated[0]])
        targets = np.concatenate([targets, simulated[1]])
    forest = grow_forest(descriptors, targets, weights=weights, seed=seed)
    layer = forest_layer(forest.estimators_, classes=forest.classes_, class_count=targets.shape[1])
    inputs = {one.name: one for one in model.inputs}
    # A network that is frozen leaves the descriptors to the trees.
    inputs.setdefault("descriptors", keras.Input((descriptors.shape[1],), name="descriptors"))
    mean = keras.layers.Average(name="mean")([model.output, layer(inputs["descriptors"])])
    return keras.Model(inputs, mean, name=model.name)


def _data_hash(clips, names, targets, roles):
    digest = hashlib.sha256()
    for start in range(0, len(clips), 256):
        digest.update(np.ascontiguousarray(clips[start : start + 256]).tobytes())
    digest.update(np.ascontiguousarray(targets).tobytes())
    digest.update(
        "\n".join(f"{name}\t{role}" for name, role in zip(names, roles, strict=True)).encode()
    )
    return digest.hexdigest()
