"""Labels of labelImg in a study, written again for other tools."""

import contextlib
import io
import json
import zipfile

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
from tests.plans.test_label_formats import CLASSES, OBJECT
from tests.studies import Study

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
