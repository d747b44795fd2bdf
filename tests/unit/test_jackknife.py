"""Intervals over few groups of sites."""

import numpy as np
import pytest
from scipy import stats

from damascene.classes import SITE_CLASSES
from damascene.evaluation.prediction_sets import coverage_table
from damascene.evaluation.scores import score_table
from damascene.statistics.jackknife import LEAST_GROUPS, jackknife_interval


def without_each(hits, totals):
    return (hits.sum() - hits) / (totals.sum() - totals)


def proportion_interval(hits, totals, **options):
    """The interval of a proportion of sites that lie in groups."""
    hits, totals = np.asarray(hits, float), np.asarray(totals, float)
    return jackknife_interval(hits.sum() / totals.sum(), without_each(hits, totals), **options)


def test_interval_of_a_mean_of_equal_groups_is_that_of_students_t():
    """Of a mean, the jackknife's standard error is the textbook one; far from 0 and 1 the logit
    is straight."""
    values = np.array([50.2, 49.1, 51.3, 50.0, 48.8, 50.9])
    left_out = (values.sum() - values) / 5
    low, high = jackknife_interval(
        values.mean(), left_out, confidence=0.95, bounds=(-10_000.0, 10_100.0)
    )
    expected = stats.t.interval(0.95, 5, values.mean(), stats.sem(values))
    assert (low, high) == pytest.approx(expected, rel=1e-4)


def test_without_enough_groups_there_is_no_interval():
    for groups in range(2, LEAST_GROUPS):
        interval = proportion_interval([3] * groups, [4] * groups, confidence=0.95)
        assert np.isnan(interval).all()
    assert np.isnan(jackknife_interval(np.nan, [], confidence=0.95)).all()
    # Nor where the score is none without one of the groups, or never changes.
    assert np.isnan(jackknife_interval(0.5, [0.4, 0.6, np.nan], confidence=0.95)).all()
    assert np.isnan(proportion_interval([2, 2, 2], [4, 4, 4], confidence=0.95)).all()


@pytest.mark.parametrize("groups", [3, 10])
def test_a_perfect_score_is_no_certainty(groups):
    low, high = proportion_interval([5] * groups, [5] * groups, confidence=0.95)
    exact = stats.binomtest(groups, groups).proportion_ci(0.95, method="exact")
    assert (low, high) == pytest.approx((exact.low, 1))
    low, high = jackknife_interval(-1.0, [-1.0] * groups, confidence=0.95, bounds=(-1.0, 1.0))
    assert (low, high) == pytest.approx((-1, 1 - 2 * exact.low))


@pytest.mark.parametrize("groups", [3, 5, 9])
@pytest.mark.parametrize("correlation", [0.0, 0.15])
def test_intervals_hold_the_true_proportion_as_often_as_promised(groups, correlation):
    random = np.random.default_rng(3)
    studies, truth = 1500, 0.8
    totals = random.integers(10, 40, (studies, groups))
    chance = np.full(totals.shape, truth)
    if correlation:
        # Of a Beta distribution with the sum s of its parameters the correlation is 1 / (s + 1).
        strength = 1 / correlation - 1
        chance = random.beta(truth * strength, (1 - truth) * strength, totals.shape)
    hits = random.binomial(totals, chance)
    intervals = [
        proportion_interval(hit, total, confidence=0.95)
        for hit, total in zip(hits, totals, strict=True)
    ]
    low, high = np.array(intervals).T
    holds = ((low <= truth) & (truth <= high))[~np.isnan(low)]
    assert len(holds) > 0.98 * studies
    # Three standard errors are 1.7 %; more than promised is allowed, as groups are few. The
    # percentile bootstrap, which this replaced, has 0.70 to 0.90 here.
    assert holds.mean() > 0.95 - 0.02


def test_intervals_of_scores_of_few_groups_hold_the_true_value():
    """Six groups with an ease of their own; the truth is that of very many groups."""
    random = np.random.default_rng(0)

    def study(groups):
        member = np.repeat(np.arange(groups), 25)
        truth = random.integers(0, 5, len(member))
        ease = random.normal(0, 0.7, groups)[member]
        is_right = random.random(len(member)) < 1 / (1 + np.exp(-(1.0 + ease)))
        said = np.where(is_right, truth, (truth + random.integers(1, 5, len(member))) % 5)
        names = np.array(SITE_CLASSES, dtype=object)
        table = score_table(names[truth], names[said], groups=member, confidence=0.95)
        return table.set_index(["class", "score"])

    wanted = [("all", "macro_f1"), ("all", "kappa"), ("notch", "recall"), ("notch", "f1")]
    true = study(2000)["value"][wanted]
    tables = [study(6).loc[wanted] for _ in range(120)]
    holds = np.array([(table["low"] <= true) & (true <= table["high"]) for table in tables])
    # Three standard errors of a share of 120.
    assert (holds.mean(axis=0) > 0.95 - 3 * np.sqrt(0.95 * 0.05 / 120)).all()
    assert {6} == {table.loc[("all", "kappa"), "groups"] for table in tables}


def test_scores_name_the_groups_that_matter_to_them():
    truth = ["notch"] * 4 + ["interface"] * 4 + ["martensite"]
    groups = ["a", "a", "b", "b", "b", "c", "d", "e", "e"]
    said = ["notch", "interface", "notch", "notch", "interface", "interface", "notch"]
    said += ["interface", "martensite"]
    table = score_table(truth, said, groups=groups, confidence=0.95).set_index(["class", "score"])
    counts = table["groups"]
    assert counts["notch", "recall"] == 2 and counts["notch", "precision"] == 3
    assert counts["interface", "recall"] == 4 and counts["all", "macro_f1"] == 5
    assert np.isnan(table.loc[("notch", "recall"), ["low", "high"]].astype(float)).all()
    assert counts["inclusion", "f1"] == 0
    sets = np.ones((9, 5), bool)
    targets = [SITE_CLASSES.index(name) for name in truth]
    held = coverage_table(
        sets, np.array(targets), promised=np.ones(5, bool), groups=groups, confidence=0.95
    ).set_index("class")
    assert held.loc["interface", "groups"] == 4 and held.loc["interface", "high"] == 1
    assert np.isnan(held.loc["notch", "low"])


def test_a_score_that_reaches_its_bound_but_for_rounding_has_an_interval():
    left_out = [1.0, 1 - 1e-16, 1 + 2e-16, 1.0]
    exact = jackknife_interval(1.0, [1.0] * 4, confidence=0.95)
    assert jackknife_interval(1 + 2e-16, left_out, confidence=0.95) == exact
    assert exact[0] < 0.5
