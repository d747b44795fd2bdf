"""A study makes again what changed, and only that: studies that have run are changed a bit."""

import json
import os
import re
import shutil
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from PIL import Image

from damascene.contracts.candidates import CANDIDATES
from damascene.contracts.densities import DENSITIES
from damascene.contracts.sites import SITES
from damascene.contracts.table import read_table, read_tsv
from tests.plans.test_planning import job_stats
from tests.studies import HEADER, ROOT, Study

from .conftest import BLANK, GRID

NOTHING = "Nothing to be done"
OF_LABELS = {
    *("collect_labels", "split_labels", "cut_clips", "describe_labels", "train_network"),
    *("train_fold", "predict_held_out", "calibrate_networks", "score_networks"),
    *("measure_calibration", "draw_confusion_held_out", "draw_calibration", "draw_training"),
    "measure_agreement",
    "describe_training",
}
#: Rules that join all panoramas.
JOINING = {
    "agree_on_grey_scale",
    "write_methods",
    "summarise_sites",
    "summarise_shift",
    "write_headline",
    *("correct_counts", "draw_corrected_counts", "keep_label_state"),
    "draw_densities",
    "draw_sizes",
    "measure_sizes",
    "summarise_space",
    "draw_gallery",
    "write_model_card",
    *("summarise_phases", "draw_phase_statistics", "count_by_phase", "draw_phase_surroundings"),
}
OF_ONE = {
    *("import_panorama", "measure_noise", "find_candidates", "describe_candidates"),
    *("measure_quality", "plant_voids", "measure_shift"),
    *("draw_quality", "classify_sites", "label_sites", "draw_overview", "measure_space"),
    *("segment_panorama", "measure_phases", "draw_phases", "describe_phases"),
}


@pytest.fixture
def finished(imported_study, tmp_path):
    """Return a copy of a finished study with its data, at another place."""
    study = imported_study[0].copied(tmp_path / "elsewhere")
    return with_config(study, data_folder=str(study.folder / "data"))


def with_config(study, **changes):
    """Change keys of the configuration, or take out those that are None."""
    path = study.folder / "config/config.yaml"
    keys = yaml.safe_load(path.read_text()) | changes
    path.write_text(yaml.safe_dump({name: each for name, each in keys.items() if each is not None}))
    return study


def with_rows(study, *rows, header=HEADER):
    (study.folder / "config/panoramas.tsv").write_text("\n".join([header, *rows]) + "\n")
    return study


def rows_of(study):
    return (study.folder / "config/panoramas.tsv").read_text().splitlines()[1:]


def planned(study, *arguments):
    """Return the numbers of jobs by rule that a dry-run plans, and what it says."""
    done = study.run("--dry-run", *arguments)
    assert done.returncode == 0, done.stdout[-3000:]
    return ({} if NOTHING in done.stdout else job_stats(done.stdout)), done.stdout


def replace_file(path, make, *, age_s):
    """Replace an image by another one that carries the time of the first, less an age."""
    before = path.stat()
    make(path)
    time_ns = before.st_mtime_ns - int(age_s * 1e9)
    os.utime(path, ns=(time_ns, time_ns))


def brighter(path):
    with Image.open(path) as image:
        pixels = np.asarray(image)
    Image.fromarray(np.where(pixels < 30, pixels + 90, pixels).astype(pixels.dtype)).save(path)


def test_data_and_study_at_another_place_run_nothing(finished):
    jobs, said = planned(finished)
    assert jobs == {}, said
    # Copies that do not keep times are read once and found to be the same.
    for path in (finished.folder / "data").rglob("*.*"):
        os.utime(path)
    assert planned(finished)[0] == planned(finished)[0] == {}


def test_strains_that_were_mixed_up_are_put_right(finished):
    rows = [row.rsplit("\t", 1)[0] for row in rows_of(finished)]
    jobs, _ = planned(with_rows(finished, f"{rows[0]}\t3", f"{rows[1]}\t9"))
    assert {"summarise_sites", "draw_densities", "draw_overview"} <= jobs.keys()
    with_rows(finished, f"{rows[0]}\t3", f"{rows[1]}\t9").finish()
    with_rows(finished, f"{rows[0]}\t9", f"{rows[1]}\t3")
    jobs, _ = planned(finished)
    assert {"summarise_sites", "draw_densities"} <= jobs.keys() and not jobs.keys() & OF_LABELS


