"""JSON of Label Studio: percent, turned boxes, who and when, and files that are damaged."""

import math

import pytest
from made_exchange import places, read, read_counted, write_json

from damascene import InputError

SIZE = {"original_width": 100, "original_height": 50, "image_rotation": 0}


def region(kind="rectanglelabels", number=1, name="notch", size=SIZE, **value):
    labels = {kind: [name] if isinstance(name, str) else name} if kind.endswith("labels") else {}
    return {
        "id": f"r{number}",
        "type": kind,
        "from_name": "label",
        "to_name": "image",
        "value": value | labels,
        **size,
    }


def task(*results, image="/data/upload/3/0a1b2c3d-a.png", who=4, when="2026-01-02T10:00:00Z", **of):
    annotation = {"id": 1, "result": list(results), "completed_by": who, "created_at": when} | of
    return {"id": 12, "data": {"image": image}, "annotations": [annotation], "predictions": []}


def test_percent_count_from_the_corner_of_the_image(tmp_path):
    # One pixel is 1 % of the width and 2 % of the height.
    content = [
        task(
            region(x=7, y=18, width=1, height=2),
            region("keypointlabels", 2, "interface", x=7.5, y=19, width=0.5),
            region("ellipselabels", 3, "notch", x=7.5, y=19, radiusX=2, radiusY=2),
            region("polygonlabels", 4, "notch", points=[[7, 18], [8, 18], [8, 20], [7, 20]]),
        )
    ]
    answers = read(write_json(tmp_path / "l.json", content), format="label_studio")
    assert [place[0] for place in places(answers)] == ["a"] * 4
    assert answers["answer"].tolist() == ["notch", "interface", "notch", "notch"]
    assert answers["x_px"].to_numpy() == pytest.approx(7)
    assert answers["y_px"].to_numpy() == pytest.approx(9)
    assert set(answers["annotator"]) == {"Label Studio user 4"}
    assert set(answers["time"]) == {"2026-01-02T10:00:00.000Z"}


def test_a_turned_box_turns_about_its_corner(tmp_path):
    # 10 x 4 px at (50, 20), turned by 30 degrees clockwise.
    content = [task(region(x=50, y=40, width=10, height=8, rotation=30))]
    answers = read(write_json(tmp_path / "l.json", content), format="label_studio")
    turn = math.radians(30)
    x = 50 + 5 * math.cos(turn) - 2 * math.sin(turn)
    y = 20 + 5 * math.sin(turn) + 2 * math.cos(turn)
    assert answers[["x_px", "y_px"]].to_numpy()[0] == pytest.approx([x - 0.5, y - 0.5])


@pytest.mark.parametrize(
    ("image", "panorama"),
    [
        ("/data/local-files/?d=tiles/im10.jpg", "b"),
        ("https://host/a%2Fim10.jpg?sig=1", "b"),
        ("s3://bucket/0a1b2c3d-im10.jpg", "b"),
        ("im10", "b"),
    ],
)
def test_images_are_found_by_addresses(tmp_path, image, panorama):
    size = SIZE | {"original_height": 100}
    content = [task(region(x=7, y=9, width=1, height=1, size=size), image=image)]
    answers = read(write_json(tmp_path / "l.json", content), format="label_studio")
    assert places(answers) == [(panorama, pytest.approx(107), pytest.approx(9), "notch")]


def test_several_people_are_several_answers_in_the_order_of_their_times(tmp_path):
    box = region(x=7, y=18, width=1, height=2)
    late = task(box, who={"id": 1, "email": "ada@x.org"}, when="2026-01-03T10:00:00Z")
    late["annotations"][0]["updated_at"] = "2026-01-05T10:00:00+01:00"
    early = task(box | {"id": "r9"}, who={"id": 2, "first_name": "Bo", "last_name": "Li"})
    cancelled = task(box, was_cancelled=True)
    content = [late, early, cancelled]
    answers, left_out = read_counted(
        write_json(tmp_path / "l.json", content), format="label_studio"
    )
    assert answers["annotator"].tolist() == ["Bo Li", "ada@x.org"]
    assert answers["time"].tolist()[1] == "2026-01-05T09:00:00.000Z"
    assert left_out == 1


