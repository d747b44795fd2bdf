"""Labels of other tools in a study: planned with, refused before work starts, and written again."""

import contextlib
import io
import json
import zipfile

import numpy as np
import pytest
from PIL import Image
from pycocotools.coco import COCO
from roifile import roiread

from damascene.classes import NOT_CLASSIFIED
from damascene.contracts.sites import SITES
from damascene.contracts.table import read_table
from damascene.exchange.marks import Mark
from damascene.exchange.read import read_marks
from tests.made_images import simulated

from .conftest import Study
from .test_errors import CONFIG, LABELS, refused

CLASSES = ("inclusion", "notch", "shadowing", "interface", "martensite")
#: Column, row and class of three labels of each.
GIVEN = [
    (50 + 80 * column, 40 + 150 * row, name)
    for column, name in enumerate(CLASSES)
    for row in range(3)
]
COUNTS = (
    "Label files: 15 answers, 15 labelled sites "
    "(3 inclusion, 3 notch, 3 shadowing, 3 interface, 3 martensite).\n"
)
OBJECT = (
    "<object><name>{2}</name><bndbox><xmin>{0}</xmin><ymin>{1}</ymin><xmax>{0}</xmax>"
    "<ymax>{1}</ymax></bndbox></object>\n"
)


def write_tsv(data):
    rows = [f"a\t{x}\t{y}\t{name}" for x, y, name in GIVEN]
    (data / "labels.tsv").write_text(LABELS + "\n".join(rows) + "\n")
    return {"path": "labels.tsv"}


def write_voc(data):
    (data / "xml").mkdir()
    inner = "".join(OBJECT.format(*site) for site in GIVEN)
    (data / "xml/a.xml").write_text(f"<annotation>\n{inner}</annotation>\n")
    return {"path": "xml", "format": "voc"}


def write_coco(data):
    content = {
        "images": [{"id": 1, "file_name": "a.png", "width": 500, "height": 400}],
        "annotations": [
            {"id": i, "image_id": 1, "category_id": CLASSES.index(name), "bbox": [x, y, 1, 1]}
            for i, (x, y, name) in enumerate(GIVEN)
        ],
        "categories": [{"id": i, "name": name} for i, name in enumerate(CLASSES)],
    }
    (data / "coco.json").write_text(json.dumps(content))
    return {"path": "coco.json", "format": "coco"}


def write_qupath(data):
    features = [
        {
            "type": "Feature",
            "geometry": {"type": "Point", "coordinates": [x + 0.5, y + 0.5]},
            "properties": {"classification": {"name": name}},
        }
        for x, y, name in GIVEN
    ]
    content = {"type": "FeatureCollection", "features": features}
    (data / "a.geojson").write_text(json.dumps(content))
    return {"path": "a.geojson", "format": "qupath"}


def write_label_studio(data):
    regions = [
        {
            "id": str(i),
            "type": "keypointlabels",
            "original_width": 500,
            "original_height": 400,
            "value": {
                "x": 100 * (x + 0.5) / 500,
                "y": 100 * (y + 0.5) / 400,
                "keypointlabels": [name],
            },
        }
        for i, (x, y, name) in enumerate(GIVEN)
    ]
    task = {"data": {"image": "/data/a.png"}, "annotations": [{"result": regions}]}
    (data / "tasks.json").write_text(json.dumps([task]))
    return {"path": "tasks.json", "format": "label_studio"}


def write_clips(data):
    for x, y, name in GIVEN:
        (data / "clips" / name).mkdir(parents=True, exist_ok=True)
        Image.new("L", (9, 9)).save(data / f"clips/{name}/a_{x}_{y}.png")
    return {"path": "clips", "format": "clips", "pattern": "{panorama}_{x}_{y}"}


WRITERS = {
    "tsv": write_tsv,
    "voc": write_voc,
    "coco": write_coco,
    "clips": write_clips,
    "qupath": write_qupath,
    "label_studio": write_label_studio,
}


@pytest.fixture
def data(study):
    """Return the folder of the data of a study of one image."""
    folder = study.folder / "data"
    folder.mkdir()
    pixels = np.random.default_rng(5).integers(60, 140, (400, 500), np.uint8)
    Image.fromarray(pixels).save(folder / "a.png")
    return folder


@pytest.mark.parametrize("form", WRITERS)
def test_labels_of_every_format_are_planned_with(study, data, form):
    source = WRITERS[form](data)
    study.configure(CONFIG | {"labels": [source]}, "a\ta.png\t\t40\t6")
    done = study.run("--dry-run")
    assert done.returncode == 0, done.stdout[-3000:]
    assert COUNTS in done.stdout and "collect_labels" in done.stdout


