"""Classical classifiers learn what can be learned, and never see the sites they are scored on."""

import numpy as np
import pandas as pd
import pytest
from made_records import model_card

from damascene.evaluation.baseline_comparison import NETWORKS, baseline_rows, network_row
from damascene.evaluation.baselines import (
    BASELINES,
    MAJORITY,
    baseline,
    hog_features,
    parameter_count,
    predict_held_out,
)
from damascene.figures.classifiers import draw_classifiers

FOLDS, PER_CLASS = 4, 24
CLASSES = ("notch", "interface", "martensite")


def roles_by_fold(count):
    fold = np.arange(count) % FOLDS
    return {one: np.where(fold == one, "test", "train").astype(object) for one in range(FOLDS)}


@pytest.fixture(scope="module")
def separable():
    """Three clouds whose distance is six times their spread."""
    rng = np.random.default_rng(5)
    labels = np.repeat(CLASSES, PER_CLASS)
    centres = 6 * np.eye(3, 8)
    features = np.repeat(centres, PER_CLASS, axis=0) + rng.normal(0, 1, (len(labels), 8))
    order = rng.permutation(len(labels))
    return features[order][:, None].astype(np.float32), labels[order].astype(object)


@pytest.mark.parametrize("name", [one for one in BASELINES if one != MAJORITY])
def test_clouds_far_apart_are_told_apart(separable, name):
    features, labels = separable
    predicted, cost = predict_held_out(
        features, labels, roles_by_fold(len(labels)), name=name, seed=1
    )
    assert np.mean(predicted == labels) > 0.95
    assert cost["training_s"] > 0
    assert cost["sites_per_s"] > 0


def test_trees_learn_from_few_labels(separable):
    """From 27 sites a gradient boosting with leaves of at least 20 learns nothing at all."""
    features, labels = (each[:36] for each in separable)
    for name in ("random_forest", "gradient_boosting"):
        predicted, _ = predict_held_out(features, labels, roles_by_fold(36), name=name, seed=1)
        assert np.mean(predicted == labels) > 0.85


@pytest.mark.parametrize("name", ["nearest_neighbours", "rbf_svm", "random_forest"])
def test_labels_without_meaning_are_not_learned(name):
    """A classifier that had seen the held-out sites would know their random labels by heart."""
    rng = np.random.default_rng(7)
    labels = rng.choice(CLASSES, 240).astype(object)
    features = rng.normal(size=(240, 1, 8)).astype(np.float32)
    predicted, _ = predict_held_out(features, labels, roles_by_fold(240), name=name, seed=1)
    # A third by chance; four standard deviations of a share of 240 sites.
    assert np.mean(predicted == labels) < 1 / 3 + 4 * np.sqrt(2 / 9 / 240)


def test_majority_takes_the_commonest_class_of_its_training_sites():
    labels = np.array(["notch"] * 6 + ["interface"] * 3, dtype=object)
    predicted, _ = predict_held_out(
        np.zeros((9, 1, 2), np.float32), labels, roles_by_fold(9), name=MAJORITY, seed=1
    )
    assert set(predicted) == {"notch"}


def test_excluded_sites_neither_train_nor_test(separable):
    features, labels = separable
    roles = roles_by_fold(len(labels))
    spoiled = labels.copy()
    for of_fold in roles.values():
        of_fold[:12] = "excluded"
    # Nonsense in excluded rows must not change anything.
    spoiled[:12] = "shadowing"
    predicted, _ = predict_held_out(features, spoiled, roles, name="logistic_regression", seed=1)
    clean, _ = predict_held_out(features, labels, roles, name="logistic_regression", seed=1)
    assert (predicted[:12] == "").all()
    np.testing.assert_array_equal(predicted, clean)


def test_same_seed_gives_same_classes(separable):
    features, labels = separable
    noisy = features + np.random.default_rng(2).normal(0, 4, features.shape).astype(np.float32)
    roles = roles_by_fold(len(labels))
    for name in ("mlp", "random_forest", "gradient_boosting"):
        first, second = (
            predict_held_out(noisy, labels, roles, name=name, seed=3)[0] for _ in range(2)
        )
        np.testing.assert_array_equal(first, second)


