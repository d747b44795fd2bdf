"""Application of the two networks to candidates."""

import logging
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
import pandas as pd

from damascene import InputError
from damascene.classes import STAGE_CLASSES
from damascene.classification.calibration import (
    apply_temperature,
    class_indices,
    probability_of_class,
    site_probabilities,
)
from damascene.classification.decide import with_classes
from damascene.classification.embedding import stand_in_view
from damascene.classification.look import Look, shared_looks
from damascene.classification.prediction_sets import prediction_sets, shown_sets
from damascene.clips.pictures import cut_pictures
from damascene.clips.windows import window_px
from damascene.contracts.calibration_record import Calibration
from damascene.contracts.model_card import ModelCard
from damascene.contracts.sites import PREDICTIONS
from damascene.contracts.table import check_table
from damascene.images.store import TiledImage
from damascene.networks.weights import read_network

logger = logging.getLogger(__name__)

# Candidates after which the log says how far it is.
_TOLD_SITES = 2000


def load_network(path: str | Path, *, card: ModelCard, classes: tuple[str, ...]) -> keras.Model:
    """Load a trained network and hold it against its card.

    Raises
    ------
    InputError
        If the file is damaged, or it is not the model that the card describes, or its classes are
        others than `classes`.
    """
    try:
        model = read_network(path)
    except (OSError, ValueError, TypeError) as error:
        raise InputError(
            f"{path} cannot be read as a trained network: {error}. Delete it and run again, which "
            "trains it again, or restore it if it was trained elsewhere."
        ) from error
    if tuple(card.classes) != tuple(classes):
        raise InputError(
            f"The card of {path} has the classes {', '.join(card.classes)}, needed are "
            f"{', '.join(classes)}. Name the model of the other stage, or train again."
        )
    shapes = {one.name: tuple(one.shape[1:]) for one in model.inputs}
    input_px, scales, class_count = card.input_px, card.scales, len(classes)
    if (
        shapes.get("grey") != (input_px, input_px, scales)
        or ("descriptors" in shapes) != card.descriptors
        or model.output_shape[1] != class_count
    ):
        raise InputError(
            f"{path} takes {shapes} and gives {model.output_shape[1]} classes; its card says "
            f"{input_px} pixels, {scales} scale(s), {'with' if card.descriptors else 'no'} "
            f"descriptors and {class_count} classes. Model and card are of different trainings: "
            "train again, or restore the pair."
        )
    return model


def predict_clips(
    model: keras.Model,
    clips: np.ndarray,
    descriptors: np.ndarray | None = None,
    *,
    card: ModelCard,
    batch_size: int,
) -> np.ndarray:
    """Return the probability of each class for clips.

    Parameters
    ----------
    model : keras.Model
    clips : numpy.ndarray, uint8, shape (n, size, size, scales)
        May be memory-mapped.
    descriptors : numpy.ndarray, float32, shape (n, descriptors), optional
        Needed where the card says so.
    card : ModelCard
        Of the model, from `train.train_network`.
    batch_size : int

    Returns
    -------
    numpy.ndarray, float32, shape (n, classes)
        Means over the clip and its three mirror images where the card says `average_flips`.
    """
    look = Look(card=card, body=None, heads={"": model})
    return predict_look(look, clips, descriptors, batch_size=batch_size)[""]


def predict_look(
    look: Look, clips: np.ndarray, descriptors: np.ndarray | None = None, *, batch_size: int
) -> dict[str, np.ndarray]:
    """Return the probability of each class by the stages of a look; see `predict_clips`."""
    batches = (
        (clips[rows], descriptors[rows] if look.descriptors else None)
        for rows in _slices(len(clips), batch_size)
    )
    return _probabilities(look, batches, batch_size=batch_size)[0]


