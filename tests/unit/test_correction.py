"""Corrected counts: estimates against quapy, bad input, and what must add up."""

import numpy as np
import pandas as pd
import pytest
from quapy.method.aggregative import ACC, EMQ

from damascene.classes import DAMAGE_CLASSES, NOT_CLASSIFIED, SITE_CLASSES
from damascene.correction.counts import METHODS, Panorama, class_counts, count_replicates
from damascene.correction.estimates import (
    adjusted_shares,
    answer_matrix,
    calibrated,
    fit_bias_corrected,
    most_likely_shares,
)
from damascene.correction.held_out import (
    LEAST_LABELS,
    answers_of,
    held_out_answers,
    matrix_replicates,
    why_not_corrected,
)

CLASSES = len(SITE_CLASSES)
SHARES = np.array([0.1, 0.3, 0.15, 0.25, 0.2])


def made_answers(*, sites, shares, seed, groups=12, sharpness=2.0):
    """Return a table like `HELD_OUT`: sites of given shares of classes, answered with errors."""
    random = np.random.default_rng(seed)
    target = random.choice(CLASSES, sites, p=shares)
    logits = random.standard_normal((sites, CLASSES))
    logits[np.arange(sites), target] += sharpness
    likelihood = np.exp(sharpness * logits)
    joint = likelihood / likelihood.sum(axis=1, keepdims=True)
    names = np.array(SITE_CLASSES)
    predicted = names[joint.argmax(axis=1)].astype(object)
    predicted[joint.max(axis=1) < 0.45] = NOT_CLASSIFIED
    rest = joint[:, 1:] / joint[:, 1:].sum(axis=1, keepdims=True)
    return pd.DataFrame(
        {
            "label": names[target],
            "predicted_class": predicted,
            "group": random.integers(0, groups, sites).astype(str),
            "p_inclusion": joint[:, 0],
            **{f"p_{name}": rest[:, index] for index, name in enumerate(DAMAGE_CLASSES)},
        }
    )


def panorama_of(table, held_out, *, blocks=16, labelled=None, seed=0):
    labels = np.zeros(CLASSES) if labelled is None else np.asarray(labelled, float)
    scores = held_out.scores_of(
        np.column_stack(
            [
                table["p_inclusion"],
                table[[f"p_{name}" for name in DAMAGE_CLASSES]].mul(
                    1 - table["p_inclusion"], axis=0
                ),
            ]
        )
    )
    place = np.random.default_rng(seed).integers(0, blocks, len(table))
    sums = np.zeros((blocks, 2 * CLASSES))
    np.add.at(sums[:, :CLASSES], place, scores)
    sums[:, CLASSES:] = labels / blocks
    return Panorama(
        answers=answers_of(table["predicted_class"]),
        scores=scores,
        labelled=labels,
        block_sums=sums,
        block_areas_mm2=np.full(blocks, 0.001),
        block_numbers=np.bincount(place, minlength=blocks) + labels.sum() / blocks,
    )


@pytest.fixture(scope="module")
def held_out():
    return held_out_answers(made_answers(sites=600, shares=np.full(CLASSES, 0.2), seed=1))


@pytest.mark.parametrize("seed", range(6))
def test_adjusted_counts_are_those_of_quapy(seed):
    """Both minimise the same square on the simplex; theirs by SLSQP to about 1e-4."""
    random = np.random.default_rng(seed)
    matrix = random.dirichlet(np.ones(CLASSES) + 6 * np.eye(CLASSES)[seed % CLASSES], CLASSES).T
    matrix = 0.6 * np.eye(CLASSES) + 0.4 * matrix
    # The last three lie outside of what shares can explain.
    answered = matrix @ SHARES if seed < 3 else random.dirichlet(np.full(CLASSES, 0.5))
    ours = adjusted_shares(matrix, answered)
    theirs = ACC.solve_adjustment(matrix, answered, method="inversion", solver="minimize")
    assert np.abs(ours - theirs).max() < 2e-3
    square = [((matrix @ one - answered) ** 2).sum() for one in (ours, theirs)]
    assert square[0] <= square[1] + 1e-9
    assert ours.min() >= 0 and ours.sum() == pytest.approx(1)


