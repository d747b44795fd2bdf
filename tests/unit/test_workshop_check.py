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
    # The size of "06", which is stitched, is not known yet.
    sizes_px = {"a": (500, 400), "tiny": (40, 30)}
    names = ["a", "06", "tiny"]
    check_workshop(load_study({"workshop": settings}).workshop, panoramas=names, sizes_px=sizes_px)


@pytest.fixture
def picture(tmp_path):
    Image.fromarray(np.zeros((200, 300), np.uint8)).save(tmp_path / "a.png")
    return str(tmp_path / "a.png")


def test_what_can_be_had_is_accepted(picture):
    check()
    check(panorama="06")
    check(image=picture, place=[136, 236])


def test_an_unknown_panorama_is_told_with_those_there_are():
    with pytest.raises(InputError, match=r"no panorama 'b'; it has a, 06, tiny"):
        check(panorama="b")


def test_a_place_without_room_is_told(picture):
    with pytest.raises(InputError, match=r"at least 64 of each .* row 137, column 0"):
        check(image=picture, place=[137, 0])


@pytest.mark.parametrize("place", [[337, 0], [0, 437], [10_000, 10_000]])
def test_a_place_outside_of_the_panorama_is_told_before_any_work(place):
    with pytest.raises(InputError, match=r"place: panorama 'a' has 400 rows and 500 columns"):
        check(place=place)
    # The picture has a size of its own, and other panoramas theirs.
    check(panorama="06", place=place)


def test_a_place_with_room_is_accepted():
    check(place=[336, 436])
    check(panorama="tiny", place=[0, 0])


@pytest.mark.parametrize(
    "network",
    ["INPUT -> CONV-9999 -> CONV-9999 -> FC", "INPUT -> FC-9999 -> FC-9999 -> FC"],
)
def test_a_network_with_too_many_weights_is_told(network):
    with pytest.raises(InputError, match=r"million weights .* at most 60 million"):
        check(network=network)


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