def test_own_networks_can_be_kept_and_are_not_trained_again(finished):
    shutil.copytree(finished.path("models"), finished.folder / "networks")
    # Keys of a training have no effect beside networks that are there.
    untrained = {"damage": None, "training": None, "split": {"folds": 3, "block": "768 px"}}
    jobs, _ = planned(with_config(finished, models="networks", **untrained))
    assert not jobs.keys() & {"train_network", "train_fold"}
    # Where they lie, they would be overwritten.
    done = with_config(finished, models="results/models").run("--dry-run")
    assert done.returncode != 0 and "lies in the results of this study" in done.stdout


def weights_in(study):
    """Return the weights of both final networks; the files around them hold times."""
    return {
        stage: zipfile.ZipFile(study.path(f"models/{stage}.keras")).read("model.weights.h5")
        for stage in ("inclusion", "damage")
    }


def test_what_is_tested_changes_neither_the_final_networks_nor_a_class(finished):
    """Networks trained anew without a cross-validation are those of the study that had one."""
    before = weights_in(finished), read_table(finished.path(f"sites/{GRID}.parquet"), SITES)
    all_held_out = len(pd.read_parquet(finished.path("models/held_out.parquet")))
    study = with_config(finished, split={"folds": 3, "block": "768 px", "cross_validate": False})
    jobs, _ = planned(study)
    assert not jobs.keys() & {"train_network", "train_fold"}
    assert {"predict_held_out", "calibrate_networks", "classify_sites"} <= jobs.keys()
    for stage in before[0]:
        study.path(f"models/{stage}.keras").unlink()
    study.finish("--", f"results/sites/{GRID}.parquet")
    after = weights_in(study), read_table(study.path(f"sites/{GRID}.parquet"), SITES)
    assert after[0] == before[0]
    calibrated = ["confidence", "prediction_set"]
    pd.testing.assert_frame_equal(*(one[1].drop(columns=calibrated) for one in (before, after)))
    # Only what says how far the answers are to be trusted rests on fewer labels.
    held_out = pd.read_parquet(study.path("models/held_out.parquet"))
    assert set(held_out["fold"]) == {0} and len(held_out) < all_held_out
    record = json.loads(study.path("models/calibration.json").read_text())
    assert record["labels"] == len(held_out) and record["tested"].startswith("1 of 3 folds")


def test_notes_and_the_order_of_rows_run_nothing(finished):
    rows = [f"{row}\tpolished again" for row in reversed(rows_of(finished))]
    jobs, said = planned(with_rows(finished, *rows, header=f"{HEADER}\tnotes"))
    assert jobs == {}, said


def test_one_more_panorama_without_labels_runs_its_own_jobs_and_those_that_join_all(finished):
    first, last = rows_of(finished)
    with Image.open(finished.folder / "data/tiles/im11.png") as tile:
        tile.save(finished.folder / "data/more.png")
    study = with_rows(finished, first, "1e3\tmore.png\t\t40\t", last)
    jobs, said = planned(study)
    assert set(jobs) == OF_ONE | JOINING, said
    assert all(jobs[rule] == 1 for rule in jobs)
    kept = {
        name: study.path(name).stat().st_mtime_ns
        for name in ("labels/labels.parquet", "models/damage.keras", f"sites/{GRID}.parquet")
    }
    study.finish()
    assert {name: study.path(name).stat().st_mtime_ns for name in kept} == kept
    assert planned(study)[0] == {}
    # Names that look like numbers, or like nothing, are names in every table.
    densities = read_tsv(study.path("statistics/densities.tsv"), DENSITIES)
    assert set(densities["panorama"]) == {GRID, BLANK, "1e3"}
    sites = read_table(study.path("sites/1e3.parquet"), SITES)
    assert len(sites) > 0 and set(sites["panorama"]) == {"1e3"}
    total = densities.loc[densities["panorama"] == "1e3"].set_index("class")["count"]
    assert total.drop(["damage", "all"]).sum() == total["all"] == len(sites)
    # A table that shows one panorama alone has its name, too.
    headline = study.path("statistics/headline.txt").read_text().splitlines()
    (names,) = (line.split() for line in headline if line.startswith("panorama "))
    assert set(names) >= {GRID, BLANK, "1e3"}


def test_a_tile_replaced_by_an_older_one_is_imported_again(finished):
    tile = finished.folder / "data/tiles/im11.png"
    before = read_table(finished.path(f"candidates/{GRID}.parquet"), CANDIDATES)
    replace_file(tile, brighter, age_s=86400)
    jobs, said = planned(finished)
    assert jobs["import_panorama"] == 1 and jobs["find_candidates"] == 1
    assert jobs["train_network"] == 2
    assert f"Panorama '{GRID}' is imported again: im11.png changed." in said
    # Whatever else happens in between, the change is not forgotten.
    target = f"results/candidates/{GRID}.parquet"
    finished.finish("--", target)
    after = read_table(finished.path(f"candidates/{GRID}.parquet"), CANDIDATES)
    assert len(after) < len(before)
    assert planned(finished, "--", target)[0] == {}
    # What follows from the candidates was not asked for, and this is said.
    assert "results/statistics/densities.tsv and the figures are older" in planned(finished)[1]


