"""Denoisers compared with the classes that networks give to the sites."""

from collections.abc import Callable, Mapping
from pathlib import Path

import pandas as pd

from damascene.classes import STAGE_CLASSES
from damascene.classification.decide import with_classes
from damascene.classification.predict import cut_batches, load_network, predict_clips
from damascene.contracts.model_card import ModelCard
from damascene.descriptors.sites import describe_sites
from damascene.evaluation.denoiser_scenes import Compared
from damascene.evaluation.denoisers import compare_on_panorama
from damascene.images.store import TiledImage
from damascene.restoration.learned import read_denoiser

_BATCH = 64


def compare_with_classes(
    compared: Compared,
    *,
    methods: Mapping[str, Mapping],
    models: tuple[str | Path, float, float],
    **options,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Compare denoisers on a panorama; see `compare_on_panorama`.

    Parameters
    ----------
    compared : Compared
    methods : mapping of str to mapping
        See there; `network` is the path of one that denoises.
    models : (path, float, float)
        Folder of the networks, empty where there are no classes, and the thresholds of
        `decide.decide_classes`.
    **options
        Of `compare_on_panorama`.
    """
    folder, inclusion_threshold, damage_threshold = models
    classify = None
    if folder:
        classify = classifier(
            folder, inclusion_threshold=inclusion_threshold, damage_threshold=damage_threshold
        )
    read = {name: _with_network(given) for name, given in methods.items()}
    return compare_on_panorama(compared, methods=read, classify=classify, **options)


def _with_network(options):
    if "network" not in options:
        return options
    return {**options, "network": read_denoiser(options["network"])}


def classifier(
    folder: str | Path, *, inclusion_threshold: float, damage_threshold: float
) -> Callable[[TiledImage, pd.DataFrame, pd.DataFrame], list[str]]:
    """Load both networks once, for many images.

    Parameters
    ----------
    folder : path
        Of the networks and their cards.
    inclusion_threshold, damage_threshold : float
        See `decide.decide_classes`.

    Returns
    -------
    callable
        Takes an image, `CANDIDATES` and `CANDIDATE_RUNS`, and returns the class of each candidate.
    """
    stages = {}
    for stage, classes in STAGE_CLASSES.items():
        card = ModelCard.read(Path(folder, f"{stage}.json"))
        stages[stage] = (
            load_network(Path(folder, f"{stage}.keras"), card=card, classes=classes),
            card,
        )

    def classes_of(image, candidates, runs):
        described = any(card.descriptors for _, card in stages.values())
        descriptors = describe_sites(image, candidates, runs=runs) if described else None
        probabilities = {}
        for stage, (model, card) in stages.items():
            batches = cut_batches(
                candidates, image, descriptors, card=card, batch_size=len(candidates)
            )
            ((clips, rows),) = batches
            probabilities[stage] = predict_clips(model, clips, rows, card=card, batch_size=_BATCH)
        sites = with_classes(
            candidates,
            probabilities["inclusion"][:, 0],
            probabilities["damage"],
            inclusion_threshold=inclusion_threshold,
            damage_threshold=damage_threshold,
        )
        return sites["predicted_class"].tolist()

    return classes_of
