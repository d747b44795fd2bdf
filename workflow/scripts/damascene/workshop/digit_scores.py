"""Test accuracy of well-known networks on public pictures, for the ledger."""

import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from damascene import InputError
from damascene.contracts.digit_scores import DIGIT_SCORES
from damascene.contracts.table import check_table
from damascene.statistics.intervals import proportion_interval
from damascene.workshop.picture_files import note_vain_fetch
from damascene.workshop.public_digits import (
    NoPicturesError,
    Pictures,
    framed,
    how_to_get,
    load_pictures,
)
from damascene.workshop.small_networks import VGG_STYLE, network_for, train

logger = logging.getLogger(__name__)

# Sets of fewer pictures are learned in smaller batches, which are as many.
_MANY, _LARGE_BATCH, _SMALL_BATCH = 10_000, 128, 16
_ANSWERS_AT_ONCE = 500


@dataclass(frozen=True, kw_only=True)
class Trial:
    """A network as it is scored.

    Attributes
    ----------
    network : str
        For `small_networks.network_for`.
    input_px : int
        Smallest edge of its pictures.
    epochs : int
        Few enough that sixty thousand pictures take minutes on two cores.
    """

    network: str
    input_px: int
    epochs: int


#: LeNet-5 takes its digits in a frame of 32 pixels.
TRIALS = {
    "lenet5": Trial(network="lenet5", input_px=32, epochs=15),
    "small": Trial(network="small", input_px=28, epochs=10),
    "vgg": Trial(network=VGG_STYLE, input_px=32, epochs=10),
}


def score_digits(
    dataset: str,
    *,
    folders: Sequence[str | Path],
    fetch: bool,
    seed: int,
    vain_note: str | Path | None = None,
) -> pd.DataFrame:
    """Train each network on a set of pictures and test it on the part that it has not seen.

    Parameters
    ----------
    dataset : str
        Name for `public_digits.load_pictures`.
    folders : sequence of path
        Where its files are sought, in turn.
    fetch : bool
        Whether they may be fetched.
    seed : int
    vain_note : path, optional
        Where is noted that they could not be fetched.

    Returns
    -------
    pandas.DataFrame
        `DIGIT_SCORES`; with the reason in place of scores where the files could not be had.
    """
    try:
        pictures = _found(dataset, folders=folders, fetch=fetch)
    except InputError as reason:
        logger.warning("%s", reason)
        if fetch and vain_note:
            note_vain_fetch(vain_note)
        rows = [{"dataset": dataset, "network": name, "not_scored": str(reason)} for name in TRIALS]
        table = pd.DataFrame(rows).reindex(columns=list(DIGIT_SCORES.columns))
    else:
        table = pd.DataFrame([_scored(pictures, name, seed=seed) for name in TRIALS])
    return check_table(table, DIGIT_SCORES, source="digit scores")


def _found(dataset, *, folders, fetch):
    if dataset == "digits":
        return load_pictures(dataset)
    reasons = []
    for folder in dict.fromkeys(map(str, folders)):
        try:
            return load_pictures(dataset, folder=folder)
        except NoPicturesError as error:
            # A folder without such files is no fault: they may lie in any.
            reasons += [error.reason] * error.files_there
    after = ""
    if fetch:
        try:
            pictures = load_pictures(dataset)
        except NoPicturesError as error:
            reasons.append(error.reason)
            after = ", or run the same command again when the network is there"
        else:
            for reason in reasons:
                logger.warning("%s %s was fetched instead.", reason, dataset)
            return pictures
    why = " ".join(reasons) or f"The pictures of {dataset} are not there."
    raise InputError(f"{why} Put {how_to_get(dataset)} into {folders[0]}{after}.")


def _scored(pictures: Pictures, name: str, *, seed: int) -> dict:
    trial, began = TRIALS[name], time.monotonic()
    edge_px = max(trial.input_px, pictures.train.shape[1])
    model = network_for(
        trial.network, input_px=edge_px, class_count=len(pictures.classes), seed=seed
    )
    many = len(pictures.train) >= _MANY
    train(
        model,
        framed(pictures.train, edge_px=edge_px),
        pictures.train_labels,
        epochs=trial.epochs,
        batch=_LARGE_BATCH if many else _SMALL_BATCH,
        seed=seed,
    )
    answers = model.predict(
        framed(pictures.test, edge_px=edge_px), batch_size=_ANSWERS_AT_ONCE, verbose=0
    ).argmax(axis=1)
    right = int(np.count_nonzero(answers == pictures.test_labels))
    low, high = proportion_interval(right, len(answers))
    logger.info(
        "%s, %s: %d of %d right after %d epochs; %.0f s",
        *(pictures.name, name, right, len(answers), trial.epochs, time.monotonic() - began),
    )
    return {
        "dataset": pictures.name,
        "network": name,
        "accuracy": right / len(answers),
        "accuracy_low": float(low),
        "accuracy_high": float(high),
        "trained_on": len(pictures.train),
        "tested_on": len(answers),
        "epochs": trial.epochs,
        "weights": model.count_params(),
        "not_scored": "",
    }
