"""The map of all sites, against linear algebra and counting done by other means."""

from itertools import combinations

import numpy as np
import pandas as pd
import pytest

from damascene import InputError
from damascene.evaluation.embedding import embedding_map, group_agreement


def correlated(count=200, features=12, seed=0):
    rng = np.random.default_rng(seed)
    return rng.normal(0, 1, (count, features)) @ rng.normal(0, 1, (features, features))


def test_axes_are_those_of_a_singular_value_decomposition():
    features = correlated()
    table, summary = embedding_map(features, clusters=3, seed=0)
    scaled = (features - features.mean(axis=0)) / features.std(axis=0)
    _, singular, loadings = np.linalg.svd(scaled, full_matrices=False)
    for index in range(2):
        sign = np.sign(loadings[index, np.abs(loadings[index]).argmax()])
        # Both are double precision; values are of the order of one.
        np.testing.assert_allclose(
            table[f"axis_{index + 1}"], sign * scaled @ loadings[index], atol=1e-9
        )
        share = singular[index] ** 2 / (singular**2).sum()
        assert summary[f"explained_{index + 1}"] == pytest.approx(share)


def test_mirrored_features_mirror_the_map():
    """A sign that followed the sites instead of the loadings would leave the map as it is."""
    features = correlated()
    table, _ = embedding_map(features, clusters=3, seed=0)
    mirrored, _ = embedding_map(-features, clusters=3, seed=0)
    np.testing.assert_allclose(mirrored["axis_1"], -table["axis_1"], atol=1e-9)


def test_one_cloud_is_one_component():
    features = np.random.default_rng(0).normal(0, 1, (400, 6))
    _, summary = embedding_map(features, clusters=3, seed=0)
    assert summary["mixture_components"] == 1


def pair_counting(first, second):
    """Adjusted Rand index of Hubert & Arabie from all pairs, one by one."""
    sites = list(zip(first, second, strict=True))
    pairs = [(a == b, c == d) for (a, c), (b, d) in combinations(sites, 2)]
    both = sum(one and other for one, other in pairs)
    of_first, of_second = (sum(pair[index] for pair in pairs) for index in range(2))
    chance = of_first * of_second / len(pairs)
    return (both - chance) / ((of_first + of_second) / 2 - chance)


def information(first, second):
    """Mutual information over the mean of both entropies, from the table of shares."""
    joint = pd.crosstab(np.asarray(first), np.asarray(second), normalize=True).to_numpy()
    rows, columns = joint.sum(axis=1), joint.sum(axis=0)
    filled = joint > 0
    shared = (joint * np.log(np.where(filled, joint, 1) / np.outer(rows, columns)))[filled].sum()
    entropies = [-(shares * np.log(shares)).sum() for shares in (rows, columns)]
    return shared / np.mean(entropies)


def test_agreement_is_what_counting_pairs_and_shares_gives():
    rng = np.random.default_rng(3)
    label = rng.integers(0, 3, 60)
    table = pd.DataFrame(
        {
            "k_means": np.where(rng.uniform(size=60) < 0.7, label, rng.integers(0, 3, 60)),
            "mixture": rng.integers(0, 2, 60),
            "predicted_class": np.array(["notch", "martensite", "interface"])[label],
            "panorama": np.resize(["a", "b"], 60),
        }
    )
    agreement = group_agreement(table)
    assert len(agreement) == 4
    for row in agreement.itertuples():
        groups, against = table[row.groups], table[row.against]
        assert row.adjusted_rand == pytest.approx(pair_counting(groups, against))
        assert row.mutual_information == pytest.approx(information(groups, against))


@pytest.mark.parametrize("count", [0, 1])
def test_too_few_sites_are_refused_in_words(count):
    with pytest.raises(InputError, match=f"There are {count} sites"):
        embedding_map(np.zeros((count, 8)), clusters=4, seed=0)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_sites_that_are_all_alike_lie_on_one_point():
    table, summary = embedding_map(np.ones((30, 8)), clusters=4, seed=0)
    assert not table[["axis_1", "axis_2"]].to_numpy().any()
    assert summary["explained_1"] == summary["explained_2"] == 0
