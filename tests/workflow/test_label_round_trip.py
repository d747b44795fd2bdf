"""Labels of a review are dropped into a study: what becomes of each, and what they changed."""

import json

import numpy as np
import pandas as pd
import pytest

from damascene.classes import SITE_CLASSES
from damascene.contracts.label_history import LABEL_EFFECT
from damascene.contracts.labels import ANSWERS, CONTRADICTIONS, LABELLED_SITES, ORPHANS
from damascene.contracts.review_labels import REVIEW_LABELS
from damascene.contracts.sites import SITES
from damascene.contracts.table import read_table, read_tsv, write_tsv

from .test_reruns import planned, with_config

FILE = "labels_ada_20260501T100000.tsv"
NOTE = "<script>document.title = 'gone'</script> \"sharp\" & 5\u2009\u00b5m"
NAMES = ("unstrained", "strained")


def another(name):
    """Return another class than a site has."""
    return SITE_CLASSES[(SITE_CLASSES.index(name) + 1) % len(SITE_CLASSES)]


def review(study):
    """Write 20 answers: 3 contradict the truth, 3 decide against it, 13 are new, 1 is astray."""
    sites = pd.concat([read_table(study.path(f"sites/{name}.parquet"), SITES) for name in NAMES])
    known = sites[sites["label"] != ""].groupby("class").head(2)[:6]
    # As a person does who finds the networks right.
    new = sites[(sites["label"] == "") & sites["predicted_class"].isin(SITE_CLASSES)]
    new = new.sample(14, random_state=2)
    rows = pd.concat([known, new]).assign(
        label=[*map(another, known["class"]), *new["predicted_class"]],
        annotator="ada",
        time=[f"2026-05-01T10:00:{second:02d}Z" for second in range(20)],
        model="0123abcd",
        previous_label="",
        drawn_by=["picked"] * 6 + ["random"] * 14,
        decides=["yes"] * 3 + [""] * 17,
        note=[NOTE] + [""] * 19,
        image_width_px=3072,
        image_height_px=2048,
        pixel_size_nm=40,
    )
    rows.iloc[-1, rows.columns.get_loc("panorama")] = "of another day"
    folder = study.folder / "config/labels"
    folder.mkdir()
    write_tsv(rows, folder / FILE, REVIEW_LABELS)
    return rows.reset_index(drop=True)


@pytest.fixture(scope="module")
def reviewed(small_study, tmp_path_factory):
    """Return a study after a review, its answers, what was planned, and the labels before."""
    study = small_study.copied(tmp_path_factory.mktemp("reviewed") / "study")
    before = read_table(study.path("labels/labels.parquet"), LABELLED_SITES)
    rows = review(study)
    jobs, _ = planned(study)
    done = study.run()
    assert done.returncode == 0, done.stdout[-6000:]
    return study, rows, jobs, before, done.stdout


def test_a_dropped_file_trains_anew_and_a_second_run_does_nothing(reviewed):
    study, _, jobs, _, said = reviewed
    assert {"collect_labels", "train_network", "train_fold", "classify_sites"} <= jobs.keys()
    assert {"keep_label_state", "measure_label_effect", "draw_label_effect"} <= jobs.keys()
    assert not jobs.keys() & {"simulate_panorama", "find_candidates", "plant_voids"}
    assert "Left aside: 1 answer, listed in" in said
    assert planned(study)[0] == {}


