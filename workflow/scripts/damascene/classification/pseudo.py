"""Training on labels, and on candidates that a network trained on the labels is sure of."""

import logging
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from damascene.classification.predict import load_network, predict_clips
from damascene.classification.targets import learned_classes
from damascene.classification.train import train_network
from damascene.config.training import Training
from damascene.contracts.model_card import ModelCard, TrainingSite
from damascene.networks.stage_answers import whole_answers

logger = logging.getLogger(__name__)

# Probability below which a network's answer is not used as a label.
LEAST_PROBABILITY = 0.8
_BATCH = 64


def train_with_pseudo_labels(
    *,
    unlabelled: tuple[np.ndarray, np.ndarray | None],
    describe_joined: Callable[[np.ndarray], Sequence[TrainingSite]] | None = None,
    clips: np.ndarray,
    descriptors: np.ndarray | None = None,
    labels: Sequence[str],
    answers: Sequence[str] | None = None,
    roles: Sequence[str],
    classes: Sequence[str],
    training: Training,
    model_path: str | Path,
    **options,
) -> tuple[pd.DataFrame, ModelCard]:
    """Train a network, let it label further sites, and train anew on its answers as well.

    The first network never trains on validation sites, whatever `training.refit` says, so that
    they remain a test of the second. Memory grows with the number of clips: they are joined.

    Parameters
    ----------
    unlabelled : pair of numpy.ndarray
        Clips (m, size, size, scales) of the sites that may be labelled, see
        `split.apart_from_held_out`, and their descriptors (m, descriptors) or None.
    describe_joined : callable, optional
        From the rows of the sites that join to what the card says of each: a fingerprint of every
        site that might join would take longer.
    clips, descriptors, labels, answers, roles, classes, training, model_path, **options
        See `train.train_network`. `training.pseudo_labels` limits the sites that a class gains.

    Returns
    -------
    history : pandas.DataFrame
        Of the second training.
    card : ModelCard
        Of the second network. `class_counts` are those of the labels, `pseudo_labels` the number
        of sites that joined them, by class, `training_sites` these sites.

    References
    ----------
    Lee, Pseudo-Label, ICML 2013 workshop on challenges in representation learning.
    """
    model_path = Path(model_path)
    first_path = model_path.with_name(f".{model_path.stem}.first.keras")
    _, first = train_network(
        clips=clips,
        descriptors=descriptors,
        labels=labels,
        answers=answers,
        roles=roles,
        classes=classes,
        training=training.model_copy(update={"refit": False}),
        model_path=first_path,
        **options,
    )
    model = load_network(first_path, card=first, classes=tuple(classes))
    # A job that was queued again beside its predecessor makes the same network.
    first_path.unlink(missing_ok=True)
    # Given that a site is of the stage, one that the network takes for another may look sure, too.
    probabilities = predict_clips(whole_answers(model), *unlabelled, card=first, batch_size=_BATCH)
    counts = first.class_counts
    learned = learned_classes(options["settings"].network, classes)
    rows, members = pick_sites(
        probabilities, [int(training.pseudo_labels * counts["train"][name]) for name in learned]
    )
    names = np.asarray(learned, object)[members]
    added = {name: int(np.sum(names == name)) for name in learned}
    logger.info("of %d sites without a label join: %s", len(probabilities), added)
    history, card = train_network(
        clips=np.concatenate([clips, unlabelled[0][rows]]),
        descriptors=None
        if descriptors is None
        else np.concatenate([descriptors, unlabelled[1][rows]]),
        labels=np.concatenate([np.asarray(labels, object), names]),
        answers=None if answers is None else np.concatenate([np.asarray(answers, object), names]),
        roles=np.concatenate([np.asarray(roles, object), np.full(len(rows), "train", object)]),
        classes=classes,
        training=training,
        model_path=model_path,
        **options,
    )
    joined = None if describe_joined is None else tuple(describe_joined(rows))
    facts = {"class_counts": counts, "pseudo_labels": added, "training_sites": joined}
    return history, card.model_copy(update=facts)


def pick_sites(probabilities: np.ndarray, limits: Sequence[int]) -> tuple[np.ndarray, np.ndarray]:
    """Pick the sites of each class that a network is most sure of.

    Parameters
    ----------
    probabilities : numpy.ndarray, float, shape (n, classes)
        A site is of its most probable class, if that reaches `LEAST_PROBABILITY`.
    limits : sequence of int, length classes
        Sites of each class at most.

    Returns
    -------
    rows, members : numpy.ndarray, int
        Sites, ascending, and the class of each.
    """
    members, sure = probabilities.argmax(axis=1), probabilities.max(axis=1)
    picked = []
    for member, limit in enumerate(limits):
        of_class = np.flatnonzero((members == member) & (sure >= LEAST_PROBABILITY))
        picked.append(of_class[np.argsort(-sure[of_class], kind="stable")][:limit])
    rows = np.sort(np.concatenate(picked))
    return rows, members[rows]
