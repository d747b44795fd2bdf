"""Batches of examples, read and changed as they are needed."""

import math
import os
from collections.abc import Callable

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np


class Batches(keras.utils.PyDataset):
    """Examples with their targets; with a seed in random order and changed at random.

    Every batch follows from the seed, the epoch and its place alone, so that a training that was
    interrupted goes on with the same batches.

    Parameters
    ----------
    read : callable (rows, rng) -> (inputs, targets)
        Returns the examples of some rows as the network takes them, and what it is to answer: the
        classes of sites, or images. It changes the examples at random by the generator, or leaves
        them as they are without one (None). Several threads call it.
    rows : numpy.ndarray, int
        Rows that take part. Without a seed each comes once, in this order.
    batch_size : int
    seed : int, optional
    draw : callable (rows, rng) -> rows, optional
        Draws the rows of an epoch, as many as there are; by default all of them in random order.
    weights : numpy.ndarray, float32, optional
        Of all examples in the loss, by their row.
    """

    def __init__(
        self,
        *,
        read: Callable,
        rows: np.ndarray,
        batch_size: int,
        seed: int | None = None,
        draw: Callable | None = None,
        weights: np.ndarray | None = None,
    ):
        # Threads that prepare batches while the network works on one; the order stays.
        super().__init__(workers=2, use_multiprocessing=False, max_queue_size=8)
        self._read, self._rows, self._batch_size = read, rows, batch_size
        self._seed, self._draw, self._weights = seed, draw or _shuffled, weights
        self.start_epoch(0)

    def __len__(self):
        """Return the number of batches in an epoch."""
        return math.ceil(len(self._rows) / self._batch_size)

    def __getitem__(self, index):
        """Return the inputs, the targets and, where there are any, the weights of one batch."""
        chosen = self._order[index * self._batch_size : (index + 1) * self._batch_size]
        rng = None
        if self._seed is not None:
            # Seeds that differ in trailing zeros only give the same numbers.
            rng = np.random.default_rng([self._seed, self._epoch, index + 1])
        batch = self._read(chosen, rng)
        return batch if self._weights is None else (*batch, self._weights[chosen])

    def on_epoch_end(self):
        """Draw the order of the next epoch."""
        self.start_epoch(self._epoch + 1)

    def start_epoch(self, epoch: int) -> None:
        """Draw the order of an epoch, counted from 0."""
        self._epoch, self._order = epoch, self._rows
        if self._seed is not None:
            self._order = self._draw(self._rows, np.random.default_rng([self._seed, epoch]))


def _shuffled(rows, rng):
    return rng.permutation(rows)
