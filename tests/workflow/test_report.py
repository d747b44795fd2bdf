"""The report of a whole study is opened, and its numbers equal the tables."""

import html
import io
import json
import re
import zipfile

import openpyxl
import pandas as pd
import pytest

NOTE = "<script>alert('sheet')</script>"


@pytest.fixture(scope="module")
def reported(small_study, tmp_path_factory):
    """Return a copy of the small study, with a note in its sheet that HTML would run, reported."""
    study = small_study.copied(tmp_path_factory.mktemp("reported") / "study")
    sheet = study.folder / "config/panoramas.tsv"
    head, *rows = sheet.read_text().splitlines()
    sheet.write_text("\n".join([f"{head}\tnotes", *(f"{row}\t{NOTE}" for row in rows)]) + "\n")
    return study.finish("--", "report", "provenance", "pack")


def page_of(study):
    return study.path("report/report.html").read_text(encoding="utf-8")


def text_of(page):
    page = re.sub(r"<style.*?</style>|<svg.*?</svg>", " ", page, flags=re.DOTALL)
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", page)).split())


def test_the_numbers_of_the_first_page_are_those_of_the_table(reported):
    text = text_of(page_of(reported))
    densities = pd.read_csv(reported.path("statistics/densities.tsv"), sep="\t")
    damage = densities[densities["class"] == "damage"]
    for row in damage.itertuples():
        # Three digits, and no fewer before the point.
        density = row.density_per_mm2
        shown = f"{density:.0f}" if density >= 1000 else f"{density:.3g}"
        assert f"{row.count:g}: {shown} [" in text, row
    verdict = pd.read_csv(reported.path("statistics/verdict.tsv"), sep="\t", keep_default_na=False)
    for row in verdict.itertuples():
        assert f"{row.number} {row.reason}" in text
    scores = pd.read_csv(reported.path("evaluation/scores.tsv"), sep="\t")
    kappa = scores[scores["score"] == "kappa"].iloc[0]
    assert f"Cohen's kappa {kappa['value']:.2f}" in text
    assert not re.search(r"\bnan\b|\bNone\b", text)


def test_it_is_one_file_with_figures_as_text(reported):
    page = page_of(reported)
    assert len(page) < 15e6
    assert not re.search(r"<script|<link|<iframe|@import", page)
    assert not re.search(r'(?:src|href)="(?:https?:)?//', page)
    assert page.count("<svg") > 15 and "</text>" in page
    # What the user wrote in the sheet is text.
    assert html.escape(NOTE, quote=True).replace("&#x27;", "&#39;") in page
    # No name is used twice, or figures would take colours and clips from each other.
    names = re.findall(r'\bid="([^"]+)"', page)
    assert len(names) == len(set(names))


def test_the_data_beside_it_agree_with_the_tables(reported):
    with zipfile.ZipFile(reported.path("report/data.zip")) as archive:
        assert archive.testzip() is None
        table = pd.read_csv(io.BytesIO(archive.read("tables/statistics/densities.tsv")), sep="\t")
        sites = pd.read_csv(io.BytesIO(archive.read("sites.csv")))
        book = openpyxl.load_workbook(io.BytesIO(archive.read("tables.xlsx")), read_only=True)
    every = table[table["class"] == "all"]
    assert every["count"].sum() == len(sites)
    assert {"columns", "densities", "verdict"} <= set(book.sheetnames)
    assert reported.path("sites/sites.csv").read_bytes().count(b"\n") == len(sites) + 1


def test_every_table_has_a_lineage_and_the_archive_holds_it(reported):
    lineage = pd.read_csv(
        reported.path("provenance/lineage.tsv"), sep="\t", keep_default_na=False
    ).set_index("product")
    assert (lineage["rule"] != "").all()
    assert (
        "results/sites/strained.parquet"
        in lineage.loc["results/statistics/densities.tsv", "made_from"]
    )
    with zipfile.ZipFile(reported.path("provenance/study.zip")) as archive:
        names = set(archive.namelist())
        crate = json.loads(archive.read("ro-crate-metadata.json"))
    files = {each["@id"] for each in crate["@graph"] if "File" in each["@type"]}
    assert files - {"ro-crate-metadata.json"} <= names
    assert {"results/report/report.html", "config/config.yaml", "workflow/Snakefile"} <= files
    assert not [name for name in names if name.endswith((".tif", ".keras"))]


def test_the_default_target_renews_a_report_that_is_there(reported):
    said = reported.run("--dry-run", "--quiet", "rules").stdout
    assert "write_report" not in said
    reported.path("statistics/verdict.tsv").unlink()
    said = reported.run("--dry-run").stdout
    assert "write_headline" in said and "write_report" in said
