"""Which sites people are asked about, and in which order."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from damascene.classes import SITE_CLASSES
from damascene.review.order import ONE_RANDOM_IN, chances, order_sites
from damascene.review.pool import look_alikes

SURE = dict.fromkeys((f"p_{name}" for name in SITE_CLASSES), 0.01)


def pool(count, **columns):
    """Return a pool of sites that the networks are sure of."""
    table = {
        "panorama": "a",
        "site_id": np.arange(count),
        "chance": chances("a", np.arange(count), seed=1),
        "labelled": False,
        "contradiction": "",
        "undecided": False,
        "predicted_class": "notch",
        "prediction_set": "",
        **SURE,
        "p_notch": 0.96,
        "distance": np.nan,
        "cluster": -1,
        "cluster_distance": np.nan,
    }
    return pd.DataFrame({**table, **columns}, index=range(count))


def test_chances_are_the_same_in_every_run_and_uniform():
    ids = np.arange(20_000)
    first = chances("a", ids, seed=3)
    assert np.array_equal(first, chances("a", ids, seed=3))
    assert np.array_equal(first[500:], chances("a", ids[500:], seed=3))
    assert len(set(first)) == len(ids)
    for other in (chances("b", ids, seed=3), chances("a", ids, seed=4)):
        assert not np.isin(other, first).any()
        assert abs(stats.spearmanr(first.astype(float), other.astype(float)).statistic) < 0.03
    assert stats.kstest(first / 2.0**64, "uniform").pvalue > 1e-3
    assert abs(stats.spearmanr(ids, first.astype(float)).statistic) < 0.03


def test_one_of_four_is_drawn_at_random_and_these_are_a_simple_random_sample():
    """They do not depend on what is valuable: the same sites come whatever the networks say."""
    plain = order_sites(pool(200), most=80, labels={})
    p = np.random.default_rng(0).uniform(0.4, 0.6, 200)
    doubts = order_sites(pool(200, p_notch=p, p_interface=1 - p), most=80, labels={})
    for order in (plain, doubts):
        assert len(order) == 80 and order["rank"].tolist() == list(range(1, 81))
        assert (order["drawn_by"].iloc[::ONE_RANDOM_IN] == "random").all()
    random = [
        each[each["drawn_by"] == "random"]["site_id"].tolist()[:20] for each in (plain, doubts)
    ]
    assert random[0] == random[1] == np.argsort(chances("a", np.arange(200), seed=1))[:20].tolist()
    assert set(doubts["drawn_by"]) == {"random", "set", "balance"}


def test_doubtful_sites_come_before_sure_ones():
    p = np.full(100, 0.96)
    p[40], p[50], p[60] = 0.5, 0.7, 0.6
    order = order_sites(pool(100, p_notch=p, p_interface=1 - p), most=60, labels={})
    found = order[order["site_id"].isin([40, 50, 60]) & (order["drawn_by"] != "random")]
    asked = [each for each in (40, 60, 50) if each in set(found["site_id"])]
    assert found["site_id"].tolist() == asked and (found["drawn_by"] == "set").all()
    assert found["reason"].str.contains("notch").all()


def test_sets_decide_where_there_are_any():
    sets = np.full(60, "notch", object)
    sets[7] = "notch|interface"
    # Not sure, but the set says that the answer holds.
    p = np.full(60, 0.96)
    p[8] = 0.5
    order = order_sites(pool(60, prediction_set=sets, p_notch=p), most=60, labels={})
    assert order.loc[order["drawn_by"] == "set", "site_id"].tolist() == [7]
    assert "cannot tell between notch, interface" in order.set_index("site_id")["reason"][7]


def test_foreign_sites_come_by_their_distance():
    distance = np.full(80, 0.8)
    distance[[3, 5, 9]] = 1.2, 3.0, 2.0
    order = order_sites(pool(80, distance=distance), most=80, labels={})
    far = order[order["drawn_by"] == "far"]["site_id"].tolist()
    assert far == [each for each in (5, 9, 3) if each in far] and len(far) >= 1


def test_the_class_with_fewest_labels_comes_first():
    classes = np.array(["notch", "inclusion"] * 50)
    order = order_sites(
        pool(100, predicted_class=classes), most=40, labels={"notch": 50, "inclusion": 3}
    )
    drawn = order[order["drawn_by"] == "balance"]["site_id"].to_numpy()
    assert len(drawn) == 30 and (classes[drawn] == "inclusion").all()


def test_labelled_sites_are_left_out_unless_the_answers_contradict():
    labelled = np.zeros(40, bool)
    labelled[:20] = True
    said = np.full(40, "", object)
    said[[2, 5]] = "inclusion|notch"
    undecided = np.zeros(40, bool)
    undecided[5] = True
    order = order_sites(
        pool(40, labelled=labelled, contradiction=said, undecided=undecided), most=100, labels={}
    )
    assert set(order["site_id"]) == {2, 5, *range(20, 40)}
    assert order[order["drawn_by"] == "disagreement"]["site_id"].tolist() == [5, 2]
    assert "inclusion, notch" in order.set_index("site_id")["reason"][5]


def test_contradictions_are_asked_even_where_nothing_else_is_left():
    said = np.full(30, "inclusion|notch", object)
    order = order_sites(pool(30, labelled=True, contradiction=said), most=100, labels={})
    assert len(order) == 30 and (order["drawn_by"] == "disagreement").all()
    order = order_sites(pool(30, labelled=True, contradiction=said), most=7, labels={})
    assert len(order) == 7


def test_without_networks_each_group_gets_its_turn():
    cluster = np.repeat(np.arange(6), 20)
    nothing = dict.fromkeys(SURE, np.nan)
    sites = pool(
        120,
        **{**nothing, "p_notch": np.nan},
        predicted_class="",
        cluster=cluster,
        cluster_distance=np.tile(np.arange(20.0), 6),
    )
    order = order_sites(sites, most=32, labels={})
    drawn = order[order["drawn_by"] == "cluster"]["site_id"].to_numpy()
    assert len(drawn) == 24 and set(order["drawn_by"]) == {"random", "cluster"}
    assert np.bincount(cluster[drawn]).tolist() == [4] * 6
    # Typical sites first.
    assert np.median(drawn % 20) < 5


@pytest.mark.parametrize("count", [0, 1, 3])
def test_few_sites_are_no_problem(count):
    assert len(order_sites(pool(count), most=100, labels={})) == count


def test_look_alikes_are_found():
    rng = np.random.default_rng(2)
    centres = rng.normal(0, 8, (5, 40))
    member = np.repeat(np.arange(5), 60)
    groups, distances = look_alikes(centres[member] + rng.normal(0, 1, (300, 40)), seed=1)
    # More groups than there are kinds: none holds two of them.
    assert all(len(set(member[groups == each])) == 1 for each in np.unique(groups))
    assert (distances >= 0).all()
    for few in (1, 2, 3):
        assert len(look_alikes(rng.normal(size=(few, 40)), seed=1)[0]) == few
