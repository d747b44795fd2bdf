"""What the workshop is to show, checked before any work."""

import numpy as np
import pytest
import tifffile
from PIL import Image

from damascene import InputError
from damascene.config.study import load_study
from damascene.networks.pattern import layers_for
from damascene.study.workshop import check_workshop


def check(**settings):
    check_workshop(load_study({"workshop": settings}).workshop, panoramas=["a", "06"])


@pytest.fixture
def picture(tmp_path):
    Image.fromarray(np.zeros((200, 300), np.uint8)).save(tmp_path / "a.png")
    return str(tmp_path / "a.png")


def test_what_can_be_had_is_accepted(picture):
    check()
    check(panorama="06")
    check(image=picture, place=[136, 236])


def test_an_unknown_panorama_is_told_with_those_there_are():
    with pytest.raises(InputError, match=r"no panorama 'b'; it has a, 06"):
        check(panorama="b")


def test_a_place_without_room_is_told(picture):
    with pytest.raises(InputError, match=r"at least 64 of each below and right of .*\[137, 0\]"):
        check(image=picture, place=[137, 0])


def test_a_tiny_picture_is_told(tmp_path):
    Image.fromarray(np.zeros((20, 300), np.uint8)).save(tmp_path / "a.png")
    with pytest.raises(InputError, match="20 rows and 300 columns"):
        check(image=str(tmp_path / "a.png"))


def test_a_file_with_several_pictures_is_told_with_what_to_save(tmp_path):
    tifffile.imwrite(tmp_path / "a.tif", np.zeros((3, 99, 99), np.uint8), photometric="minisblack")
    with pytest.raises(InputError, match=r"workshop.image: .* save one picture"):
        check(image=str(tmp_path / "a.tif"))


def test_a_missing_folder_of_small_pictures_is_told(tmp_path):
    with pytest.raises(InputError, match="there is no folder"):
        check(digits="mnist", digits_folder=str(tmp_path / "none"))


@pytest.mark.parametrize("network", ["INPUT -> [CONV -> POOL]*6 -> FC", "INPUT -> POOL40 -> FC"])
def test_a_network_that_pools_small_pictures_away_is_told(network):
    with pytest.raises(InputError, match="pools clips of 32 pixels to less than one"):
        check(network=network)


def test_a_pool_with_a_question_mark_leaves_eight_pixels():
    layers = layers_for("INPUT -> [CONV -> POOL?]*5 -> FC", input_px=32)
    assert [step.kind for step in layers].count("POOL") == 2
    assert [step.kind for step in layers].count("CONV") == 5