def test_hog_of_a_mirror_image_is_that_of_another_view():
    clip = np.random.default_rng(0).integers(0, 255, (1, 160, 160)).astype(np.uint8)
    views, mirrored = hog_features(clip)[0], hog_features(clip[:, ::-1])[0]
    # The first two views are the clip as it is, the others upside down.
    np.testing.assert_allclose(views, mirrored[[2, 3, 0, 1]], atol=1e-6)
    assert np.abs(views[0] - views[1]).max() > 0.01


@pytest.fixture(scope="module")
def compared(separable):
    features, labels = separable
    split = pd.DataFrame(
        {"label": labels, "group": np.arange(len(labels)) // 4, "fold": np.arange(len(labels)) % 4}
    )
    rows = baseline_rows(
        split,
        {"descriptors": features, "hog": features},
        roles_by_fold(len(labels)),
        confidence=0.95,
        seed=1,
    )
    cards = [model_card(network="compact", training_s=3.0, sites_per_s=50.0)] * (2 * FOLDS)
    rows.append(network_row(split.assign(predicted_class=split.label), cards, confidence=0.95))
    return pd.DataFrame(rows)


def test_every_classifier_has_a_row_with_every_kind_of_features(compared):
    assert len(compared) == 1 + 2 * (len(BASELINES) - 1) + 1
    assert not compared.duplicated(["classifier", "features"]).any()
    network = compared[compared.classifier == NETWORKS].iloc[0]
    assert network.macro_f1 == 1
    assert network.training_s == 6
    assert network.groups == 18
    # Two networks of 1,000 parameters, each of which takes 20 ms for a site.
    assert network.parameters == 2000 and network.sites_per_s == pytest.approx(25)
    # One class of three called: F1 of 0.5 for it, none for the others.
    majority = compared[compared.classifier == MAJORITY].iloc[0]
    assert majority.macro_f1 < 0.2
    assert majority.kappa == pytest.approx(0, abs=0.3)
    assert ((compared.macro_f1_low <= compared.macro_f1 + 1e-9) & (compared.sites == 72)).all()


@pytest.mark.parametrize("card", [{}, {"training_s": 3.0}])
def test_networks_whose_cards_tell_no_times_are_scored_and_drawn(compared, card):
    split = pd.DataFrame({"label": CLASSES * 4, "group": list("abcd" * 3), "fold": 0})
    row = network_row(
        split.assign(predicted_class=split.label),
        [model_card(**card)] * 2,
        confidence=0.9,
    )
    assert row["macro_f1"] == 1 and np.isnan(row["sites_per_s"])
    assert np.isnan(row["training_s"]) == (card == {})
    others = compared[compared.classifier != NETWORKS]
    figure = draw_classifiers(pd.concat([others, pd.DataFrame([row])]))
    assert "eeracn" in [label.get_text() for label in figure.axes[0].get_yticklabels()]


def test_figure_shows_every_row_once(compared):
    figure = draw_classifiers(compared)
    axes = figure.axes[0]
    assert len(axes.get_yticklabels()) == len(compared)
    points = np.concatenate([bar.lines[0].get_xdata() for bar in axes.containers])
    np.testing.assert_allclose(sorted(points), sorted(compared.macro_f1))
    sizes = np.concatenate([line.get_xdata() for line in figure.axes[2].lines])
    np.testing.assert_allclose(sorted(sizes), sorted(compared.parameters))


def test_parameters_are_counted(separable):
    features, labels = separable
    flat = features[:, 0]
    classes, width = len(np.unique(labels)), flat.shape[1]

    def fitted(name):
        return parameter_count(baseline(name, seed=0).fit(flat, labels))

    assert fitted("logistic_regression") == classes * (width + 1) == fitted("linear_svm")
    assert fitted("mlp") == (width + 1) * 48 + 49 * classes
    assert fitted("nearest_neighbours") == flat.size
    assert fitted(MAJORITY) == 1
    assert all(fitted(name) > classes for name in ("rbf_svm", "random_forest", "gradient_boosting"))
