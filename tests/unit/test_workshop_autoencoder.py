"""The autoencoder of the workshop learns to draw again what it has seen, and the same each time."""

import numpy as np
import pytest

from damascene.workshop.autoencoder import train_autoencoder


@pytest.fixture(scope="module")
def clips():
    """Return spots of many places on grey, so that two numbers tell all of a clip."""
    rng = np.random.default_rng(1)
    down, across = np.mgrid[:16, :16]
    places = rng.uniform(4, 12, size=(120, 2, 1, 1))
    away = (down - places[:, 0]) ** 2 + (across - places[:, 1]) ** 2
    return (0.6 - 0.5 * np.exp(-away / 8)).astype(np.float32)


def test_clips_are_drawn_again_from_few_numbers(clips):
    network = train_autoencoder(clips[:100], code=4, epochs=40, seed=3)
    assert network.codes(clips).shape == (120, 4)
    drawn = network.drawn(clips[100:])
    assert drawn.shape == (20, 16, 16)
    mean = clips[:100].mean(axis=0)
    error, without = np.mean((drawn - clips[100:]) ** 2), np.mean((mean - clips[100:]) ** 2)
    assert error < 0.3 * without
    assert network.losses[-1] < 0.5 * network.losses[0]


def test_one_seed_gives_one_network(clips):
    first, again = (train_autoencoder(clips, code=2, epochs=2, seed=5) for _ in range(2))
    assert np.array_equal(first.codes(clips), again.codes(clips))
    other = train_autoencoder(clips, code=2, epochs=2, seed=6)
    assert not np.array_equal(first.codes(clips), other.codes(clips))