def test_a_damaged_file_stops_before_any_work(study, data):
    source = write_voc(data)
    (data / "xml/a.xml").write_text("<annotation>\n<object>\n")
    study.configure(CONFIG | {"labels": [source]}, "a\ta.png\t\t40\t6")
    refused(study, "a.xml, line 3: no valid XML", "Save it again with labelImg")


def test_nothing_is_exported_without_classes(study, data):
    study.configure({"data_folder": "data"}, "a\ta.png\t\t40\t6")
    done = study.run("--dry-run", "export_labels")
    assert done.returncode != 0
    assert "writes the classes of sites for other tools, and the study has none" in done.stdout


EDGE = 768


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    """Return a study of two tiles with labels of labelImg, and the marks in these."""
    study = Study(tmp_path_factory.mktemp("exported"))
    data = study.folder / "data"
    (data / "xml").mkdir(parents=True)
    truth, pixels = simulated(
        data, shape=(EDGE, 2 * EDGE), pixel_size_nm=40, seed=11, dwell_time_ns=3000
    )
    (data / "grid.tsv").write_text("file\tcolumn\trow\nleft.png\t0\t0\nright.png\t1\t0\n")
    large = truth.nlargest(6, "area_px")
    for name, start in (("left", 0), ("right", EDGE)):
        Image.fromarray(pixels[:, start : start + EDGE]).save(data / f"{name}.png")
        inside = large[large["x_px"].between(start, start + EDGE)]
        inner = "".join(
            OBJECT.format(round(site.x_px) - start, round(site.y_px), CLASSES[number % 2])
            for number, site in enumerate(inside.itertuples())
        )
        (data / f"xml/{name}.xml").write_text(f"<annotation>\n{inner}</annotation>\n")
    config = {
        "data_folder": "data",
        "models": "simulated",
        "labels": [{"path": "xml", "format": "voc", "annotator": "ada"}],
    }
    study.configure(config, "p\tgrid.tsv\t\t40\t12").finish("export_labels")
    return study, read_marks(data / "xml", form="voc")


def inside(mark: Mark, site) -> bool:
    x, y = mark.centre_px((EDGE, EDGE))
    left = 0 if mark.images[0] == "left" else EDGE
    return (
        abs(x + left - site.left_px - (site.width_px - 1) / 2) <= site.width_px / 2 + 10
        and abs(y - site.top_px - (site.height_px - 1) / 2) <= site.height_px / 2 + 10
    )


def test_labels_of_tiles_come_back_as_labels_of_tiles(exported, tmp_path):
    study, given = exported
    with zipfile.ZipFile(study.path("exchange/voc_tiles/p.zip")) as archive:
        archive.extractall(tmp_path)
    again = read_marks(tmp_path / "labels", form="voc")
    assert len(given) == len(again) == 6

    def told(marks):
        return sorted((mark.images[0], mark.label) for mark in marks)

    assert told(given) == told(again)


def test_people_and_networks_are_told_of_apart_and_every_site_has_its_number(exported):
    study, given = exported
    sites = read_table(study.path("sites/p.parquet"), SITES)
    labelled = sites[sites["label"] != ""]
    assert 4 <= len(labelled) <= 6 and len(sites) > len(labelled)
    for site in labelled.itertuples():
        assert any(inside(mark, site) and mark.label == site.label for mark in given)
    rois = {roi.name for roi in roiread(study.path("exchange/imagej/p.zip"))}
    assert {f"p site {number}" for number in sites["site_id"]} <= rois
    with contextlib.redirect_stdout(io.StringIO()):
        people = COCO(str(study.path("exchange/coco/labels/p.json")))
        networks = people.loadRes(str(study.path("exchange/coco/networks/p.json")))
    said = [one for one in people.loadAnns(people.getAnnIds()) if one["site_id"] >= 0]
    assert {one["site_id"] for one in said} == set(labelled["site_id"])
    classified = sites[sites["predicted_class"] != NOT_CLASSIFIED]
    assert len(networks.getAnnIds()) == len(classified)
    features = json.loads(study.path("exchange/qupath/p.geojson").read_text())["features"]
    names = [one["properties"]["classification"]["name"] for one in features]
    assert sum(name.endswith(": network") for name in names) == len(sites) - len(labelled)
