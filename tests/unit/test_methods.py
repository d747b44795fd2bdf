"""The methods text says what ran."""

import pytest
from made_records import model_card, panorama_record

from damascene.config.presets import PRESETS
from damascene.config.study import load_study
from damascene.contracts.model_card import PublicSource
from damascene.statistics.methods import methods_text

TRAINED = {
    "network": "efficientnet_lite0",
    "centre": 0.5,
    "class_counts": {
        "train": {"notch": 30, "shadowing": 5, "interface": 7, "martensite": 20},
        "validation": {"notch": 10, "shadowing": 1, "interface": 2, "martensite": 4},
    },
    "training": {"simulated_sites": 0.1, "refit": True},
}


def text_of(*, damage, inclusion=None, labelled=0, tested=True, **settings):
    study = load_study(settings)
    return methods_text(
        preset=study.preset,
        denoise=study.denoise,
        detection=study.detection,
        cards={"inclusion": inclusion or model_card(("inclusion", "rest")), "damage": damage},
        thresholds={"inclusion": 0.5, "damage": 0.3},
        records=[panorama_record(pixel_size_nm=40.0), panorama_record(pixel_size_nm=32.5)],
        counted=100,
        labelled=labelled,
        tested=tested,
        seed=study.seed,
    )


def test_trees_among_simulated_sites_are_named_where_they_answered():
    text = text_of(damage=model_card(descriptors=True, **TRAINED))
    assert "mean of that of the network and that of a random forest" in text
    assert "simulated sites at a weight of 0.1" in text
    assert "79 labelled sites (40 notch, 6 shadowing, 9 interface, 24 martensite)" in text
    assert "efficientnet_lite0 on windows of 4 µm" in text
    assert "pixels of 32.5 to 40 nm" in text

    alone = text_of(damage=model_card(descriptors=False, **TRAINED))
    assert "forest" not in alone and "that of its network alone" in alone
    unmixed = {**TRAINED, "training": {"simulated_sites": 0, "refit": False}}
    labels_only = text_of(damage=model_card(descriptors=True, **unmixed))
    assert "simulated" not in labels_only
    assert "62 labelled sites" in labels_only, "validation sites were not learned from"


def test_networks_from_elsewhere_are_described_by_their_cards():
    source = PublicSource(file="second.h5", sha256="0" * 64, origin="10.5281/zenodo.1")
    text = text_of(damage=model_card(source=source), inclusion=model_card(("inclusion", "rest")))
    assert "second.h5 (10.5281/zenodo.1)" in text
    assert "Its card does not say what it was trained on" in text


@pytest.mark.parametrize("preset", PRESETS)
def test_every_preset_is_put_into_words(preset):
    text = text_of(damage=model_card(), preset=preset)
    detection = load_study({"preset": preset}).detection
    assert f"eps {detection.eps}".replace("um", "µm") in text
    assert f"larger than {detection.minimum_area}".removesuffix("2") in text
    assert " um" not in text and "px2" not in text
    grey = detection.threshold.rule != "relative"
    assert (f"grey {detection.threshold.grey:g} of 255" in text) == grey
    assert (f"published set *{preset}*" in text) == (preset != "default")
    assert "  " not in text and " ." not in text


def test_the_text_says_whose_classes_are_counted_and_whether_they_were_tested():
    assert "Of 100 sites, 40 are counted with the class that a person gave them" in text_of(
        damage=model_card(), labelled=40
    )
    alone = text_of(damage=model_card(), tested=False)
    assert "The 100 sites are counted as classified" in alone
    assert "confusion matrices" not in alone and "no labels have tested" in alone
