"""A study that names trained networks: it trains nothing and needs no labels."""

import json
import os
import re
import shutil
import zipfile

import numpy as np
import pandas as pd
from PIL import Image

from damascene.classes import DAMAGE_CLASSES, SITE_CLASSES, STAGE_CLASSES
from damascene.contracts.densities import DENSITIES
from damascene.contracts.held_out_check import HELD_OUT_CHECK
from damascene.contracts.sites import SITES
from damascene.contracts.table import read_table, read_tsv
from damascene.contracts.truth import TRUTH
from damascene.images.store import TiledImage
from tests.studies import SMALL


def test_a_study_without_labels_is_classified_by_the_networks_of_another(small_study, study):
    shutil.copy(small_study.path("panoramas/strained.ome.tif"), study.folder / "a.tif")
    models = study.folder / "models"
    models.mkdir()
    for stage in STAGE_CLASSES:
        shutil.copy(small_study.path(f"models/{stage}.keras"), models)
        card = json.loads(small_study.path(f"models/{stage}.json").read_text())
        assert card["pixel_size_nm"] == [40, 40] and "simulated steel only" in card["note"]
        (models / f"{stage}.json").write_text(json.dumps(card))
    study.configure({"models": "models"}, "a\ta.tif\t\t40\t12").finish()
    sites = read_table(study.path("sites/a.parquet"), SITES)
    assert len(sites) > 20 and sites["p_inclusion"].between(0, 1).all()
    # No labels can tell how far the answers are to be trusted.
    assert (sites["prediction_set"] == "").all() and sites["confidence"].isna().all()
    headline = study.path("statistics/headline.txt").read_text()
    assert "trained on simulated steel only: a first answer" in headline
    made = {path.stem for path in study.path("figures").glob("*.png")}
    assert {"gallery", "density_against_strain", "overview_a"} <= made
    assert not {"training", "confusion_held_out", "calibration"} & made
    assert not study.path("models").exists() and not study.path("labels").exists()
    # What needs labels is refused, and what does not is made.
    done = study.run("--dry-run", "--", "evaluation")
    assert done.returncode != 0 and "the study has none: add label files" in done.stdout
    study.finish("--", "explanation")
    assert study.path("figures/embedding.png").exists()
    assert not list(study.path("figures").glob("attention_*"))
    check_that_analyses_belong_to_the_study(study)
    check_that_labels_name_their_sites_and_run_no_network(study)
    # Networks for another pixel size are refused before anything is done.
    path = models / "damage.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"pixel_size_nm": [90, 100]}))
    done = study.run("--dry-run")
    assert done.returncode != 0 and "trained at 90 to 100 nm a pixel" in done.stdout


def test_labels_where_named_networks_were_trained_are_refused(small_study, study):
    """The same steel under other names, shifted, its sites labelled anew by somebody else."""
    margin_px = 40
    with TiledImage(small_study.path("panoramas/strained.ome.tif")) as image:
        pixels = image.read()[margin_px:]
    Image.fromarray(pixels).save(study.folder / "b.png")
    shutil.copytree(small_study.path("models"), study.folder / "networks")
    truth = read_table(small_study.path("truth/strained.parquet"), TRUTH)
    truth = truth[truth["y_px"] > margin_px]
    truth = truth.assign(y_px=truth["y_px"] - margin_px, label=truth["true_class"])
    trained_px = SMALL["simulation"]["width_px"] * SMALL["simulation"]["labelled_fraction"]
    window_px = 200
    everywhere = truth.sample(frac=1, random_state=0)
    beyond = truth[truth["x_px"] > trained_px + window_px]
    # Enough of every class for three folds, right or not: what is checked is where they lie.
    beyond = beyond.assign(label=np.resize(SITE_CLASSES, len(beyond)))
    labels = study.folder / "labels.tsv"
    study.configure(
        {
            "models": "networks",
            "labels": [{"path": str(labels), "panorama": "b"}],
            "split": {"folds": 3, "block": "10 um"},
        },
        "b\tb.png\t\t40\t12",
    )
    target = "results/labels/held_out_check.tsv"
    columns = ["x_px", "y_px", "label"]
    everywhere[columns].to_csv(labels, sep="\t", index=False)
    done = study.run("--", target)
    assert done.returncode != 0 and "labelled sites are no test of the networks" in done.stdout
    listed = (
        r"labels\.tsv, row \d+: b, x \d+, y \d+ px; networks/\w+\.keras was trained at strained"
    )
    assert re.search(listed, done.stdout)
    assert not study.path("labels/split.parquet").exists() and "Traceback" not in done.stdout
    beyond[columns].to_csv(labels, sep="\t", index=False)
    study.finish("--", target)
    checked = read_tsv(study.path("labels/held_out_check.tsv"), HELD_OUT_CHECK)
    assert (checked["held_out"] == "yes").all() and (checked["training_sites"] > 20).all()
    # Cards of an earlier version list nothing, and that is said.
    for stage in STAGE_CLASSES:
        path = study.folder / f"networks/{stage}.json"
        card = json.loads(path.read_text())
        del card["training_sites"]
        path.write_text(json.dumps(card))
    said = study.finish("--", target).run("--dry-run").stdout
    assert said.count("Scores and calibration may be too good") == 2
    checked = read_tsv(study.path("labels/held_out_check.tsv"), HELD_OUT_CHECK)
    assert (checked["held_out"] == "not known").all()