def test_an_image_replaced_by_one_of_the_same_size_and_time_is_imported_again(finished):
    image = finished.folder / "data/blank.tif"
    size = image.stat().st_size
    replace_file(image, brighter_16_bit, age_s=0)
    assert image.stat().st_size == size
    jobs, said = planned(finished)
    assert jobs["import_panorama"] == 1 and "train_network" not in jobs, said
    # Without the engine's memory of what was run, too, which is said.
    shutil.rmtree(finished.folder / ".snakemake")
    jobs, said = planned(finished)
    assert "import_panorama" in jobs and "changed settings go unnoticed" in said


def brighter_16_bit(path):
    with Image.open(path) as image:
        pixels = np.asarray(image)
    Image.fromarray(pixels + 500).save(path)


def test_other_labels_train_again_and_import_nothing(finished):
    labels = finished.folder / "data/labels.tsv"
    lines = labels.read_text().splitlines()
    replace_file(labels, lambda path: path.write_text("\n".join(lines[:-2]) + "\n"), age_s=86400)
    jobs, said = planned(finished)
    assert OF_LABELS - {"describe_labels"} <= jobs.keys() and "import_panorama" not in jobs
    assert "Labels are collected again: 1 labels.tsv changed." in said


def test_trainings_wait_for_labelled_panoramas_alone(imported_study, tmp_path):
    study, *_ = imported_study
    folder = tmp_path / "new"
    shutil.copytree(study.folder / "data", folder / "data")
    shutil.copytree(study.folder / "config", folder / "config")
    new = with_config(Study(folder), data_folder="data")
    more = [f"p{number}\tblank.tif\t\t40\t{number}" for number in range(20)]
    jobs, _ = planned(with_rows(new, *more, *rows_of(new)), "--", "results/models/damage.keras")
    assert jobs["import_panorama"] == jobs["find_candidates"] == 1


def test_products_of_other_versions_are_listed_before_work(finished):
    path = finished.path(f"candidates/{GRID}.json")
    record = json.loads(path.read_text())
    time_ns = path.stat().st_mtime_ns
    path.write_text(json.dumps(record | {"versions": record["versions"] | {"numpy": "1.0.0"}}))
    os.utime(path, ns=(time_ns, time_ns))
    jobs, said = planned(finished)
    assert jobs == {}
    assert re.search(rf"numpy 1\.0\.0, now [\d.]+: results/candidates/{GRID}\.json", said)
    assert "--forceall" in said and "requirements.lock" in said


def test_only_a_changed_computation_of_the_library_runs_again(finished, tmp_path):
    clone = tmp_path / "clone"
    for name in ("workflow", "resources", "config"):
        shutil.copytree(ROOT / name, clone / name, copy_function=shutil.copyfile)
    study = Study(finished.folder, root=clone)
    # A new clone is newer than all products, and no reason to make them again.
    assert planned(study)[0] == {}
    library = clone / "workflow/scripts/damascene"
    for name in ("files.py", "config/detection.py", "detection/candidates.py"):
        path = library / name
        path.write_text(reworded(path.read_text()))
    adapter = clone / "workflow/scripts/find_candidates.py"
    adapter.write_text("# Finds them.\n" + adapter.read_text())
    assert planned(study)[0] == {}
    path = library / "statistics/density.py"
    path.write_text(path.read_text() + "\n\nCHANGED = True\n")
    jobs = planned(study)[0]
    assert "summarise_sites" in jobs and not jobs.keys() & (OF_LABELS | OF_ONE)
    path = library / "detection/candidates.py"
    path.write_text(path.read_text() + "\n\nCHANGED = True\n")
    jobs = planned(study)[0]
    assert jobs["find_candidates"] == 2 and "import_panorama" not in jobs


def reworded(source):
    """Change the first docstring, all help texts and the messages of errors, and add a comment."""
    source = source.replace('"""', '"""In other words: ', 1)
    source = source.replace('description="', 'description="In other words: ')
    return source.replace("InputError(\n", "InputError(  # what to do\n") + "\n# The end.\n"


def test_a_study_keeps_its_sources_notes_small_and_readable(finished):
    note = json.loads(finished.path(f"sources/panoramas/{GRID}.json").read_text())
    assert next(iter(note)) == "grid.tsv" and len(note) == 11
    assert Path(finished.path("sources/labels.json")).stat().st_size < 1000
