"""How well annotators agree on each class, against independent implementations."""

import itertools

import numpy as np
import pandas as pd
import pytest
from sklearn import metrics
from statsmodels.stats import inter_rater
from test_evaluation import given_answers

from damascene.classes import SITE_CLASSES
from damascene.contracts.agreement import CLASS_AGREEMENT
from damascene.contracts.table import check_table
from damascene.evaluation.class_agreement import class_agreement


def crowd(sites, annotators, *, seed=4, right=0.7, skipped=0.0):
    """Return what annotators say of sites, empty where one skips it."""
    rng = np.random.default_rng(seed)
    truth = rng.choice(5, sites, p=[0.4, 0.3, 0.15, 0.1, 0.05])
    sure = rng.uniform(size=(sites, annotators)) < right
    said = np.where(sure, truth[:, None], rng.integers(0, 5, (sites, annotators)))
    names = np.array(SITE_CLASSES, dtype=object)[said]
    return np.where(rng.uniform(size=names.shape) < skipped, "", names)


def scored(answers, sites_of_a_group=5):
    sites = pd.MultiIndex.from_frame(answers[["panorama", "site_id"]].drop_duplicates())
    groups = pd.Series(sites.get_level_values("site_id") // sites_of_a_group, index=sites)
    table = class_agreement(answers, groups=groups.astype(str), confidence=0.95)
    check_table(table, CLASS_AGREEMENT, source="test")
    return table.set_index(["comparison", "class", "score"])


def test_a_pair_agrees_as_dice_and_scott_say():
    said = crowd(300, 2)
    table = scored(given_answers(said))
    for name in SITE_CLASSES:
        one, other = (said == name).T
        dice = metrics.f1_score(one, other)
        assert table["value"]["pair 1-2", name, "positive_agreement"] == pytest.approx(dice)
        counts, _ = inter_rater.aggregate_raters((said == name).astype(int))
        scott = inter_rater.fleiss_kappa(counts)
        assert table["value"]["pair 1-2", name, "kappa"] == pytest.approx(scott)
    assert set(table.index.get_level_values("comparison")) == {"pair 1-2"}


def test_of_several_every_pair_of_answers_counts():
    said = crowd(200, 4)
    table = scored(given_answers(said)).loc["all"]
    for name in SITE_CLASSES:
        pairs = [pair for row in said for pair in itertools.permutations(row, 2)]
        second = [other == name for one, other in pairs if one == name]
        assert table["value"][name, "positive_agreement"] == pytest.approx(np.mean(second))
        counts, _ = inter_rater.aggregate_raters((said == name).astype(int))
        assert table["value"][name, "kappa"] == pytest.approx(inter_rater.fleiss_kappa(counts))
        assert table["named"][name, "kappa"] == (said == name).any(axis=1).sum()


def test_sites_that_some_leave_out_count_with_the_answers_that_there_are():
    said = crowd(4000, 3, skipped=0.3)
    table = scored(given_answers(said)).loc["all"]
    assert table["sites"].iloc[0] == ((said != "").sum(axis=1) > 1).sum()
    whole = scored(given_answers(crowd(4000, 3))).loc["all"]
    for key in whole.index:
        assert table["value"][key] == pytest.approx(whole["value"][key], abs=0.05)


def test_intervals_hold_the_value_of_a_large_crowd_about_as_often_as_they_say():
    true = scored(given_answers(crowd(20000, 2, seed=1)))["value"]
    held = []
    for seed in range(40):
        part = scored(given_answers(crowd(200, 2, seed=100 + seed)))
        held += ((part["low"] <= true) & (true <= part["high"]))[part["low"].notna()].tolist()
    assert len(held) > 300 and np.mean(held) > 0.9


def test_a_class_that_nobody_names_has_no_agreement_and_one_annotator_no_table():
    table = scored(given_answers(np.array([["notch", "notch"], ["notch", "interface"]] * 5)))
    of_class = table.loc["pair 1-2"].loc["inclusion"]
    assert of_class["value"].isna().all() and (of_class["named"] == 0).all()
    assert scored(given_answers([["notch"], ["interface"]])).empty


def test_who_decides_knew_the_others_and_is_no_annotator_here():
    said = crowd(60, 2)
    votes = given_answers(said)
    deciding = votes[votes["annotator"] == "a"].assign(decides=True, answer="notch", order=999)
    assert scored(pd.concat([votes, deciding]))["value"].equals(scored(votes)["value"])
