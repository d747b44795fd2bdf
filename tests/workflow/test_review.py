"""The first labels of a study: from an image that nobody labelled to networks that learned."""

import shutil

import numpy as np
import pandas as pd
import pytest

from damascene.classes import SITE_CLASSES
from damascene.contracts.candidates import CANDIDATES
from damascene.contracts.review_labels import REVIEW_LABELS
from damascene.contracts.review_order import LABEL_SHEET, REVIEW_ORDER, REVIEW_REASONS
from damascene.contracts.reviewed_shares import REVIEWED_SHARES
from damascene.contracts.table import read_table, read_tsv, write_tsv
from damascene.detection.matching import match_to_outlines
from tests.studies import SMALL, Study


@pytest.fixture(scope="module")
def first(small_study, tmp_path_factory):
    """Return a study of an image that nobody labelled, after its first review."""
    study = Study(tmp_path_factory.mktemp("first"))
    shutil.copy(small_study.path("panoramas/strained.ome.tif"), study.folder / "steel.tif")
    study.configure(
        {"study": "first labels", "split": SMALL["split"], "segmentation": {"method": "none"}},
        "steel\tsteel.tif\t\t\t12",
    )
    return study.finish("review", "viewer")


def test_candidates_can_be_labelled_before_any_training(first):
    assert "To label your first sites" in (first.folder / "said.txt").read_text()
    order = read_tsv(first.path("review/order.tsv"), REVIEW_ORDER)
    reasons = read_table(first.path("review/reasons.parquet"), REVIEW_REASONS)
    assert reasons["site_id"].tolist() == order["site_id"].tolist()
    found = read_table(first.path("candidates/steel.parquet"), CANDIDATES)
    assert set(order["site_id"]) == set(found["site_id"]) and len(order) > 40
    assert set(order["drawn_by"]) == {"random", "cluster"}
    assert not first.path("models").exists()
    page = first.path("viewer/review")
    assert (page / "queue.js").is_file() and (page / "clips_0.js").is_file()
    sheet = read_tsv(first.path("review/sheet.tsv"), LABEL_SHEET)
    assert sheet["site_id"].tolist() == order["site_id"].head(len(sheet)).tolist()
    assert "steel" in first.path("review/sheet.html").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def sites(first, small_study):
    """Return the sites of the first queue, with what they truly are."""
    order = read_tsv(first.path("review/order.tsv"), REVIEW_ORDER)
    found = read_table(first.path("candidates/steel.parquet"), CANDIDATES)
    truth = pd.read_parquet(small_study.path("truth/strained.parquet"))
    pairs = match_to_outlines(found, truth, tolerance_px=10).merge(
        truth[["truth_id", "true_class"]]
    )
    return order.merge(found).merge(pairs[["site_id", "true_class"]]).sort_values("rank")


def answered(first, sites):
    """Hand in what a person said of some sites of the page; return the rows."""
    folder = first.folder / "config/labels"
    folder.mkdir(exist_ok=True)
    said = sites.assign(
        label=lambda each: each["true_class"],
        annotator="jane",
        time="2026-01-31T10:00:00.000Z",
        model="",
        previous_label="",
        decides="",
        note="",
        image_width_px=3072.0,
        image_height_px=2048.0,
        pixel_size_nm=40.0,
    )
    write_tsv(said, folder / "labels_jane_20260131T100000Z.tsv", REVIEW_LABELS)
    return said


def test_too_few_answers_are_kept_and_shown_and_more_are_asked_for(first, sites):
    said = answered(first, sites.head(4))
    # Pages that are there belong to the default target.
    done = first.run("all", "report")
    assert done.returncode == 0, done.stdout[-6000:]
    # At the beginning, and again at the end, where one looks.
    assert done.stdout.count("needed are 3 of each class, in 3 places") == 2
    assert "'models: simulated'" in done.stdout and not first.path("models").exists()
    answers = pd.read_parquet(first.path("labels/answers.parquet"))
    assert answers["site_id"].tolist() == said["site_id"].tolist()
    order = read_tsv(first.path("review/order.tsv"), REVIEW_ORDER)
    left = sorted(set(order["site_id"]))
    found = read_table(first.path("candidates/steel.parquet"), CANDIDATES)
    assert left == sorted(set(found["site_id"]) - set(said["site_id"]))
    assert set(order["drawn_by"]) == {"random", "cluster"}
    shown = first.path("viewer/sites/steel.js").read_text()
    assert shown.count('"annotator":"jane"') == 4
    page = first.path("report/report.html").read_text()
    assert "needed are 3 of each class" in page and "4 labelled sites" in page
    for target in (["review", "viewer", "report"], ["all"]):
        assert "Nothing to be done" in first.run(*target, "-n").stdout


def test_the_answers_train_networks_that_choose_the_next_sites(first, sites):
    """A person labels from the page, and another one on paper."""
    found = read_table(first.path("candidates/steel.parquet"), CANDIDATES)
    half = len(sites) // 2
    folder = first.folder / "config/labels"
    said = answered(first, sites.head(half))
    sheet = read_tsv(first.path("review/sheet.tsv"), LABEL_SHEET)
    letters = {
        "martensite": "m",
        "interface": "D",
        "notch": "n",
        "inclusion": "i",
        "shadowing": "s",
    }
    truths = sites.set_index("site_id")["true_class"]
    some = sheet["site_id"].isin(truths.index[half - 10 : half + 10])
    sheet["label"] = sheet["site_id"].map(truths).map(letters).where(some, "").fillna("")
    write_tsv(sheet, folder / "sheet_bob.tsv", LABEL_SHEET)
    first.finish("review")
    answers = pd.read_parquet(first.path("labels/answers.parquet"))
    assert answers["annotator"].value_counts().to_dict() == {
        "jane": half,
        "bob": int((sheet["label"] != "").sum()),
    }
    assert set(answers["drawn_by"]) == {"random", "cluster"}
    again = read_tsv(first.path("review/order.tsv"), REVIEW_ORDER)
    # What the networks say stands apart.
    words = first.path("review/order.tsv").read_text(encoding="utf-8")
    assert not any(name in words for name in SITE_CLASSES)
    reasons = read_table(first.path("review/reasons.parquet"), REVIEW_REASONS)["reason"]
    assert reasons.str.contains("by the networks").any()
    labelled = answers["site_id"]
    assert (
        len(again) == len(found) - labelled.nunique() and not again["site_id"].isin(labelled).any()
    )
    assert {"random", "balance"} <= set(again["drawn_by"]) and "cluster" not in set(
        again["drawn_by"]
    )
    shares = read_tsv(first.path("evaluation/reviewed_shares.tsv"), REVIEWED_SHARES)
    part = shares[shares["from"] == "random part"]
    drawn = (said["drawn_by"] == "random").sum()
    assert len(part) == 5 and part["of"].min() >= drawn and np.isclose(part["share"].sum(), 1)
    assert (part["unanswered"] == 0).all()
    # Nothing is left to do.
    assert "Nothing to be done" in first.run("review", "--dry-run").stdout
