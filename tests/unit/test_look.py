"""One look at a site for all stages: held against each network alone, as Keras applies it."""

import numpy as np
import pandas as pd
import pytest
from made_records import model_card

from damascene.classes import STAGE_CLASSES
from damascene.classification import predict
from damascene.classification.last_layer import clip_features
from damascene.classification.look import body_features, shared_looks
from damascene.classification.predict import load_network, predict_clips, predict_sites
from damascene.classification.random_forest import with_random_forest
from damascene.clips.network_input import network_inputs
from damascene.contracts.candidates import CANDIDATES
from damascene.contracts.table import check_table
from damascene.images.store import TiledImage, write_tiled
from damascene.networks import transfer
from damascene.networks.build import build_network

SIZE, DESCRIPTORS = 64, 5
NETWORK = "efficientnet_lite0"


def card_for(stage, **changed):
    facts = {
        "network": NETWORK,
        "window": "3 um",
        "input_px": SIZE,
        "scales": 2,
        "centre": 0.5,
        "descriptors": True,
        "grey_scaling": "full_range",
        "average_flips": False,
    }
    return model_card(STAGE_CLASSES[stage], **(facts | changed))


@pytest.fixture(scope="module")
def networks(tmp_path_factory):
    """Train nothing: last layers of random weights, and trees on random descriptors."""
    folder, rng = tmp_path_factory.mktemp("models"), np.random.default_rng(0)
    for seed, (stage, classes) in enumerate(STAGE_CLASSES.items()):
        model = build_network(NETWORK, class_count=len(classes), seed=seed, input_px=SIZE, scales=2)
        last = model.get_layer("classes")
        # Features are up to some tens: answers are to lie between the classes.
        last.set_weights([rng.normal(0, 0.01, last.kernel.shape), last.bias.numpy()])
        model = with_random_forest(
            model,
            rng.normal(0, 1, (40, DESCRIPTORS)),
            np.eye(len(classes))[np.arange(40) % len(classes)],
            share=0.5,
            simulated=None,
            simulated_weight=0,
            seed=seed,
        )
        model.save(folder / f"{stage}.keras")
    return folder


def load(folder):
    return {
        stage: (
            load_network(folder / f"{stage}.keras", card=card_for(stage), classes=classes),
            card_for(stage),
        )
        for stage, classes in STAGE_CLASSES.items()
    }


@pytest.fixture(scope="module")
def loaded(networks):
    return load(networks)


@pytest.fixture(scope="module")
def look(loaded):
    (look,) = shared_looks(loaded)
    return look


@pytest.fixture(scope="module")
def seen():
    rng = np.random.default_rng(1)
    clips = rng.integers(0, 256, (11, SIZE, SIZE, 2), dtype=np.uint8)
    return clips, rng.normal(0, 1, (11, DESCRIPTORS)).astype(np.float32)


@pytest.fixture(scope="module")
def plain(loaded, seen):
    """Return what Keras answers when it is given whole networks."""
    clips, descriptors = seen
    inputs = network_inputs(clips, descriptors, grey_scaling="full_range")
    return {stage: model.predict_on_batch(inputs) for stage, (model, _) in loaded.items()}


def test_one_look_gives_the_answers_of_each_network_alone(loaded, look, seen, plain):
    assert list(look.heads) == list(STAGE_CLASSES) and look.descriptors
    answers = look.answers(*seen, batch_size=16)
    for stage, (model, card) in loaded.items():
        # The test could not fail if all sites were answered alike.
        assert np.ptp(plain[stage], axis=0).max() > 0.05
        np.testing.assert_allclose(answers[stage], plain[stage], atol=1e-5)
        alone = predict_clips(model, *seen, card=card, batch_size=16)
        np.testing.assert_array_equal(answers[stage], alone)


def test_batches_of_a_gpu_give_the_same_classes(look, seen, plain):
    for batch_size in (64, 256):
        answers = look.answers(*seen, batch_size=batch_size)
        for stage, answer in answers.items():
            np.testing.assert_allclose(answer, plain[stage], atol=1e-5)
            assert (answer.argmax(axis=1) == plain[stage].argmax(axis=1)).all()