def networks_in(folder: str | Path) -> dict[str, str | Path | ModelCard]:
    """Return the files of both networks in a folder, and their cards, for `predict_sites`."""
    found = {}
    for stage in STAGE_CLASSES:
        found[f"{stage}_model_path"] = Path(folder) / f"{stage}.keras"
        found[f"{stage}_card"] = ModelCard.read(Path(folder) / f"{stage}.json")
    return found


def predict_sites(*args, **options) -> pd.DataFrame:
    """Classify the candidates of a panorama; parameters as for `predict_sites_and_features`."""
    return predict_sites_and_features(*args, **options, sampled=())[0]


def predict_sites_and_features(
    candidates: pd.DataFrame,
    image: TiledImage,
    descriptors: np.ndarray | None = None,
    *,
    sampled: Sequence[int],
    inclusion_model_path: str | Path,
    inclusion_card: ModelCard,
    damage_model_path: str | Path,
    damage_card: ModelCard,
    batch_size: int,
    inclusion_threshold: float,
    damage_threshold: float,
    calibration: Calibration | None = None,
    valid: TiledImage | None = None,
) -> tuple[pd.DataFrame, np.ndarray]:
    """Classify the candidates of a panorama, and keep what the networks see of some of them.

    Clips are cut batch by batch, each network is loaded once, and both networks see every
    candidate: in one look where they can share it, see `look.shared_looks`.

    Parameters
    ----------
    candidates : pandas.DataFrame
        `CANDIDATES` of one panorama.
    image : TiledImage
        The panorama.
    descriptors : numpy.ndarray, float32, shape (n, descriptors), optional
        Of the candidates, in their order; needed if a network takes them. May be memory-mapped.
    sampled : sequence of int
        Rows of the candidates whose features are kept, ascending: `compared_sites.sampled_rows`.
    inclusion_model_path, damage_model_path : path
        `.keras` files.
    inclusion_card, damage_card : ModelCard
        Their cards.
    batch_size : int
        Clips in memory at once.
    inclusion_threshold, damage_threshold : float
        See `decide.decide_classes`.
    calibration : Calibration, optional
        From labelled sites. Without one, confidence is missing and sets are empty.
    valid : TiledImage, optional
        Mask of the panorama, see `pictures.cut_pictures`.

    Returns
    -------
    sites : pandas.DataFrame
        `PREDICTIONS`.
    features : numpy.ndarray, float16, shape (sampled, features)
        What the frozen layers of the damage network see of the sampled candidates, or those of the
        stand-in for networks that are not frozen, see `embedding`; (0, 0) if none is sampled.

    Raises
    ------
    InputError
        If a model and its card do not belong together, or the panorama is smaller than a window.
    """
    networks = {
        "inclusion": (inclusion_model_path, inclusion_card),
        "damage": (damage_model_path, damage_card),
    }
    looks = shared_looks(
        {
            stage: (load_network(path, card=card, classes=STAGE_CLASSES[stage]), card)
            for stage, (path, card) in networks.items()
        }
    )
    probabilities, features = {}, None
    sampled = np.asarray(sampled, int)
    for look in looks:
        batches = cut_batches(
            candidates,
            image,
            descriptors if look.descriptors else None,
            card=look.card,
            batch_size=batch_size,
            valid=valid,
        )
        batches = _told(_read_ahead(batches), count=len(candidates), told=" and ".join(look.heads))
        answers, seen = _probabilities(look, batches, batch_size=batch_size, sampled=sampled)
        probabilities |= answers
        if "damage" in look.heads:
            features = seen
    sites = with_classes(
        candidates,
        probabilities["inclusion"][:, 0],
        probabilities["damage"],
        inclusion_threshold=inclusion_threshold,
        damage_threshold=damage_threshold,
    )
    sites = with_confidence(sites, calibration)
    logger.info("sites by class:\n%s", sites["predicted_class"].value_counts().to_string())
    if not len(sampled):
        features = np.empty((0, 0), np.float16)
    elif features is None:
        chosen = candidates.iloc[sampled]
        view = stand_in_view(damage_card.window)
        features = view.features(
            chosen["x_px"], chosen["y_px"], image, valid, batch_size=batch_size
        )
    # Half precision is far finer than what one site tells from another.
    return check_table(sites, PREDICTIONS, source="classified sites"), features.astype(np.float16)


