"""What more labels would bring: scores of classifiers that learn from a part of the labels."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from damascene.classes import ALL
from damascene.contracts.panorama_record import PanoramaRecord
from damascene.descriptors import DESCRIPTOR_WINDOW
from damascene.evaluation.baselines import predict_held_out
from damascene.evaluation.scores import score_table
from damascene.labels.split import roles_by_fold

#: Classifiers of `baselines` whose curves are shown.
CLASSIFIERS = ("logistic_regression", "gradient_boosting")
PROPORTIONS = (0.2, 0.35, 0.5, 0.7, 1.0)


def measure_learning_curve(
    split: pd.DataFrame,
    records: Sequence[PanoramaRecord],
    descriptors: np.ndarray,
    *,
    folds: int,
    repeats: int,
    seed: int,
) -> pd.DataFrame:
    """Return the `learning_curve` of classifiers that learn from descriptors.

    Parameters
    ----------
    split : pandas.DataFrame
        `SPLIT`.
    records : sequence of PanoramaRecord
    descriptors : numpy.ndarray, float32, shape (n, descriptors)
        In the row order of `split`.
    folds : int
        All are held out in turn.
    repeats, seed
        See `learning_curve`.
    """
    roles = roles_by_fold(
        split, records, test_folds=range(folds), folds=folds, windows=[DESCRIPTOR_WINDOW]
    )
    views = descriptors[:, np.newaxis]
    return learning_curve(split, views, roles, classifiers=CLASSIFIERS, repeats=repeats, seed=seed)


def thinned_roles(
    split: pd.DataFrame, roles: Mapping[int, np.ndarray], *, proportion: float, seed: int
) -> dict[int, np.ndarray]:
    """Keep a fraction of the groups to learn from in every fold; the test sites stay.

    Whole groups are taken away, as if these places had not been labelled. Groups kept at a
    smaller fraction are also kept at a larger one with the same seed. At least one group of each
    class is kept.

    Parameters
    ----------
    split : pandas.DataFrame
        `SPLIT`.
    roles : mapping of fold to numpy.ndarray of str
        Of each held-out fold, from `split.fold_roles`.
    proportion : float
        Above 0, at most 1.
    seed : int

    Returns
    -------
    dict of fold to numpy.ndarray of str
        Sites that are left out are `excluded`.
    """
    groups, labels = split["group"].to_numpy(), split["label"].to_numpy()
    thinned = {}
    for fold, of_fold in roles.items():
        learning = np.isin(of_fold, ["train", "validation"])
        order = np.random.default_rng([seed, fold]).permutation(np.unique(groups[learning]))
        kept = list(order[: max(round(proportion * len(order)), 1)])
        for label in np.unique(labels[learning]):
            with_label = set(groups[learning & (labels == label)])
            if not with_label & set(kept):
                kept.append(next(group for group in order if group in with_label))
        left_out = learning & ~np.isin(groups, kept)
        thinned[fold] = np.where(left_out, "excluded", of_fold)
    return thinned


def learning_curve(
    split: pd.DataFrame,
    features: np.ndarray,
    roles: Mapping[int, np.ndarray],
    *,
    classifiers: Sequence[str],
    repeats: int,
    seed: int,
) -> pd.DataFrame:
    """Score classifiers of `baselines` that learn from more and more labels.

    Parameters
    ----------
    split, roles
        See `thinned_roles`.
    features : numpy.ndarray, float, shape (n, views, features)
        In the row order of `split`.
    classifiers : sequence of str
        Of `baselines.BASELINES`.
    repeats : int
        How often groups are drawn for each proportion.
    seed : int

    Returns
    -------
    pandas.DataFrame
        classifier, share, repeat, labels (mean of the folds), macro_f1, kappa. The whole share has
        one repeat, as nothing is drawn.
    """
    rows = []
    for proportion in PROPORTIONS:
        for repeat in range(1 if proportion == 1 else repeats):
            kept = thinned_roles(split, roles, proportion=proportion, seed=seed + repeat)
            labels = np.mean(
                [np.isin(of_fold, ["train", "validation"]).sum() for of_fold in kept.values()]
            )
            for name in classifiers:
                predicted, _ = predict_held_out(
                    features, split["label"], kept, name=name, seed=seed + repeat
                )
                scored = predicted != ""
                table = score_table(
                    split["label"][scored],
                    predicted[scored],
                    groups=split["group"][scored],
                    confidence=0.95,
                )
                overall = table[table["class"] == ALL].set_index("score")["value"]
                rows.append(
                    {
                        "classifier": name,
                        "share": proportion,
                        "repeat": repeat,
                        "labels": labels,
                        "macro_f1": overall["macro_f1"],
                        "kappa": overall["kappa"],
                    }
                )
    return pd.DataFrame(rows)
