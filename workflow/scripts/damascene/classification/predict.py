"""Application of the two networks to candidates."""

import os
from collections.abc import Iterator
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
import pandas as pd

from damascene import InputError
from damascene.classification.clips import cut_clips, scale_grey, window_px
from damascene.classification.decide import decide_labels
from damascene.images.store import TiledImage
from damascene.tables import DAMAGE_CLASSES, INCLUSION_CLASSES, SITES, check


def load_network(path: str | Path, *, card: dict, classes: tuple[str, ...]) -> keras.Model:
    """Load a trained network and hold it against its card.

    Raises
    ------
    InputError
        If the file cannot be read, or it is not the model that the card describes, or its classes
        are others than `classes`.
    """
    try:
        model = keras.models.load_model(path, compile=False)
    except (OSError, ValueError, TypeError) as error:
        raise InputError(
            f"{path} cannot be read as a trained network: {error}. Delete it and train again."
        ) from error
    if tuple(card["classes"]) != tuple(classes):
        raise InputError(
            f"The card of {path} has the classes {', '.join(card['classes'])}, needed are "
            f"{', '.join(classes)}. Name the model of the other stage, or train again."
        )
    input_px, class_count = card["input_px"], len(classes)
    if model.input_shape[1:] != (input_px, input_px, 1) or model.output_shape[1] != class_count:
        raise InputError(
            f"{path} takes clips {model.input_shape[1:]} and gives {model.output_shape[1]} "
            f"classes; its card says {input_px} pixels and {class_count} classes. Model and card "
            "are of different trainings: train again, or restore the pair."
        )
    return model


def predict_clips(
    model: keras.Model, clips: np.ndarray, *, card: dict, batch_size: int
) -> np.ndarray:
    """Return the probability of each class for clips.

    Parameters
    ----------
    model : keras.Model
    clips : numpy.ndarray, uint8, shape (n, size, size)
        May be memory-mapped.
    card : dict
        Of the model, from `train.train_network`.
    batch_size : int

    Returns
    -------
    numpy.ndarray, float32, shape (n, classes)
        Means over the clip and its three mirror images where the card says `average_flips`.
    """
    batches = (clips[start : start + batch_size] for start in range(0, len(clips), batch_size))
    return _probabilities(model, batches, card=card)


def predict_sites(
    candidates: pd.DataFrame,
    image: TiledImage,
    *,
    inclusion_model_path: str | Path,
    inclusion_card: dict,
    damage_model_path: str | Path,
    damage_card: dict,
    batch_size: int,
    inclusion_threshold: float,
    damage_threshold: float,
) -> pd.DataFrame:
    """Classify the candidates of a panorama.

    Clips are cut batch by batch, each network is loaded once, and both networks see every
    candidate.

    Parameters
    ----------
    candidates : pandas.DataFrame
        `tables.CANDIDATES` of one panorama.
    image : TiledImage
        The panorama.
    inclusion_model_path, damage_model_path : path
        `.keras` files.
    inclusion_card, damage_card : dict
        Their cards.
    batch_size : int
        Clips in memory at once.
    inclusion_threshold, damage_threshold : float
        See `decide.decide_labels`.

    Returns
    -------
    pandas.DataFrame
        `tables.SITES`.

    Raises
    ------
    InputError
        If a model and its card do not belong together, or the panorama is smaller than a window.
    """
    probabilities = {}
    for path, card, classes in (
        (inclusion_model_path, inclusion_card, INCLUSION_CLASSES),
        (damage_model_path, damage_card, DAMAGE_CLASSES),
    ):
        model = load_network(path, card=card, classes=classes)
        batches = _cut_batches(candidates, image, card=card, batch_size=batch_size)
        probabilities[classes] = _probabilities(model, batches, card=card)
    p_inclusion = probabilities[INCLUSION_CLASSES][:, 0]
    p_damage = probabilities[DAMAGE_CLASSES]
    sites = candidates.assign(
        p_inclusion=p_inclusion,
        **{f"p_{name}": p_damage[:, index] for index, name in enumerate(DAMAGE_CLASSES)},
        label=decide_labels(
            p_inclusion,
            p_damage,
            inclusion_threshold=inclusion_threshold,
            damage_threshold=damage_threshold,
        ),
    )
    return check(sites, SITES, source="classified sites")


def _cut_batches(candidates, image, *, card, batch_size) -> Iterator[np.ndarray]:
    edge_px = window_px(card["window"], pixel_size_nm=image.pixel_size_nm)
    for start in range(0, len(candidates), batch_size):
        batch = candidates.iloc[start : start + batch_size]
        yield cut_clips(image, batch.x_px, batch.y_px, window_px=edge_px, size_px=card["input_px"])


def _probabilities(model, batches, *, card):
    mirrors = ((1, 1), (1, -1), (-1, 1), (-1, -1)) if card["average_flips"] else ((1, 1),)
    predicted = [np.empty((0, len(card["classes"])), np.float32)]
    for clips in batches:
        inputs = scale_grey(clips, grey_scaling=card["grey_scaling"])
        predicted.append(
            np.mean(
                [model.predict_on_batch(inputs[:, ::down, ::right]) for down, right in mirrors],
                axis=0,
            )
        )
    # Rounding may lift a sure prediction above one.
    return np.clip(np.concatenate(predicted), 0, 1)