@pytest.mark.parametrize("seed", range(4))
def test_most_likely_shares_are_those_of_quapy(held_out, seed):
    table = made_answers(sites=400, shares=np.roll(SHARES, seed), seed=seed)
    scores = panorama_of(table, held_out).scores
    ours = most_likely_shares(scores / held_out.shares)
    theirs, _ = EMQ.EM(held_out.shares, scores, epsilon=1e-9)
    assert np.abs(ours - theirs).max() < 1e-3


@pytest.mark.parametrize("factor", [1.0, 2.0, 4.0])
def test_correction_finds_shares_that_counting_misses(factor):
    """With many labels and sites all methods are unbiased, whatever the shares are."""
    held_out = held_out_answers(made_answers(sites=20000, shares=np.full(CLASSES, 0.2), seed=2))
    shares = np.array([1, factor, 1, 1 / factor, 1])
    shares = shares / shares.sum()
    table = made_answers(sites=20000, shares=shares, seed=3)
    panorama = panorama_of(table, held_out)
    raw = panorama.answers[:, :CLASSES].mean(axis=0)
    assert np.abs(raw - shares).max() > 0.01
    for name, counts in class_counts(panorama, held_out).items():
        # Four standard errors of a share of 20,000 sites, twice as much by the inverse.
        assert np.abs(counts / len(table) - shares).max() < 0.02, name


def test_counts_add_up_and_labelled_sites_are_not_corrected(held_out):
    table = made_answers(sites=150, shares=SHARES, seed=5)
    alone = class_counts(panorama_of(table, held_out), held_out)
    labelled = np.array([3.0, 0, 2, 0, 7])
    beside = class_counts(panorama_of(table, held_out, labelled=labelled), held_out)
    for name in METHODS:
        assert alone[name].sum() == pytest.approx(150)
        assert np.allclose(beside[name] - alone[name], labelled)
        assert alone[name].min() >= 0


def test_the_order_of_sites_and_labels_does_not_matter(held_out):
    table = made_answers(sites=150, shares=SHARES, seed=6)
    first = class_counts(panorama_of(table, held_out), held_out)
    again = held_out_answers(
        made_answers(sites=600, shares=np.full(CLASSES, 0.2), seed=1).sample(frac=1, random_state=1)
    )
    second = class_counts(panorama_of(table.iloc[::-1], again), again)
    for name in METHODS:
        assert np.allclose(first[name], second[name], atol=0.05), name


def test_replicates_scatter_round_the_count_and_more_with_fewer_labels():
    table = made_answers(sites=300, shares=SHARES, seed=7)
    widths = []
    for labels in (150, 2400):
        held_out = held_out_answers(
            made_answers(sites=labels, shares=np.full(CLASSES, 0.2), seed=8)
        )
        panorama = panorama_of(table, held_out)
        drawn = count_replicates(panorama, held_out, replicates=400, seed=1)
        assert drawn.shape == (400, CLASSES) and drawn.min() >= 0
        middle = class_counts(panorama, held_out)["pacc"]
        # A standard deviation is some 10 sites.
        assert np.abs(np.median(drawn, axis=0) - middle).max() < 15
        assert np.array_equal(drawn, count_replicates(panorama, held_out, replicates=400, seed=1))
        widths.append(drawn.std(axis=0).mean())
    assert widths[0] > 1.2 * widths[1]


def test_a_panorama_without_sites_gets_zero_and_an_upper_bound(held_out):
    table = made_answers(sites=1, shares=SHARES, seed=9).iloc[:0]
    panorama = panorama_of(table, held_out)
    assert all((counts == 0).all() for counts in class_counts(panorama, held_out).values())
    drawn = count_replicates(panorama, held_out, replicates=2000, seed=1)
    # Garwood's upper bound of no site, shared by the classes.
    assert np.quantile(drawn.sum(axis=1), 0.975) == pytest.approx(3.69, abs=0.3)
    assert np.quantile(drawn, 0.025) == pytest.approx(0, abs=1e-6)


