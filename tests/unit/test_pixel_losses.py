"""Losses of images against values worked out by hand."""

import keras
import numpy as np
import pytest

from damascene.learning.pixel_losses import IGNORED, GreyLoss, PhaseLoss, pixel_accuracy

# Two images of one row and two pixels, three classes.
LABELS = np.array([[[[0], [1]]], [[[0], [IGNORED]]]], np.float32)
ANSWERS = np.array([[[[0.5, 0.25, 0.25], [0.2, 0.8, 0]]], [[[0.1, 0.9, 0], [0, 0, 1]]]], np.float32)


def entropy(first, second):
    """By hand: pixels of class 0 have the probabilities .5 and .1, that of class 1 has .8."""
    by_hand = -first * (np.log(0.5) + np.log(0.1)) - second * np.log(0.8)
    return by_hand / (2 * first + second)


@pytest.mark.parametrize("weights", [(1, 1, 1), (2, 0.5, 7)])
def test_cross_entropy_is_the_weighted_mean_over_known_pixels(weights):
    loss = PhaseLoss(class_weights=weights, dice_share=0)
    assert float(loss(LABELS, ANSWERS)) == pytest.approx(entropy(*weights[:2]), rel=1e-5)


def test_dice_counts_the_classes_that_are_there():
    # Class 0: 2 (.5 + .1) / (.8 + 2); class 1: 2 x .8 / (1.95 + 1); class 2 is not there.
    by_hand = 1 - (2 * 0.6 / 2.8 + 2 * 0.8 / 2.95) / 2
    loss = PhaseLoss(class_weights=(1, 1, 1), dice_share=1)
    assert float(loss(LABELS, ANSWERS)) == pytest.approx(by_hand, rel=1e-5)
    both = PhaseLoss(class_weights=(1, 1, 1), dice_share=0.25)
    assert float(both(LABELS, ANSWERS)) == pytest.approx(
        0.25 * by_hand + 0.75 * entropy(1, 1), rel=1e-5
    )


def test_answers_at_ignored_pixels_change_nothing():
    other = ANSWERS.copy()
    other[1, 0, 1] = (0.9, 0.05, 0.05)
    loss = PhaseLoss(class_weights=(1, 2, 3))
    assert float(loss(LABELS, other)) == float(loss(LABELS, ANSWERS))
    variable = keras.Variable(ANSWERS)
    tensorflow = pytest.importorskip("tensorflow")
    with tensorflow.GradientTape() as tape:
        value = loss(LABELS, variable.value)
    slope = np.asarray(tape.gradient(value, variable.value))
    assert (slope[1, 0, 1] == 0).all()
    assert (slope[0, 0, 0, 0] < 0) and (slope[0, 0, 0, 1] > 0)


def test_a_batch_without_a_known_pixel_has_no_loss():
    unknown = np.full_like(LABELS, IGNORED)
    assert float(PhaseLoss(class_weights=(1, 1, 1))(unknown, ANSWERS)) == 0
    greys = np.zeros((1, 2, 2, 2), np.float32)
    assert float(GreyLoss()(greys, np.ones((1, 2, 2, 1), np.float32))) == 0


def test_right_answers_have_no_loss():
    right = keras.ops.one_hot(np.where(LABELS == IGNORED, 2, LABELS)[..., 0].astype(int), 3)
    assert float(PhaseLoss(class_weights=(1, 1, 1))(LABELS, right)) == pytest.approx(0, abs=1e-5)


def test_greys_count_by_their_weight():
    # Differences 1, -3 and 5, of which the last does not count.
    target = np.array([[[[2, 1], [0, 1], [9, 0]]]], np.float32)
    answer = np.array([[[[1], [3], [4]]]], np.float32)
    assert float(GreyLoss()(target, answer)) == pytest.approx((1 + 9) / 2)
    assert float(GreyLoss(squared=False)(target, answer)) == pytest.approx((1 + 3) / 2)
    target[0, 0, 1, 1] = 3
    assert float(GreyLoss()(target, answer)) == pytest.approx((1 + 3 * 9) / 4)


def test_accuracy_is_that_of_the_known_pixels():
    np.testing.assert_allclose(pixel_accuracy(LABELS, ANSWERS), [1, 0])
