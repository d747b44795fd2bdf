"""What a user gets wrong is told before any work starts, in words that say where and what to do."""

import os
import time

import numpy as np
import pytest
from PIL import Image

from tests.studies import Study

LABELS = "panorama\tx_px\ty_px\tlabel\n"


@pytest.fixture
def imported(study):
    """Return a study of one imported image with three labels of every class."""
    rng = np.random.default_rng(5)
    pixels = rng.integers(60, 140, (400, 500), np.uint8)
    (study.folder / "data").mkdir()
    Image.fromarray(pixels).save(study.folder / "data/a.png")
    classes = ("inclusion", "notch", "shadowing", "interface", "martensite")
    rows = [
        f"a\t{50 + 80 * i}\t{40 + 150 * k}\t{name}"
        for i, name in enumerate(classes)
        for k in range(3)
    ]
    (study.folder / "data/labels.tsv").write_text(LABELS + "\n".join(rows) + "\n")
    return study.configure(CONFIG, "a\ta.png\t\t40\t6")


CONFIG = {
    "data_folder": "data",
    "labels": [{"path": "labels.tsv"}],
    "split": {"folds": 3, "block": "6 um"},
    # So small that labels of this small image suffice.
    "inclusion": {"window": "1 um", "descriptors": False},
    "damage": {"window": "1 um", "descriptors": False},
}


def refused(study, *words):
    """Plan the study and expect a refusal with these words, and nothing done."""
    done = study.run("--dry-run")
    assert done.returncode != 0
    missing = [word for word in words if word not in done.stdout]
    assert not missing, done.stdout[-3000:]
    # The message alone, without the stack of the engine.
    assert 'File "' not in done.stdout and "Traceback" not in done.stdout, done.stdout[-3000:]
    assert not (study.folder / "results").exists()


def test_the_sound_study_is_planned(imported):
    done = imported.run("--dry-run")
    assert done.returncode == 0, done.stdout[-3000:]
    assert "import_panorama" in done.stdout and "train_network" in done.stdout
    assert "Panoramas: 1.\n" in done.stdout
    counts = "3 inclusion, 3 notch, 3 shadowing, 3 interface, 3 martensite"
    assert f"Label files: 15 answers, 15 labelled sites ({counts}).\n" in done.stdout


def test_a_misspelt_folder_of_the_study(imported):
    wrong = Study(imported.folder / "my_studdy")
    refused(wrong, f"There is no study in {wrong.folder}", "--directory")
    # The engine has made it, and it is gone again.
    assert not wrong.folder.exists()


def test_configuration_that_is_not_yaml(imported):
    (imported.folder / "config/config.yaml").write_text("seed: 1\ndetection:\n\teps: 1 px\n")
    refused(imported, "config/config.yaml, line 3: there is a tab in front of the key")


def test_a_second_configuration_is_checked_as_the_first(imported):
    (imported.folder / "more.yaml").write_text("detection: {eps: 1 px, eps: 2 px}\n")
    done = imported.run("--dry-run", "--configfile", str(imported.folder / "more.yaml"))
    assert done.returncode != 0 and "more.yaml, line 1: 'eps' is given in line 1" in done.stdout


def test_target_without_labels(imported):
    imported.configure({"data_folder": "data", "models": "simulated", "damage": {}})
    done = imported.run("--dry-run", "evaluation")
    assert done.returncode != 0 and 'File "' not in done.stdout
    assert "add label files under 'labels'" in done.stdout


def test_all_that_is_wrong_at_once(imported):
    (imported.folder / "data/labels.tsv").unlink()
    imported.configure(
        CONFIG
        | {"labels": [{"path": "labels.tsv", "panorama": "b"}], "inclusion": {"window": "30 um"}},
        "a\ta.png\t\t40\t6",
        "c\tc.png\t\t40\t6",
    )
    refused(
        imported,
        "labels.0.panorama: there is no panorama 'b' in config/panoramas.tsv",
        "row 3, column 'path'",
        "inclusion.window: 30 um",
    )


def test_unknown_key(imported):
    imported.configure(CONFIG | {"detection": {"treshold": {}}})
    refused(imported, "detection.treshold: unknown key", "Did you mean 'threshold'?")


def test_wrong_value(imported):
    imported.configure(CONFIG | {"detection": {"eps": "wide"}})
    refused(imported, "detection.eps", "'0.4 um'", "found: 'wide'")


def test_reach_below_a_pixel(imported):
    imported.configure(CONFIG | {"detection": {"eps": "20 nm"}})
    refused(imported, "detection.eps: 20 nm are 0.5 px of panorama 'a'", "size of a pixel")


def test_unknown_reference(imported):
    threshold = {"rule": "matched", "reference": "b"}
    imported.configure(CONFIG | {"detection": {"threshold": threshold}})
    refused(imported, "detection.threshold.reference", "no panorama 'b'", "Choose one of: a.")


