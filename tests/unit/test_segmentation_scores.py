"""Scores of phase maps against scikit-learn and counts made by hand."""

import numpy as np
import pandas as pd
import pytest
from sklearn import metrics

from damascene.contracts.held_out_phases import CONFIDENCE_BINS, HELD_OUT_PHASES
from damascene.contracts.segmentation_scores import SEGMENTATION_CONFUSION, SEGMENTATION_SCORES
from damascene.contracts.table import check_table
from damascene.evaluation.segmentation import confusion_of_phases, score_segmentation
from damascene.segmentation.confusion import mean_iou, phase_confusion, phase_iou

PHASES = ("matrix", "network", "lath")


def counts_of(method, truth, assigned, groups, confidence=None):
    """Return `HELD_OUT_PHASES` of pixels given one by one."""
    bins = np.zeros(len(truth), int) if confidence is None else (confidence * 10).astype(int)
    table = pd.DataFrame(
        {
            "method": method,
            "fold": 0,
            "group": groups,
            "true_phase": truth,
            "assigned_phase": assigned,
            "confidence_bin": np.minimum(bins, CONFIDENCE_BINS - 1),
            "pixels": 1,
            "confidence": np.nan if confidence is None else confidence,
        }
    )
    keys = list(table.columns[:6])
    table = table.groupby(keys, as_index=False, sort=False).sum(min_count=1)
    return check_table(table, HELD_OUT_PHASES, source="made")


@pytest.fixture(scope="module")
def guesses():
    rng = np.random.default_rng(0)
    truth = rng.choice(PHASES, 4000, p=(0.6, 0.3, 0.1))
    assigned = np.where(rng.random(4000) < 0.7, truth, rng.choice(PHASES, 4000))
    return truth, assigned, rng.choice([f"g{each}" for each in range(6)], 4000), rng.random(4000)


def values(table):
    return table.set_index(["phase", "score"])["value"]


def test_iou_of_a_confusion_made_by_hand():
    confusion = np.array([[6, 2, 0], [1, 3, 0], [0, 0, 0]])
    np.testing.assert_allclose(phase_iou(confusion), [6 / 9, 3 / 6, np.nan])
    assert mean_iou(confusion) == pytest.approx((6 / 9 + 3 / 6) / 2)
    # Assigned but nowhere true: its pixels are missing from the true phase, and that is all.
    assert mean_iou(np.array([[8, 2], [0, 0]])) == pytest.approx(0.8)
    assert np.isnan(mean_iou(np.zeros((2, 2))))


def test_pixels_outside_or_without_a_label_are_not_counted():
    truth = np.array([[1, 2, 0, 2]], np.uint8)
    assigned = np.array([[1, 1, 2, 0]], np.uint8)
    np.testing.assert_array_equal(phase_confusion(truth, assigned, phase_count=2), [[1, 0], [1, 0]])


def test_confusion_and_iou_agree_with_scikit_learn():
    rng = np.random.default_rng(1)
    truth, assigned = rng.integers(1, 5, (2, 60, 70)).astype(np.uint8)
    confusion = phase_confusion(truth, assigned, phase_count=4)
    np.testing.assert_array_equal(
        confusion, metrics.confusion_matrix(truth.ravel(), assigned.ravel())
    )
    expected = metrics.jaccard_score(truth.ravel(), assigned.ravel(), average=None)
    np.testing.assert_allclose(phase_iou(confusion), expected)


def test_scores_agree_with_scikit_learn(guesses):
    truth, assigned, groups, confidence = guesses
    table = score_segmentation(
        counts_of("network", truth, assigned, groups, confidence), phases=PHASES, confidence=0.95
    )
    check_table(table, SEGMENTATION_SCORES, source="made")
    found = values(table)
    for score, function in (
        ("iou", metrics.jaccard_score),
        ("precision", metrics.precision_score),
        ("recall", metrics.recall_score),
        ("dice", metrics.f1_score),
    ):
        expected = function(truth, assigned, labels=PHASES, average=None)
        np.testing.assert_allclose([found[each, score] for each in PHASES], expected)
    macro = metrics.jaccard_score(truth, assigned, average="macro")
    assert found["all", "mean_iou"] == pytest.approx(macro)
    of_groups = [
        metrics.jaccard_score(truth[groups == each], assigned[groups == each], average="macro")
        for each in set(groups)
    ]
    assert found["all", "mean_iou_of_groups"] == pytest.approx(np.mean(of_groups))
    assert found["all", "pixel_accuracy"] == pytest.approx((truth == assigned).mean())
    for phase in PHASES:
        error = 100 * ((assigned == phase).mean() - (truth == phase).mean())
        assert found[phase, "fraction_error"] == pytest.approx(error)
    right = truth == assigned
    gaps = [
        abs(confidence[inside].sum() - right[inside].sum())
        for low in range(10)
        for inside in [(confidence * 10).astype(int) == low]
    ]
    assert found["all", "calibration_error"] == pytest.approx(sum(gaps) / 4000)


def test_intervals_hold_the_value_and_widen_with_the_scatter_of_the_groups(guesses):
    truth, _, groups, _ = guesses
    rng = np.random.default_rng(2)

    def width(right_in_group):
        right = rng.random(4000) < np.array([right_in_group[int(each[1])] for each in groups])
        assigned = np.where(right, truth, rng.choice(PHASES, 4000))
        table = score_segmentation(
            counts_of("a", truth, assigned, groups), phases=PHASES, confidence=0.95
        )
        row = table.set_index("score").loc["mean_iou"]
        assert row.low < row.value < row.high and row.groups == 6
        return row.high - row.low

    assert width([0.3, 0.5, 0.7, 0.8, 0.9, 1]) > 2 * width([0.7] * 6)


def test_a_method_without_probabilities_and_a_study_with_one_group(guesses):
    truth, assigned, _, _ = guesses
    table = score_segmentation(
        counts_of("otsu", truth, assigned, ["only"] * 4000), phases=PHASES, confidence=0.95
    )
    assert np.isnan(values(table)["all", "calibration_error"])
    assert table["low"].isna().all() and (table["groups"] == 1).all()


def test_a_phase_without_labels_has_no_recall_and_stays_out_of_the_mean(guesses):
    truth, assigned, groups, _ = guesses
    truth = np.where(truth == "lath", "matrix", truth)
    found = values(
        score_segmentation(counts_of("a", truth, assigned, groups), phases=PHASES, confidence=0.95)
    )
    assert np.isnan(found["lath", "recall"]) and found["lath", "precision"] == 0
    expected = metrics.jaccard_score(truth, assigned, labels=PHASES[:2], average="macro")
    assert found["all", "mean_iou"] == pytest.approx(expected)


def test_confusions_of_several_methods_stand_side_by_side(guesses):
    truth, assigned, groups, confidence = guesses
    counts = pd.concat(
        [
            counts_of("network", truth, assigned, groups, confidence),
            counts_of("otsu", truth, truth, groups),
        ]
    )
    table = confusion_of_phases(counts, phases=PHASES)
    check_table(table, SEGMENTATION_CONFUSION, source="made")
    expected = metrics.confusion_matrix(truth, assigned, labels=PHASES)
    np.testing.assert_array_equal(table["pixels"][:9], expected.ravel())
    assert table["share"][9:].tolist() == np.eye(3).ravel().tolist()
