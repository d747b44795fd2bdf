"""The last layer of a frozen network: held against scikit-learn and against its own rules."""

import keras
import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, log_loss
from sklearn.preprocessing import StandardScaler

from damascene.classification import last_layer
from damascene.classification.last_layer import clip_features, fit_last_layer, solve_last_layer
from damascene.clips.network_input import network_inputs
from damascene.learning.class_balance import class_weights
from damascene.networks.last_layer import softmax_layer

# The solver stops at a slope of 1e-4; against penalties of at least 1 / (strength * sites) this
# leaves the layers apart by less.
CLOSE = {"atol": 2e-3}


def sites(class_count, *, count=240, views=1, noise=0, seed=0):
    """Features around a centre for each class, of unlike scales, more of noise, and the classes."""
    rng = np.random.default_rng(seed)
    # Classes of unlike numbers, each there.
    members = np.minimum(rng.geometric(0.5, count) - 1, class_count - 1)
    members[:class_count] = range(class_count)
    centres = rng.normal(0, 1, (class_count, 10))
    features = centres[members][:, None] + 3 * rng.normal(0, 1, (count, views, 10))
    features = np.concatenate(
        [features * np.geomspace(0.1, 30, 10) + 5, rng.normal(0, 1, (count, views, noise))], axis=2
    )
    return features.astype(np.float32), members


def answers(layer, features):
    kernel, bias = (each.astype(float) for each in layer)
    values = features @ kernel + bias
    values = np.exp(values - values.max(axis=-1, keepdims=True))
    return values / values.sum(axis=-1, keepdims=True)


@pytest.mark.parametrize("views", [1, 3])
@pytest.mark.parametrize("class_count", [2, 4])
def test_the_layer_is_that_of_scikit_learn(class_count, views):
    features, members = sites(class_count, views=views)
    proportions = np.arange(1, class_count + 1) / np.arange(1, class_count + 1).sum()
    strengths = (1e-3, 3e-2)
    layers = solve_last_layer(
        features,
        np.eye(class_count)[members],
        proportions=proportions,
        members=members,
        strengths=strengths,
    )
    flat = features.reshape(-1, features.shape[-1]).astype(float)
    scaled = StandardScaler().fit_transform(flat)
    # Every view is a part of its site.
    each = proportions * len(members) / np.bincount(members) / views
    for strength, layer in zip(strengths, layers, strict=True):
        oracle = LogisticRegression(
            C=strength, class_weight=dict(enumerate(each)), tol=1e-8, max_iter=5000
        ).fit(scaled, np.repeat(members, views))
        given = answers(layer, flat)
        np.testing.assert_allclose(given, oracle.predict_proba(scaled), **CLOSE)
    # A looser fit is surer of itself: the strengths are not all the same.
    assert (
        answers(layers[1], flat).max(axis=1).mean()
        > 0.02 + answers(layers[0], flat).max(axis=1).mean()
    )


def test_soft_targets_weigh_like_sites_repeated_for_each_answer():
    features, members = sites(3)
    rng = np.random.default_rng(1)
    # Three of four annotators agree with the label at most.
    said = np.stack([members, members, members, rng.integers(0, 3, len(members))], axis=1)
    targets = np.eye(3)[said].mean(axis=1)
    given = {"proportions": [0.2, 0.3, 0.5]}
    (soft,) = solve_last_layer(features, targets, members=members, strengths=[0.03], **given)
    # Four times the sites weigh four times as much against the penalty.
    (repeated,) = solve_last_layer(
        np.repeat(features, 4, axis=0),
        np.eye(3)[said.ravel()],
        members=np.repeat(members, 4),
        strengths=[0.03 / 4],
        **given,
    )
    (hard,) = solve_last_layer(
        features, np.eye(3)[members], members=members, strengths=[0.03], **given
    )
    expected = answers(repeated, features[:, 0])
    np.testing.assert_allclose(answers(soft, features[:, 0]), expected, **CLOSE)
    assert np.abs(answers(hard, features[:, 0]) - expected).max() > 0.05


@pytest.mark.parametrize("present", [[0, 3], [0, 1, 3]])
def test_a_class_without_sites_is_never_answered(present):
    features, members = sites(len(present))
    members = np.array(present)[members]
    (layer,) = solve_last_layer(
        features, np.eye(4)[members], proportions=[0.25] * 4, members=members, strengths=[0.03]
    )
    given = answers(layer, features[:, 0])
    assert [index for index in range(4) if given[:, index].max() > 0] == present
    assert np.mean(given.argmax(axis=1) == members) > 0.5


def test_weights_of_sites_add_up_to_their_number_and_to_the_shares():
    members = np.array([0, 0, 0, 1, 3, 3])
    weights = class_weights(members, [0.2, 0.3, 0.4, 0.1])[members]
    # Class 2 has no site: the others share out what it would have.
    assert np.bincount(members, weights) == pytest.approx([2, 3, 0, 1])
    assert weights == pytest.approx([2 / 3] * 3 + [3] + [0.5] * 2)
    assert class_weights(members, [0.5, 1 / 6, 0, 1 / 3])[members] == pytest.approx(1)


# From far too stiff to far too loose for the sites of the test.
STRENGTHS = (1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1)


