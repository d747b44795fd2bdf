"""What a training has reached: written to the log and to a file from which it can go on."""

import json
import logging
import os
import time
import zipfile
from collections.abc import Sequence
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np

from damascene.files import written_whole

logger = logging.getLogger(__name__)


class Progress(keras.callbacks.Callback):
    """Records each epoch, keeps the best weights, stops in time, and survives a kill.

    After every epoch all that the next one depends on is written to one file: weights, state of
    the optimiser and of the dropout, and the epochs so far. A training with the same key that finds
    the file goes on from there and ends with the same weights as one that was never stopped.

    Parameters
    ----------
    path : pathlib.Path
        The file; its folder must exist.
    key : str
        Hash of everything the training depends on. A file of another key is left aside.
    epochs : int
        For the log.
    patience : int or None
        Epochs without a better validation loss after which training stops; None where there is no
        validation: all epochs are run and the last weights count.
    metrics : sequence of str, optional
        Names of what is recorded beside the loss.

    Attributes
    ----------
    rows : list of dict
        epoch, loss and each metric, the same of the validation examples with `validation_` before
        the name, learning_rate, seconds.
    """

    def __init__(
        self,
        path: Path,
        *,
        key: str,
        epochs: int,
        patience: int | None,
        metrics: Sequence[str] = (),
    ):
        super().__init__()
        self.rows = []
        self._recorded = ("loss", *metrics)
        self._path, self._key = path, key
        self._epochs, self._patience = epochs, patience
        self._best = None

    @property
    def best_epoch(self) -> int:
        """The epoch, from 1, whose weights are kept."""
        if self._patience is None:
            return len(self.rows)
        return int(np.argmin([row["validation_loss"] for row in self.rows])) + 1

    @property
    def finished(self) -> bool:
        """Whether no further epoch is to be run."""
        done = len(self.rows)
        if done and self._patience is not None and done - self.best_epoch >= self._patience:
            return True
        return done >= self._epochs

    def resume(self, model: keras.Model) -> int:
        """Bring a compiled model to where the file left off, and return the epochs done."""
        model.optimizer.build(model.trainable_variables)
        try:
            with np.load(self._path) as stored:
                told = json.loads(str(stored["told"]))
                if told["key"] != self._key:
                    return 0
                for index, variable in enumerate(_state(model)):
                    variable.assign(stored[f"state_{index}"])
                self._best = [stored[f"best_{index}"] for index in range(told["best"])]
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
            # There is none, or it is no such file.
            return 0
        self.rows = told["rows"]
        logger.info("continuing after epoch %d of an interrupted training", len(self.rows))
        return len(self.rows)

    def keep_best(self, model: keras.Model) -> None:
        """Give the model the weights of its best epoch."""
        if self._best:
            model.set_weights(self._best)

    def on_epoch_begin(self, epoch, logs=None):
        """Start the clock."""
        self._started = time.perf_counter()

    def on_epoch_end(self, epoch, logs=None):
        """Record the epoch, and stop after the last one."""
        self.rows.append(
            {
                "epoch": epoch + 1,
                **{name: logs[name] for name in self._recorded},
                **{
                    f"validation_{name}": logs.get(f"val_{name}", np.nan) for name in self._recorded
                },
                "learning_rate": float(self.model.optimizer.learning_rate),
                "seconds": time.perf_counter() - self._started,
            }
        )
        if self._patience is not None and self.best_epoch == epoch + 1:
            self._best = self.model.get_weights()
        self._write()
        self._tell(self.rows[-1])
        if self.finished:
            self.model.stop_training = True

    def _write(self):
        best = self._best or []
        told = {"key": self._key, "rows": self.rows, "best": len(best)}
        arrays = {f"state_{i}": variable.numpy() for i, variable in enumerate(_state(self.model))}
        arrays |= {f"best_{i}": weights for i, weights in enumerate(best)}
        # A kill while writing must not spoil what was there before.
        with written_whole(self._path) as (part,):
            np.savez(part, told=json.dumps(told), **arrays)

    def _tell(self, row):
        text = self._shown(row, "")
        if self._patience is not None:
            text += ", validation " + self._shown(row, "validation_")
        logger.info("epoch %d/%d: %s", row["epoch"], self._epochs, text)

    def _shown(self, row, prefix):
        return ", ".join(f"{name} {row[prefix + name]:.4f}" for name in self._recorded)


def _state(model):
    """Return all that changes from step to step: weights, dropout seeds, optimiser."""
    return [*model.variables, *model.optimizer.variables]
