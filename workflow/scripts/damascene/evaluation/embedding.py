"""A map of all sites by the features of the network, and the clusters they form there."""

import numpy as np
import pandas as pd
from sklearn.cluster import KMeans
from sklearn.decomposition import PCA
from sklearn.metrics import adjusted_rand_score, normalized_mutual_info_score
from sklearn.mixture import GaussianMixture
from sklearn.preprocessing import StandardScaler

from damascene import InputError

# Number of axes for clustering: the two of the map would hide some clusters.
_AXES = 10
_MOST_COMPONENTS = 8


def embedding_map(features: np.ndarray, *, clusters: int, seed: int) -> tuple[pd.DataFrame, dict]:
    """Lay sites out in the plane that shows most of their differences, and group them.

    Parameters
    ----------
    features : numpy.ndarray, float, shape (n, features)
        What a network sees in the sites, see `site_map.map_sites`.
    clusters : int
        Of k-means; the mixture chooses its own number by the Bayesian information criterion.
    seed : int

    Returns
    -------
    table : pandas.DataFrame
        axis_1, axis_2, k_means, mixture; one row per site.
    summary : dict
        explained_1, explained_2: proportions of the variance; mixture_components.

    Raises
    ------
    InputError
        If there are fewer than two sites.

    References
    ----------
    Fraley & Raftery, Model-based clustering, discriminant analysis, and density estimation,
    10.1198/016214502760047131.
    """
    if len(features) < 2:
        raise InputError(
            f"There are {len(features)} sites in all panoramas; a map of sites needs "
            "at least 2. Loosen the rules of detection, or add panoramas."
        )
    axes = min(_AXES, *features.shape)
    scaled = StandardScaler().fit_transform(features)
    pca = PCA(axes, svd_solver="full").fit(scaled)
    placed = pca.transform(scaled)
    # The sign of an axis is arbitrary: its longest loading points upwards.
    longest = np.abs(pca.components_).argmax(axis=1)
    placed *= np.sign(pca.components_[np.arange(axes), longest])
    most = max(min(_MOST_COMPONENTS, len(features) // (2 * axes)), 1)
    mixtures = [
        GaussianMixture(count, covariance_type="diag", random_state=seed, reg_covar=1e-4).fit(
            placed
        )
        for count in range(1, most + 1)
    ]
    mixture = min(mixtures, key=lambda one: one.bic(placed))
    means = KMeans(min(clusters, len(features)), n_init=10, random_state=seed).fit(placed)
    second = placed[:, 1] if axes > 1 else np.zeros(len(placed))
    table = pd.DataFrame(
        {
            "axis_1": placed[:, 0],
            "axis_2": second,
            "k_means": means.labels_,
            "mixture": mixture.predict(placed),
        }
    )
    # Sites that are all alike leave no variance to explain.
    explained = [*np.nan_to_num(pca.explained_variance_ratio_), 0.0]
    return table, {
        "explained_1": float(explained[0]),
        "explained_2": float(explained[1]),
        "mixture_components": int(mixture.n_components),
    }


def group_agreement(table: pd.DataFrame) -> pd.DataFrame:
    """Return how well the groups of a map agree with classes and with panoramas.

    Parameters
    ----------
    table : pandas.DataFrame
        k_means, mixture, predicted_class and panorama of each site.

    Returns
    -------
    pandas.DataFrame
        groups, against, adjusted_rand (0 by chance, 1 where they are the same) and
        mutual_information (normalised: 1 where they are the same, and above 0 by chance, more so
        with many groups of few sites).
    """
    return pd.DataFrame(
        [
            {
                "groups": groups,
                "against": against,
                "adjusted_rand": adjusted_rand_score(table[against], table[groups]),
                "mutual_information": normalized_mutual_info_score(table[against], table[groups]),
            }
            for groups in ("k_means", "mixture")
            for against in ("predicted_class", "panorama")
        ]
    )
