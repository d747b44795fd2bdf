"""The methods text says what ran."""

import pandas as pd
import pytest
from made_records import model_card, panorama_record

from damascene.config.presets import PRESETS
from damascene.config.study import load_study
from damascene.contracts.image_model_card import ImageModelCard, LearnedNoise
from damascene.contracts.model_card import PublicSource
from damascene.statistics.analysis_methods import analysis_in_words, is_corrected
from damascene.statistics.methods import methods_text
from damascene.statistics.phases.methods import phase_methods, phases_in_words

TRAINED = {
    "network": "efficientnet_lite0",
    "centre": 0.5,
    "class_counts": {
        "train": {"notch": 30, "shadowing": 5, "interface": 7, "martensite": 20},
        "validation": {"notch": 10, "shadowing": 1, "interface": 2, "martensite": 4},
    },
    "training": {"simulated_sites": 0.1, "refit": True},
}


def text_of(*, damage, inclusion=None, labelled=0, tested=True, phases="", added=None, **settings):
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
        phases=phases,
        **(added or {}),
    )


def test_trees_among_simulated_sites_are_named_where_they_answered():
    text = text_of(damage=model_card(descriptors=True, **TRAINED))
    assert "mean of that of the network and that of a random forest" in text
    assert "at weights of" not in text, "the card does not say it"
    assert "neighbourhood); the forest was grown" in text
    assert "simulated sites at a weight of 0.1" in text
    assert "arXiv 1905.11946" in text and "only its last layer" in text
    assert "It learned these classes at once" not in text
    assert "79 labelled sites (40 notch, 6 shadowing, 9 interface, 24 martensite)" in text
    assert "efficientnet_lite0 on windows of 4 µm" in text
    assert "pixels of 32.5 to 40 nm" in text

    alone = text_of(damage=model_card(descriptors=False, **TRAINED))
    assert "forest" not in alone and "that of its network alone" in alone
    unmixed = {**TRAINED, "training": {"simulated_sites": 0, "refit": False}}
    labels_only = text_of(damage=model_card(descriptors=True, **unmixed))
    assert "simulated" not in labels_only
    assert "62 labelled sites" in labels_only, "validation sites were not learned from"


def test_a_network_that_learned_all_classes_is_said_to_have():
    counts = {"inclusion": 10, "notch": 30, "shadowing": 5, "interface": 7, "martensite": 20}
    learned = {**TRAINED, "network": "steel_lite0", "class_counts": {"train": counts}}
    learned["training"] = {"refit": False}
    text = text_of(damage=model_card(descriptors=True, tree_share=0.25, **learned))
    assert "72 labelled sites (10 inclusion, 30 notch" in text
    assert "It learned these classes at once" in text and "adapted to simulated" in text
    assert "at weights of 0.75 and 0.25." in text


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


def card_of_phases(**changes):
    fields = {
        "task": "segmentation",
        "method": "simulated",
        "network": "unet",
        "network_options": {},
        "phases": ("ferrite", "martensite", "damage"),
        "pixel_size_nm": (30.0, 60.0),
        "noise": LearnedNoise(description="Gaussian noise of 2 to 8 grey levels."),
        "halo_px": 64,
        "overlap_px": 0,
        "parameters": 412345,
        "panoramas": ("a", "b"),
        "data_sha256": "0" * 64,
        "settings": {},
        "seed": 1,
        "epochs_run": 3,
        "best_epoch": 2,
        "scores": {},
        "training_s": 1.0,
        "device": "CPU",
        "note": "It learned from simulated steel only.",
        "versions": {},
    }
    return ImageModelCard(**(fields | changes))


def test_the_text_says_how_phases_were_mapped_and_by_which_network():
    segmentation = load_study({"segmentation": {"method": "simulated"}}).segmentation
    said = phase_methods(segmentation, card_of_phases())
    assert "one of the phases ferrite, martensite and damage, by a U-Net" in said
    assert "412,345 weights, trained on 2 panoramas with pixels of 30 to 60 nm (Gaussian" in said
    assert "grey levels). It learned from simulated steel only." in said
    assert "Bands of martensite were sought" in said
    assert "grey levels). Simulated steel only." in phase_methods(
        segmentation, card_of_phases(note="simulated steel only")
    )
    text = text_of(damage=model_card(), phases=said)
    assert f"\n\n{said}\n\n" in text


def test_other_steels_and_methods_have_their_own_words(tmp_path):
    phases = {name: {"label": n, "colour": "#000000"} for n, name in enumerate("ab")}
    other = {"phases": phases, "hard_phase": "", "damage_phase": "", "method": "random_forest"}
    segmentation = load_study({"segmentation": other}).segmentation
    said = phases_in_words(segmentation.model_dump_json(), tmp_path / "none.keras")
    assert "one of the phases a and b, by a random forest" in said
    assert "Bands" not in said
    nothing = load_study({"segmentation": {"method": "none"}}).segmentation
    assert phases_in_words(nothing.model_dump_json(), tmp_path / "none.keras") == ""
    assert "How phases" not in text_of(damage=model_card())


def corrected_rows(*methods, reason="", note=""):
    """Return the columns of `CORRECTED` that say what was done, two classes by panorama."""
    return pd.DataFrame(
        {
            "panorama": [f"p{number // 2}" for number in range(len(methods))],
            "class": ["notch", "all"] * (len(methods) // 2),
            "method": methods,
            "not_estimated": ["" if method else reason for method in methods],
            "note": note,
            "confidence": 0.95,
        }
    )


def test_the_text_says_which_corrections_were_made():
    both = analysis_in_words(corrected_rows("pacc and recall", "recall"))
    assert "were corrected for the errors of the networks by adjusted mean probabilities" in both
    assert "planted into the panoramas" in both and "not corrected" not in both
    assert "95 % intervals" in both and "lognormal" in both and "blocks of a panorama" in both
    some = analysis_in_words(corrected_rows("pacc and recall", "recall", "", "recall"))
    assert "(in 1 of 2 panoramas)" in some
    alone = analysis_in_words(corrected_rows("", "recall", reason="no labels test the networks"))
    assert (
        "Classes were not corrected for the errors of the networks, because no labels test the "
        "networks." in alone
    )
    no_voids = analysis_in_words(corrected_rows("pacc", "pacc", note="there is no room"))
    assert "not corrected for what the detector misses, because there is no room." in no_voids
    nothing = analysis_in_words(corrected_rows("", "", reason="no site was counted"))
    assert "PACC" not in nothing and "planted" not in nothing


def test_counts_as_classified_and_corrected_ones_are_told_apart():
    rows = corrected_rows("pacc and recall", "recall")
    added = {"analysis": analysis_in_words(rows), "corrected": is_corrected(rows)}
    text = text_of(damage=model_card(), added=added)
    assert "not corrected for the errors" not in text
    assert "counts that are corrected for the errors of the networks stand beside these" in text
    assert "**What was calculated.** Densities" in text
    assert not is_corrected(corrected_rows("labels and recall", "recall"))
