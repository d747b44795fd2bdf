"""Sites for other tools: back through each format to the same places and classes."""

import contextlib
import csv
import io
import json
import zipfile
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_exchange import places, read
from pycocotools import mask as pixel_masks
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval
from roifile import ImagejRoi, roiread

from damascene.classes import CLASSES, NOT_CLASSIFIED, SITE_CLASSES
from damascene.contracts.candidate_runs import CANDIDATE_RUNS
from damascene.contracts.labels import ANSWER_SEPARATOR, LABELLED_SITES
from damascene.contracts.sites import SITES
from damascene.contracts.table import check_table, empty_table
from damascene.exchange.export import panorama_files, write_files, write_tiles
from damascene.exchange.imagej import imagej_set
from damascene.exchange.sites import NETWORK, PEOPLE, Site, sites_of
from damascene.labels.tiles import Tiles

WIDTH, HEIGHT = 400, 300
SIZE = (WIDTH, HEIGHT)


def site(site_id, pixels, label="", predicted="notch", score=0.9, **changes):
    """Return a site of pixels, given as (row, column)."""
    rows, columns = np.array(pixels).T
    options = {
        "panorama": "a",
        "site_id": site_id,
        "x_px": float(columns.mean()),
        "y_px": float(rows.mean()),
        "rows": rows,
        "columns": columns,
        "label": label,
        "annotators": ("ada", "bo") if label else (),
        "predicted": predicted,
        "score": score,
    }
    return Site(**(options | changes))


def block(top, left, height, width):
    return [(top + row, left + column) for row in range(height) for column in range(width)]


#: One pixel in corners and elsewhere, a block; by networks also a ring, and one in two parts.
PEOPLES = [
    site(0, [(0, 0)], "inclusion"),
    site(1, [(HEIGHT - 1, WIDTH - 1)], "notch"),
    site(2, [(57, 123)], "shadowing"),
    site(3, block(100, 200, 4, 7), "interface"),
    site(-1, [(250, 33)], "martensite", predicted="", score=float("nan")),
]
NETWORKS = [
    site(4, block(20, 30, 2, 3)),
    site(5, [p for p in block(60, 60, 3, 3) if p != (61, 61)], predicted="martensite"),
    site(6, [(9, 9), (9, 10), (12, 13)], predicted=NOT_CLASSIFIED, score=float("nan")),
]
ALL = PEOPLES + NETWORKS
ENDINGS = {
    "coco_labels": "a.json",
    "coco_networks": "networks.json",
    "voc_labels": "a.ome.xml",
    "voc_networks": "networks/a.ome.xml",
    "qupath": "a.geojson",
    "napari_points": "a.points.csv",
    "napari_shapes": "a.shapes.csv",
    "label_studio": "tasks.json",
    "interface": "a.interface.xml",
    "imagej": "a.zip",
}
#: The formats that are read again, and the keys that say so.
READ_AGAIN = {
    "coco_labels": {"format": "coco"},
    "voc_labels": {"format": "voc"},
    "qupath": {"format": "qupath"},
    "label_studio": {"format": "label_studio"},
    "napari_points": {
        "format": "csv",
        "panorama": "a",
        "columns": {"x_px": "axis-1", "y_px": "axis-0", "label": "label"},
    },
}
#: What a network said, as it is read again.
OF_NETWORKS = {"voc_networks": {"format": "voc"}}


def written(sites, folder, *, size=SIZE):
    """Write the files of panorama a; return their paths by what they are."""
    paths = {name: folder / ending for name, ending in ENDINGS.items()}
    (folder / "networks").mkdir(exist_ok=True)
    write_files(panorama_files(sites, panorama="a", size_px=size), paths)
    return paths


def read_again(path, *, size=SIZE, **keys):
    return read(path, sizes={"a": size}, tiles={}, **keys)


@pytest.mark.parametrize("form", READ_AGAIN)
def test_what_people_said_comes_back_at_the_same_place(tmp_path, form):
    path = written(ALL, tmp_path)[form]
    answers = read_again(path, **READ_AGAIN[form])
    # Boxes and masks of these sites have their centroid in the middle.
    expected = {(one.label, one.x_px, one.y_px) for one in PEOPLES}
    found = {(a, round(x, 6), round(y, 6)) for _, x, y, a in places(answers)}
    assert found == expected


BLOBS = st.lists(
    st.tuples(
        st.integers(0, WIDTH - 9),
        st.integers(0, HEIGHT - 9),
        st.lists(st.tuples(st.integers(0, 8), st.integers(0, 8)), min_size=1, max_size=30),
        st.sampled_from(SITE_CLASSES),
    ),
    min_size=1,
    max_size=5,
    unique_by=lambda blob: blob[:2],
)


