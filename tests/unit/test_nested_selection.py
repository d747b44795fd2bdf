"""Scores with settings that were chosen without the sites that test them."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from made_records import panorama_record
from sklearn.metrics import f1_score, log_loss

from damascene import InputError
from damascene.classes import DAMAGE_CLASSES, SITE_CLASSES, STAGE_CLASSES
from damascene.config.study import load_study
from damascene.contracts.descriptors import DESCRIPTOR_NAMES
from damascene.contracts.labels import SPLIT
from damascene.contracts.nested_selection import NESTED_CHOICES, NESTED_SCORES
from damascene.contracts.table import check_table
from damascene.evaluation import nested_selection
from damascene.evaluation.nested_scores import score_selections, unanimous
from damascene.evaluation.nested_selection import (
    Options,
    balanced_loss,
    best_thresholds,
    select_nested,
    settings_of,
)
from damascene.evaluation.trained_answers import StageSites, answers_by_setting
from damascene.networks import network_named

STUDY = load_study({})
FOLDS = 3
FEW = Options(
    networks=("efficientnet_lite0",),
    window_factors=(1,),
    augmentations=("none",),
    strengths=(1e-3, 1e-2),
    simulated_sites=(None, 0),
)


def labelled(count):
    """Return labelled sites far apart, one group each, with classes in turn."""
    labels = np.resize(SITE_CLASSES, count)
    columns = {
        "panorama": "a",
        "x_px": 500.0 + 400 * (np.arange(count) % 10),
        "y_px": 500.0 + 400 * (np.arange(count) // 10),
        "label": labels,
        "annotator": "",
        "answers": labels,
        "site_id": np.arange(count),
    }
    table = pd.DataFrame(columns)
    table["clip_x_px"], table["clip_y_px"] = table["x_px"], table["y_px"]
    table["group"] = [f"a/{number}" for number in range(count)]
    # As many of each class in every fold.
    table["fold"] = np.arange(count) // len(SITE_CLASSES) % FOLDS
    # Columns that the contract may gain, as the contract would have them.
    return check_table(table.reindex(columns=list(SPLIT.columns)), SPLIT, source="test")


def stage_of(stage, table, *, seed=0):
    """Return sites whose clips and descriptors tell the class, with noise."""
    rng = np.random.default_rng(seed)
    members = np.array([SITE_CLASSES.index(label) for label in table["label"]])
    clips = rng.integers(90, 110, (len(table), 64, 64, 2)).astype(np.uint8)
    for clip, member in zip(clips, members, strict=True):
        clip[15 + 6 * member : 30 + 6 * member, 20:40] = 10
    descriptors = rng.normal(members[:, None], 0.7, (len(table), 3)).astype(np.float32)
    return StageSites(
        stage=stage,
        table=table,
        clips=lambda network, window: clips,
        descriptors=descriptors,
        simulated=pd.DataFrame(columns=["label", *DESCRIPTOR_NAMES]),
        settings=STUDY.stage(stage),
        training=STUDY.training,
    )


def records():
    return [panorama_record("a", shape=(8000, 8000), pixel_size_nm=40.0)]


def test_the_labels_of_a_fold_have_no_part_in_what_is_chosen_for_it():
    table = labelled(45)
    stages = {stage: stage_of(stage, table) for stage in STAGE_CLASSES}
    choices, predictions = select_nested(stages, records(), folds=FOLDS, seed=1, options=FEW)
    check_table(choices, NESTED_CHOICES, source="test")
    assert len(predictions) == len(table)
    right = (predictions["predicted_class"] == predictions["label"]).mean()
    assert right > 0.6, "the classes are easy to learn"

    other = table.copy()
    tested = (table["fold"] == 2).to_numpy()
    wrong = np.array(SITE_CLASSES)[::-1]
    other.loc[tested, "label"] = np.resize(wrong, tested.sum())
    other.loc[tested, "answers"] = other.loc[tested, "label"]
    # The pictures stay those of the true classes.
    changed = {stage: replace(sites, table=other) for stage, sites in stages.items()}
    again, answered = select_nested(changed, records(), folds=FOLDS, seed=1, options=FEW)
    pd.testing.assert_frame_equal(choices[choices["fold"] == 2], again[again["fold"] == 2])
    columns = ["p_inclusion", *(f"p_{name}" for name in DAMAGE_CLASSES), "predicted_class"]
    pd.testing.assert_frame_equal(predictions.loc[tested, columns], answered.loc[tested, columns])
    assert not predictions.loc[~tested, "p_inclusion"].equals(answered.loc[~tested, "p_inclusion"])


def random_answers(sites, settings, *, rows, seed):
    """Answer at random, each setting in its own way."""
    answers = {}
    for number, setting in enumerate(settings):
        rng = np.random.default_rng([len(sites.classes), number])
        given = rng.dirichlet(np.ones(len(sites.classes)), len(sites.table))
        answers |= {(setting, left_out): given for left_out in rows}
    return answers


def test_settings_that_know_nothing_score_by_chance_however_many_are_tried(monkeypatch):
    monkeypatch.setattr(nested_selection, "answers_by_setting", random_answers)
    table = labelled(400)
    stages = {stage: stage_of(stage, table) for stage in STAGE_CLASSES}
    options = Options(networks=("efficientnet_lite0",), augmentations=("none",))
    _, predictions = select_nested(stages, records(), folds=FOLDS, seed=1, options=options)
    nested = f1_score(table["label"], predictions["predicted_class"], average="macro")
    tried = settings_of(stages["damage"], options)
    answers = random_answers(stages["damage"], tried, rows=[(0,)], seed=1)
    truth = np.array(SITE_CLASSES)[np.resize(np.arange(5), 400)]
    known = truth != "inclusion"
    best = max(
        (np.array(DAMAGE_CLASSES)[given.argmax(axis=1)][known] == truth[known]).mean()
        for given in answers.values()
    )
    # Chance is 1 in 4 among the damage classes, and 1 in 5 or less among all, give or take 0.02.
    assert best > 0.29, "the best of many guesses looks better than chance on its own labels"
    assert nested < 0.26


def test_loss_and_thresholds_equal_those_of_scikit_learn():
    rng = np.random.default_rng(3)
    members = np.resize(np.arange(4), 200)
    answers = rng.dirichlet(np.ones(4), 200)
    loss = balanced_loss(answers, np.eye(4)[members], members)
    assert loss == pytest.approx(log_loss(members, answers))
    some = np.r_[members, -1]
    assert loss == balanced_loss(np.r_[answers, answers[:1]], np.eye(5)[some][:, :4], some)

    options = Options()
    labels = np.array(["inclusion"] * 10 + ["notch"] * 10)
    p_inclusion = np.r_[np.full(10, 0.4), np.full(10, 0.1)]
    p_damage = np.tile(np.eye(4)[DAMAGE_CLASSES.index("notch")] * 0.4 + 0.15, (20, 1))
    best = best_thresholds(labels, p_inclusion, p_damage, options=options)
    assert best == {"inclusion": 0.3, "damage": 0.0}


def test_one_training_answers_as_the_same_fit_does_elsewhere(caplog):
    caplog.set_level("INFO")
    table = labelled(40)
    # The answer to one of two questions is the same before and behind the last step.
    sites = stage_of("inclusion", table)
    settings = settings_of(sites, FEW)
    assert len(settings) == 4
    rows = np.flatnonzero(table["fold"] != 0)
    answers = answers_by_setting(sites, settings, rows={(0,): rows}, seed=1)
    # Each step is told when it is done, as all take minutes together.
    steps = [text for text in caplog.messages if not text.endswith(" clips")]
    assert [text.split(":")[1].split()[0] for text in steps] == [FEW.networks[0]]
    for given in answers.values():
        np.testing.assert_allclose(given.sum(axis=1), 1, atol=1e-5)
    alone, beside = (
        answers[setting, (0,)]
        for setting in (
            next(one for one in settings if one.simulated_sites is None and one.strength == 1e-2),
            next(one for one in settings if one.simulated_sites == 0 and one.strength == 1e-2),
        )
    )
    share = network_named(FEW.networks[0]).tree_share
    trees = (beside - (1 - share) * alone) / share
    assert (trees >= -1e-5).all() and np.allclose(trees.sum(axis=1), 1, atol=1e-5)


def test_scores_of_both_ways_and_of_unanimous_sites():
    table = labelled(50)
    table["predicted_class"] = table["label"]
    table.loc[:9, "answers"] = "notch|notch|notch"
    table.loc[10:19, "answers"] = "notch||shadowing"
    assert unanimous(table).sum() == 10
    scores = score_selections(table, table, confidence=0.95)
    check_table(scores, NESTED_SCORES, source="test")
    overall = scores[(scores["class"] == "all") & (scores["score"] == "accuracy")]
    assert overall["value"].tolist() == [1.0] * 4
    assert overall["support"].tolist() == [50, 10, 50, 10]
    alone = score_selections(table.assign(answers=table["label"]), table, confidence=0.95)
    assert len(alone[alone["selection"] == "study"]["sites"].unique()) == 1


def test_two_folds_are_refused():
    stages = {stage: stage_of(stage, labelled(20)) for stage in STAGE_CLASSES}
    with pytest.raises(InputError, match="folds to 3"):
        select_nested(stages, records(), folds=2, seed=1)


def test_a_class_that_is_missing_beside_two_folds_is_named():
    table = labelled(45)
    rare = (table["label"] == "inclusion") & (table["fold"] != 0)
    table.loc[rare, ["label", "answers"]] = "notch"
    stages = {stage: stage_of(stage, table) for stage in STAGE_CLASSES}
    with pytest.raises(InputError, match="no label of class inclusion is left"):
        select_nested(stages, records(), folds=FOLDS, seed=1, options=FEW)
