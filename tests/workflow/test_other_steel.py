"""A steel with four phases of its own and no damage: maps by configuration alone."""

import json

import numpy as np
import pytest
from PIL import Image
from scipy import ndimage

from damascene.images.store import TiledImage
from tests.studies import Study

SHAPE = (96, 128)
LABELS = {"matrix": 0, "network": 85, "spheroidite": 170, "lath": 255}
GREYS = np.array([90, 50, 140, 220])
COLOURS = ("#0072B2", "#56B4E9", "#F0E442", "#D55E00")
MICROGRAPHS = ("a", "b", "c")
SEGMENTATION = {
    "method": "train",
    "network": "unet",
    "widths": [4, 8],
    "epochs": 1,
    "patches": 4,
    "batch_size": 2,
    "folds": 3,
    "hard_phase": "",
    "damage_phase": "",
    "phases": {
        name: {"label": label, "colour": colour}
        for (name, label), colour in zip(LABELS.items(), COLOURS, strict=True)
    },
}


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """Return a folder of three made micrographs with label images."""
    folder = tmp_path_factory.mktemp("micrographs")
    rng = np.random.default_rng(0)
    for name in MICROGRAPHS:
        field = ndimage.gaussian_filter(rng.normal(size=SHAPE), 6)
        phases = np.digitize(field, np.quantile(field, [0.3, 0.5, 0.85]))
        grey = (GREYS[phases] + rng.normal(0, 6, SHAPE)).clip(0, 255).astype(np.uint8)
        Image.fromarray(grey).save(folder / f"{name}.png")
        labels = np.array(list(LABELS.values()), np.uint8)[phases]
        Image.fromarray(labels).save(folder / f"{name}_labels.png")
    return folder


def configured(folder, data, **settings):
    """Return a study of the micrographs with other settings of phase maps; None takes one out."""
    section = {key: value for key, value in (SEGMENTATION | settings).items() if value is not None}
    rows = (f"{name}\t{name}.png\t200\t\t{name}_labels.png" for name in MICROGRAPHS)
    header = "panorama\tpath\tpixel_size_nm\tstrain_percent\tphase_labels"
    config = {"study": "other_steel", "data_folder": str(data), "segmentation": section}
    return Study(folder).configure(config, *rows, header=header)


def true_numbers(data, name):
    """Return the phases of a label image as numbers from 1, in the order of the legend."""
    labels = np.array(Image.open(data / f"{name}_labels.png"))
    return np.searchsorted(list(LABELS.values()), labels) + 1


def test_a_map_by_thresholds_is_that_of_the_study(tmp_path, data):
    network = dict.fromkeys(("network", "widths", "epochs", "patches", "batch_size"))
    study = configured(tmp_path, data, method="multi_otsu", **network)
    study.finish("results/phases/a.ome.tif")
    said = (tmp_path / "said.txt").read_text()
    assert "phases are mapped, and no site is classified" in said
    record = json.loads(study.path("phases/a.json").read_text())
    learned = json.loads(study.path("models/classical_phases.json").read_text())
    assert record["method"] == learned["method"] == "multi_otsu"
    # Network, matrix, spheroidite, lath, from dark to bright.
    assert learned["order"] == [1, 0, 2, 3]
    with TiledImage(study.path("phases/a.ome.tif")) as image:
        found = image.read()
    assert (found == true_numbers(data, "a")).mean() > 0.8
    assert list(record["phases"]) == list(LABELS)


def test_a_legend_without_a_grey_value_is_refused_before_any_work(tmp_path, data):
    phases = {name: phase for name, phase in SEGMENTATION["phases"].items() if name != "lath"}
    done = configured(tmp_path, data, phases=phases).run()
    assert done.returncode != 0
    number = (true_numbers(data, "a") == 4).sum()
    assert f"255 in {number} pixels" in done.stdout, done.stdout
    assert not (tmp_path / "results/panoramas").exists()


def test_two_folds_leave_nothing_to_train_with(tmp_path, data):
    done = configured(tmp_path, data, folds=2).run("--dry-run", "compare_segmentation")
    assert done.returncode != 0
    assert "'segmentation: folds' is 2. Give 3 or more." in done.stdout
