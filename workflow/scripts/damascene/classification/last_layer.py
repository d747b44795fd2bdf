"""The last layer of a network whose convolutions are frozen, found without gradient descent."""

import logging
import os
import time
from collections.abc import Sequence

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

from damascene.classification.look import body_features, frozen_body
from damascene.learning.augmentation import augment_clips, augmentation_options
from damascene.learning.class_balance import class_weights
from damascene.learning.device import sites_at_once
from damascene.networks import network_named
from damascene.networks.build import build_network

logger = logging.getLogger(__name__)

# Strengths of the fit that are tried. A wider choice would follow the chance of a few validation
# sites: there may be three inclusions among them.
STRENGTHS = (1e-3, 3e-3, 1e-2)
# Changed copies of a clip beside itself, as long as all of them together stay below a limit.
_COPIES, _MOST_CLIPS = 4, 20_000
_MOST_STEPS = 500


def look_at_clips(
    clips: np.ndarray,
    *,
    network: str,
    augmentation: str,
    rotation_deg: float,
    seed: int,
) -> np.ndarray:
    """Return what the last layer of a frozen network is given for clips and changed copies of them.

    Parameters
    ----------
    clips : numpy.ndarray, uint8, shape (n, size, size, scales)
        May be memory-mapped.
    network : str
        See `network_named`.
    augmentation, rotation_deg
        How copies are changed, see `augmentation.augmentation_options`; `none` makes no copies.
    seed : int
        Of the changes.

    Returns
    -------
    numpy.ndarray, float32, shape (n, views, features)
        The first view is the clip as it is.
    """
    # Nobody asks the last layer how many classes it has.
    model = build_network(
        network, seed=seed, class_count=2, input_px=clips.shape[1], scales=clips.shape[3]
    )
    return clip_features(
        model,
        clips,
        grey_scaling=network_named(network).grey_scaling,
        augmentation=augmentation_options(augmentation, rotation_deg=rotation_deg),
        seed=seed,
    )