def test_every_answer_is_found_again(reviewed):
    study, rows, _, before, _ = reviewed
    answers = read_table(study.path("labels/answers.parquet"), ANSWERS)
    own = answers[answers["file"] == FILE].reset_index(drop=True)
    orphans = read_tsv(study.path("labels/orphans.tsv"), ORPHANS)
    assert len(own) + len(orphans) == len(rows) == 20
    assert orphans["panorama"].tolist() == ["of another day"] and orphans["row"].tolist() == [21]
    assert orphans["reason"][0].startswith("there is no panorama")
    # Sites are where they were, and so are their numbers.
    assert (own["site_id"] == own["given_site_id"]).all() and (own["tied_by"] == "outline").all()
    assert own["note"].tolist() == [NOTE] + [""] * 18
    assert (own["drawn_by"] == rows["drawn_by"][:19]).all() and own["decides"].sum() == 3
    labels = read_table(study.path("labels/labels.parquet"), LABELLED_SITES)
    given = labels.set_index(["panorama", "site_id"])["label"]
    keys = pd.MultiIndex.from_frame(rows[["panorama", "site_id"]])
    assert given.loc[keys[:3]].tolist() == rows["label"][:3].tolist()
    # Person against truth: nobody has a majority, and the site has no label until somebody decides.
    assert not given.index.isin(keys[3:6]).any()
    assert given.loc[keys[6:19]].tolist() == rows["label"][6:19].tolist()
    assert len(labels) == len(before) - 3 + 13
    table = read_tsv(study.path("labels/contradictions.tsv"), CONTRADICTIONS)
    assert table["decided"].value_counts().to_dict() == {"adjudicated": 3, "undecided": 3}
    notes = study.path("labels/notes.txt").read_text()
    assert "6 sites are called by different classes" in notes
    headline = study.path("statistics/headline.txt").read_text()
    assert "1 answer of people belongs to no site" in headline
    # The same numbers in the same words on all pages.
    counted = study.path("labels/counts.txt").read_text().strip()
    on_candidates = (labels["site_id"] >= 0).sum()
    assert f"{len(answers)} answers, {len(answers) - 19} of them by the simulation" in counted
    assert f"{len(labels)} labelled sites, used to train and test" in counted
    how_many = "all" if on_candidates == len(labels) else on_candidates
    assert f"; {how_many} of them are candidates" in counted
    assert "on 3 people contradict each other" in counted
    assert counted in headline and "answered sites have no label" not in headline


def test_the_effect_of_the_labels_is_told_with_intervals(reviewed):
    study, _, _, before, _ = reviewed
    records = [json.loads(path.read_text()) for path in study.path("label_history").glob("*.json")]
    assert len(records) == 2
    table = read_tsv(study.path("statistics/label_effect.tsv"), LABEL_EFFECT)
    assert not table["note"].str.contains("no earlier labels").any()
    rows = table.set_index(["quantity", "panorama", "class", "score"])
    counted = rows.loc["labels", "", "all", ""]
    assert counted[["before", "after"]].tolist() == [len(before), len(before) + 10]
    scored = rows.loc["score", "", "all", "accuracy"]
    assert scored["sites"] > 5 and -1 <= scored["difference"] <= 1
    densities = table[(table["quantity"] == "density") & table["difference"].notna()]
    by_label = densities["difference"] != 0
    # Sites that were labelled otherwise count otherwise.
    assert by_label.any()
    assert (densities["after"] - densities["before"]).to_numpy() == pytest.approx(
        densities["difference"].to_numpy(), abs=1e-6
    )
    paired = densities[densities["interval"] == "paired"]
    assert (paired["difference_low"] < paired["difference"]).all()
    told = study.path("statistics/label_effect.txt").read_text()
    assert told.startswith("Compared are") and "alone" not in told
    assert study.path("figures/label_effect.png").stat().st_size > 20_000


def test_other_detection_loses_no_label_and_removed_labels_are_gone(reviewed, tmp_path):
    study, rows, *_ = reviewed
    folder = tmp_path / "study"
    copy = with_config(study.copied(folder), detection={"minimum_area": "0.5 um2"})
    target = "results/labels/answers.parquet"
    copy.finish(target)
    answers = read_table(copy.path("labels/answers.parquet"), ANSWERS)
    own = answers[answers["file"] == FILE]
    orphans = read_tsv(copy.path("labels/orphans.tsv"), ORPHANS)
    astray = orphans["reason"].str.startswith("there is no panorama").sum()
    assert len(own) + astray == len(rows) and astray == 1
    # Small sites are no candidates now; what was said of them is still learned from.
    vanished = own[own["site_id"] < 0]
    assert len(vanished) == len(orphans) - 1 > 0 and (own["site_id"] >= 0).any()
    assert np.isin(vanished["tied_by"], ["no candidate", "part of a larger candidate"]).all()
    texts = (folder / "config/labels" / FILE).read_bytes()
    assert texts == (study.folder / "config/labels" / FILE).read_bytes()
    (folder / "config/labels" / FILE).unlink()
    copy.finish(target)
    answers = read_table(copy.path("labels/answers.parquet"), ANSWERS)
    assert set(answers["file"]) == {"simulation"}
    assert len(list(copy.path("label_history").glob("*.json"))) == 2