@given(BLOBS)
@settings(max_examples=40, deadline=None)
def test_any_sites_come_back_within_their_boxes(tmp_path_factory, blobs):
    sites = [
        site(number, sorted({(top + row, left + column) for row, column in pixels}), name)
        for number, (left, top, pixels, name) in enumerate(blobs)
    ]
    paths = written(sites, tmp_path_factory.mktemp("blobs"))
    for form, keys in READ_AGAIN.items():
        answers = read_again(paths[form], **keys)
        assert answers["answer"].tolist() == [one.label for one in sites]
        for one, x, y in zip(sites, answers["x_px"], answers["y_px"], strict=True):
            left, top, width, height = one.box
            if form in ("qupath", "napari_points"):
                middle = one.x_px, one.y_px
            else:
                middle = left + (width - 1) / 2, top + (height - 1) / 2
            assert (x, y) == pytest.approx(middle, abs=1e-6), form


def test_what_networks_said_is_no_answer_of_a_person(tmp_path):
    paths = written(NETWORKS, tmp_path)
    for form, keys in (READ_AGAIN | OF_NETWORKS).items():
        assert len(read_again(paths[form], **keys)) == 0, form
    # In QuPath a person changes a class, in labelImg they save the file.
    content = json.loads(paths["qupath"].read_text())
    names = [one["properties"]["classification"]["name"] for one in content["features"]]
    assert names == ["notch: network", "martensite: network", "not_classified: network"]
    content["features"][0]["properties"]["classification"] = {"name": "interface"}
    paths["qupath"].write_text(json.dumps(content))
    assert places(read_again(paths["qupath"], format="qupath")) == [("a", 31, 20.5, "interface")]
    text = paths["voc_networks"].read_text()
    paths["voc_networks"].write_text(text.replace("damascene: answers of networks", "Unknown"))
    assert len(read_again(paths["voc_networks"], format="voc")) == 2


def test_pycocotools_reads_and_scores_what_is_written(tmp_path):
    paths = written(ALL, tmp_path)
    with contextlib.redirect_stdout(io.StringIO()):
        truth = COCO(str(paths["coco_labels"]))
        results = truth.loadRes(str(paths["coco_networks"]))
        score = COCOeval(truth, results, "bbox")
        score.evaluate()
        score.accumulate()
    assert [one["name"] for one in truth.loadCats(truth.getCatIds())] == list(SITE_CLASSES)
    annotations = truth.loadAnns(truth.getAnnIds())
    assert [one["name"] for one in annotations] == [one.name for one in PEOPLES]
    for annotation, one in zip(annotations, PEOPLES, strict=True):
        pixels = truth.annToMask(annotation)
        assert pixels.shape == (HEIGHT, WIDTH)
        assert set(map(tuple, np.argwhere(pixels).tolist())) == set(
            zip(one.rows.tolist(), one.columns.tolist(), strict=True)
        )
        encoded = pixel_masks.encode(np.asfortranarray(pixels))
        assert pixel_masks.toBbox(encoded).tolist() == annotation["bbox"]
        assert annotation["area"] == pixels.sum()
    # Four of five labelled sites were classified, and two sites more.
    assert len(results.getAnnIds()) == 6


def test_imagej_finds_each_site_by_its_name(tmp_path):
    rois = {roi.name: roi for roi in roiread(written(ALL, tmp_path)["imagej"])}
    assert list(rois) == [one.name for one in ALL]
    assert "a site 3" in rois and "a place 1" in rois
    for one in ALL:
        roi = rois[one.name]
        left, top, width, height = one.box
        assert (roi.left, roi.top, roi.right, roi.bottom) == (left, top, left + width, top + height)
        assert (roi.xd, roi.yd, roi.widthd, roi.heightd) == (left, top, width, height)
        colour = next(each.colour for each in CLASSES if each.name == one.site_class)
        assert roi.stroke_color == b"\xff" + bytes.fromhex(colour[1:])
        assert (
            f"said_by: {one.said_by}\n" in roi.props and f"class: {one.site_class}\n" in roi.props
        )


def test_imagej_finds_sites_far_in_a_large_panorama():
    far = site(7, [(70_001, 90_002)])
    with zipfile.ZipFile(io.BytesIO(imagej_set([far]))) as archive:
        roi = ImagejRoi.frombytes(archive.read("a site 7.roi"))
    # Whole numbers end at 65535; ImageJ takes those with decimals.
    assert (roi.xd, roi.yd, roi.widthd, roi.heightd) == (90_002, 70_001, 1, 1)


