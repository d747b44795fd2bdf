"""Training of the networks that denoise."""

import functools
import os
from collections.abc import Callable, Sequence
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
import pandas as pd

from damascene.learning.batches import Batches
from damascene.learning.descent import Descent, checkpoints_beside, descend
from damascene.learning.patch_augmentation import PatchChanges
from damascene.learning.patches import Patches, Scene
from damascene.networks.receptive_field import multiple_px
from damascene.restoration.cells import CELL_PX, Layout, to_cells
from damascene.restoration.learned import build_denoiser, given_to_network
from damascene.restoration.likelihood import RecordedGreyLoss, base_of, void_weight

PATCH_PX = 96
BATCH_SIZE = 8
#: Batches of an epoch, 18 megapixels.
EPOCH_BATCHES = 250
_VALIDATION_BATCHES = 16
_LEARNING_RATE = 3e-3
# Of so many scenes one is kept from training, to see how it goes.
_VALIDATION_STEP = 10


def train_denoiser(
    scenes: Sequence[Scene],
    prepare: Callable,
    *,
    network: dict,
    epochs: int,
    epoch_batches: int = EPOCH_BATCHES,
    seed: int,
    model_path: str | Path,
) -> tuple[keras.Model, pd.DataFrame, str]:
    """Train a network to denoise.

    The weights of the epoch with the least loss on scenes that were kept from training count. A
    training that was killed goes on after its last whole epoch.

    Parameters
    ----------
    scenes : sequence of Scene
        What is given, and what is asked.
    prepare : callable
        As `patches.Patches` takes it; see `asked_pixels`.
    network : dict
        Options of `learned.build_denoiser`.
    epochs : int
        Of `epoch_batches` batches.
    epoch_batches : int, optional
    seed : int
    model_path : path
        Where the caller writes the network; unfinished trainings lie beside it.

    Returns
    -------
    model : keras.Model
    history : pandas.DataFrame
        See `learning.descent.descend`.
    sha256 : str
        Of the grey values.
    """
    edge = min(PATCH_PX, *(length for scene in scenes for length in scene.image.shape))
    period = CELL_PX * multiple_px(build_denoiser(**network))
    patches = Patches(
        scenes,
        patch_px=edge // period * period,
        prepare=prepare,
        changes=PatchChanges(),
    )
    kept = range(_VALIDATION_STEP - 1, len(scenes), _VALIDATION_STEP) or [len(scenes) - 1]
    learned = sorted({*range(len(scenes))} - {*kept}) or kept
    options = Descent(epochs=epochs, patience=epochs, learning_rate=_LEARNING_RATE)
    sha256 = patches.sha256()
    checkpoints = checkpoints_beside(
        Path(model_path), sha256, seed, epochs, epoch_batches, repr(network)
    )
    model, history = descend(
        lambda _: _built(seed, **network),
        lambda train, validation: (
            Batches(read=patches.read, rows=train, batch_size=BATCH_SIZE, seed=seed),
            Batches(read=patches.read, rows=validation, batch_size=BATCH_SIZE),
        ),
        train=patches.rows(learned, count=epoch_batches * BATCH_SIZE),
        validation=patches.rows(kept, count=_VALIDATION_BATCHES * BATCH_SIZE),
        loss=RecordedGreyLoss(),
        options=options,
        checkpoints=checkpoints,
    )
    return model, history, sha256


def asked_pixels(
    layout: Layout, *, noise: float, seen_noise: float | None, dark_grey: float | None = None
) -> Callable:
    """Return a function that prepares patches whose target is a recorded image.

    Parameters
    ----------
    layout : Layout
    noise : float
        Standard deviation of the noise of the target.
    seen_noise : float or None
        See `likelihood.base_of`.
    dark_grey : float, optional
        Grey below which pixels of the target count more, see `likelihood.void_weight`; not with a
        noisy target, whose dark pixels are noise.
    """
    return functools.partial(
        prepared, layout=layout, noise=noise, seen_noise=seen_noise, dark_grey=dark_grey
    )


def prepared(
    grey: np.ndarray,
    target: np.ndarray,
    counts: np.ndarray,
    rng: np.random.Generator | None,
    *,
    layout: Layout,
    noise: float,
    seen_noise: float | None,
    told: float | None = None,
    dark_grey: float | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Return what the network sees of the cells of a patch, and what it is to answer."""
    weight = 1 if dark_grey is None else void_weight(target, dark_grey)
    cells = to_cells(grey)
    answered = list(layout.answered)
    recorded = to_cells(target)[..., answered]
    base = base_of(cells[..., list(layout.seen)], noise=seen_noise)
    asked = [
        recorded,
        np.broadcast_to(base, recorded.shape),
        np.full(recorded.shape, noise),
        to_cells((weight * counts).astype(np.float32))[..., answered],
    ]
    return given_to_network(cells, layout, noise=told), np.concatenate(asked, axis=-1)


def _built(seed, **network):
    keras.utils.set_random_seed(seed)
    return build_denoiser(**network)
