"""Probabilities are calibrated and sets of classes cover, as the theory promises."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given as drawn_from
from hypothesis import strategies as st

from damascene.classes import DAMAGE_CLASSES, NOT_CLASSIFIED, SITE_CLASSES, SITE_LABELS
from damascene.classification.calibration import (
    apply_temperature,
    class_indices,
    fit_temperature,
    probability_of_class,
    site_probabilities,
)
from damascene.classification.fit_calibration import fit_calibration
from damascene.classification.prediction_sets import (
    conformal_thresholds,
    prediction_sets,
    shown_sets,
    too_few,
)
from damascene.contracts.calibration import CALIBRATION_ERRORS, PREDICTION_SETS, RELIABILITY
from damascene.contracts.table import check_table
from damascene.evaluation.calibration import (
    calibration_error_by_chance,
    cross_calibrated,
    deal_groups,
    expected_calibration_error,
    measure_calibration,
    reliability_table,
)
from damascene.evaluation.prediction_sets import coverage_table, cross_prediction_sets
from damascene.figures.calibration import draw_calibration

# All classes: a threshold is promised for each.
ALL_CLASSES = np.ones(len(SITE_CLASSES), bool)


def reliability(probabilities, targets):
    """Return the reliability of the most probable class."""
    return reliability_table(probabilities.max(axis=1), probabilities.argmax(axis=1) == targets)


def held_out(probabilities, targets, groups, given=None):
    """Return a table of held-out predictions with these probabilities of a site."""
    damage = probabilities[:, 1:] / np.maximum(probabilities[:, 1:].sum(axis=1)[:, None], 1e-12)
    given = probabilities.argmax(axis=1) if given is None else given
    return pd.DataFrame(
        {
            "label": np.array(SITE_CLASSES)[targets],
            "predicted_class": np.array(SITE_LABELS)[given],
            "group": groups,
            "p_inclusion": probabilities[:, 0],
            **{f"p_{name}": damage[:, index] for index, name in enumerate(DAMAGE_CLASSES)},
        }
    )


def drawn(count, *, temperature=1.0, seed=0):
    """Draw probabilities and classes that follow them, then distort them by a temperature."""
    rng = np.random.default_rng(seed)
    logits = rng.normal(0, 1.5, (count, len(SITE_CLASSES)))
    honest = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    targets = (honest.cumsum(axis=1) > rng.random((count, 1))).argmax(axis=1)
    return apply_temperature(honest, 1 / temperature), targets


@pytest.mark.parametrize("temperature", [0.5, 1, 2.5])
def test_the_temperature_of_distorted_probabilities_is_found(temperature):
    probabilities, targets = drawn(20_000, temperature=temperature)
    # The standard error of a temperature is near 1 % at this number of sites.
    assert fit_temperature(probabilities, targets) == pytest.approx(temperature, rel=0.05)


def test_temperature_never_changes_the_class_and_keeps_sums():
    probabilities, _ = drawn(500)
    scaled = apply_temperature(probabilities, 3.7)
    np.testing.assert_array_equal(scaled.argmax(axis=1), probabilities.argmax(axis=1))
    np.testing.assert_allclose(scaled.sum(axis=1), 1)
    np.testing.assert_allclose(apply_temperature(probabilities, 1), probabilities, atol=1e-5)


def test_certainty_of_wrong_answers_stays_finite():
    probabilities = np.eye(5)[[0, 0, 1]]
    temperature = fit_temperature(probabilities, np.array([1, 0, 1]))
    assert 1 < temperature < 20


def test_calibration_is_measured_on_sites_that_did_not_take_part_in_it():
    probabilities, targets = drawn(1500, temperature=2.5)
    predictions = held_out(probabilities, targets, np.arange(len(targets)) // 3)
    calibration = fit_calibration(predictions, coverage=0.9, tested="all")
    bins, errors, sets = measure_calibration(predictions, calibration, confidence=0.9, seed=1)
    error = errors.set_index("probabilities")["expected_calibration_error"]
    # Sharpened probabilities promise too much, until they are calibrated.
    assert error["as_given"] > 0.1 > 0.05 > error["calibrated"]
    assert bins.groupby("probabilities")["count"].sum().tolist() == [1500, 1500]
    assert errors["sites"].tolist() == [1500] * 2 and errors["groups"].tolist() == [500] * 2
    assert sets.set_index("class")["coverage"]["all"] == pytest.approx(0.9, abs=0.03)
    for table, contract in (
        (bins, RELIABILITY),
        (sets, PREDICTION_SETS),
        (errors, CALIBRATION_ERRORS),
    ):
        check_table(table, contract, source="test")


def test_without_sites_nothing_is_scaled():
    assert fit_temperature(np.empty((0, 5)), np.empty(0, int)) == 1


def test_calibration_error_by_hand():
    probabilities = np.array([[0.95, 0.05], [0.85, 0.15], [0.65, 0.35], [0.35, 0.65]])
    table = reliability(probabilities, np.array([0, 1, 0, 0]))
    assert table["count"].tolist() == [0, 0, 0, 0, 0, 0, 2, 0, 1, 1]
    # Bins: two answers at 0.65, one right; 0.85, wrong; 0.95, right.
    by_hand = (2 * abs(0.65 - 0.5) + 0.85 + 0.05) / 4
    assert expected_calibration_error(table) == pytest.approx(by_hand)


def test_cross_calibration_mends_overconfidence_on_sites_it_was_not_fitted_to():
    probabilities, targets = drawn(4000, temperature=0.4)
    part = deal_groups(np.arange(4000) // 4, parts=5, seed=1)
    mended = cross_calibrated(probabilities, targets, part)
    before, after = (
        expected_calibration_error(reliability(one, targets)) for one in (probabilities, mended)
    )
    assert before > 0.1
    # Binning noise at 4,000 sites in ten bins is about 0.02.
    assert after < 0.03


def test_a_part_does_not_see_its_own_labels():
    probabilities, targets = drawn(300)
    part = np.arange(300) % 3
    other = targets.copy()
    other[part == 0] = 0
    first = cross_calibrated(probabilities, targets, part)
    second = cross_calibrated(probabilities, other, part)
    np.testing.assert_array_equal(first[part == 0], second[part == 0])
    assert np.abs(first[part == 1] - second[part == 1]).max() > 0


def test_groups_stay_together_and_parts_are_even():
    groups = np.repeat([f"g{index}" for index in range(20)], 3)
    part = deal_groups(groups, parts=5, seed=2)
    assert all(len(set(part[groups == name])) == 1 for name in set(groups))
    assert np.bincount(part).tolist() == [12] * 5


def test_both_networks_make_five_probabilities():
    row = {
        "p_inclusion": 0.25,
        **dict(zip([f"p_{n}" for n in DAMAGE_CLASSES], [0.4, 0.3, 0.2, 0.1], strict=True)),
    }
    joined = site_probabilities(pd.DataFrame([row]))
    np.testing.assert_allclose(joined, [[0.25, 0.3, 0.225, 0.15, 0.075]])


def test_sets_cover_every_class_at_the_level():
    probabilities, targets = drawn(60_000, temperature=0.5)
    half = len(targets) // 2
    thresholds = conformal_thresholds(probabilities[:half], targets[:half], level=0.9)
    # No class is given, so that nothing but the thresholds makes the sets.
    sets = prediction_sets(probabilities[half:], thresholds, np.full(half, -1))
    table = coverage_table(
        sets,
        targets[half:],
        promised=ALL_CLASSES,
        groups=np.arange(half),
        confidence=0.95,
    ).set_index("class")
    # About 6,000 sites a class on both sides: a standard deviation of 0.6 points.
    assert (table["coverage"] - 0.9).abs().max() < 0.02
    assert 1 < table.loc["all", "mean_size"] < 5
    assert ((table["low"] < table["coverage"]) & (table["coverage"] < table["high"])).all()


def test_the_rank_is_exact_for_few_sites():
    """With nine sites the lowest probability is the threshold for 90 %; eight are too few."""
    probabilities = np.zeros((17, 2))
    probabilities[:9, 0] = np.linspace(0.1, 0.9, 9)
    probabilities[9:, 1] = np.linspace(0.2, 0.9, 8)
    targets = np.repeat([0, 1], [9, 8])
    thresholds = conformal_thresholds(probabilities, targets, level=0.9)
    assert thresholds.tolist() == [pytest.approx(0.1), -np.inf]
    sets = prediction_sets(np.array([[0.05, 0.0]]), thresholds, np.array([-1]))
    assert sets.tolist() == [[False, True]]


def test_average_coverage_of_few_sites_is_exact():
    """Over many draws of 19 sites at 80 %, coverage is 16 / 20, neither more nor less."""
    rng = np.random.default_rng(4)
    covered = []
    for _ in range(4000):
        own = rng.random((20, 1))
        threshold = conformal_thresholds(own[:19], np.zeros(19, int), level=0.8)
        covered.append((own[19:] >= threshold).item())
    # A standard deviation of 0.6 points.
    assert np.mean(covered) == pytest.approx(0.8, abs=0.025)


def test_agrees_with_mapie():
    from mapie.classification import SplitConformalClassifier
    from sklearn.base import BaseEstimator, ClassifierMixin

    class Given(ClassifierMixin, BaseEstimator):
        """Returns its input as probabilities."""

        def fit(self, inputs, targets):
            self.classes_ = np.arange(inputs.shape[1])
            return self

        def predict_proba(self, inputs):
            return inputs

        def predict(self, inputs):
            return inputs.argmax(axis=1)

        def __sklearn_is_fitted__(self):
            return True

    probabilities, targets = drawn(900)
    given = Given().fit(probabilities, targets)
    other, _ = drawn(400, seed=9)
    thresholds = conformal_thresholds(probabilities, targets, level=0.85)
    for index in range(len(SITE_CLASSES)):
        own = targets == index
        oracle = SplitConformalClassifier(
            estimator=given, confidence_level=0.85, conformity_score="lac", prefit=True
        )
        oracle.conformalize(probabilities[own], targets[own])
        _, sets = oracle.predict_set(other)
        np.testing.assert_array_equal((other >= thresholds)[:, index], sets[:, index, 0])


@drawn_from(seed=st.integers(0, 10_000), lost=st.sets(st.integers(0, 4)))
def test_a_set_holds_the_class_given_and_is_empty_for_one_reason_only(seed, lost):
    rng = np.random.default_rng(seed)
    probabilities = rng.dirichlet(np.full(5, 0.3), 40)
    thresholds, given = rng.uniform(0, 1, 5), rng.integers(-1, 5, 40)
    thresholds[list(lost)] = np.nan
    sets = prediction_sets(probabilities, thresholds, given)
    if len(lost) == 5:
        assert not sets.any()
        return
    assert sets.any(axis=1).all()
    for index, row in enumerate(sets):
        if given[index] >= 0:
            assert row[given[index]]
        for name in set(np.flatnonzero(row)) - {given[index]}:
            above = name not in lost and probabilities[index, name] >= thresholds[name]
            alone = given[index] < 0 and row.sum() == 1
            assert above or (alone and name == probabilities[index].argmax())
        # The class that was given only ever adds to what the thresholds say.
        assert row[probabilities[index] >= thresholds].all()
    assert "" not in shown_sets(sets)


@pytest.mark.parametrize(
    ("labels", "groups", "level", "enough"),
    [
        (13, 13, 0.9, False),
        (18, 18, 0.9, False),
        (19, 9, 0.9, True),
        (19, 8, 0.9, False),
        (39, 19, 0.95, True),
        (38, 19, 0.95, False),
        (39, 18, 0.95, False),
        (3, 1, 0.5, True),
        (0, 0, 0.9, False),
    ],
)
def test_a_coverage_is_promised_from_so_many_labels_in_so_many_groups(
    labels, groups, level, enough
):
    reason = too_few(labels, groups, level=level)
    assert (reason == "") == enough
    if reason:
        # The numbers that are told are the least that suffice.
        needed = [int(word) for word in reason.replace(";", "").split() if word.isdigit()][2:]
        assert too_few(*needed, level=level) == ""
        assert too_few(needed[0] - 1, 99, level=level) and too_few(999, needed[1] - 1, level=level)


def test_with_a_label_below_the_threshold_one_odd_label_moves_no_set():
    """Of 19 labels the least probable may be anything; of 13 it is the threshold itself."""
    for count, moved in ((13, True), (19, False)):
        own = np.linspace(0.5, 0.9, count)[:, None]
        odd = np.where(own == own.min(), 0.0026, own)
        thresholds = [
            conformal_thresholds(one, np.zeros(count, int), level=0.9)[0] for one in (own, odd)
        ]
        assert (thresholds[1] == 0.0026) == moved
        assert (thresholds[0] == thresholds[1]) == (not moved)


def test_classes_without_a_promise_are_told_with_the_reason():
    rng = np.random.default_rng(3)
    targets = np.repeat(np.arange(5), [13, 40, 40, 40, 40])
    groups = np.arange(len(targets)) % 30
    groups[targets == 1] %= 5
    probabilities = rng.dirichlet(np.full(5, 0.2), len(targets)) * 0.5 + 0.5 * np.eye(5)[targets]
    # This class has the same probability everywhere: its sets could not tell it from any other.
    probabilities[:, :4] *= 0.7 / probabilities[:, :4].sum(axis=1, keepdims=True)
    probabilities[:, 4] = 0.3
    predictions = held_out(probabilities, targets, groups.astype(str))
    calibration = fit_calibration(predictions, coverage=0.9, tested="1 of 5 folds")
    reasons = {name: each.not_promised for name, each in calibration.classes.items()}
    first, second, third, fourth, last = SITE_CLASSES
    assert reasons[first] == "13 labels in 13 group(s); 19 in 9 are needed"
    assert reasons[second] == "40 labels in 5 group(s); 19 in 9 are needed"
    assert reasons[third] == reasons[fourth] == ""
    assert "% of the labels of other classes would be in its sets" in reasons[last]
    assert np.isnan(calibration.set_thresholds).tolist() == [True, True, False, False, True]
    assert (calibration.labels, calibration.groups) == (173, 30)
    assert sum(each.share for each in calibration.classes.values()) == pytest.approx(1)
    *_, sets = measure_calibration(predictions, calibration, confidence=0.9, seed=0)
    sets = sets.set_index("class")
    assert sets["promised"].tolist() == [True, False, False, True, True, False]
    assert sets["coverage"].isna().tolist() == [False, True, True, False, False, True]
    # Only sites of classes for which something is promised can keep it.
    assert (sets.loc["all", "sites"], sets.loc[second, "groups"]) == (80, 5)
    assert (sets.loc[[third, fourth], "in_other_sets"] < 0.5).all()


def test_the_confidence_is_that_of_the_class_given():
    """Where the networks decide one after the other, another class may be more probable."""
    row = {"p_inclusion": 0.45, "predicted_class": DAMAGE_CLASSES[0]}
    row |= dict(zip([f"p_{name}" for name in DAMAGE_CLASSES], [0.6, 0.2, 0.1, 0.1], strict=True))
    sites = pd.DataFrame([row, row | {"predicted_class": NOT_CLASSIFIED}])
    given = class_indices(sites["predicted_class"])
    sure = probability_of_class(site_probabilities(sites), given)
    assert sure[0] == pytest.approx(0.55 * 0.6) and np.isnan(sure[1])


def test_figure_shows_both_halves():
    probabilities, targets = drawn(400, temperature=0.5)
    groups = np.arange(400) // 5
    part = deal_groups(groups, parts=5, seed=1)
    bins = pd.concat(
        [
            reliability(one, targets).assign(probabilities=name)
            for name, one in (
                ("as_given", probabilities),
                ("calibrated", cross_calibrated(probabilities, targets, part)),
            )
        ]
    )
    promised = ALL_CLASSES & (np.array(SITE_CLASSES) != "notch")
    sets = cross_prediction_sets(
        probabilities,
        targets,
        probabilities.argmax(axis=1),
        part,
        level=0.9,
        promised=promised,
    )
    coverage = coverage_table(sets, targets, promised=promised, groups=groups, confidence=0.95)
    errors = pd.DataFrame(
        {
            "probabilities": ["as_given", "calibrated"],
            "expected_calibration_error": [0.21, 0.13],
            "by_chance": [0.06, 0.05],
        }
    )
    figure = draw_calibration(bins, errors, coverage, level=0.9)
    assert len(figure.axes) == 3
    words = " ".join(
        text.get_text() for text in figure.findobj(match=lambda one: hasattr(one, "get_text"))
    )
    assert "ECE 0.21 (by chance 0.06)" in words and "ECE 0.13 (by chance 0.05)" in words
    names = [tick.get_text() for tick in figure.axes[1].get_yticklabels()]
    assert [name.split(" ")[0] for name in names if "no sets" in name] == ["notch"]
    assert "no class\nhas sets" not in words
    nowhere = coverage.assign(promised=False, coverage=np.nan, low=np.nan, high=np.nan)
    figure = draw_calibration(bins, errors, nowhere.assign(mean_size=np.nan), level=0.9)
    for panel in figure.axes[1:]:
        assert [text.get_text() for text in panel.texts] == ["no class\nhas sets"]


def test_error_of_honest_probabilities_is_the_one_by_chance():
    """Over many sets of honest answers the error is that by chance; it falls with their number."""
    by_chance = []
    for count in (100, 400, 1600):
        honest, _ = drawn(count)
        by_chance.append(calibration_error_by_chance(honest.max(axis=1), seed=0))
        found = [
            expected_calibration_error(reliability(*drawn(count, seed=seed))) for seed in range(20)
        ]
        # Means of 20 sets whose errors scatter by about a fifth.
        assert np.mean(found) == pytest.approx(by_chance[-1], rel=0.15)
    assert by_chance[0] > 1.5 * by_chance[1] > 2 * by_chance[2]
    sharpened, targets = drawn(400, temperature=0.4)
    dishonest = expected_calibration_error(reliability(sharpened, targets))
    assert dishonest > 2 * calibration_error_by_chance(sharpened.max(axis=1), seed=0)
