"""One table of all classifiers, scored on the same held-out sites in the same way."""

import logging
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import pandas as pd

from damascene.classes import ALL
from damascene.contracts.model_card import ModelCard
from damascene.contracts.panorama_record import PanoramaRecord
from damascene.descriptors import DESCRIPTOR_WINDOW
from damascene.evaluation.baselines import BASELINES, MAJORITY, predict_held_out
from damascene.evaluation.scores import score_table
from damascene.labels.split import roles_by_fold

logger = logging.getLogger(__name__)

NETWORKS = "networks"
_SCORES = ("macro_f1", "kappa", "balanced_accuracy")


def compare_classifiers(
    split: pd.DataFrame,
    records: Sequence[PanoramaRecord],
    *,
    descriptors: np.ndarray,
    hog: np.ndarray,
    predictions: pd.DataFrame,
    cards: Sequence[ModelCard],
    test_folds: Iterable[int],
    folds: int,
    windows: Sequence[str],
    confidence: float,
    seed: int,
) -> pd.DataFrame:
    """Score all baselines and the networks on the same held-out sites.

    Parameters
    ----------
    split : pandas.DataFrame
        `SPLIT`.
    records : sequence of PanoramaRecord
    descriptors : numpy.ndarray, float32, shape (n, descriptors)
        In the row order of `split`.
    hog : numpy.ndarray, shape (n, views, features)
        From `baselines.gradients_of_sites`.
    predictions, cards
        See `network_row`.
    test_folds : iterable of int
        The folds that were held out.
    folds : int
        Number of all folds.
    windows : sequence of str
        Of the networks, so that baselines learn from the same sites.
    confidence, seed
        See `baseline_rows`.

    Returns
    -------
    pandas.DataFrame
        `CLASSIFIERS`, by falling macro-F1.
    """
    roles = roles_by_fold(
        split, records, test_folds=test_folds, folds=folds, windows=[*windows, DESCRIPTOR_WINDOW]
    )
    features = {"descriptors": descriptors[:, np.newaxis], "hog": hog}
    rows = baseline_rows(split, features, roles, confidence=confidence, seed=seed)
    rows.append(network_row(predictions, cards, confidence=confidence))
    return pd.DataFrame(rows).sort_values("macro_f1", ascending=False)


def baseline_rows(
    split: pd.DataFrame,
    features: Mapping[str, np.ndarray],
    roles: Mapping[int, np.ndarray],
    *,
    confidence: float,
    seed: int,
) -> list[dict]:
    """Score every baseline on every kind of features.

    Parameters
    ----------
    split : pandas.DataFrame
        `SPLIT`.
    features : mapping of name to numpy.ndarray, shape (n, views, features)
        In the row order of `split`.
    roles : mapping of fold to numpy.ndarray of str
        Of each held-out fold, from `split.fold_roles`.
    confidence : float
        See `scores.score_table`.
    seed : int
        Of the classifiers that draw at random.

    Returns
    -------
    list of dict
        classifier, features, sites, groups; value, low and high of macro_f1, kappa and
        balanced_accuracy; parameters; training_s; sites_per_s.
    """
    rows = []
    # The majority looks at no features: once is enough.
    pairs = [(MAJORITY, next(iter(features)))]
    pairs += [(name, kind) for kind in features for name in BASELINES if name != MAJORITY]
    for name, kind in pairs:
        predicted, cost = predict_held_out(
            features[kind], split["label"], roles, name=name, seed=seed
        )
        held_out = predicted != ""
        scores = _scores(split[held_out], predicted[held_out], confidence=confidence)
        shown = "none" if name == MAJORITY else kind
        rows.append({"classifier": name, "features": shown, **scores, **cost})
        logger.info("%s on %s: macro-F1 %.3f", name, shown, scores["macro_f1"])
    return rows


def network_row(
    predictions: pd.DataFrame, cards: Sequence[ModelCard], *, confidence: float
) -> dict:
    """Score the two networks together, as a row beside those of `baseline_rows`.

    Parameters
    ----------
    predictions : pandas.DataFrame
        From `held_out.classify_held_out`.
    cards : sequence of ModelCard
        Of all networks that made them: two for each held-out fold. Times that the card of a
        network trained elsewhere does not tell become NaN.
    confidence : float
        See `evaluate.score_table`.
    """
    scores = _scores(predictions, predictions["predicted_class"], confidence=confidence)
    folds = predictions["fold"].nunique()
    return {
        "classifier": NETWORKS,
        "features": "+".join(sorted({card.network for card in cards})),
        **scores,
        "parameters": sum(card.parameters for card in cards) / folds,
        "training_s": sum(_known(card.training_s) for card in cards) / folds,
        # A site passes both networks.
        "sites_per_s": folds / sum(1 / _known(card.sites_per_s) for card in cards),
    }


def _known(number):
    return np.nan if number is None else number


def _scores(sites, predicted, *, confidence):
    table = score_table(sites["label"], predicted, groups=sites["group"], confidence=confidence)
    overall = table[table["class"] == ALL].set_index("score")
    values = {"sites": len(sites), "groups": int(overall.groups["macro_f1"])}
    for score in _SCORES:
        values[score] = overall.value[score]
        values[f"{score}_low"], values[f"{score}_high"] = overall.low[score], overall.high[score]
    return values
