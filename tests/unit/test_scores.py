import numpy as np
import pandas as pd
import pytest
from scipy import stats
from sklearn import metrics

from damascene.classes import SITE_CLASSES, SITE_LABELS
from damascene.classification.decide import decide_classes
from damascene.evaluation.scores import confusion_table, score_difference, score_table


def guesses(count=300, seed=0, labels=SITE_LABELS):
    rng = np.random.default_rng(seed)
    truth = rng.choice(SITE_CLASSES, count)
    predicted = np.where(rng.random(count) < 0.6, truth, rng.choice(labels, count))
    return truth, predicted, rng.choice([f"g{index}" for index in range(15)], count)


def scores(table):
    return table.set_index(["class", "score"]).value


def test_confusion_counts_every_pair():
    truth, predicted, groups = guesses()
    table = confusion_table(truth, predicted, groups=groups, confidence=0.95)
    assert len(table) == 5 * 6 and table["count"].sum() == 300
    expected = pd.crosstab(truth, predicted)
    for row in table.itertuples():
        assert row.count == expected.loc[row.true_class, row.predicted_class]
    sums = table.groupby("true_class").share.sum()
    np.testing.assert_allclose(sums, 1, atol=1e-12)


def test_shares_of_the_confusion_have_the_interval_of_recall_or_the_exact_one():
    truth, predicted, groups = guesses()
    table = confusion_table(truth, predicted, groups=groups, confidence=0.95)
    assert set(table["interval"]) == {"groups"}
    pairs = table.set_index(["true_class", "predicted_class"])
    recalls = score_table(truth, predicted, groups=groups, confidence=0.95)
    recalls = recalls[recalls["score"] == "recall"].set_index("class")
    for name in SITE_CLASSES:
        own, recall = pairs.loc[(name, name)], recalls.loc[name]
        np.testing.assert_allclose(
            own[["share", "low", "high"]].to_numpy(float),
            recall[["value", "low", "high"]].to_numpy(float),
        )
    # Two groups say nothing of their scatter: 3 of 10 by Clopper and Pearson.
    few = confusion_table(
        ["notch"] * 10,
        ["notch"] * 7 + ["interface"] * 3,
        groups=["a", "b"] * 5,
        confidence=0.95,
    ).set_index(["true_class", "predicted_class"])
    row = few.loc["notch", "interface"]
    assert row["interval"] == "sites" and row["groups"] == 2
    exact = stats.binomtest(3, 10).proportion_ci(0.95, method="exact")
    assert (row["low"], row["high"]) == pytest.approx((exact.low, exact.high))


def test_a_paired_difference_is_narrower_than_two_scores_and_zero_for_the_same_answers():
    truth, predicted, groups = guesses(count=600)
    better = np.where(np.arange(600) % 10 == 0, truth, predicted)
    options = {"groups": groups, "confidence": 0.95}
    difference = score_difference(truth, better, predicted, **options).set_index("score")
    one, other = (score_table(truth, answers, **options) for answers in (better, predicted))
    for score in ("accuracy", "macro_f1", "kappa"):
        first, second = (
            table[table["class"] == "all"].set_index("score").loc[score] for table in (one, other)
        )
        row = difference.loc[score]
        assert row["value"] == pytest.approx(first["value"] - second["value"])
        assert 0 < row["low"] < row["value"] < row["high"]
        # Both answers share most of their mistakes.
        assert row["high"] - row["low"] < first["high"] - first["low"]
    same = score_difference(truth, predicted, predicted, **options)
    assert (same["value"] == 0).all() and same[["low", "high"]].isna().all(axis=None)


def test_scores_agree_with_scikit_learn():
    truth, predicted, groups = guesses()
    table = scores(score_table(truth, predicted, groups=groups, confidence=0.95))
    precision, recall, f1, support = metrics.precision_recall_fscore_support(
        truth, predicted, labels=list(SITE_CLASSES), zero_division=0
    )
    for index, name in enumerate(SITE_CLASSES):
        assert table[name, "precision"] == pytest.approx(precision[index])
        assert table[name, "recall"] == pytest.approx(recall[index])
        assert table[name, "f1"] == pytest.approx(f1[index])
    assert support.sum() == 300
    assert table["all", "macro_f1"] == pytest.approx(f1.mean())
    assert table["all", "accuracy"] == pytest.approx(metrics.accuracy_score(truth, predicted))
    assert table["all", "balanced_accuracy"] == pytest.approx(recall.mean())
    assert table["all", "kappa"] == pytest.approx(metrics.cohen_kappa_score(truth, predicted))


