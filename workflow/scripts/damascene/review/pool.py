"""What is known of the sites among which those for a review are chosen."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.cluster import KMeans
from sklearn.decomposition import PCA
from sklearn.preprocessing import StandardScaler

from damascene.classes import SITE_CLASSES
from damascene.classification.calibration import site_probabilities
from damascene.classification.compared_sites import sampled_rows
from damascene.contracts.candidates import CANDIDATES
from damascene.contracts.labels import ANSWER_SEPARATOR, MAJORITY, UNCLEAR, UNDECIDED
from damascene.contracts.sites import PREDICTIONS
from damascene.contracts.table import read_table
from damascene.review.order import ONE_RANDOM_IN, chances
from damascene.shift.compare import read_condition
from damascene.shift.space import Space

#: Sites of a study that are weighed against each other; a review never gets further.
MOST_IN_POOL = 200_000
#: Sites that are put into groups, and the groups: each should be seen in the first hundred labels.
_GROUPED, _GROUPS = 8000, 24
# Axes of the features in which groups are sought.
_AXES = 32
# Training sites of which a site counts as one, by their distance where their group was left out.
_LIKE = 0.95
_PROBABILITIES = [f"p_{name}" for name in SITE_CLASSES]


def read_pool(
    panoramas: Sequence[str],
    sites: Sequence[str | Path],
    features: Sequence[str | Path],
    *,
    classified: bool,
    answers: pd.DataFrame,
    contradictions: pd.DataFrame,
    space: Space | None,
    most: int,
    seed: int,
) -> pd.DataFrame:
    """Bring together what is known of the sites of a study, panorama by panorama.

    Of a study with very many sites those with the lowest chances are taken, which are a random
    sample, and those that networks were shown or people contradict each other on.

    Parameters
    ----------
    panoramas : sequence of str
    sites, features : sequences of paths
        Of each panorama: `PREDICTIONS` or `CANDIDATES`, and what frozen layers see of the rows
        `compared_sites.sampled_rows` of them.
    classified : bool
        Whether the tables are `PREDICTIONS`.
    answers, contradictions : pandas.DataFrame
        `ANSWERS` and `CONTRADICTIONS`.
    space : Space or None
        What the networks learned from.
    most : int
        Length of the queue for which the sites are meant.
    seed : int
        See `order.chances`.

    Returns
    -------
    pandas.DataFrame
        panorama, site_id; chance, uint64; labelled, bool; contradiction, the classes that people
        gave, joined by `|`, or empty; undecided, bool, where no class has a majority; with networks
        predicted_class, prediction_set and p_<class>, else empty and NaN; distance from the
        training sites, 1 where most of these are, or NaN; cluster, int, and cluster_distance,
        without networks, else -1 and NaN.
    """
    limit = max(MOST_IN_POOL // max(len(panoramas), 1), -(-most // ONE_RANDOM_IN))
    told = _told(answers, contradictions)
    usual = float(np.quantile(space.within, _LIKE)) if space is not None else np.nan
    parts, seen = [], []
    for name, path, of_features in zip(panoramas, sites, features, strict=True):
        table = read_table(path, PREDICTIONS if classified else CANDIDATES)
        part = _described(table, classified=classified)
        part["chance"] = chances(name, table["site_id"].to_numpy(), seed=seed)
        part = part.join(told, on=["panorama", "site_id"])
        rows = sampled_rows(len(part))
        looked = np.load(of_features)
        if classified:
            if space is not None and len(rows):
                part.loc[rows, "distance"] = space.distances(looked) / usual
        else:
            few = sampled_rows(len(rows), most=max(_GROUPED // len(panoramas), 8))
            seen.append(looked[few].astype(np.float32))
            part.loc[rows[few], "cluster"] = 0
        lowest = part["chance"].rank(method="first") <= limit
        kept = lowest | part["distance"].notna() | (part["cluster"] >= 0)
        parts.append(part[kept | (part["contradiction"].fillna("") != "")])
    pool = pd.concat(parts, ignore_index=True)
    pool["labelled"] = pool["labelled"].notna()
    pool["contradiction"] = pool["contradiction"].fillna("")
    pool["undecided"] = pool["undecided"].eq(True)
    grouped = pool.index[pool["cluster"] >= 0]
    if len(grouped):
        groups, distances = look_alikes(np.concatenate(seen), seed=seed)
        pool.loc[grouped, "cluster"] = groups
        pool.loc[grouped, "cluster_distance"] = distances
    return pool


def training_space(condition: str) -> Space | None:
    """Return the features of training sites from `condition.json`; None for an empty path."""
    return read_condition(condition)[1] if condition else None


def _described(table, *, classified):
    """Return what the detection or the networks say of sites."""
    part = table[["panorama", "site_id"]].assign(
        distance=np.nan, cluster=-1, cluster_distance=np.nan
    )
    if not classified:
        return part.assign(
            predicted_class="", prediction_set="", **dict.fromkeys(_PROBABILITIES, np.nan)
        )
    part[["predicted_class", "prediction_set"]] = table[["predicted_class", "prediction_set"]]
    part[_PROBABILITIES] = site_probabilities(table)
    return part


def _told(answers, contradictions):
    """Return what people said of each site that they labelled, by panorama and site."""
    key = ["panorama", "site_id"]
    told = answers[answers["counts"]].groupby(key).size().to_frame("labelled")
    # What a person decided, or an agreement of all, is no longer open.
    still = contradictions[contradictions["decided"].isin([UNDECIDED, MAJORITY])].set_index(key)
    told["contradiction"] = still["answers"].map(_classes_in)
    told["undecided"] = still["decided"] == UNDECIDED
    return told


def _classes_in(answers):
    return ANSWER_SEPARATOR.join(sorted({*answers.split(ANSWER_SEPARATOR)} - {UNCLEAR}))


def look_alikes(features: np.ndarray, *, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Put sites into groups that look alike, by what frozen layers see of them.

    Parameters
    ----------
    features : numpy.ndarray, float, shape (n, features)
        Of at least one site.
    seed : int

    Returns
    -------
    groups : numpy.ndarray, int, shape (n,)
    distances : numpy.ndarray, float64, shape (n,)
        From the centre of the group: the most typical sites first.

    References
    ----------
    Typical sites of each group as the first to be labelled: Hacohen, Dekel & Weinshall, Active
    learning on a budget: opposite strategies suit high and low budgets, ICML 2022, arXiv
    2202.02794.
    """
    groups = min(_GROUPS, max(len(features) // 4, 1))
    if len(features) < 2 or groups == 1:
        return np.zeros(len(features), int), np.zeros(len(features))
    standard = StandardScaler().fit_transform(features)
    axes = min(_AXES, len(features) - 1, features.shape[1])
    placed = PCA(axes, svd_solver="randomized", random_state=seed).fit_transform(standard)
    means = KMeans(groups, n_init=4, random_state=seed).fit(placed)
    return means.labels_, means.transform(placed).min(axis=1)
