"""What every trainer shares, by a network that answers with images instead of classes."""

import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest

from damascene.learning.batches import Batches
from damascene.learning.class_balance import draw_balanced
from damascene.learning.descent import Descent, checkpoints_beside, descend

SCRIPTS = Path(__file__).parents[2] / "workflow/scripts"
OPTIONS = Descent(
    epochs=30, patience=30, refit=True, learning_rate=0.05, schedule="cosine", weight_decay=0
)


def images(count=40, size=12):
    """Return smooth images, and the same with noise."""
    rng = np.random.default_rng(0)
    angle = rng.uniform(0, np.pi, (count, 1, 1, 1))
    y, x = np.mgrid[:size, :size] / size
    smooth = np.sin(3 * (x * np.cos(angle[..., 0]) + y * np.sin(angle[..., 0])))[..., np.newaxis]
    return smooth, smooth + rng.normal(0, 0.5, smooth.shape)


def denoise(folder):
    smooth, noisy = (each.astype(np.float32) for each in images())

    def build(rows):
        keras.utils.set_random_seed(1)
        given = keras.Input((12, 12, 1))
        return keras.Model(given, keras.layers.Conv2D(1, 5, padding="same")(given))

    def read(rows, rng):
        # Mirrored together, as an image and its answer belong together.
        step = -1 if rng is not None and rng.random() < 0.5 else 1
        return noisy[rows, :, ::step], smooth[rows, :, ::step]

    def batches(train, validation):
        unseen = Batches(read=read, rows=validation, batch_size=8) if len(validation) else None
        return Batches(read=read, rows=train, batch_size=8, seed=3), unseen

    return descend(
        build,
        batches,
        train=np.arange(30),
        validation=np.arange(30, 40),
        loss=keras.losses.MeanSquaredError(),
        options=OPTIONS,
        checkpoints=checkpoints_beside(folder / "m.keras", "denoise"),
    )


def test_a_network_learns_to_answer_with_images(tmp_path):
    model, history = denoise(tmp_path)
    assert list(history.columns) == [
        "run",
        "epoch",
        "loss",
        "validation_loss",
        "learning_rate",
        "seconds",
    ]
    smooth, noisy = images()
    left = np.mean((model.predict(noisy, verbose=0) - smooth) ** 2)
    # A mean of 25 pixels leaves a twenty-fifth of the noise's variance where steel is even.
    assert left < 0.3 * np.mean((noisy - smooth) ** 2)
    best = history[history["run"] == "selection"]["validation_loss"].idxmin() + 1
    assert (history["run"] == "refit").sum() == best


def test_it_is_the_same_when_trained_again(tmp_path):
    folders = [tmp_path / name for name in "ab"]
    for folder in folders:
        folder.mkdir()
    first, second = (denoise(folder)[0].get_weights() for folder in folders)
    assert all(np.array_equal(a, b) for a, b in zip(first, second, strict=True))


def test_batches_follow_from_seed_epoch_and_place_alone():
    seen = []

    def read(rows, rng):
        seen.append((tuple(rows), None if rng is None else rng.random()))
        return rows, rows

    def batches(**options):
        return Batches(read=read, rows=np.arange(10), batch_size=4, **options)

    drawn = batches(seed=1)
    for index in range(3):
        drawn[index]
    first = seen.copy()
    assert sorted(sum((rows for rows, _ in first), ())) == list(range(10))
    drawn.on_epoch_end()
    drawn[0]
    assert seen[-1] != first[0]
    again = batches(seed=1)
    again.start_epoch(1)
    again[0]
    assert seen[-1] == seen[-2]
    plain = batches(weights=np.arange(10) / 10)
    *_, weights = plain[2]
    assert seen[-1] == ((8, 9), None) and weights.tolist() == [0.8, 0.9]


def test_classes_are_drawn_by_their_proportions():
    members = np.repeat([0, 1], [36, 4])
    rows = draw_balanced(
        np.arange(40), members, proportions=[0.5, 0.5], rng=np.random.default_rng(0)
    )
    assert np.bincount(members[rows]).tolist() == [20, 20]
    # Evenly within a class: each of the rare ones five times.
    assert np.bincount(rows)[36:].tolist() == [5, 5, 5, 5]


@pytest.mark.parametrize("module", ["descent", "augmentation", "device"])
def test_learning_needs_no_other_stage(module):
    program = (
        f"import sys, damascene.learning.{module}; "
        "print(sorted({name.split('.')[1] for name in sys.modules "
        "if name.startswith('damascene.')} - {'learning', 'files'}))"
    )
    run = subprocess.run(
        [sys.executable, "-c", program], cwd=SCRIPTS, capture_output=True, text=True, check=True
    )
    assert run.stdout.split() == ["[]"]