def with_confidence(sites: pd.DataFrame, calibration: Calibration | None) -> pd.DataFrame:
    """Return sites with `confidence` and `prediction_set`, see `SITES`.

    Parameters
    ----------
    sites : pandas.DataFrame
        With the probabilities of both networks and `predicted_class`.
    calibration : Calibration or None
        None where no labels can tell how far the answers are to be trusted.
    """
    if calibration is None:
        return sites.assign(confidence=np.nan, prediction_set="")
    probabilities, given = site_probabilities(sites), class_indices(sites["predicted_class"])
    calibrated = apply_temperature(probabilities, calibration.temperature)
    sets = prediction_sets(probabilities, calibration.set_thresholds, given)
    return sites.assign(
        confidence=probability_of_class(calibrated, given), prediction_set=shown_sets(sets)
    )


def _slices(count, size):
    return [slice(start, start + size) for start in range(0, count, size)]


def cut_batches(
    candidates: pd.DataFrame,
    image: TiledImage,
    descriptors: np.ndarray | None = None,
    *,
    card: ModelCard,
    batch_size: int,
    valid: TiledImage | None = None,
) -> Iterator[tuple[np.ndarray, np.ndarray | None]]:
    """Cut what a network sees of candidates, a batch at a time.

    Parameters
    ----------
    candidates, image, descriptors
        See `predict_sites`; descriptors for networks that take them.
    card : ModelCard
        Of the network.
    batch_size : int
    valid : TiledImage, optional
        See `pictures.cut_pictures`.

    Yields
    ------
    clips : numpy.ndarray, uint8, shape (n, size, size, scales)
    descriptors : numpy.ndarray, float32, shape (n, descriptors), or None
    """
    edge_px = window_px(card.window, pixel_size_nm=image.pixel_size_nm)
    for rows in _slices(len(candidates), batch_size):
        batch = candidates.iloc[rows]
        pictures = cut_pictures(
            image,
            batch.x_px,
            batch.y_px,
            window_px=edge_px,
            centre=card.centre,
            size_px=card.input_px,
            valid=valid,
        )
        yield pictures, None if descriptors is None else descriptors[rows]


def _read_ahead(batches) -> Iterator:
    """Prepare the next batch while the network works on the one before."""
    with ThreadPoolExecutor(max_workers=1) as reader:
        waiting = reader.submit(next, batches, None)
        while (batch := waiting.result()) is not None:
            waiting = reader.submit(next, batches, None)
            yield batch


def _told(batches, *, count, told) -> Iterator:
    """Pass batches on, and say after every some thousand sites how far it is."""
    done = 0
    for clips, descriptors in batches:
        yield clips, descriptors
        before, done = done, done + len(clips)
        if done // _TOLD_SITES > before // _TOLD_SITES:
            logger.info("%s: %d of %d candidates", told, done, count)


def _probabilities(look, batches, *, batch_size, sampled=()):
    """Return the probability of each class by stage, and the features of sampled sites, if any."""
    parts = {
        stage: [np.empty((0, head.output_shape[1]), np.float32)]
        for stage, head in look.heads.items()
    }
    sampled, kept, start = np.asarray(sampled, int), [], 0
    for clips, descriptors in batches:
        answers, seen = look.answers_and_features(clips, descriptors, batch_size=batch_size)
        for stage, answer in answers.items():
            parts[stage].append(answer)
        stop = start + len(clips)
        if seen is not None:
            kept.append(seen[sampled[(sampled >= start) & (sampled < stop)] - start])
        start = stop
    features = np.concatenate(kept) if kept else None
    return {stage: np.concatenate(each) for stage, each in parts.items()}, features