def test_napari_gets_points_at_centres_and_boxes_at_edges(tmp_path):
    paths = written(ALL, tmp_path)
    with paths["napari_points"].open(newline="") as file:
        points = list(csv.DictReader(file))
    # napari takes each column that is no axis for a property.
    assert [name for name in points[0] if name.startswith("axis-")] == ["axis-0", "axis-1"]
    assert [(float(p["axis-0"]), float(p["axis-1"])) for p in points] == [
        (one.y_px, one.x_px) for one in ALL
    ]
    assert [p["name"] for p in points] == [one.name for one in ALL]
    assert [p["said_by"] for p in points] == [PEOPLE] * 5 + [NETWORK] * 3
    shapes = pd.read_csv(paths["napari_shapes"])
    assert set(shapes["shape-type"]) == {"rectangle"}
    # Numbers of shapes run from 0 without a gap, as napari asks.
    assert shapes["index"].unique().tolist() == list(range(len(ALL)))
    pixel = shapes[shapes["index"] == 2][["axis-0", "axis-1"]].to_numpy()
    assert pixel.tolist() == [[56.5, 122.5], [56.5, 123.5], [57.5, 123.5], [57.5, 122.5]]


def test_label_studio_tells_people_from_networks(tmp_path):
    paths = written(ALL, tmp_path)
    (task,) = json.loads(paths["label_studio"].read_text())
    said = task["annotations"][0]["result"]
    assert [one["meta"]["text"] for one in said] == [[one.name] for one in PEOPLES]
    pixel = said[2]["value"]
    assert pixel["x"] * WIDTH / 100 == pytest.approx(123)
    assert pixel["height"] * HEIGHT / 100 == pytest.approx(1)
    predicted = task["predictions"][0]["result"]
    assert [one["value"]["rectanglelabels"][0] for one in predicted] == ["notch"] * 5 + [
        "martensite"
    ]
    assert {one["score"] for one in predicted} == {0.9}
    interface = ElementTree.parse(paths["interface"]).getroot()
    names = [each.get("value") for each in interface.iter("Label")]
    assert names == [*SITE_CLASSES, "unclear"]
    tags = {each.get("name"): each for each in interface.iter() if each.get("name")}
    assert tags["label"].get("toName") == said[0]["to_name"] and said[0]["from_name"] in tags


def test_qupath_shows_the_pixels_of_a_site_in_the_colour_of_its_class(tmp_path):
    shapely = pytest.importorskip("shapely")
    content = json.loads(written(ALL, tmp_path)["qupath"].read_text())
    assert [one["properties"]["name"] for one in content["features"]] == [one.name for one in ALL]
    assert len({one["id"] for one in content["features"]}) == len(ALL)
    for feature, one in zip(content["features"], ALL, strict=True):
        area = shapely.geometry.shape(feature["geometry"])
        pixels = shapely.union_all(
            [shapely.box(x, y, x + 1, y + 1) for y, x in zip(one.rows, one.columns, strict=True)]
        )
        assert area.is_valid and area.equals(pixels)
        colour = next(each.colour for each in CLASSES if each.name == one.site_class)
        said = feature["properties"]["classification"]
        assert bytes(said["color"]) == bytes.fromhex(colour[1:])
        assert said["name"].endswith(": network") == (one.said_by == NETWORK)


TILES = Tiles([("t/left.png", (0, 0, 200, 300)), ("t/right.png", (190, 0, 210, 300))])


def test_each_tile_gets_its_sites_from_its_own_corner(tmp_path):
    path = tmp_path / "tiles.zip"
    write_tiles(ALL, TILES.places, path)
    with zipfile.ZipFile(path) as archive:
        archive.extractall(tmp_path / "tiles")
    files = sorted(
        str(each.relative_to(tmp_path / "tiles")) for each in tmp_path.glob("tiles/**/*.xml")
    )
    assert files == [
        f"{folder}/t/{name}.xml" for folder in ("labels", "networks") for name in ("left", "right")
    ]
    answers = read(tmp_path / "tiles/labels", format="voc", sizes={"a": SIZE}, tiles={"a": TILES})
    found = {(a, x, y) for _, x, y, a in places(answers)}
    assert found == {(one.label, one.x_px, one.y_px) for one in PEOPLES}
    assert len(read(tmp_path / "tiles/networks", format="voc", sizes={"a": SIZE})) == 0


