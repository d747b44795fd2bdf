"""Batches of labelled clips, read and changed as they are needed."""

import math
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np

from damascene.classification.targets import class_weights
from damascene.clips.clips import network_inputs
from damascene.learning.augmentation import augment_clips


class Batches(keras.utils.PyDataset):
    """Clips with their targets; with a seed drawn at random, as for training.

    Every batch follows from the seed, the epoch and its place alone, so that a training that was
    interrupted goes on with the same batches.

    Parameters
    ----------
    clips : numpy.ndarray, uint8, shape (n, size, size, scales)
        May be memory-mapped.
    descriptors : numpy.ndarray, float32, shape (n, descriptors), or None
    targets : numpy.ndarray, float32, shape (n, classes)
    members : numpy.ndarray, int, shape (n,)
        Class whose share a site counts for.
    rows : numpy.ndarray, int
        Rows that take part.
    shares : numpy.ndarray, float, shape (classes,)
        Share of each class in an epoch. Without a seed every row comes once, in its order, with a
        weight that gives the classes these shares.
    batch_size : int
    grey_scaling : str
        See `clips.scale_grey`.
    seed : int, optional
    augmentation : dict, optional
        Options of `augmentation.augment_clips`; clips stay as they are without it.
    """

    def __init__(
        self,
        *,
        clips,
        descriptors,
        targets,
        members,
        rows,
        shares,
        batch_size,
        grey_scaling,
        seed=None,
        augmentation=None,
    ):
        # Threads that prepare batches while the network works on one; the order stays.
        super().__init__(workers=2, use_multiprocessing=False, max_queue_size=8)
        self._clips, self._descriptors, self._targets = clips, descriptors, targets
        self._members, self._rows, self._shares = members, rows, shares
        self._batch_size, self._grey_scaling = batch_size, grey_scaling
        self._seed, self._augmentation = seed, augmentation
        self._weights = class_weights(members[rows], shares).astype(np.float32)
        self.start_epoch(0)

    def __len__(self):
        """Return the number of batches in an epoch."""
        return math.ceil(len(self._rows) / self._batch_size)

    def __getitem__(self, index):
        """Return the inputs, targets and, without a seed, the weights of one batch."""
        chosen = self._order[index * self._batch_size : (index + 1) * self._batch_size]
        clips = self._clips[chosen]
        if self._augmentation is not None:
            # Seeds that differ in trailing zeros only give the same numbers.
            rng = np.random.default_rng([self._seed, self._epoch, index + 1])
            clips = augment_clips(clips, rng=rng, **self._augmentation)
        inputs = network_inputs(
            clips,
            None if self._descriptors is None else self._descriptors[chosen],
            grey_scaling=self._grey_scaling,
        )
        if self._seed is not None:
            return inputs, self._targets[chosen]
        return inputs, self._targets[chosen], self._weights[self._members[chosen]]

    def on_epoch_end(self):
        """Draw the order of the next epoch."""
        self.start_epoch(self._epoch + 1)

    def start_epoch(self, epoch: int) -> None:
        """Draw the order of an epoch, counted from 0."""
        self._epoch = epoch
        self._order = self._rows if self._seed is None else self._drawn()

    def _drawn(self):
        """Draw as many rows as there are, by the shares of the classes, evenly within a class."""
        rng = np.random.default_rng([self._seed, self._epoch])
        members = self._members[self._rows]
        drawn = []
        for member, share in enumerate(self._shares):
            of_class = rng.permutation(self._rows[members == member])
            if len(of_class):
                drawn.append(np.resize(of_class, math.ceil(share * len(self._rows) - 1e-9)))
        return rng.permutation(np.concatenate(drawn))[: len(self._rows)]
