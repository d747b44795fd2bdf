"""Batches of labelled clips, in which the classes have chosen proportions."""

from collections.abc import Callable

import numpy as np

from damascene.clips.network_input import network_inputs
from damascene.learning.augmentation import augment_clips
from damascene.learning.batches import Batches
from damascene.learning.class_balance import class_proportions, class_weights, draw_balanced


def clip_reader(
    clips: np.ndarray,
    descriptors: np.ndarray | None,
    targets: np.ndarray,
    *,
    grey_scaling: str,
    augmentation: dict | None,
) -> Callable:
    """Return what reads the clips of a batch, for `learning.batches.Batches`.

    Parameters
    ----------
    clips : numpy.ndarray, uint8, shape (n, size, size, scales)
        May be memory-mapped.
    descriptors : numpy.ndarray, float32, shape (n, descriptors), or None
    targets : numpy.ndarray, float32, shape (n, classes)
    grey_scaling : str
        See `network_input.scale_grey`.
    augmentation : dict or None
        Options of `augmentation.augment_clips`; clips stay as they are without it.
    """

    def read(rows, rng):
        shown = clips[rows]
        if rng is not None and augmentation is not None:
            shown = augment_clips(shown, rng=rng, **augmentation)
        inputs = network_inputs(
            shown,
            None if descriptors is None else descriptors[rows],
            grey_scaling=grey_scaling,
        )
        return inputs, targets[rows]

    return read


def balanced_batches(
    read: Callable,
    *,
    members: np.ndarray,
    class_count: int,
    rule: str,
    batch_size: int,
    seed: int,
) -> Callable:
    """Return what makes the batches of training and validation sites, for `descent.descend`.

    The proportions of the classes follow from the training sites. They are drawn by them, and the
    validation sites weigh by them, so that both losses are of one kind.

    Parameters
    ----------
    read : callable
        From `clip_reader`.
    members : numpy.ndarray, int, shape (n,)
        Class that a site counts for.
    class_count : int
    rule : str
        See `class_balance.class_proportions`.
    batch_size, seed : int
    """

    def batches(train, validation):
        counts = np.bincount(members[train], minlength=class_count)
        proportions = class_proportions(counts, rule=rule)

        def draw(rows, rng):
            return draw_balanced(rows, members[rows], proportions=proportions, rng=rng)

        drawn = Batches(read=read, batch_size=batch_size, rows=train, seed=seed, draw=draw)
        if not len(validation):
            return drawn, None
        weights = class_weights(members[validation], proportions).astype(np.float32)
        return drawn, Batches(
            read=read, batch_size=batch_size, rows=validation, weights=weights[members]
        )

    return batches