def clip_features(
    model: keras.Model,
    clips: np.ndarray,
    *,
    grey_scaling: str,
    augmentation: dict | None,
    seed: int,
) -> np.ndarray:
    """Return what the last layer of a model is given; see `look_at_clips`.

    Parameters
    ----------
    model : keras.Model
        Of a frozen network, with a layer `features`.
    clips : numpy.ndarray, uint8, shape (n, size, size, scales)
    grey_scaling : str
        See `network_input.scale_grey`.
    augmentation : dict or None
        Options of `augmentation.augment_clips`; without them there are no copies.
    seed : int
    """
    body, at_once = frozen_body(model), sites_at_once()
    copies = 0
    if augmentation is not None and len(clips):
        copies = max(min(_COPIES, _MOST_CLIPS // len(clips) - 1), 0)
    features = np.empty((len(clips), 1 + copies, body.output_shape[1]), np.float32)
    for start in range(0, len(clips), at_once):
        some = clips[start : start + at_once]
        for view in range(1 + copies):
            shown = some
            if view:
                rng = np.random.default_rng([seed, view, start + 1])
                shown = augment_clips(some, rng=rng, **augmentation)
            features[start : start + at_once, view] = body_features(
                body, shown, grey_scaling=grey_scaling, batch_size=at_once
            )
        logger.info("%d of %d clips", min(start + at_once, len(clips)), len(clips))
    return features


# Matrices this small are slower in several threads, which also sum in another order.
@threadpool_limits.wrap(limits=1)
def solve_last_layer(
    features: np.ndarray,
    targets: np.ndarray,
    *,
    proportions: Sequence[float],
    members: np.ndarray,
    strengths: Sequence[float],
) -> list[tuple[np.ndarray, np.ndarray]]:
    """Fit the last layer at each strength: multinomial logistic regression with an L2 penalty.

    Parameters
    ----------
    features : numpy.ndarray, float32, shape (n, views, features)
    targets : numpy.ndarray, float, shape (n, classes)
        Proportions of the answers, see `targets.stage_targets`.
    proportions : sequence of float, length classes
        Weight of each class, see `class_balance.class_proportions`.
    members : numpy.ndarray, int, shape (n,)
        Class that a site counts for.
    strengths : sequence of float
        Weight of the n sites against the penalty on standardised features, ascending.

    Returns
    -------
    list of (kernel, bias)
        One pair a strength: float32 (features, classes) and (classes,), for features as given.

    References
    ----------
    Hastie, Tibshirani & Friedman, The Elements of Statistical Learning, 2nd ed., 4.4.
    """
    count, views, size = features.shape
    by_view = features.reshape(count * views, size)
    scaler = StandardScaler().fit(by_view)
    sites, classes = np.nonzero(targets)
    weights = targets[sites, classes] * class_weights(members, proportions)[members[sites]] / views
    # Every view of a site has the site's answers.
    rows = (sites[:, np.newaxis] * views + np.arange(views)).ravel()
    inputs = scaler.transform(by_view)[rows]
    solver = LogisticRegression(max_iter=_MOST_STEPS, warm_start=True)
    layers = []
    for strength in strengths:
        solver.set_params(C=strength)
        solver.fit(inputs, np.repeat(classes, views), sample_weight=np.repeat(weights, views))
        layers.append(_layer(solver, scaler, class_count=targets.shape[1]))
    return layers


def fit_last_layer(
    model: keras.Model,
    features: np.ndarray,
    targets: np.ndarray,
    *,
    train: Sequence[int],
    validation: Sequence[int],
    proportions: Sequence[float],
    members: np.ndarray,
    refit: bool,
) -> pd.DataFrame:
    """Give a network the last layer that does best on the validation sites.

    Parameters
    ----------
    model : keras.Model
        Its layer `classes` is set.
    features, targets, proportions, members
        See `solve_last_layer`.
    train, validation : sequences of int
        Rows of `features`.
    refit : bool
        Solve once more, at the best strength, with the validation sites among the training ones.

    Returns
    -------
    pandas.DataFrame
        run, epoch (number of the strength), strength, loss, accuracy, validation_loss,
        validation_accuracy, seconds.
    """
    started = time.perf_counter()
    options = {"proportions": proportions, "strengths": STRENGTHS}
    layers = solve_last_layer(features[train], targets[train], members=members[train], **options)
    rows = []
    for epoch, (strength, layer) in enumerate(zip(STRENGTHS, layers, strict=True), start=1):
        loss, accuracy = _judged(layer, features, targets, train, members, proportions)
        unseen, correct = _judged(layer, features, targets, validation, members, proportions)
        seconds, started = time.perf_counter() - started, time.perf_counter()
        rows.append(("selection", epoch, strength, loss, accuracy, unseen, correct, seconds))
        logger.info(
            "strength %g: loss %.4f, accuracy %.3f, validation loss %.4f, accuracy %.3f",
            *rows[-1][2:7],
        )
    best = int(np.argmin([row[5] for row in rows]))
    layer = layers[best]
    if refit:
        both = np.concatenate([train, validation]).astype(int)
        options["strengths"] = STRENGTHS[best : best + 1]
        (layer,) = solve_last_layer(features[both], targets[both], members=members[both], **options)
        loss, accuracy = _judged(layer, features, targets, both, members, proportions)
        seconds = time.perf_counter() - started
        rows.append(("refit", 1, STRENGTHS[best], loss, accuracy, np.nan, np.nan, seconds))
    model.get_layer("classes").set_weights(layer)
    columns = ("run", "epoch", "strength", "loss", "accuracy")
    columns += ("validation_loss", "validation_accuracy", "seconds")
    return pd.DataFrame(rows, columns=columns)


def last_layer_answers(layer: tuple[np.ndarray, np.ndarray], features: np.ndarray) -> np.ndarray:
    """Return the probabilities that a layer of `solve_last_layer` gives, float64 (n, classes)."""
    return np.exp(_log_probabilities(layer, features))


def _log_probabilities(layer, features):
    kernel, bias = layer
    logits = (features @ kernel + bias).astype(np.float64)
    logits -= logits.max(axis=1, keepdims=True)
    return logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))


def _layer(solver, scaler, *, class_count):
    """Return kernel and bias for features that are not standardised."""
    coefficients, intercepts = solver.coef_, solver.intercept_
    if len(coefficients) == 1:
        # Of two classes scikit-learn keeps the second alone; the softmax layer has both.
        coefficients = np.concatenate([-coefficients, coefficients]) / 2
        intercepts = np.concatenate([-intercepts, intercepts]) / 2
    kernel = np.zeros((coefficients.shape[1], class_count))
    # Classes without a site are never answered.
    bias = np.full(class_count, -1e3)
    kernel[:, solver.classes_] = coefficients.T / scaler.scale_[:, np.newaxis]
    bias[solver.classes_] = intercepts - (scaler.mean_ / scaler.scale_) @ coefficients.T
    return kernel.astype(np.float32), bias.astype(np.float32)


def _judged(layer, features, targets, rows, members, proportions):
    """Return the weighted cross-entropy and accuracy of a layer on clips as they are."""
    logs = _log_probabilities(layer, features[rows, 0])
    weights = class_weights(members[rows], proportions)[members[rows]]
    losses = -(targets[rows] * logs).sum(axis=1)
    correct = logs.argmax(axis=1) == members[rows]
    return np.average(losses, weights=weights), np.average(correct, weights=weights)