def test_few_labels_are_refused_with_the_classes_that_lack_them():
    table = made_answers(sites=600, shares=np.full(CLASSES, 0.2), seed=1)
    assert why_not_corrected(table) == ""
    assert "no labels test the networks" in why_not_corrected(None)
    assert "no labels test the networks" in why_not_corrected(table.iloc[:0])
    inclusions = table.index[table["label"] == "inclusion"]
    few = table.drop(inclusions[LEAST_LABELS - 1 :])
    assert f"inclusion {LEAST_LABELS - 1} in" in why_not_corrected(few)
    assert "notch" not in why_not_corrected(few)
    without = table.drop(inclusions)
    assert "inclusion 0 in 0 groups" in why_not_corrected(without)
    one_group = table.assign(group="only")
    assert "in 1" in why_not_corrected(one_group)
    one_class = table[table["label"] == "notch"]
    assert "shadowing 0 in 0" in why_not_corrected(one_class)


def test_answers_that_do_not_tell_classes_apart_are_refused():
    table = made_answers(sites=600, shares=np.full(CLASSES, 0.2), seed=1)
    notch = table["label"] == "notch"
    # Notches are answered as shadowing is.
    columns = ["predicted_class", "p_inclusion", *(f"p_{name}" for name in DAMAGE_CLASSES)]
    like = table.loc[table["label"] == "shadowing", columns]
    table.loc[notch, columns] = like.sample(notch.sum(), replace=True, random_state=1).to_numpy()
    reason = why_not_corrected(table)
    assert "too much alike" in reason and "notch" in reason and "shadowing" in reason


def test_a_matrix_of_a_class_without_labels_is_missing():
    answers = np.eye(3)[[0, 1, 1]]
    targets = np.eye(3)[[0, 1, 1]]
    matrix = answer_matrix(answers, targets, np.ones(3))
    assert np.isnan(matrix[:, 2]).all() and np.allclose(matrix[:2, :2], np.eye(2))


def test_bias_corrected_calibration_gives_the_shares_of_the_labels():
    """The likelihood equations of the biases, up to their weak pull to 0."""
    table = made_answers(sites=500, shares=SHARES, seed=4)
    held_out = held_out_answers(table)
    assert np.allclose(held_out.scores.mean(axis=0), held_out.shares, atol=2e-3)


def test_calibration_finds_the_temperature_by_which_probabilities_were_sharpened():
    random = np.random.default_rng(3)
    right = random.dirichlet(np.full(CLASSES, 0.4), 20000)
    targets = np.eye(CLASSES)[
        (random.random((20000, 1)) > right.cumsum(axis=1)).sum(axis=1).clip(0, 4)
    ]
    sharp = calibrated(right, temperature=0.5, biases=np.zeros(CLASSES))
    temperature, biases = fit_bias_corrected(sharp, targets, np.ones(20000))
    assert temperature == pytest.approx(2.0, rel=0.05)
    assert np.abs(biases - biases.mean()).max() < 0.15


def test_drawn_matrices_scatter_with_the_groups_and_know_of_unseen_confusions():
    table = made_answers(sites=100, shares=np.full(CLASSES, 0.2), seed=1, sharpness=6.0)
    held_out = held_out_answers(table)
    assert (held_out.matrix("answers")[:CLASSES] == np.eye(CLASSES)).all()
    matrix, drawn = matrix_replicates(held_out, "answers", replicates=500, seed=1)
    assert np.allclose(drawn.sum(axis=1), 1) and np.allclose(matrix.sum(axis=0), 1)
    # Some of 20 labels a class may be confused, though none was.
    assert 0.005 < drawn[:, 0, 1].max() < 0.3
    assert drawn[:, 0, 0].mean() > 0.9
