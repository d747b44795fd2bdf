"""The networks in resources/models: they load, and answer as when they were shipped."""

import numpy as np
import pytest

from damascene.classes import STAGE_CLASSES
from damascene.classification.predict import load_network, predict_clips
from damascene.config.study import load_study
from damascene.contracts.descriptors import DESCRIPTOR_NAMES
from damascene.contracts.model_card import ModelCard
from damascene.study.models import model_folder

#: Probability of the first class for three noisy clips, to four digits.
ANSWERS = {"inclusion": (0.6258, 0.5311, 0.4123), "damage": (0.5036, 0.1885, 0.4997)}


@pytest.mark.parametrize("stage", STAGE_CLASSES)
def test_shipped_networks_answer_as_ever(stage):
    folder = model_folder(load_study({"models": "simulated"}))
    card = ModelCard.read(folder / f"{stage}.json")
    model = load_network(folder / f"{stage}.keras", card=card, classes=STAGE_CLASSES[stage])
    rng = np.random.default_rng(0)
    clips = rng.integers(0, 255, (3, card.input_px, card.input_px, card.scales), np.uint8)
    descriptors = rng.normal(size=(3, len(DESCRIPTOR_NAMES))).astype(np.float32)
    answers = predict_clips(model, clips, descriptors, card=card, batch_size=3)
    np.testing.assert_allclose(answers.sum(axis=1), 1, atol=1e-5)
    # Other processors round otherwise.
    np.testing.assert_allclose(answers[:, 0], ANSWERS[stage], atol=2e-3)
