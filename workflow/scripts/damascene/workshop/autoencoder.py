"""A small network that squeezes clips through a few numbers and draws them again."""

from dataclasses import dataclass

import keras
import numpy as np
import tensorflow as tf


@dataclass(frozen=True, kw_only=True, eq=False)
class Autoencoder:
    """A trained autoencoder.

    Attributes
    ----------
    encoder, decoder : keras.Model
        From clips to codes, and back.
    losses : numpy.ndarray, float64, shape (epochs,)
        Mean squared error of each epoch on what was learned from.
    """

    encoder: keras.Model
    decoder: keras.Model
    losses: np.ndarray

    def codes(self, clips: np.ndarray) -> np.ndarray:
        """Return the code of each clip, float32 (n, code)."""
        return np.asarray(self.encoder(clips[..., None], training=False))

    def drawn(self, clips: np.ndarray) -> np.ndarray:
        """Return clips as they are drawn again from their codes, float32 (n, edge, edge)."""
        return np.asarray(self.decoder(self.codes(clips), training=False))[..., 0]


def train_autoencoder(clips: np.ndarray, *, code: int, epochs: int, seed: int) -> Autoencoder:
    """Train an autoencoder on clips; no label is needed, as the clip is its own answer.

    Parameters
    ----------
    clips : numpy.ndarray, float32, shape (n, edge, edge)
        Grey values from 0 to 1; the edge is a multiple of 4. Mirror images are learned as well.
    code : int
        Numbers that a clip is squeezed into.
    epochs : int
    seed : int

    Returns
    -------
    Autoencoder
        The same each time, for one seed on one machine.

    References
    ----------
    Hinton & Salakhutdinov, Reducing the dimensionality of data with neural networks, Science 313
    (2006) 504-507, 10.1126/science.1127647.
    """
    keras.utils.set_random_seed(seed)
    tf.config.experimental.enable_op_determinism()
    quarter = clips.shape[1] // 4
    layers = keras.layers
    encoder = keras.Sequential(
        [
            keras.Input((*clips.shape[1:], 1)),
            layers.Conv2D(8, 3, strides=2, padding="same", activation="elu"),
            layers.Conv2D(16, 3, strides=2, padding="same", activation="elu"),
            layers.Flatten(),
            layers.Dense(code),
        ]
    )
    decoder = keras.Sequential(
        [
            keras.Input((code,)),
            layers.Dense(quarter * quarter * 16, activation="elu"),
            layers.Reshape((quarter, quarter, 16)),
            layers.Conv2DTranspose(8, 3, strides=2, padding="same", activation="elu"),
            layers.Conv2DTranspose(1, 3, strides=2, padding="same", activation="sigmoid"),
        ]
    )
    whole = keras.Sequential([encoder, decoder])
    whole.compile(optimizer=keras.optimizers.Adam(3e-3), loss="mse")
    mirrored = np.concatenate([clips, clips[:, ::-1], clips[:, :, ::-1], clips[:, ::-1, ::-1]])
    shown = mirrored[..., None]
    history = whole.fit(shown, shown, batch_size=64, epochs=epochs, verbose=0)
    return Autoencoder(encoder=encoder, decoder=decoder, losses=np.array(history.history["loss"]))