def check_that_labels_name_their_sites_and_run_no_network(study):
    """Too few labels to test networks correct sites, the later file of one person the earlier."""
    before = read_table(study.path("sites/a.parquet"), SITES)
    site = before.iloc[0]
    given = [name for name in SITE_CLASSES if name != site["predicted_class"]][:2]
    for number, name in enumerate(given):
        (study.folder / f"labels_{number}.tsv").write_text(
            f"panorama\tx_px\ty_px\tlabel\na\t{site['x_px']}\t{site['y_px']}\t{name}\n"
        )
    far = max(range(40, 360, 10), key=lambda x: np.hypot(before["x_px"] - x, before["y_px"]).min())
    with (study.folder / "labels_1.tsv").open("a") as file:
        file.write(f"a\t{far}\t0\tnotch\n")
    labels = [{"path": f"labels_{number}.tsv"} for number in range(2)]
    target = "results/statistics/headline.txt"
    study.configure({"models": "models", "labels": labels})
    done = study.run("--dry-run", "--", target)
    assert "they name their sites and nothing else" in done.stdout
    assert "rule label_sites:" in done.stdout and "rule classify_sites:" not in done.stdout
    study.finish("--", target)
    sites = read_table(study.path("sites/a.parquet"), SITES)
    assert sites.loc[0, ["predicted_class", "label", "class"]].tolist() == [
        site["predicted_class"],
        given[1],
        given[1],
    ]
    assert (sites["label"] != "").sum() == 1
    densities = read_tsv(study.path("statistics/densities.tsv"), DENSITIES).set_index("class")
    assert densities.loc[given[1], "labelled"] == 1
    assert (
        f"1 of {len(sites)} sites have the class of their label"
        in study.path("statistics/headline.txt").read_text()
    )
    assert "! a: 1 of 2 labels of labels_1.tsv (row 3) lie on no candidate and correct no site" in (
        study.path("statistics/headline.txt").read_text()
    )
    assert not study.path("labels/split.parquet").exists()


def check_that_analyses_belong_to_the_study(study):
    """Analyses that ran once are in the report and are renewed with the study."""
    study.finish("export_labels")
    # Last, as costs are left out as soon as a job has run after them.
    study.finish("plan_resources")
    assert "Nothing to be done" in study.run("--dry-run").stdout
    study.finish("--report", "results/report.zip")
    with zipfile.ZipFile(study.path("report.zip")) as report:
        page = report.read("report/report.html").decode()
    assert "Map of all sites" in page and "Core-hours by rule" in page
    # Costs are not drawn anew because jobs have run since; they are left out until asked for.
    os.utime(study.path("benchmarks/draw_sizes.tsv"))
    assert "Nothing to be done" in study.run("--dry-run").stdout
    row = "\tsimulated\t\t40\t12\n"
    sheet = study.folder / "config/panoramas.tsv"
    before = sheet.read_text()
    sheet.write_text(before + "b" + row)
    done = study.run("--dry-run")
    assert "rule draw_embedding:" in done.stdout and "rule plan_resources:" not in done.stdout
    # Files for other tools are made for a panorama that came later, too.
    assert "results/exchange/coco/networks/b.json" in done.stdout
    sheet.write_text(before)


def test_sites_tell_their_confidence_where_labels_can_measure_it(small_study):
    sites = pd.concat(
        [read_table(path, SITES) for path in small_study.path("sites").glob("*.parquet")]
    )
    calibration = json.loads(small_study.path("models/calibration.json").read_text())
    held_out = pd.read_parquet(small_study.path("models/held_out.parquet"))
    assert held_out["fold"].eq(0).all() and calibration["labels"] == len(held_out)
    joined = pd.DataFrame({"inclusion": sites["p_inclusion"]})
    for name in DAMAGE_CLASSES:
        joined[name] = (1 - sites["p_inclusion"]) * sites[f"p_{name}"]
    joined = joined.div(joined.sum(axis=1), axis=0) ** (1 / calibration["temperature"])
    joined = joined.div(joined.sum(axis=1), axis=0).to_numpy()
    given = sites["predicted_class"] != "not_classified"
    own = [
        joined[index, [*SITE_CLASSES].index(name)] if name in SITE_CLASSES else np.nan
        for index, name in enumerate(sites["predicted_class"])
    ]
    np.testing.assert_allclose(sites["confidence"], own, atol=1e-6)
    assert sites["confidence"].notna().equals(given)
    # A third of 12 labels a class in a panorama is too few for any promise, and this is said.
    assert (sites["prediction_set"] == "").all()
    assert all(
        each["set_threshold"] is None and "19 in 9 are needed" in each["not_promised"]
        for each in calibration["classes"].values()
    )
    sets = pd.read_csv(small_study.path("evaluation/prediction_sets.tsv"), sep="\t")
    assert not sets["promised"].any() and sets["coverage"].isna().all()
