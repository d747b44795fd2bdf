"""Training of the network of one stage, from the tables and arrays of a study."""

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pandera.pandas as pa

from damascene.classes import STAGE_CLASSES
from damascene.classification.pseudo import train_with_pseudo_labels
from damascene.classification.targets import class_members, learned_classes
from damascene.classification.train import train_network
from damascene.clips.training_sites import describe_training_sites
from damascene.config.networks import Network
from damascene.config.training import Training
from damascene.contracts.descriptors import DESCRIPTOR_NAMES
from damascene.contracts.keyed import read_descriptors
from damascene.contracts.model_card import ModelCard, known_training_sites
from damascene.contracts.panorama_record import PanoramaRecord
from damascene.contracts.table import read_table
from damascene.labels.split import apart_from_held_out, fold_roles_in
from damascene.networks import IMAGENET


@dataclass(frozen=True, kw_only=True)
class Sites:
    """Sites with what networks see of them, in the same order.

    Attributes
    ----------
    table : pandas.DataFrame
        `SPLIT`, or `UNLABELLED` for sites without a label.
    clips : numpy.ndarray, uint8, shape (sites, size, size, scales)
        May be memory-mapped.
    descriptors : numpy.ndarray, float32, shape (sites, descriptors), or None
    features : numpy.ndarray, float32, shape (sites, views, features), or None
        What frozen layers see in the clips, see `last_layer.look_at_clips`. May be memory-mapped.
    """

    table: pd.DataFrame
    clips: np.ndarray
    descriptors: np.ndarray | None
    features: np.ndarray | None = None


def read_sites(
    table: str | Path,
    clips: str | Path,
    descriptors: str | Path | None,
    features: str | Path | None = None,
    *,
    contract: pa.DataFrameSchema,
) -> Sites:
    """Read sites, arrays memory-mapped; without descriptors or features if no file is named."""
    sites = read_table(table, contract)
    return Sites(
        table=sites,
        clips=np.load(clips, mmap_mode="r"),
        descriptors=read_descriptors(descriptors, sites) if descriptors else None,
        features=np.load(features, mmap_mode="r") if features else None,
    )


def train_stage(
    stage: str,
    *,
    labelled: Sites,
    records: Sequence[PanoramaRecord],
    images: Mapping[str, str | Path],
    test_fold: int | None,
    folds: int,
    windows: Sequence[str],
    settings: Network,
    training: Training,
    seed: int,
    model_path: str | Path,
    note: str = "",
    simulated: pd.DataFrame | None = None,
    unlabelled: Sites | None = None,
    mixed_precision: bool = False,
) -> tuple[pd.DataFrame, ModelCard]:
    """Train the network of a stage on the labelled sites outside one fold.

    Parameters
    ----------
    stage : {"inclusion", "damage"}
    labelled : Sites
    records, test_fold, folds, windows
        Which sites train and which validate, see `split.fold_roles_in`.
    images : mapping of panorama to path
        Before denoising, for the fingerprints of the training sites.
    settings, training, seed, model_path, note, mixed_precision
        See `train.train_network`.
    simulated : pandas.DataFrame, optional
        `SIMULATED_SITES`.
    unlabelled : Sites, optional
        Needed with `training.pseudo_labels`.

    Returns
    -------
    history : pandas.DataFrame
        `HISTORY`.
    card : ModelCard
    """
    split = labelled.table
    roles = fold_roles_in(split, records, test_fold=test_fold, folds=folds, windows=windows)
    classes = STAGE_CLASSES[stage]
    described_sites = functools.partial(describe_training_sites, images=images, windows=windows)
    train, options = train_network, {}
    if training.pseudo_labels:
        usable = apart_from_held_out(unlabelled.table, split, roles, records, windows=windows)
        further = (
            None if values is None else values[usable]
            for values in (unlabelled.clips, unlabelled.descriptors)
        )
        train = train_with_pseudo_labels
        options = {
            "unlabelled": tuple(further),
            "describe_joined": lambda rows: described_sites(unlabelled.table[usable].iloc[rows]),
        }
    sizes_nm = [one.pixel_size_nm for one in records]
    history, card = train(
        clips=labelled.clips,
        descriptors=labelled.descriptors,
        features=labelled.features,
        labels=split["label"],
        answers=split["answers"],
        simulated=None if simulated is None else _described(simulated),
        roles=roles,
        classes=classes,
        settings=settings,
        training=training,
        seed=seed,
        mixed_precision=mixed_precision,
        model_path=model_path,
        pixel_size_nm=(min(sizes_nm), max(sizes_nm)),
        note=note,
        **options,
    )
    learned = class_members(split["label"], classes=learned_classes(settings.network, classes)) >= 0
    learned &= np.isin(roles, ["train", "validation"])
    sites = (*described_sites(split[learned]), *(card.training_sites or ()))
    return history, card.model_copy(update=_with_earlier(sites, settings.weights))


def _with_earlier(sites, weights):
    """Return training sites for a card, with those that the initial weights were trained on."""
    if weights in ("none", IMAGENET):
        return {"training_sites": sites}
    earlier, why = known_training_sites(weights)
    unlisted = f"it began with the weights in {weights}: {why}" if why else ""
    return {"training_sites": (*sites, *earlier), "unlisted_sites": unlisted}


def _described(sites):
    return sites[list(DESCRIPTOR_NAMES)].to_numpy(), sites["label"].to_numpy()