@pytest.mark.parametrize("refit", [False, True])
def test_the_strength_of_the_lowest_validation_loss_is_taken(refit, monkeypatch):
    monkeypatch.setattr(last_layer, "STRENGTHS", STRENGTHS)
    features, members = sites(3, count=300, views=2, noise=150)
    rows = np.random.default_rng(2).permutation(300)
    train, validation = rows[:200], rows[200:]
    proportions = [0.5, 0.2, 0.3]
    targets = np.eye(3)[members]
    given = keras.Input((features.shape[2],))
    model = keras.Model(given, softmax_layer(3)(given))
    options = {
        "train": train,
        "validation": validation,
        "proportions": proportions,
        "members": members,
    }
    history = fit_last_layer(model, features, targets, refit=refit, **options)
    selection = history[history["run"] == "selection"]
    assert selection["strength"].tolist() == list(STRENGTHS)
    assert selection["epoch"].tolist() == list(range(1, len(STRENGTHS) + 1))

    def solved(some, strengths):
        options = {"proportions": proportions, "members": members[some], "strengths": strengths}
        return solve_last_layer(features[some], targets[some], **options)

    layers = solved(train, STRENGTHS)
    losses = []
    for row, layer in zip(selection.itertuples(), layers, strict=True):
        for some, loss, accuracy in (
            (train, row.loss, row.accuracy),
            (validation, row.validation_loss, row.validation_accuracy),
        ):
            # Clips are judged as they are, without their copies.
            judged = answers(layer, features[some, 0])
            weights = {"sample_weight": class_weights(members[some], proportions)[members[some]]}
            assert loss == pytest.approx(log_loss(members[some], judged, **weights), abs=1e-4)
            assert accuracy == pytest.approx(
                accuracy_score(members[some], judged.argmax(axis=1), **weights)
            )
        losses.append(row.validation_loss)
    best = int(np.argmin(losses))
    # Neither the stiffest nor the loosest fit: the choice is one.
    assert 0 < best < len(STRENGTHS) - 1
    expected = layers[best]
    if refit:
        last = history.iloc[-1]
        assert (last["run"], last["strength"]) == ("refit", STRENGTHS[best])
        assert np.isnan(last["validation_loss"]) and len(history) == len(STRENGTHS) + 1
        (expected,) = solved(rows, STRENGTHS[best : best + 1])
        assert np.abs(answers(layers[best], features) - answers(expected, features)).max() > 0.01
    else:
        assert len(history) == len(STRENGTHS)
    predicted = model.predict_on_batch(features[:, 0])
    np.testing.assert_allclose(predicted, answers(expected, features[:, 0]), atol=1e-5)


def seeing_pixels(size=8):
    """A network whose features are the pixels themselves."""
    grey = keras.Input((size, size, 2), name="grey")
    return keras.Model(grey, softmax_layer(2)(keras.layers.Flatten(name="features")(grey)))


@pytest.fixture
def clips():
    return np.random.default_rng(0).integers(0, 256, (12, 8, 8, 2), dtype=np.uint8)


def seen(clips, rows, *, augmentation, seed=1):
    return clip_features(
        seeing_pixels(),
        clips[rows],
        grey_scaling="full_range",
        augmentation=augmentation,
        seed=seed,
    )


FLIPS = {"rotation_deg": 0, "shift": 0, "zoom": 0, "gain": 0, "offset": 0, "gamma": 0, "noise": 0}
TURNS = {"rotation_deg": 15}


def test_the_first_view_is_the_clip_as_it_is(clips, monkeypatch):
    monkeypatch.setattr(last_layer, "sites_at_once", lambda: 4)
    rows = [7, 2, 11, 0, 5, 3]
    expected = network_inputs(clips[rows], grey_scaling="full_range").reshape(6, -1)
    assert np.array_equal(seen(clips, rows, augmentation=None), expected[:, np.newaxis])
    views = seen(clips, rows, augmentation=TURNS)
    assert np.array_equal(views[:, 0], expected)
    # The others are changes of the very clip.
    flips = seen(clips, rows, augmentation=FLIPS)
    for view in range(1, flips.shape[1]):
        pictures = flips[:, view].reshape(6, 8, 8, 2)
        for row, picture in zip(rows, pictures, strict=True):
            clip = network_inputs(clips[[row]], grey_scaling="full_range")[0]
            mirrored = [clip[::down, ::right] for down in (1, -1) for right in (1, -1)]
            assert min(np.abs(picture - each).max() for each in mirrored) < 1e-4


def test_every_copy_is_another_and_comes_again_with_the_seed(clips, monkeypatch):
    monkeypatch.setattr(last_layer, "sites_at_once", lambda: 4)
    # The same clip in two batches.
    rows = [3] * 8
    first, again, other = (seen(clips, rows, augmentation=TURNS, seed=seed) for seed in (1, 1, 2))
    assert np.array_equal(first, again)
    copies = [*first[:, 1:].reshape(-1, 128), *other[:, 1:].reshape(-1, 128)]
    assert len({copy.tobytes() for copy in copies}) == len(copies)


@pytest.mark.parametrize(("most", "views"), [(10_000, 5), (50, 5), (49, 4), (20, 2), (5, 1)])
def test_copies_keep_below_the_limit(clips, monkeypatch, most, views):
    monkeypatch.setattr(last_layer, "_MOST_CLIPS", most)
    assert seen(clips, range(10), augmentation=TURNS).shape == (10, views, 128)