def test_predictions_are_no_answers(tmp_path):
    content = task(region(x=7, y=18, width=1, height=2))
    content["predictions"] = [{"result": [region(x=50, y=18, width=1, height=2)], "score": 0.9}]
    assert len(read(write_json(tmp_path / "l.json", [content]), format="label_studio")) == 1


def test_a_class_may_be_chosen_beside_its_box(tmp_path):
    box = region("rectangle", x=7, y=18, width=1, height=2)
    choice = region("choices", x=7, y=18, width=1, height=2)
    choice["value"]["choices"] = ["notch"]
    whole = {"id": "w", "type": "choices", "value": {"choices": ["blurred"]}}
    content = [task(box, choice, whole)]
    answers = read(write_json(tmp_path / "l.json", content), format="label_studio")
    assert places(answers) == [("a", pytest.approx(7), pytest.approx(9), "notch")]


@pytest.mark.parametrize(
    ("one", "words"),
    [
        (region(x=7, y=18, width=1, height=2, size={}), "original_width and original_height"),
        (region(name=["notch", "interface"], x=7, y=18, width=1, height=2), "it has 2 classes"),
        (region("brushlabels", rle=[1, 2], format="rle"), "type 'brushlabels' gives no place"),
        (region("polygonlabels", points=[[1, 2], [3, None], [1, 1]]), "gives no place"),
        (region(x=None, y=1, width=1, height=1), "gives no place"),
        (region(x=700, y=18, width=1, height=2), "lies outside panorama 'a'"),
        (region(x=7, y=18, width=1, height=2, rotation="a"), "gives no place"),
        (region(x=7, y=18, width=1, height=2) | {"image_rotation": 90}, "turned by 90 degrees"),
        (region(x=7, y=18, width=1, height=2) | {"image_rotation": "a"}, "turned by a degrees"),
        (region(name="crack", x=7, y=18, width=1, height=2), "unknown class 'crack'"),
        (
            region(
                x=7, y=18, width=1, height=2, size={"original_width": 50, "original_height": 25}
            ),
            "an image of 50 x 25 px",
        ),
    ],
)
def test_regions_that_cannot_be_used_are_named(tmp_path, one, words):
    good = region(number=0, x=7, y=18, width=1, height=2)
    path = write_json(tmp_path / "l.json", [task(good, one)])
    with pytest.raises(InputError) as error:
        read(path, format="label_studio")
    assert words in str(error.value) and "l.json" in str(error.value)
    if "image of" not in words:
        assert "region 2 (task 12, id r1)" in str(error.value)


def test_odd_ids_and_addresses_are_read(tmp_path):
    one = region(x=7, y=18, width=1, height=2) | {"id": ["odd"], "image_rotation": 0}
    content = [task(one), task(one) | {"data": {"image": "http://[a.png", "other": "a.png"}}]
    path = write_json(tmp_path / "l.json", content)
    assert len(read(path, format="label_studio")) == 2


def test_other_exports_are_refused(tmp_path):
    for content in ([{"image": "a.png", "label": []}], [1], {"images": []}):
        path = write_json(tmp_path / "l.json", content)
        with pytest.raises(InputError, match="Export them as JSON, not as JSON-MIN"):
            read(path, format="label_studio")


def test_a_time_that_is_none_is_told(tmp_path):
    path = write_json(
        tmp_path / "l.json", [task(region(x=7, y=18, width=1, height=2), when="soon")]
    )
    with pytest.raises(InputError, match=r"region 1 .*: 'soon' is no time"):
        read(path, format="label_studio")
