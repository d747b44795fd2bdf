"""Labels know again the pixels that they were given to, and notice another image."""

import numpy as np
import pandas as pd
import pytest
from tests.unit.test_review_labels import ROW, reviewed
from tests.unit.test_training_sites import steel

from damascene import InputError
from damascene.clips.place_marks import is_mark, is_same_place, mark_of_place
from damascene.config.label_source import DroppedLabels, LabelSource
from damascene.images.store import TiledImage, write_tiled
from damascene.labels.dropped import read_source

SHAPE = (900, 1100)
#: In the middle, and in a corner of the image.
PLACES = [(500.0, 400.0), (3.0, 890.0)]


@pytest.fixture(scope="module")
def grey():
    return steel(1, SHAPE)


def stored(path, pixels):
    write_tiled(path, [pixels], shape=pixels.shape, pixel_size_nm=40.0, name="a")
    return path


def marks(path):
    with TiledImage(path) as image:
        return [mark_of_place(image, *place) for place in PLACES]


def known(path, given):
    with TiledImage(path) as image:
        return [
            is_same_place(image, *place, mark=mark)
            for place, mark in zip(PLACES, given, strict=True)
        ]


CHANGED = {
    "same": lambda grey: grey,
    "brighter": lambda grey: np.rint(255 * (grey / 255) ** 0.7).astype(np.uint8),
    "moved": lambda grey: np.roll(grey, (9, -13), axis=(0, 1)),
}


@pytest.mark.parametrize("change", CHANGED)
def test_the_same_image_is_known_again(tmp_path, grey, change):
    given = marks(stored(tmp_path / "a.tif", grey))
    assert all(map(is_mark, given)) and all(given)
    again = known(stored(tmp_path / "b.tif", CHANGED[change](grey)), given)
    # What left the image cannot be seen again.
    assert again[0] and (again[1] or change == "moved")


def test_another_image_of_the_same_size_is_noticed(tmp_path, grey):
    given = marks(stored(tmp_path / "a.tif", grey))
    for other in (steel(2, SHAPE), grey[::-1].copy(), np.full(SHAPE, 90, np.uint8)):
        assert known(stored(tmp_path / "b.tif", other), given) == [False, False]


def test_places_without_texture_tell_nothing(tmp_path, grey):
    given = marks(stored(tmp_path / "a.tif", np.full(SHAPE, 90, np.uint8)))
    assert given == ["", ""] and known(stored(tmp_path / "b.tif", grey), given) == [True, True]


def rows(path, given, **changes):
    told = [
        {"x_px": x, "y_px": y, "left_px": x - 4, "top_px": y - 4, "image": mark}
        for (x, y), mark in zip(PLACES[:1] * 2, [given[0], ""], strict=True)
    ]
    return reviewed(path, *(ROW | each | changes for each in told))


def read(path, image):
    return read_source(
        DroppedLabels(path=str(path)),
        sizes_px={"a": SHAPE[::-1]},
        tiles={},
        images={"a": (*SHAPE[::-1], 40.0)},
        pictures={"a": image},
    )


def test_answers_on_another_image_are_listed_with_the_reason(tmp_path, grey):
    first = stored(tmp_path / "a.tif", grey)
    path = rows(tmp_path / "labels_ada.tsv", marks(first))
    answers, _, orphans = read(path, first)
    assert len(answers) == 2 and orphans.empty
    # A row without a mark, as files written before have none, is not judged.
    answers, _, orphans = read(path, stored(tmp_path / "b.tif", steel(2, SHAPE)))
    assert len(answers) == 1 and orphans["row"].tolist() == [2]
    assert orphans["reason"].str.startswith("another image").all()
    # They count again when the image is back.
    assert len(read(path, first)[0]) == 2


@pytest.mark.parametrize("text", ["#NAME?", "m1_", "m1_QUJD", "m1_QUJDREVGR0g=", "QUJDREVGR0g="])
def test_a_mark_that_was_changed_by_hand_is_told(tmp_path, grey, text):
    path = rows(tmp_path / "labels_ada.tsv", [text])
    with pytest.raises(InputError, match="row 2, column 'image'") as error:
        read(path, stored(tmp_path / "a.tif", grey))
    assert "clear it" in str(error.value)