def test_missing_image(imported):
    imported.configure(CONFIG, "a\tb.png\t\t40\t6")
    refused(imported, "row 2, column 'path'", "no file data/b.png", "data_folder")


@pytest.mark.parametrize("suffix", ["png", "jpg", "tif"])
def test_truncated_image(imported, suffix):
    whole = imported.folder / f"data/whole.{suffix}"
    Image.open(imported.folder / "data/a.png").save(whole)
    content = whole.read_bytes()
    (imported.folder / f"data/a.{suffix}").write_bytes(content[: len(content) * 2 // 3])
    imported.configure(CONFIG, f"a\ta.{suffix}\t\t40\t6")
    refused(imported, f"a.{suffix}", "truncated")


def test_image_of_a_wrong_clock(imported):
    ahead = time.time() + 3600
    os.utime(imported.folder / "data/a.png", (ahead, ahead))
    refused(imported, "data/a.png carries a time in the future", "touch data/a.png")


def test_unreadable_image(imported):
    (imported.folder / "data/a.tif").write_bytes(b"this is no image at all" * 100)
    imported.configure(CONFIG, "a\ta.tif\t\t40\t6")
    refused(imported, "a.tif")


def test_duplicate_names(imported):
    imported.configure(CONFIG, "a\ta.png\t\t40\t6", "a\ta.png\t\t40\t12")
    refused(imported, "row 3, column 'panorama'", "'a' is already in row 2")


def test_negative_strain(imported):
    imported.configure(CONFIG, "a\ta.png\t\t40\t-6")
    refused(imported, "row 2, column 'strain_percent'", "must not be negative")


def test_empty_sheet(imported):
    (imported.folder / "config/panoramas.tsv").write_text(
        "panorama\tpath\tpixel_size_nm\tstrain_percent\n"
    )
    refused(imported, "config/panoramas.tsv", "has no rows")


def test_no_pixel_size(imported):
    imported.configure(CONFIG, "a\ta.png\t\t\t6")
    refused(imported, "pixel size", "pixel_size_nm")


def test_a_cut_of_the_workshop_outside_of_the_panorama(imported):
    imported.configure(CONFIG | {"workshop": {"place": [337, 0]}})
    refused(imported, "workshop.place: panorama 'a' has 400 rows and 500 columns")


def test_window_larger_than_the_panorama(imported):
    imported.configure(CONFIG | {"inclusion": {"window": "30 um"}})
    refused(imported, "inclusion.window: 30 um are 750 px", "500 x 400 px")


def add_label(study, row):
    path = study.folder / "data/labels.tsv"
    path.write_text(path.read_text() + row + "\n")


def test_label_outside_its_panorama(imported):
    add_label(imported, "a\t500\t10\tnotch")
    refused(imported, "labels.tsv, row 17, column 'x_px'", "outside panorama 'a'")


def test_unknown_class(imported):
    add_label(imported, "a\t100\t10\tmartensit")
    refused(imported, "row 17, column 'label'", "Did you mean 'martensite'?")


def test_label_of_an_unknown_panorama(imported):
    add_label(imported, "b\t100\t10\tnotch")
    refused(imported, "row 17, column 'panorama'", "no panorama 'b'")


def test_too_few_labels_to_divide_are_told_and_the_study_goes_on(imported):
    imported.configure(CONFIG | {"split": {"folds": 4}})
    done = imported.run("--dry-run", "all", "review", "viewer")
    assert done.returncode == 0, done.stdout[-3000:]
    for words in ("cannot be divided into 4 folds", "lower split.folds", "3 of each class"):
        assert words in done.stdout
    assert "rule collect_labels:" in done.stdout and "rule look_at_candidates:" in done.stdout
    assert "rule train_network:" not in done.stdout and "rule split_labels:" not in done.stdout
    # What needs networks says why there are none.
    for target in ("evaluation", "export_labels", "label_effect"):
        done = imported.run("--dry-run", target)
        assert done.returncode != 0 and "cannot be divided into 4 folds" in done.stdout
        assert 'File "' not in done.stdout and "Traceback" not in done.stdout


def test_no_labels_at_all_is_where_labelling_begins(imported):
    imported.configure({"data_folder": "data"})
    done = imported.run("--dry-run", "review")
    assert done.returncode == 0, done.stdout
    assert "To label your first sites" in done.stdout and "look_at_candidates" in done.stdout
    assert "classify_sites" not in done.stdout


def test_missing_label_file(imported):
    imported.configure(CONFIG | {"labels": [{"path": "other.tsv"}]})
    refused(imported, "data/other.tsv: no such label file")


@pytest.mark.parametrize("name", ["x.y", "a b", "", "ä"])
def test_names_that_cannot_name_files_are_refused(study, name):
    study.configure({"models": "simulated"}, f"{name}\tsimulated\t\t40\t3")
    done = study.run("--dry-run")
    assert done.returncode != 0
    assert "row 2, column 'panorama'" in done.stdout and "letters, digits" in done.stdout