def test_the_other_sites_of_a_batch_change_nothing(look, seen):
    clips, descriptors = seen
    whole = look.answers(clips, descriptors, batch_size=16)
    order = np.random.default_rng(2).permutation(len(clips))[:4]
    some = look.answers(clips[order], descriptors[order], batch_size=16)
    for stage in STAGE_CLASSES:
        np.testing.assert_array_equal(some[stage], whole[stage][order])


def test_training_and_prediction_see_the_same(loaded, look, seen):
    model, card = loaded["damage"]
    expected = body_features(look.body, seen[0], grey_scaling=card.grey_scaling, batch_size=64)
    features = clip_features(
        model, seen[0], grey_scaling=card.grey_scaling, augmentation=None, seed=0
    )
    np.testing.assert_array_equal(features[:, 0], expected)


@pytest.mark.parametrize(
    "changed", [{"window": "2 um"}, {"centre": 0.4}, {"grey_scaling": "clip_median"}]
)
def test_stages_with_other_pictures_look_apart(loaded, changed):
    model, _ = loaded["damage"]
    looks = shared_looks(loaded | {"damage": (model, card_for("damage", **changed))})
    assert [list(each.heads) for each in looks] == [["inclusion"], ["damage"]]


def test_convolutions_that_differ_are_not_shared(networks):
    pair = load(networks)
    layer = pair["damage"][0].get_layer("block_05_expand")
    kernel, bias = layer.get_weights()
    kernel[0, 0, 0, 0] += 1e-3
    layer.set_weights([kernel, bias])
    assert len(shared_looks(pair)) == 2


def test_maps_that_are_pooled_in_another_way_are_not_shared(loaded, monkeypatch):
    pooled = transfer._pooled
    monkeypatch.setattr(transfer, "_pooled", lambda maps: pooled(maps)[::-1])
    other = build_network(NETWORK, class_count=4, seed=0, input_px=SIZE, scales=2)
    card = card_for("damage")
    assert len(shared_looks({"inclusion": loaded["inclusion"], "damage": (other, card)})) == 2


def test_a_panorama_is_cut_once_for_both_stages(networks, loaded, tmp_path, monkeypatch):
    rng = np.random.default_rng(3)
    pixels = rng.integers(0, 256, (300, 400), dtype=np.uint8)
    path = tmp_path / "p.ome.tif"
    write_tiled(path, [pixels], shape=pixels.shape, pixel_size_nm=50, name="p")
    table = pd.DataFrame({name: np.ones(9) for name in CANDIDATES.columns})
    table = table.assign(panorama="p", site_id=range(9), touches_border=False, touches_mask=False)
    table["x_px"], table["y_px"] = rng.uniform(0, 399, 9), rng.uniform(0, 299, 9)
    table = check_table(table, CANDIDATES, source="test")
    descriptors = rng.normal(0, 1, (9, DESCRIPTORS)).astype(np.float32)
    cut, cut_pictures = [], predict.cut_pictures

    def counted(image, x_px, *given, **options):
        cut.append(len(x_px))
        return cut_pictures(image, x_px, *given, **options)

    monkeypatch.setattr(predict, "cut_pictures", counted)
    # Reading the files takes most of the time.
    by_classes = {card.classes: model for model, card in loaded.values()}
    monkeypatch.setattr(predict, "load_network", lambda path, *, card, classes: by_classes[classes])
    options = {"batch_size": 4, "inclusion_threshold": 0.5, "damage_threshold": 0.2}
    cards = {stage: card_for(stage) for stage in STAGE_CLASSES}
    with TiledImage(path) as image:
        for stage in STAGE_CLASSES:
            options[f"{stage}_model_path"] = networks / f"{stage}.keras"
            options[f"{stage}_card"] = cards[stage]
        together = predict_sites(table, image, descriptors, **options)
        assert cut == [4, 4, 1]
        cut.clear()
        monkeypatch.setattr(predict, "shared_looks", one_by_one)
        apart = predict_sites(table, image, descriptors, **options)
        assert cut == [4, 4, 1] * 2
    pd.testing.assert_frame_equal(together, apart)


def one_by_one(networks):
    return [look for stage in networks for look in shared_looks({stage: networks[stage]})]
