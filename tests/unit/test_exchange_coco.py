"""COCO: boxes, polygons and masks, and files that are damaged; pycocotools is the oracle."""

import json
import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_exchange import places, read, read_counted, write_json
from pycocotools import mask as oracle

from damascene import InputError
from damascene.exchange.coco import from_text, mask_counts


def coco(*annotations, images=({"id": 1, "file_name": "im10.jpg", "width": 100, "height": 100},)):
    """Return a file of instances; annotations get an id, an image and a category."""
    about = {"image_id": 1, "category_id": 3}
    return {
        "info": {},
        "images": list(images),
        "annotations": [about | {"id": 7 + i} | one for i, one in enumerate(annotations)],
        "categories": [{"id": 3, "name": "notch"}, {"id": 5, "name": "interface"}],
    }


def test_the_centre_of_a_box_is_the_site(tmp_path):
    content = coco(
        {"bbox": [10, 20, 4, 1], "iscrowd": 0, "area": 4},
        {"bbox": [10, 20, 1, 1], "category_id": 5, "segmentation": [[10, 20, 11, 20, 11, 21]]},
        {"bbox": [-5, 20, 10, 1]},
        {"bbox": [50, 50, 30, 30], "iscrowd": 1},
    )
    answers, left_out = read_counted(write_json(tmp_path / "c.json", content), format="coco")
    assert places(answers) == [
        ("b", 111.5, 20, "notch"),
        ("b", 110, 20, "interface"),
        ("b", 102, 20, "notch"),
    ]
    assert left_out == 1 and answers["row"].tolist() == [1, 2, 3]


def test_without_a_box_the_centroid_of_the_area_is_the_site(tmp_path):
    pixels = np.zeros((100, 100), np.uint8, order="F")
    pixels[20:23, 10] = pixels[22, 10:15] = 1
    compressed = oracle.encode(pixels)
    rows, columns = np.nonzero(pixels)
    plain = {"size": [100, 100], "counts": mask_counts(rows, columns, height_px=100, width_px=100)}
    content = coco(
        # An L of three squares of two pixels each.
        {"segmentation": [[0, 0, 2, 0, 2, 2, 4, 2, 4, 4, 0, 4]]},
        # The same way round, and in two parts.
        {
            "segmentation": [
                [0, 0, 0, 2, 2, 2, 2, 0],
                [2, 2, 4, 2, 4, 4, 2, 4],
                [0, 2, 2, 2, 2, 4, 0, 4],
            ]
        },
        {"segmentation": {"size": [100, 100], "counts": compressed["counts"].decode()}},
        {"segmentation": plain, "bbox": []},
        {"segmentation": [[9, 9, 9, 9, 9, 9]]},
    )
    answers = read(write_json(tmp_path / "c.json", content), format="coco")
    # By the centres of the squares, 1 and 3 from the corner.
    centre = (1 + 1 + 3) / 3 - 0.5
    found = answers[["x_px", "y_px"]].to_numpy() - [100, 0]
    np.testing.assert_allclose(found[:2], [[centre, (1 + 3 + 3) / 3 - 0.5]] * 2)
    np.testing.assert_allclose(found[2:4], [[columns.mean(), rows.mean()]] * 2)
    np.testing.assert_allclose(found[4], [8.5, 8.5])


@given(
    st.integers(1, 9).flatmap(
        lambda height: st.lists(
            st.lists(st.booleans(), min_size=height, max_size=height), min_size=1, max_size=9
        )
    )
)
@settings(max_examples=80, deadline=None)
def test_masks_are_those_of_pycocotools(columns):
    pixels = np.asfortranarray(np.array(columns, np.uint8).T)
    compressed = oracle.encode(pixels)
    counts = from_text(compressed["counts"].decode())
    assert oracle.frPyObjects({"size": list(pixels.shape), "counts": counts}, *pixels.shape) == (
        compressed
    )
    if pixels.any():
        height, width = pixels.shape
        made = mask_counts(*np.nonzero(pixels), height_px=height, width_px=width)
        again = oracle.frPyObjects({"size": [height, width], "counts": made}, height, width)
        np.testing.assert_array_equal(oracle.decode(again), pixels)


def test_a_large_mask_takes_no_more_memory_than_its_runs(tmp_path):
    height, width = 30_000, 40_000
    mask = {"size": [height, width], "counts": [0, height * width]}
    image = {"id": 1, "file_name": "a.png", "width": width, "height": height}
    content = coco({"segmentation": mask}, images=[image])
    path = write_json(tmp_path / "c.json", content)
    tracemalloc.start()
    answers = read(path, format="coco", sizes={"a": (width, height)})
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert places(answers) == [("a", (width - 1) / 2, (height - 1) / 2, "notch")]
    assert peak < 10e6


@pytest.mark.parametrize(
    ("part", "entry"),
    [("images", {"id": 1, "file_name": "other.jpg"}), ("categories", {"id": 1, "name": "else"})],
)
def test_two_entries_of_one_id_are_refused(tmp_path, part, entry):
    content = coco({"bbox": [1, 2, 3, 4]})
    content[part].append(dict(content[part][0]))
    path = write_json(tmp_path / "c.json", content)
    assert len(read(path, format="coco")) == 1
    content[part].append(entry | {"id": content[part][0]["id"]})
    write_json(path, content)
    with pytest.raises(InputError, match=f"c.json: in the list '{part}' id"):
        read(path, format="coco")


