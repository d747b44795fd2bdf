"""Training by gradient descent, for any network and any targets."""

import contextlib
import hashlib
import json
import logging
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
import pandas as pd

from damascene.learning.batches import Batches
from damascene.learning.optimizer import scheduled_adamw
from damascene.learning.progress import Progress

logger = logging.getLogger(__name__)

_RUNS = ("selection", "refit")


@dataclass(frozen=True, kw_only=True)
class Descent:
    """How a network descends the gradient.

    Attributes
    ----------
    epochs : int
        At most; the schedule of the learning rate is laid out for them.
    patience : int
        Epochs without a better validation loss after which training stops.
    refit : bool
        Whether the network is then trained anew on training and validation examples together, for
        as many epochs as were best.
    learning_rate, schedule, weight_decay, last_layer_factor, encoder_factor
        See `optimizer.scheduled_adamw`.
    mixed_precision : bool
        Calculate in half precision where that is safe. The model that is returned calculates in
        single precision.
    """

    epochs: int
    patience: int
    refit: bool = False
    learning_rate: float
    schedule: str = "cosine"
    weight_decay: float = 0
    last_layer_factor: float = 1
    encoder_factor: float = 1
    mixed_precision: bool = False


def checkpoints_beside(model_path: Path, *given: object) -> list[tuple[Path, str]]:
    """Return the file of each unfinished run of a training and the key of all it depends on.

    Parameters
    ----------
    model_path : pathlib.Path
        Where the model will be written; the files lie beside it.
    *given
        All that the training depends on, as JSON can hold it.
    """
    checkpoints = []
    for run in _RUNS:
        key = json.dumps([run, *given, keras.__version__])
        path = model_path.with_name(f".{model_path.stem}.{run}.checkpoint.npz")
        checkpoints.append((path, hashlib.sha256(key.encode()).hexdigest()))
    return checkpoints


def descend(
    build: Callable[[np.ndarray], keras.Model],
    batches: Callable[[np.ndarray, np.ndarray], tuple[Batches, Batches | None]],
    *,
    train: np.ndarray,
    validation: np.ndarray,
    loss: keras.losses.Loss,
    metrics: Sequence[str | Callable] = (),
    options: Descent,
    checkpoints: Sequence[tuple[Path, str]],
) -> tuple[keras.Model, pd.DataFrame]:
    """Train a network until the validation loss says when to stop, and anew for `refit`.

    A training that was killed goes on after its last whole epoch when it is started again.

    Parameters
    ----------
    build : callable rows -> keras.Model
        Builds the network with the weights it starts from; `rows` are the training rows, for
        layers that adapt to them. It is called for every run, and once more to store a network
        that was trained in half precision.
    batches : callable (train, validation) -> pair of Batches
        Batches of the training rows, drawn at random, and of the validation rows as they are;
        None for the second where there are no validation rows.
    train, validation : numpy.ndarray, int
        Rows of the examples.
    loss : keras.losses.Loss
    metrics : sequence of str or callable, optional
        What is recorded beside the loss: names of Keras, or functions (y_true, y_pred) that
        return a value for each example.
    options : Descent
    checkpoints : sequence of (path, key)
        From `checkpoints_beside`. The files stay until the caller has stored the model.

    Returns
    -------
    model : keras.Model
        With the weights of its best epoch, or of the last one of `refit`.
    history : pandas.DataFrame
        run (`selection` or `refit`) and the columns of `progress.Progress.rows`.
    """
    (path, key), (refit_path, refit_key) = checkpoints
    given = {"loss": loss, "metrics": metrics, "options": options}
    recorded = {"metrics": [getattr(each, "__name__", each) for each in metrics]}
    selection = Progress(
        path, key=key, epochs=options.epochs, patience=options.patience, **recorded
    )
    model = _fit(build, batches, train, validation, progress=selection, **given)
    runs = [pd.DataFrame(selection.rows).assign(run=_RUNS[0])]
    if options.refit:
        best = selection.best_epoch
        logger.info("best after epoch %d; training again, with the validation sites", best)
        refit = Progress(refit_path, key=refit_key, epochs=best, patience=None, **recorded)
        both = np.concatenate([train, validation])
        model = _fit(build, batches, both, both[:0], progress=refit, **given)
        runs.append(pd.DataFrame(refit.rows).assign(run=_RUNS[1]))
    history = pd.concat(runs, ignore_index=True)
    history.insert(0, "run", history.pop("run"))
    return model, history


def _fit(build, batches, rows, validation_rows, *, progress, loss, metrics, options):
    """Train from the start, or from where an interrupted training left off."""
    drawn, unseen = batches(rows, validation_rows)
    with _precision("mixed_float16" if options.mixed_precision else "float32"):
        model = build(rows)
    optimizer = scheduled_adamw(
        learning_rate=options.learning_rate,
        schedule=options.schedule,
        steps=options.epochs * len(drawn),
        weight_decay=options.weight_decay,
        last_layer_factor=options.last_layer_factor,
        encoder_factor=options.encoder_factor,
    )
    model.compile(optimizer=optimizer, loss=loss, metrics=list(metrics))
    done = progress.resume(model)
    if not progress.finished:
        drawn.start_epoch(done)
        model.fit(
            drawn,
            initial_epoch=done,
            epochs=options.epochs,
            validation_data=unseen,
            callbacks=[progress],
            shuffle=False,
            verbose=0,
        )
    progress.keep_best(model)
    if options.mixed_precision:
        # The stored model calculates in single precision wherever it is used.
        weights = model.get_weights()
        model = build(rows)
        model.set_weights(weights)
    return model


@contextlib.contextmanager
def _precision(policy):
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(policy)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)
