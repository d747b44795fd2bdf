"""Trained networks that a study names: what is taken over, and what is refused."""

import json
from dataclasses import replace

import pytest
from made_records import model_card

from damascene import InputError
from damascene.classes import STAGE_CLASSES
from damascene.config.study import Study, load_study
from damascene.networks import NETWORKS
from damascene.study import check
from damascene.study.models import (
    SIMULATED_MODELS,
    check_pixel_size,
    doubts_of_test,
    model_folder,
    read_cards,
    with_models,
)


@pytest.fixture
def folder(tmp_path):
    for stage, classes in STAGE_CLASSES.items():
        (tmp_path / f"{stage}.keras").write_bytes(b"a network")
        window = "3 um" if stage == "damage" else "80 px"
        card = model_card(classes, input_px=100, window=window)
        card.write(tmp_path / f"{stage}.json")
    return tmp_path


def change(folder, stage, **values):
    path = folder / f"{stage}.json"
    card = json.loads(path.read_text()) | values
    path.write_text(json.dumps({key: value for key, value in card.items() if value != "drop"}))


def test_a_study_takes_over_networks_and_windows(folder):
    study = load_study({"models": str(folder), "damage": {"threshold": 0.7}})
    taken = with_models(study)
    assert (taken.damage.network, taken.damage.window) == ("eeracn", "3 um")
    assert (taken.inclusion.window, taken.damage.centre) == ("80 px", 1.0)
    # What is decided with their answers stays with the study.
    assert taken.damage.threshold == 0.7 and not taken.damage.descriptors
    assert with_models(Study()) == Study() and model_folder(Study()) is None


def test_the_shipped_networks_have_cards_of_this_version():
    cards = read_cards(model_folder(Study(models=SIMULATED_MODELS)))
    for card in cards.values():
        assert card.pixel_size_nm == (30, 60) and "simulated steel only" in card.note
        assert card.training_s > 0 and "keras" in card.versions


@pytest.mark.parametrize(
    "spelled",
    [
        "results/models",
        "./results/models/",
        "{here}/results/models",
        "{here}/results/../results/models/.",
        "link",
        "linked/models",
        "results/earlier",
        "copies",
    ],
)
def test_networks_among_the_results_of_the_study_itself_are_refused(folder, monkeypatch, spelled):
    """Named so, they would be trained on their own answers, and overwritten."""
    monkeypatch.chdir(folder)
    own = folder / "results/models"
    own.mkdir(parents=True)
    for each in folder.glob("*.*"):
        each.rename(own / each.name)
    (folder / "link").symlink_to(own)
    (folder / "linked").symlink_to("results")
    # A folder of its own, whose files lead back.
    (folder / "copies").mkdir()
    for each in own.iterdir():
        (folder / "copies" / each.name).symlink_to(each)
    given = spelled.format(here=folder)
    with pytest.raises(InputError, match=r"models: .*lies in the results of this study.*\n?cp -r"):
        with_models(Study(models=given))
    weights = f"{given}/damage.keras"
    with pytest.raises(InputError, match=r"damage\.weights: .*in the results of this study"):
        with_models(load_study({"damage": {"network": "eeracn", "weights": weights}}))


def test_networks_of_another_study_may_lie_among_its_results(folder, monkeypatch):
    here = folder / "here"
    (here / "results/models").mkdir(parents=True)
    monkeypatch.chdir(here)
    other = folder / "other/results/models"
    other.mkdir(parents=True)
    for each in folder.glob("*.*"):
        each.rename(other / each.name)
    for given in ("../other/results/models", str(other)):
        assert with_models(Study(models=given)).damage.window == "3 um"
    # Results under a name that only begins alike.
    other.parents[1].rename(here / "results_of_2019")
    moved = "results_of_2019/results/models"
    assert with_models(Study(models=moved)).damage.window == "3 um"


def test_networks_whose_training_sites_are_not_known_are_named(folder):
    networks = {stage: str(folder / f"{stage}.keras") for stage in STAGE_CLASSES}
    change(folder, "damage", training_sites=[])
    assert doubts_of_test(networks) == {
        networks["inclusion"]: "its card does not list the sites that it was trained on"
    }
    (folder / "damage.json").unlink()
    assert "no card" in doubts_of_test(networks)[networks["damage"]]


def test_files_that_are_missing_or_not_cards_are_named(folder):
    (folder / "damage.json").write_text("{")
    with pytest.raises(InputError, match=r"damage\.json cannot be read as the card of a network"):
        read_cards(folder)
    (folder / "damage.json").unlink()
    with pytest.raises(InputError, match=r"there is no file .*damage\.json.*inclusion\.keras"):
        read_cards(folder)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        (
            {"classes": ["notch", "martensite"]},
            ["has the classes notch, martensite", "models: train"],
        ),
        ({"grey_scaling": "z_score"}, ["grey scaling 'z_score'", "Train the networks again"]),
        (
            {"window": "drop"},
            ["does not say window", "another version", "Train"],
        ),
        ({"versions": "drop"}, ["does not say versions", "another version"]),
    ],
)
def test_cards_that_do_not_fit_are_refused(folder, values, words):
    change(folder, "damage", **values)
    with pytest.raises(InputError) as error:
        read_cards(folder)
    assert all(word in str(error.value) for word in ["damage.json", *words])


def test_other_pixel_sizes_are_refused(folder):
    cards = read_cards(folder)
    for fitting in (37, 40, 50, 54):
        check_pixel_size(cards, panorama="p", pixel_size_nm=fitting)
    # A window of 80 px shows less steel where pixels are smaller.
    with pytest.raises(InputError) as error:
        check_pixel_size(cards, panorama="p", pixel_size_nm=30)
    words = ["inclusion network", "40 to 50 nm", "'p' has 30 nm", "2.4 um", "another part"]
    assert all(word in str(error.value) for word in words)
    in_um = {"damage": cards["damage"]}
    check_pixel_size(in_um, panorama="p", pixel_size_nm=21)
    check_pixel_size(in_um, panorama="p", pixel_size_nm=99)
    with pytest.raises(InputError, match=r"damage network.*has 110 nm.*too far off"):
        check_pixel_size(in_um, panorama="p", pixel_size_nm=110)


@pytest.mark.parametrize("held", [None, b"PK\3\4 half of it"])
def test_weights_that_come_with_the_workflow_are_missed_before_any_work(
    tmp_path, monkeypatch, held
):
    path = tmp_path / "steel.npz"
    if held is not None:
        path.write_bytes(held)
    lost = replace(NETWORKS["steel_lite0"], weights_file=path)
    monkeypatch.setitem(NETWORKS, "steel_lite0", lost)
    with pytest.raises(InputError, match=r"inclusion\.network: .*steel\.npz.*missing or damaged"):
        check._check_weights(load_study({}))
    # Given networks hold their own.
    check._check_weights(load_study({"models": "simulated"}))
