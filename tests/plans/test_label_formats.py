"""Labels of other tools in a study: planned with, and refused before work starts."""

import json

import numpy as np
import pytest
from PIL import Image

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