def test_half_a_letter_is_refused(tmp_path):
    path = write_json(tmp_path / "c.json", coco({"bbox": [1, 2, 3, 4], "annotator": "a\ud83d"}))
    with pytest.raises(InputError, match=r"c.json: in line 1 or below \\ud83d is half a letter"):
        read(path, format="coco")
    write_json(path, coco({"bbox": [1, 2, 3, 4], "annotator": "a\U0001f600"}))
    assert read(path, format="coco")["annotator"].tolist() == ["a\U0001f600"]


def test_who_labelled_is_read_where_a_file_says_so(tmp_path):
    content = coco({"bbox": [1, 2, 3, 4], "annotator": "ada"}, {"bbox": [9, 2, 3, 4]})
    path = write_json(tmp_path / "c.json", content)
    assert read(path, format="coco", annotator="bo")["annotator"].tolist() == ["ada", "bo"]


@pytest.mark.parametrize(
    ("annotation", "words"),
    [
        ({"bbox": [1, 2, 3]}, "neither bbox"),
        ({"bbox": [1, 2, 3, "x"]}, "neither bbox"),
        ({"bbox": [1, 2, -3, 4]}, "neither bbox"),
        ({"bbox": None}, "neither bbox"),
        ({"segmentation": [[1, 2, 3, 4]]}, "neither bbox"),
        ({"segmentation": {"size": [100, 100], "counts": "~"}}, "neither bbox"),
        ({"segmentation": {"size": [100, 100], "counts": [1, 2, 3]}}, "neither bbox"),
        ({"segmentation": {"size": [100, 100], "counts": [10000]}}, "neither bbox"),
        ({"segmentation": {"size": [200, 50], "counts": [0, 10000]}}, "of the size of the image"),
        ({"segmentation": {"size": [0.5, 2], "counts": [0, 1]}}, "neither bbox"),
        ({"segmentation": {"size": [1e9, 1e9], "counts": [0, 10**18]}}, "neither bbox"),
        ({"segmentation": {"size": [1e10, 1e10], "counts": [0, 10**20]}}, "neither bbox"),
        ({"bbox": [1, 2, 3, 4], "image_id": 1.5}, "image_id 1.5 is no image"),
        ({"bbox": [1, 2, 3, 4], "image_id": None}, "image_id None is no image"),
        ({"bbox": [1, 2, 3, 4], "image_id": 9}, "image_id 9 is no image"),
        ({"bbox": [1, 2, 3, 4], "category_id": 9}, "category_id 9 is not in the list"),
        ({"bbox": [1e308, 2, 1e308, 4]}, "lies outside tile"),
    ],
)
def test_annotations_that_cannot_be_read_are_named(tmp_path, annotation, words):
    path = write_json(tmp_path / "c.json", coco({"bbox": [1, 2, 3, 4]}, annotation))
    with pytest.raises(InputError) as error:
        read(path, format="coco")
    assert f"{path}, annotation 2 (id 8): " in str(error.value) and words in str(error.value)


GOOD = json.dumps(coco({"bbox": [1, 2, 3, 4]}), indent=1)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (GOOD[: len(GOOD) // 2].encode(), ["line ", "no valid JSON", "cut off"]),
        (b"", ["is empty"]),
        (b"[]", ["results of networks"]),
        (b"{}", ["the list 'images' is missing"]),
        (b'{"images": [], "annotations": {}, "categories": []}', ["'annotations' is missing"]),
        (GOOD.replace("notch", "Gef\xfcge").encode("latin-1"), ["row ", "not a text in UTF-8"]),
        (GOOD.replace("[\n", "[NaN,\n", 1).encode(), ["'NaN' is no number"]),
        (b"[" * 100_000, ["too deep in each other"]),
        (b"\x1f\x8b rest", ["compressed file"]),
        (b"<annotation/>", ["line 1", "no valid JSON"]),
    ],
)
def test_damaged_files_are_refused(tmp_path, content, words):
    path = tmp_path / "c.json"
    path.write_bytes(content)
    with pytest.raises(InputError) as error:
        read(path, format="coco")
    assert all(word in str(error.value) for word in [str(path), *words]), str(error.value)


@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.text(),
        lambda inner: (
            st.lists(inner, max_size=4)
            | st.dictionaries(
                st.sampled_from(
                    [
                        "images",
                        "annotations",
                        "categories",
                        "id",
                        "bbox",
                        "segmentation",
                        "file_name",
                        "name",
                        "counts",
                        "size",
                        "features",
                        "geometry",
                        "coordinates",
                        "type",
                        "properties",
                        "data",
                        "result",
                        "value",
                        "x",
                        "points",
                        "classification",
                    ]
                ),
                inner,
                max_size=4,
            )
        ),
        max_leaves=25,
    ),
    st.sampled_from(["coco", "qupath", "label_studio"]),
)
@settings(max_examples=150, deadline=None)
def test_whatever_json_holds_is_read_or_refused_in_words(tmp_path_factory, content, form):
    path = write_json(tmp_path_factory.mktemp("any") / "a.json", content)
    try:
        read(path, format=form, panorama="a")
    except InputError as error:
        assert str(path.name) in str(error)
