"""The layer that holds a random forest answers as the forest of scikit-learn behind it."""

import keras
import numpy as np
import pytest
from sklearn.ensemble import RandomForestClassifier

from damascene.networks.random_forest import random_forest_layer

CLASSES = 5
#: Class 2 was never seen: no tree knows it.
KNOWN = np.array([0, 1, 3, 4])


@pytest.fixture(scope="module")
def forest():
    rng = np.random.default_rng(0)
    descriptors = rng.normal(size=(300, 6)).astype(np.float32)
    return RandomForestClassifier(20, random_state=0).fit(descriptors, rng.choice(KNOWN, 300))


@pytest.fixture(scope="module")
def model(forest):
    given = keras.Input((6,))
    layer = random_forest_layer(forest.estimators_, classes=forest.classes_, class_count=CLASSES)
    return keras.Model(given, layer(given))


def test_it_answers_as_scikit_learn_does(forest, model):
    """Labels are noise, so that trees are deep: a step too few ends before the leaves."""
    assert max(tree.get_depth() for tree in forest.estimators_) > 10
    fresh = np.random.default_rng(1).normal(size=(500, 6)).astype(np.float32)
    # Sites that lie on a threshold go to the lower side.
    tree = forest.estimators_[0].tree_
    inner = np.flatnonzero(tree.children_left >= 0)
    fresh[inner, tree.feature[inner]] = tree.threshold[inner]
    expected = np.zeros((len(fresh), CLASSES))
    expected[:, KNOWN] = forest.predict_proba(fresh)
    # Means of 20 single-precision proportions.
    np.testing.assert_allclose(model.predict_on_batch(fresh), expected, atol=1e-6)


def test_its_shape_is_known_before_a_site_is_answered(model):
    assert model.output_shape == (None, CLASSES)


def test_a_stored_forest_answers_the_same(model, tmp_path):
    model.save(tmp_path / "forest.keras")
    stored = keras.saving.load_model(tmp_path / "forest.keras")
    fresh = np.random.default_rng(2).normal(size=(50, 6)).astype(np.float32)
    assert (stored.predict_on_batch(fresh) == model.predict_on_batch(fresh)).all()