def test_not_classified_costs_recall_and_no_precision():
    truth = np.repeat(SITE_CLASSES, 4)
    predicted = truth.astype(object)
    predicted[[0, 1]] = "not_classified"
    table = scores(score_table(truth, predicted, groups=truth, confidence=0.95))
    assert table["inclusion", "recall"] == 0.5
    assert table["inclusion", "precision"] == 1
    assert table["all", "accuracy"] == pytest.approx(18 / 20)


def test_absent_class_has_no_scores_and_is_left_out_of_means():
    truth = ["notch"] * 5 + ["interface"] * 5
    predicted = ["notch"] * 5 + ["martensite"] * 5
    table = scores(score_table(truth, predicted, groups=["a", "b"] * 5, confidence=0.95))
    assert np.isnan(table["inclusion", "f1"]) and np.isnan(table["martensite", "precision"])
    assert table["all", "macro_f1"] == pytest.approx(0.5)


def test_no_sites_have_missing_scores():
    table = score_table([], [], groups=[], confidence=0.95)
    assert table.value.isna().all() and (table.support == 0).all()
    confusion = confusion_table([], [], groups=[], confidence=0.95)
    assert (confusion["count"] == 0).all() and (confusion["interval"] == "").all()
    assert confusion[["share", "low", "high"]].isna().all(axis=None)


def test_intervals_hold_the_value_and_widen_with_confidence_and_clustering():
    truth, predicted, _ = guesses(count=400, seed=1)
    alone = [str(index) for index in range(400)]
    narrow = score_table(truth, predicted, groups=alone, confidence=0.5)
    wide = score_table(truth, predicted, groups=alone, confidence=0.95)
    assert ((wide.low <= wide.value) & (wide.value <= wide.high)).all()
    assert (wide.high - wide.low > narrow.high - narrow.low).all()
    # Groups that are all right or all wrong vary more than their sites alone.
    order = np.argsort(truth == predicted, kind="stable")
    clustered = score_table(
        truth[order],
        predicted[order],
        groups=[str(index // 20) for index in range(400)],
        confidence=0.95,
    )

    def width(table):
        row = table[table.score == "accuracy"].iloc[0]
        return row.high - row.low

    assert width(clustered) > 2 * width(wide)


def test_intervals_of_single_sites_have_the_binomial_width():
    truth, predicted, _ = guesses(count=400, seed=2)
    table = score_table(
        truth, predicted, groups=[str(index) for index in range(400)], confidence=0.95
    )
    row = table[table.score == "accuracy"].iloc[0]
    expected = 2 * 1.96 * np.sqrt(row.value * (1 - row.value) / 400)
    assert row.high - row.low == pytest.approx(expected, rel=0.02)
    assert row.groups == 400


def decided(p_inclusion, p_damage, inclusion_threshold=0.7, damage_threshold=0.4):
    return decide_classes(
        np.array([p_inclusion]),
        np.array([p_damage]),
        inclusion_threshold=inclusion_threshold,
        damage_threshold=damage_threshold,
    )[0]


@pytest.mark.parametrize(
    ("p_inclusion", "p_damage", "label"),
    [
        (0.71, [0.9, 0.1, 0, 0], "inclusion"),
        # A threshold is never reached by equality.
        (0.7, [0.9, 0.1, 0, 0], "notch"),
        (0.1, [0.1, 0.1, 0.4, 0.4], "not_classified"),
        # Both pass the threshold: the more probable one wins, not the later one.
        (0.1, [0.1, 0.45, 0.02, 0.43], "shadowing"),
        (0.1, [0.05, 0.05, 0.5, 0.4], "interface"),
        (0.1, [0.0, 0.0, 0.2, 0.8], "martensite"),
    ],
)
def test_decision(p_inclusion, p_damage, label):
    assert decided(p_inclusion, p_damage) == label


def test_decision_of_no_sites():
    labels = decide_classes(
        np.empty(0), np.empty((0, 4)), inclusion_threshold=0.7, damage_threshold=0.5
    )
    assert labels.shape == (0,)