def test_a_box_across_the_border_of_its_tile_is_cut(tmp_path):
    across = site(3, block(100, 185, 4, 20), "interface")
    write_tiles([across], TILES.places, tmp_path / "tiles.zip")
    with zipfile.ZipFile(tmp_path / "tiles.zip") as archive:
        # The centroid is in column 194.5, 5 px from the edge of either tile.
        text = archive.read("labels/t/left.xml").decode()
    assert "<xmin>185</xmin>" in text and "<xmax>200</xmax>" in text
    assert "<truncated>1</truncated>" in text


def candidates_table():
    return {
        "panorama": "a",
        "fragments": 1,
        "area_um2": 1.0,
        "equivalent_diameter_um": 1.0,
        "aspect_ratio": 1.0,
        "orientation_deg": 0.0,
        "convexity": 1.0,
        "mean_grey": 5.0,
        "minimum_grey": 1.0,
        "touches_border": False,
        "touches_mask": False,
    }


def test_sites_are_taken_from_the_tables_of_a_study():
    chances = {"p_inclusion": 0.2, "p_notch": 0.5, "p_shadowing": 0.1}
    chances |= {"p_interface": 0.3, "p_martensite": 0.1}
    rows = [
        {"site_id": 0, "predicted_class": "notch", "confidence": 0.7, "label": "interface"},
        {"site_id": 5, "predicted_class": "notch", "confidence": np.nan, "label": ""},
        {"site_id": 6, "predicted_class": "inclusion", "confidence": np.nan, "label": ""},
        {"site_id": 7, "predicted_class": NOT_CLASSIFIED, "confidence": np.nan, "label": ""},
    ]
    table = pd.DataFrame(rows).assign(**candidates_table(), **chances, prediction_set="")
    box = {"x_px": 11.0, "y_px": 20.5, "left_px": 10, "top_px": 20, "width_px": 3, "height_px": 2}
    table = table.assign(**box, area_px=5)
    table["class"] = table["predicted_class"].where(table["label"] == "", table["label"])
    table = check_table(table, SITES, source="test")
    runs = pd.DataFrame(
        [(number, y, 10, right) for number in (0, 5, 6, 7) for y, right in ((20, 12), (21, 11))],
        columns=list(CANDIDATE_RUNS.columns),
    )
    place = {"label": "shadowing", "annotator": "ada|bo", "answers": "shadowing|shadowing"}
    labels = pd.DataFrame(
        [
            {"panorama": "a", "site_id": -2, "x_px": WIDTH - 0.5, "y_px": -0.5} | place,
            {"panorama": "a", "site_id": 0, "x_px": 1, "y_px": 1} | place,
            {"panorama": "b", "site_id": -1, "x_px": 1, "y_px": 1} | place,
        ]
    ).assign(clip_x_px=0.0, clip_y_px=0.0)
    labels = check_table(labels, LABELLED_SITES, source="test")
    found = sites_of("a", table, runs, labels, size_px=SIZE, separator=ANSWER_SEPARATOR)
    assert [one.name for one in found] == [
        "a site 0",
        "a site 5",
        "a site 6",
        "a site 7",
        "a place 2",
    ]
    assert found[0].annotators == ("ada", "bo") and found[0].box == (10, 20, 3, 2)
    assert found[0].rows.tolist() == [20, 20, 20, 21, 21]
    assert found[0].columns.tolist() == [10, 11, 12, 10, 11]
    scores = [one.score for one in found]
    assert scores[:3] == pytest.approx([0.7, 0.8 * 0.5, 0.2]) and np.isnan(scores[3:]).all()
    assert [one.said_by for one in found] == [PEOPLE, NETWORK, NETWORK, NETWORK, PEOPLE]
    # A place on the last edge lies in the last pixel.
    assert found[4].box == (WIDTH - 1, 0, 1, 1)
    assert found[4].annotators == ("ada", "bo") and found[4].site_class == "shadowing"


def test_a_panorama_without_sites_is_exported_empty(tmp_path):
    nothing = sites_of(
        "a",
        empty_table(SITES),
        empty_table(CANDIDATE_RUNS),
        empty_table(LABELLED_SITES),
        size_px=SIZE,
        separator="|",
    )
    paths = written(nothing, tmp_path)
    for form, keys in READ_AGAIN.items():
        if form != "napari_points":
            assert len(read_again(paths[form], **keys)) == 0
    with contextlib.redirect_stdout(io.StringIO()):
        assert COCO(str(paths["coco_labels"])).getAnnIds() == []
    assert zipfile.ZipFile(paths["imagej"]).namelist() == []


def test_files_are_the_same_in_every_run(tmp_path):
    first = panorama_files(ALL, panorama="a", size_px=SIZE)
    assert first == panorama_files(ALL, panorama="a", size_px=SIZE)
