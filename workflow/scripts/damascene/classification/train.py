"""Training of one network on labelled clips."""

import hashlib
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
from damascene.classification.augmentation import augment_clips
from damascene.classification.clips import scale_grey
from damascene.networks import network_named
from damascene.networks.build import build_network
from damascene.tables import INCLUSION_CLASSES

logger = logging.getLogger(__name__)

ROTATION_DEG = 15.0
LABEL_SMOOTHING = 0.1
WEIGHT_DECAY = 1e-3
# Share of the epochs in which the learning rate rises to its value.
WARM_UP = 0.1


def stage_labels(labels: Sequence[str], *, classes: Sequence[str]) -> np.ndarray:
    """Return labels as one network sees them: all but inclusions are `rest` to the first."""
    labels = np.asarray(labels, dtype=object)
    if tuple(classes) == INCLUSION_CLASSES:
        inclusion, rest = INCLUSION_CLASSES
        return np.where(labels == inclusion, inclusion, rest).astype(object)
    return labels


def train_network(
    *,
    clips: np.ndarray,
    labels: Sequence[str],
    roles: Sequence[str],
    classes: Sequence[str],
    network: str,
    window: str,
    epochs: int,
    batch_size: int,
    learning_rate: float,
    patience: int,
    augment: bool,
    seed: int,
    model_path: str | Path,
    weights: str | Path | None = None,
) -> tuple[pd.DataFrame, dict]:
    """Train a network, keep the weights of its best epoch, and write the model.

    The share of a class in an epoch goes with the square root of its number of training sites:
    between its prevalence, at which rare classes are hardly learned, and equal shares, at which
    their few sites are learned by heart. The validation loss weighs the classes in the same way.
    The learning rate rises over the first tenth of the epochs and falls as a half cosine to zero.
    Training stops early when the loss on the validation sites has not fallen for `patience`
    epochs. The same arguments give the same weights on one machine.

    Parameters
    ----------
    clips : numpy.ndarray, uint8, shape (n, size, size)
        May be memory-mapped: batches are read as they are needed.
    labels : sequence of str, length n
        Site classes; see `stage_labels`. Rows of other classes than `classes` take no part.
    roles : sequence of str, length n
        `train` and `validation` rows are used, all others are left alone.
    classes : sequence of str
        Classes in the order of the network's outputs.
    network : str
        Key of `networks.NETWORKS`.
    window : str
        Edge of the windows the clips were cut from, such as `5 um` or `100 px`, for the card.
    epochs : int
        Most epochs; also the length of the learning rate's schedule.
    batch_size : int
    learning_rate : float
        Largest learning rate of AdamW.
    patience : int
    augment : bool
        Change training clips at random, see `augmentation.augment_clips`.
    seed : int
    model_path : path of the `.keras` file to write
    weights : path, optional
        Weights to start from, see `networks.build_network`.

    Returns
    -------
    history : pandas.DataFrame
        epoch, loss, accuracy, validation_loss, validation_accuracy, learning_rate, seconds.
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
    names = stage_labels(labels, classes=classes)
    roles = np.asarray(roles, dtype=object)
    known = np.isin(names, classes)
    train_rows = np.flatnonzero(known & (roles == "train"))
    validation_rows = np.flatnonzero(known & (roles == "validation"))
    counts = {
        role: {name: int(np.sum(names[rows] == name)) for name in classes}
        for role, rows in (("train", train_rows), ("validation", validation_rows))
    }
    _check_counts(counts)
    targets = np.zeros(len(names), np.intp)
    targets[known] = [list(classes).index(name) for name in names[known]]

    tf.config.experimental.enable_op_determinism()
    spec = network_named(network)
    input_px = clips.shape[1]
    model = build_network(
        network, class_count=len(classes), seed=seed, input_px=input_px, weights=weights
    )
    shares = np.sqrt([counts["train"][name] for name in classes])
    shares /= shares.sum()
    batches = _Batches(
        clips=clips,
        targets=targets,
        rows=train_rows,
        shares=shares,
        batch_size=batch_size,
        grey_scaling=spec.grey_scaling,
        augment=augment,
        seed=seed,
    )
    validation = _Batches(
        clips=clips,
        targets=targets,
        rows=validation_rows,
        shares=shares,
        batch_size=batch_size,
        grey_scaling=spec.grey_scaling,
    )
    steps = len(batches)
    model.compile(
        optimizer=keras.optimizers.AdamW(
            keras.optimizers.schedules.CosineDecay(
                initial_learning_rate=learning_rate / 20,
                warmup_target=learning_rate,
                warmup_steps=max(math.ceil(WARM_UP * epochs * steps), 1),
                decay_steps=max(math.floor((1 - WARM_UP) * epochs * steps), 1),
            ),
            weight_decay=WEIGHT_DECAY,
        ),
        loss=keras.losses.CategoricalCrossentropy(label_smoothing=LABEL_SMOOTHING),
        metrics=["accuracy"],
    )
    recorder = _Recorder(epochs)
    started = time.perf_counter()
    model.fit(
        batches,
        epochs=epochs,
        validation_data=validation,
        callbacks=[
            recorder,
            keras.callbacks.EarlyStopping("val_loss", patience=patience, restore_best_weights=True),
        ],
        shuffle=False,
        verbose=0,
    )
    history = pd.DataFrame(recorder.rows)
    best = history.loc[history.validation_loss.idxmin()]
    _save(model, Path(model_path))
    card = {
        "network": network,
        "classes": list(classes),
        "input_px": int(input_px),
        "window": window,
        "grey_scaling": spec.grey_scaling,
        "average_flips": spec.average_flips,
        "parameters": int(model.count_params()),
        "epochs_run": len(history),
        "best_epoch": int(best.epoch),
        "validation_loss": float(best.validation_loss),
        "validation_accuracy": float(best.validation_accuracy),
        "class_counts": counts,
        "training": {
            "epochs": epochs,
            "batch_size": batch_size,
            "learning_rate": learning_rate,
            "patience": patience,
            "augment": augment,
            "label_smoothing": LABEL_SMOOTHING,
            "weight_decay": WEIGHT_DECAY,
            "initial_weights": None if weights is None else Path(weights).name,
            "seconds": round(time.perf_counter() - started, 1),
        },
        "seed": seed,
        "data_sha256": _data_hash(clips, names, roles),
        "versions": {
            "python": platform.python_version(),
            "keras": keras.__version__,
            "tensorflow": tf.__version__,
            "numpy": np.__version__,
        },
        "device": "GPU" if tf.config.get_visible_devices("GPU") else "CPU",
    }
    return history, card


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


class _Batches(keras.utils.PyDataset):
    """Batches read from the clips as needed; with a seed drawn at random, as for training."""

    def __init__(
        self,
        *,
        clips,
        targets,
        rows,
        shares,
        batch_size,
        grey_scaling,
        augment=False,
        seed=None,
    ):
        super().__init__(workers=1, use_multiprocessing=False)
        self._clips = clips
        self._targets = targets
        self._rows = rows
        self._one_hot = np.eye(len(shares), dtype=np.float32)
        self._batch_size = batch_size
        self._grey_scaling = grey_scaling
        self._augment = augment
        self._seed = seed
        self._epoch = 0
        self._shares = shares
        self._order = rows if seed is None else self._drawn()
        # Where sites are not drawn by the shares of their classes, their weights stand in.
        counts = np.bincount(targets[rows], minlength=len(shares))
        present = np.where(counts > 0, shares, 0)
        self._weights = (present / present.sum() * len(rows) / np.maximum(counts, 1)).astype(
            np.float32
        )

    def __len__(self):
        return math.ceil(len(self._rows) / self._batch_size)

    def __getitem__(self, index):
        chosen = self._order[index * self._batch_size : (index + 1) * self._batch_size]
        clips = self._clips[chosen]
        if self._augment:
            clips = augment_clips(
                clips,
                rotation_deg=ROTATION_DEG,
                # Seeds that differ in trailing zeros only give the same numbers.
                rng=np.random.default_rng([self._seed, self._epoch, index + 1]),
            )
        inputs = scale_grey(clips, grey_scaling=self._grey_scaling)
        targets = self._targets[chosen]
        if self._seed is not None:
            return inputs, self._one_hot[targets]
        return inputs, self._one_hot[targets], self._weights[targets]

    def on_epoch_end(self):
        if self._seed is not None:
            self._epoch += 1
            self._order = self._drawn()

    def _drawn(self):
        """Draw as many rows as there are, by the shares of the classes, evenly within a class."""
        rng = np.random.default_rng([self._seed, self._epoch])
        targets = self._targets[self._rows]
        drawn = []
        for target, share in enumerate(self._shares):
            members = rng.permutation(self._rows[targets == target])
            drawn.append(np.resize(members, math.ceil(share * len(self._rows))))
        return rng.permutation(np.concatenate(drawn))[: len(self._rows)]


class _Recorder(keras.callbacks.Callback):
    """Collects one row an epoch and writes it to the log."""

    def __init__(self, epochs):
        super().__init__()
        self.rows = []
        self._epochs = epochs

    def on_epoch_begin(self, epoch, logs=None):
        self._started = time.perf_counter()

    def on_epoch_end(self, epoch, logs=None):
        row = {
            "epoch": epoch + 1,
            "loss": logs["loss"],
            "accuracy": logs["accuracy"],
            "validation_loss": logs["val_loss"],
            "validation_accuracy": logs["val_accuracy"],
            "learning_rate": float(self.model.optimizer.learning_rate),
            "seconds": time.perf_counter() - self._started,
        }
        self.rows.append(row)
        logger.info(
            "epoch %d/%d: loss %.4f, accuracy %.3f, validation loss %.4f, accuracy %.3f",
            row["epoch"],
            self._epochs,
            row["loss"],
            row["accuracy"],
            row["validation_loss"],
            row["validation_accuracy"],
        )


def _save(model, path):
    # Under its own name only when complete; Keras wants the suffix.
    partial = path.with_name(f".{path.stem}.partial.keras")
    model.save(partial)
    partial.replace(path)


def _data_hash(clips, names, roles):
    digest = hashlib.sha256()
    for start in range(0, len(clips), 256):
        digest.update(np.ascontiguousarray(clips[start : start + 256]).tobytes())
    digest.update(
        "\n".join(f"{name}\t{role}" for name, role in zip(names, roles, strict=True)).encode()
    )
    return digest.hexdigest()
