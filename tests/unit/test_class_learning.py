"""Which labels would help most: labels of one class taken away, and what that tells of more."""

import numpy as np
import pandas as pd
import pytest

from damascene.classes import SITE_CLASSES, STAGE_CLASSES
from damascene.contracts.class_learning import CLASS_LEARNING, LABELS_TO_ADD
from damascene.contracts.table import check_table
from damascene.evaluation import class_learning
from damascene.evaluation.class_learning import StageFeatures, class_curves, expected_gain
from damascene.evaluation.labels_to_add import labels_to_add_text
from damascene.figures.class_learning import draw_class_learning


def test_a_power_law_gains_what_it_says():
    labels = np.array([20.0, 40.0, 80.0])
    f1 = 1 - 2 * labels**-0.5
    assert expected_gain(labels, f1, now=80, more=80) == pytest.approx(2 * (80**-0.5 - 160**-0.5))
    # Flat curves gain nothing, several at once.
    flat = np.full((3, 3), 0.7)
    np.testing.assert_allclose(expected_gain(labels, flat, now=80, more=100), 0, atol=1e-12)


def made_stages(labels, features):
    members = np.array([SITE_CLASSES.index(name) for name in labels])
    return {
        stage: StageFeatures(
            classes=classes,
            features=features[:, None].astype(np.float32),
            targets=np.eye(len(SITE_CLASSES), dtype=np.float32)[members],
            members=members,
            class_shares="equal",
            threshold=threshold,
        )
        for (stage, classes), threshold in zip(STAGE_CLASSES.items(), (0.35, 0.0), strict=True)
    }


@pytest.fixture(scope="module")
def curves():
    """Return what a study says in which interfaces are many-sided and the others are plain."""
    rng = np.random.default_rng(2)
    count = 360
    labels = np.array(rng.choice(SITE_CLASSES, count), dtype=object)
    # Interfaces come in many kinds, so that each further one is worth seeing.
    kind = np.array([SITE_CLASSES.index(name) for name in labels])
    kind[labels == "interface"] = 5 + rng.integers(0, 20, (labels == "interface").sum())
    features = 4 * np.eye(25)[kind] + rng.normal(0, 0.8, (count, 25))
    split = pd.DataFrame({"label": labels, "group": [f"g{each}" for each in np.arange(count) // 6]})
    split["fold"] = (np.arange(count) // 6) % 3
    # One class has labels in two places only.
    rare = split["label"] == "shadowing"
    split.loc[rare, "label"] = "notch"
    split.loc[[0, 1, 303], "label"] = "shadowing"
    stages = made_stages(split["label"].to_numpy(), features)
    roles = {fold: np.where(split["fold"] == fold, "test", "train") for fold in range(3)}
    tables = class_curves(stages, split, roles, repeats=2, seed=1, confidence=0.95)
    return split, *tables


def test_labels_of_one_class_are_taken_away_and_its_scores_follow(curves):
    split, table, gains = curves
    check_table(table, CLASS_LEARNING, source="")
    check_table(gains, LABELS_TO_ADD, source="")
    assert "shadowing" not in set(table["class"]) | set(gains["class"])
    counts = split["label"].value_counts()
    for name, of_class in table.groupby("class"):
        assert of_class.groupby("share").size().tolist() == [2, 2, 1]
        means = of_class.groupby("share")["labels"].mean()
        assert means.is_monotonic_increasing
        # Two of three folds are learned from.
        assert means.iloc[-1] == pytest.approx(2 / 3 * counts[name])
    rows = gains.set_index("class")
    assert rows.loc["interface", "low"] > 0
    assert rows.loc["interface", "more"] == counts["interface"] < 100
    assert rows.loc["martensite", "gain"] < rows.loc["interface", "low"]
    assert (rows["low"] <= rows["gain"]).all() and (rows["gain"] <= rows["high"]).all()


def test_a_sentence_gives_no_number_where_the_interval_holds_zero(curves):
    _, table, gains = curves
    lines = labels_to_add_text(gains, confidence=0.95).splitlines()
    assert len(lines) == len(SITE_CLASSES)
    told = next(line for line in lines if "interface" in line)
    assert "more labels are expected to raise F1 to" in told
    assert "three groups" in next(line for line in lines if "shadowing" in line)
    unsure = pd.DataFrame(
        [
            ("notch", 40, 40, 0.7, 0.05, -0.01, 0.11, 9),
            ("martensite", 200, 100, 0.9, 0, -0.01, 0.01, 9),
        ],
        columns=list(LABELS_TO_ADD.columns),
    )
    first, second = sorted(labels_to_add_text(unsure, confidence=0.95).splitlines()[:2])
    assert first.endswith("martensite (200 labels, F1 0.90): 100 more labels would hardly help.")
    assert "cannot be told" in second and "0.05" not in second
    missing = unsure.assign(low=np.nan, high=np.nan)
    assert "expected" not in labels_to_add_text(missing, confidence=0.95)
    figure = draw_class_learning(table, gains)
    titles = [axes.get_title(loc="left") for axes in figure.axes]
    assert len(titles) == 4 and sum("[" in title for title in titles) == (gains["low"] > 0).sum()
    none = draw_class_learning(table.iloc[:0], gains.iloc[:0])
    assert "three groups" in none.axes[0].texts[0].get_text()


def test_groups_kept_of_few_labels_are_kept_of_more():
    split = pd.DataFrame({"label": ["notch", "interface"] * 30, "group": np.repeat(range(20), 3)})
    rows, before = np.ones(60, bool), np.zeros(60, bool)
    for proportion in class_learning.PROPORTIONS:
        gone = class_learning._taken_away(split, rows, "notch", proportion, seed=[1, 2])
        assert not gone[split["label"] == "interface"].any()
        kept = ~gone & (split["label"] == "notch")
        assert (kept | ~before).all()
        before = kept
    assert before.sum() == 30
