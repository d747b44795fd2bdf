"""A map of all sites by what a network sees in them."""

import logging
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from damascene.classes import DAMAGE_CLASSES
from damascene.classification.look import body_features, frozen_body
from damascene.classification.predict import cut_batches, load_network
from damascene.clips.network_input import network_inputs
from damascene.contracts.model_card import ModelCard
from damascene.evaluation.embedding import embedding_map, group_agreement
from damascene.evaluation.explanation import embedding_network
from damascene.images.store import open_pair
from damascene.networks import network_named

logger = logging.getLogger(__name__)


def map_sites(
    sites: Sequence[pd.DataFrame],
    images: Iterable[tuple[str | Path, str | Path]],
    descriptors: Iterable[np.ndarray | None],
    *,
    model_path: str | Path,
    card: ModelCard,
    batch_size: int,
    seed: int,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Place the sites of all panoramas on a map, and say how groups on it agree with classes.

    Parameters
    ----------
    sites : sequence of pandas.DataFrame
        `PREDICTIONS` of each panorama.
    images : iterable of (path, path)
        Their images and masks, in the same order.
    descriptors : iterable of numpy.ndarray or None
        Of the sites of each, float32 (sites, descriptors), where the network takes them.
    model_path, card
        The network of the damage stage.
    batch_size : int
        Clips in memory at once.
    seed : int

    Returns
    -------
    placed, agreement : pandas.DataFrame
        `EMBEDDING` and `EMBEDDING_AGREEMENT`.

    Raises
    ------
    InputError
        As `load_network`, and if there are fewer than two sites.
    """
    model = load_network(model_path, card=card, classes=DAMAGE_CLASSES)
    see = _embedder(model, card=card, batch_size=batch_size)
    # A study without sites gets the message of the map.
    features = [np.empty((0, model.get_layer("classes").input.shape[1]), np.float32)]
    for table, pair, described in zip(sites, images, descriptors, strict=True):
        with open_pair(*pair) as (image, valid):
            features += [
                see(clips, own)
                for clips, own in cut_batches(
                    table, image, described, card=card, batch_size=batch_size, valid=valid
                )
            ]
    placed, summary = embedding_map(
        np.concatenate(features), clusters=len(DAMAGE_CLASSES), seed=seed
    )
    known = pd.concat(
        [table[["panorama", "site_id", "predicted_class"]] for table in sites], ignore_index=True
    )
    table = pd.concat([known, placed], axis=1)
    agreement = group_agreement(table)
    logger.info("%d sites: %s\n%s", len(table), summary, agreement.to_string())
    return table, agreement.assign(**summary)


def _embedder(model, *, card, batch_size):
    """Return what turns clips and descriptors into what the last layer is given."""
    scaling = card.grey_scaling
    if network_named(card.network).frozen:
        body = frozen_body(model)
        return lambda clips, _: body_features(
            body, clips, grey_scaling=scaling, batch_size=batch_size
        )
    seen = embedding_network(model)
    return lambda clips, own: seen.predict_on_batch(
        network_inputs(clips, own, grey_scaling=scaling)
    )
