"""EfficientNet-Lite0 adapted to simulated steel, for `networks.steel_lite0`.

All weights of the network are trained on the five classes of simulated sites, starting from those
of ImageNet. Those that are kept lie between the two: a network that has seen simulated steel alone
forgets textures that only real steel has.

References
----------
Wortsman et al., Robust fine-tuning of zero-shot models, arXiv 2109.01903 (means of the weights
before and after a training).
"""

import logging
import os
import tempfile
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
import tensorflow as tf

from damascene.classes import SITE_CLASSES
from damascene.classification.batches import balanced_batches, clip_reader
from damascene.clips.pictures import cut_pictures
from damascene.clips.windows import window_px
from damascene.files import written_whole
from damascene.images.store import TiledImage
from damascene.learning.augmentation import augmentation_options
from damascene.learning.descent import Descent, checkpoints_beside, descend
from damascene.networks import network_named
from damascene.networks.build import build_network
from damascene.networks.efficientnet import lite0_layers
from damascene.networks.last_layer import FEATURES, softmax_layer
from damascene.simulation import simulate_panorama

logger = logging.getLogger(__name__)

_NETWORK = "efficientnet_lite0"
_WINDOW, _CENTRE = "5 um", 0.5
_SHAPE = (5120, 6144)
# The panoramas differ in what a microscope or a test sets.
_PIXEL_NM = (32, 38, 45, 52, 57, 48, 42, 35)
_STRAIN_PERCENT = (12, 6, 12, 9)
_DWELL_TIME_NS = (3000, 1500, 6000)
# People do not mark the centre of a site to the pixel.
_OFF_PX = 1.5
_PART_OF_STEEL = 0.3
_VALIDATED = 20
_DROPOUT = 0.5
_DESCENT = {
    "learning_rate": 3e-4,
    "weight_decay": 1e-2,
    "last_layer_factor": 10,
}


def adapt_to_steel(
    *,
    panoramas: int,
    epochs: int,
    seed: int,
    weights_path: str | Path,
    part_of_steel: float = _PART_OF_STEEL,
    threads: int = 1,
) -> None:
    """Train EfficientNet-Lite0 on simulated sites and write the weights for `steel_lite0`.

    Parameters
    ----------
    panoramas : int
        Simulated panoramas, of about 500 sites each.
    epochs : int
    seed : int
        Of the panoramas and of the training.
    weights_path : path of the `.npz` file to write
        Kernel and bias of each layer in half precision.
    part_of_steel : float, optional
        Weights are those of ImageNet with 0, those after the training with 1.
    threads : int, optional
        Of the simulation.
    """
    clips, targets = simulated_clips(panoramas, seed=seed, threads=threads)
    spec = network_named(_NETWORK)
    members = targets.argmax(axis=1)
    validation = np.arange(len(clips)) % _VALIDATED == 0
    tf.config.experimental.enable_op_determinism()

    def build(_):
        seen = build_network(
            _NETWORK, seed=seed, class_count=len(SITE_CLASSES), scales=clips.shape[3]
        )
        for layer in seen.layers:
            layer.trainable = True
        features = keras.layers.Dropout(_DROPOUT, seed=seed)(seen.get_layer(FEATURES).output)
        model = keras.Model(seen.input, softmax_layer(len(SITE_CLASSES))(features))
        # All classes alike at first, so that the first steps do not spoil what ImageNet taught.
        last = model.get_layer("classes")
        last.set_weights([np.zeros_like(each) for each in last.get_weights()])
        return model

    before = _weights(build(None))
    checkpoints = checkpoints_beside(Path(weights_path), panoramas, epochs, seed, _DESCENT)
    model, history = descend(
        build,
        balanced_batches(
            clip_reader(
                clips,
                None,
                targets,
                grey_scaling=spec.grey_scaling,
                augmentation=augmentation_options("strong", rotation_deg=15),
            ),
            members=members,
            class_count=len(SITE_CLASSES),
            rule="square_root",
            batch_size=32,
            seed=seed,
        ),
        train=np.flatnonzero(~validation),
        validation=np.flatnonzero(validation),
        loss=keras.losses.CategoricalCrossentropy(label_smoothing=0.1),
        metrics=["accuracy"],
        options=Descent(epochs=epochs, patience=epochs, **_DESCENT),
        checkpoints=checkpoints,
    )
    logger.info("%d simulated sites\n%s", len(clips), history.to_string())
    after = _weights(model)
    kept = {
        name: ((1 - part_of_steel) * start + part_of_steel * after[name]).astype(np.float16)
        for name, start in before.items()
    }
    with written_whole(weights_path) as (part,), part.open("wb") as file:
        np.savez_compressed(file, **kept)
    for path, _ in checkpoints:
        path.unlink(missing_ok=True)


def simulated_clips(panoramas: int, *, seed: int, threads: int) -> tuple[np.ndarray, np.ndarray]:
    """Return what a network sees of simulated sites, and their classes.

    Parameters
    ----------
    panoramas, seed, threads
        See `adapt_to_steel`.

    Returns
    -------
    clips : numpy.ndarray, uint8, shape (n, size, size, 2)
    targets : numpy.ndarray, float32, shape (n, classes)
        One-hot, in the order of `SITE_CLASSES`.
    """
    clips, labels = [], []
    for number in range(panoramas):
        pixel_nm = _PIXEL_NM[number % len(_PIXEL_NM)]
        rng = np.random.default_rng([seed, number])
        with tempfile.TemporaryDirectory() as folder:
            image_path = Path(folder) / "image.ome.tif"
            truth, _ = simulate_panorama(
                panorama=f"steel {number}",
                shape=_SHAPE,
                pixel_size_nm=pixel_nm,
                strain_percent=_STRAIN_PERCENT[number % len(_STRAIN_PERCENT)],
                seed=int(rng.integers(2**31)),
                dwell_time_ns=_DWELL_TIME_NS[number % len(_DWELL_TIME_NS)],
                image_path=image_path,
                phases_path=Path(folder) / "phases.ome.tif",
                threads=threads,
            )
            places = truth[["x_px", "y_px"]].to_numpy()
            places = places + rng.normal(0, _OFF_PX, places.shape)
            with TiledImage(image_path) as image:
                clips.append(
                    cut_pictures(
                        image,
                        *places.T,
                        window_px=window_px(_WINDOW, pixel_size_nm=pixel_nm),
                        centre=_CENTRE,
                        size_px=network_named(_NETWORK).input_px,
                    )
                )
        labels += list(truth["true_class"])
        logger.info("panorama %d of %d: %d sites", number + 1, panoramas, len(truth))
    targets = np.equal.outer(labels, SITE_CLASSES).astype(np.float32)
    return np.concatenate(clips), targets


def _weights(model):
    """Return kernel and bias of each layer of EfficientNet-Lite0, by their names in the file."""
    return {
        f"{layer.name}/{part}": values
        for layer in lite0_layers(model)
        for part, values in zip(("kernel", "bias"), layer.get_weights(), strict=True)
    }
