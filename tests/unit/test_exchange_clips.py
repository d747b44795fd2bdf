"""Clips in a folder for each class: names that say where, and names that do not."""

import pytest
from made_exchange import places, read
from PIL import Image

from damascene import InputError
from damascene.config.label_source import LabelSource


def clip(folder, name, size=(5, 3)):
    path = folder / "clips" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("L", size).save(path)
    return folder / "clips"


@pytest.mark.parametrize(
    ("name", "keys", "expected"),
    [
        ("a_7_9.png", {"pattern": "{panorama}_{x}_{y}"}, ("a", 7, 9)),
        ("a_8_10.png", {"pattern": "{panorama}_{x}_{y}", "first_pixel": 1}, ("a", 7, 9)),
        ("a_7.5_9.5.png", {"pattern": "{panorama}_{x}_{y}", "first_pixel": 0.5}, ("a", 7, 9)),
        # Tile im21 begins in column 200 and row 100.
        ("im21_x7y9.tif", {"pattern": "{tile}_x{x}y{y}"}, ("b", 207, 109)),
        # 5 x 3 px from column 7 and row 9.
        ("7,9 (2).png", {"pattern": "{left},{top}{any}", "panorama": "a"}, ("a", 9, 10)),
        ("8,10.png", {"pattern": "{left},{top}", "panorama": "a", "first_pixel": 1}, ("a", 9, 10)),
    ],
)
def test_names_say_where_clips_were_cut(tmp_path, name, keys, expected):
    folder = clip(tmp_path, f"notch/{name}")
    answers = read(folder, format="clips", **keys)
    assert places(answers) == [(*expected, "notch")]
    assert answers["file"].tolist() == [f"clips/notch/{name}"]


def test_one_pixel_stays_where_it_is(tmp_path):
    folder = clip(tmp_path, "notch/0_49.png", size=(1, 1))
    answers = read(folder, format="clips", pattern="{left}_{top}", panorama="a")
    assert places(answers) == [("a", 0, 49, "notch")]


@pytest.mark.parametrize(
    ("pattern", "words"),
    [
        (None, "need a 'pattern'"),
        ("{x}", "each once"),
        ("{x}_{y}_{x}", "each once"),
        ("{x}_{top}", "each once"),
        ("{x}_{y}_{left}_{top}", "each once"),
        ("{tile}_{panorama}_{x}_{y}", "not both"),
        ("{column}_{x}_{y}", "between braces stands one of x, y, left"),
        ("{x}_{y}}", "between braces"),
    ],
)
def test_patterns_give_one_position(pattern, words):
    with pytest.raises(ValueError, match=words):
        LabelSource(path="clips", format="clips", pattern=pattern)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("notch/site 5.png", ["notch/site 5.png: the name is not as", "not looked for by their"]),
        ("notch/a_7_x.png", ["the name is not as '{panorama}_{x}_{y}'"]),
        ("notch/c_7_9.png", ["its image is called 'c'"]),
        ("notch/a_700_9.png", ["a_700_9.png: column 700 px lies outside panorama 'a'"]),
        ("crack/a_7_9.png", ["unknown class 'crack'"]),
    ],
)
def test_clips_that_cannot_be_placed_are_named(tmp_path, name, words):
    folder = clip(tmp_path, name)
    with pytest.raises(InputError) as error:
        read(folder, format="clips", pattern="{panorama}_{x}_{y}")
    assert all(word in str(error.value) for word in words), str(error.value)


def test_a_place_with_two_classes_is_refused(tmp_path):
    clip(tmp_path, "notch/a_7_9.png")
    folder = clip(tmp_path, "interface/a_7_9.png")
    with pytest.raises(InputError, match=r"interface/a_7_9\.png was cut at the same place"):
        read(folder, format="clips", pattern="{panorama}_{x}_{y}")


def test_a_clip_that_is_no_image_is_told(tmp_path):
    folder = clip(tmp_path, "notch/7_9.png")
    (folder / "notch/7_9.png").write_bytes(b"no image")
    with pytest.raises(InputError, match=r"7_9\.png: no image"):
        read(folder, format="clips", pattern="{left}_{top}", panorama="a")
