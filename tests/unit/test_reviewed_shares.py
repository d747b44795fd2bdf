"""Shares of classes from a review: the random part is honest, whatever else was asked about."""

import numpy as np
import pandas as pd
import pytest

from damascene.classes import SITE_CLASSES
from damascene.contracts.reviewed_shares import ALL_LABELS, NETWORKS, RANDOM_PART
from damascene.review.order import chances
from damascene.review.shares import reviewed_shares

CONFIDENCE = 0.95
SHARES = (0.5, 0.3, 0.1, 0.07, 0.03)


def study(count, *, seed):
    """Return all sites of a study with their true class, the first ones by chance in front."""
    rng = np.random.default_rng(seed)
    sites = pd.DataFrame({"panorama": "a", "site_id": np.arange(count)})
    sites["true"] = rng.choice(SITE_CLASSES, count, p=SHARES)
    order = np.argsort(chances("a", sites["site_id"].to_numpy(), seed=seed))
    return sites.iloc[order].reset_index(drop=True)


def reviewed(sites, *, random, valued, label=None):
    """Return answers and labels of some rows; label takes the place of the true class."""
    rows = np.concatenate([random, valued]).astype(int)
    drawn = ["random"] * len(random) + ["balance"] * len(valued)
    said = sites.iloc[rows].assign(counts=True, drawn_by=drawn, label=lambda each: each["true"])
    if label is not None:
        said = said.assign(label=label)
    said = said.assign(answer=said["label"].replace("", "unclear"), decides=False, order=rows)
    return said, said[said["label"] != ""]


def of(table, origin):
    return table[table["from"] == origin].set_index("class")


def estimated(sites, said, labels, *, seed):
    return reviewed_shares(sites, said, labels, seed=seed, confidence=CONFIDENCE)


def test_intervals_of_the_random_part_hold_the_truth_and_all_labels_lean():
    inside, leaning = [], []
    for seed in range(60):
        sites = study(2000, seed=seed)
        rare = np.flatnonzero(sites["true"].to_numpy() == SITE_CLASSES[-1])
        # A review in two rounds: the second asks for no site that the first one named.
        valued = rare[rare >= 60][:30]
        random = np.setdiff1d(np.arange(60 + len(valued)), valued)
        table = estimated(sites, *reviewed(sites, random=random, valued=valued), seed=seed)
        truth = sites["true"].value_counts(normalize=True).reindex(SITE_CLASSES)
        part, every = of(table, RANDOM_PART), of(table, ALL_LABELS)
        inside.append(part["low"].le(truth) & part["high"].ge(truth))
        leaning.append(every["share"][SITE_CLASSES[-1]] - truth[SITE_CLASSES[-1]])
    assert np.mean(inside) > 0.94
    assert np.mean(leaning) > 0.1 and of(table, ALL_LABELS)["low"].isna().all()


def test_a_site_of_the_sample_that_was_labelled_for_another_reason_counts():
    sites = study(500, seed=1)
    # Rounds before have asked for rows 3 and 7, which are among the first by chance.
    random = np.setdiff1d(np.arange(20), [3, 7])
    table = estimated(sites, *reviewed(sites, random=random, valued=[3, 7, 400, 401]), seed=1)
    part = of(table, RANDOM_PART)
    counts = sites["true"][:20].value_counts()
    assert (part["of"] == 20).all() and part["unanswered"].eq(0).all()
    assert part["sites"].to_dict() == {name: counts.get(name, 0) for name in SITE_CLASSES}


def test_sites_that_were_passed_over_are_told():
    sites = study(500, seed=2)
    table = estimated(sites, *reviewed(sites, random=[*range(17), 18, 19], valued=[]), seed=2)
    part = of(table, RANDOM_PART)
    assert (part["of"] == 19).all() and (part["unanswered"] == 1).all()


def test_draws_of_another_detection_count_by_their_mark():
    """Other numbers of sites give other chances; all labels among them would lean."""
    sites = study(500, seed=3)
    random, valued = np.arange(400, 430), np.arange(0, 300, 6)
    table = estimated(sites, *reviewed(sites, random=random, valued=valued), seed=3)
    assert (of(table, RANDOM_PART)["of"] == 30).all()
    assert (of(table, RANDOM_PART)["unanswered"] > 0).all()


def test_unclear_sites_are_left_out_and_counted():
    sites = study(100, seed=4)
    said, labels = reviewed(sites, random=np.arange(10), valued=[], label=["notch"] * 8 + [""] * 2)
    part = of(estimated(sites, said, labels, seed=4), RANDOM_PART)
    assert (part["of"] == 8).all() and (part["unclear"] == 2).all()
    assert part["share"]["notch"] == 1
    # All of eight, by Clopper and Pearson.
    assert part["low"]["notch"] == pytest.approx(0.025 ** (1 / 8)) and part["high"]["notch"] == 1


def test_sites_on_which_people_contradict_each_other_are_no_unclear_ones():
    sites = study(100, seed=4)
    said, _ = reviewed(sites, random=np.arange(10), valued=[], label=["notch"] * 9 + [""])
    other = said.head(3).assign(label="inclusion", answer="inclusion")
    said = pd.concat([said, other], ignore_index=True)
    # Nobody decided on the first three.
    labels = said[3:9]
    part = of(estimated(sites, said, labels, seed=4), RANDOM_PART)
    assert (part["of"] == 6).all() and (part["unclear"] == 1).all()
    assert (part["contradicting"] == 3).all()


def test_parts_that_nobody_labelled_are_missing():
    sites = study(50, seed=5)
    said, labels = reviewed(sites, random=[], valued=[])
    assert estimated(sites, said, labels, seed=5).empty
    said, labels = reviewed(sites, random=[], valued=[3])
    table = estimated(sites.assign(predicted_class="notch"), said, labels, seed=5)
    assert set(table["from"]) == {ALL_LABELS, NETWORKS}
    assert of(table, NETWORKS)["share"]["notch"] == 1