def test_a_file_without_the_column_is_read_as_before(tmp_path, grey):
    path = rows(tmp_path / "labels_ada.tsv", [""])
    table = pd.read_csv(path, sep="\t", dtype=str, keep_default_na=False).drop(columns="image")
    table.to_csv(path, sep="\t", index=False)
    answers, _, orphans = read(path, stored(tmp_path / "a.tif", grey))
    assert len(answers) == 2 and orphans.empty


def listed(path, image=None, **settings):
    return read_source(
        LabelSource(path=str(path), **settings),
        sizes_px={"a": SHAPE[::-1]},
        tiles={},
        images={"a": (*SHAPE[::-1], 40.0)},
        pictures={"a": image} if image else {},
    )


def own_table(path, *rows):
    """Write a table of the user's own, which is not what a review saves."""
    pd.DataFrame(rows, dtype=str).fillna("").to_csv(path, sep="\t", index=False)
    return path


def test_marks_count_in_a_file_that_the_configuration_lists(tmp_path, grey):
    first, other = stored(tmp_path / "a.tif", grey), stored(tmp_path / "b.tif", steel(2, SHAPE))
    path = rows(tmp_path / "labels_ada.tsv", marks(first))
    answers, _, orphans = listed(path, first)
    assert len(answers) == 2 and orphans.empty
    answers, _, orphans = listed(path, other)
    assert len(answers) == 1 and orphans["row"].tolist() == [2]
    assert orphans["reason"].str.startswith("another image").all()
    # So do they in a table with other names of columns, a column a person, and counted from 1.
    (x, y), mark = PLACES[0], marks(first)[0]
    row = {"col": x + 1, "row_": y + 1, "eva": "M", "bob": "notch", "image": mark}
    path = own_table(tmp_path / "own.tsv", row, row | {"image": "", "col": 300})
    columns = {"x_px": "col", "y_px": "row_"}
    settings = {"columns": columns, "annotators": ["eva", "bob"], "panorama": "a", "first_pixel": 1}
    assert len(listed(path, first, **settings)[0]) == 4
    answers, _, orphans = listed(path, other, **settings)
    assert answers["row"].tolist() == [3, 3] and orphans["row"].tolist() == [2, 2]
    told = orphans[["annotator", "label", "x_px", "y_px"]].to_numpy().tolist()
    assert told == [["eva", "martensite", x, y], ["bob", "notch", x, y]]


@pytest.mark.parametrize("text", ["m1_", "m1_QUJD"])
def test_a_mark_of_a_listed_file_that_was_cut_off_is_told(tmp_path, text):
    row = {"panorama": "a", "x_px": 5, "y_px": 5, "label": "notch", "image": text}
    path = own_table(tmp_path / "own.tsv", row)
    with pytest.raises(InputError, match="row 2, column 'image'"):
        listed(path)
    # Names of images are none, and a column with another meaning is no mark either.
    assert len(listed(own_table(path, row | {"image": "scan.tif"}))[0]) == 1
    row = row | {"image": "notch"}
    assert len(listed(own_table(path, row), columns={"label": "image"})[0]) == 1


@pytest.mark.parametrize(
    "told", [{"image_width_px": 99}, {"image_height_px": 51}, {"pixel_size_nm": 50}]
)
def test_the_size_of_the_image_counts_in_a_listed_file(tmp_path, told):
    row = {"panorama": "a", "x_px": 5000, "y_px": 5, "label": "notch"} | told
    beside = {"panorama": "a", "x_px": 5, "y_px": 5, "label": "notch"}
    answers, _, orphans = listed(own_table(tmp_path / "own.tsv", row, beside))
    assert answers["row"].tolist() == [3] and orphans["row"].tolist() == [2]
    assert orphans["reason"].str.startswith("another image").all()
    right = {"image_width_px": SHAPE[1], "image_height_px": SHAPE[0], "pixel_size_nm": 40}
    same = {name: right[name] for name in told}
    with pytest.raises(InputError, match="lies outside panorama 'a'"):
        listed(own_table(tmp_path / "own.tsv", row | same, beside))
    with pytest.raises(InputError, match=r"row 2, column '.*_(px|nm)'"):
        listed(own_table(tmp_path / "own.tsv", row | dict.fromkeys(told, "wide"), beside))
