"""The page in results/ is there from the start, survives `make clean`, and is no product."""

import os
import re
import subprocess
import time
from pathlib import Path

import pandas as pd
import pytest

from damascene import InputError
from damascene.config.study import Study
from damascene.study.check import check_study

ROOT = Path(__file__).parents[2]


@pytest.fixture
def results(tmp_path, monkeypatch):
    """Return a results folder with the page and one product, in the working folder."""
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "results"
    (folder / "sites").mkdir(parents=True)
    for name in ("README.md", "report.zip", "sites/a.parquet"):
        (folder / name).touch()
    return folder


def test_git_keeps_the_page_and_nothing_else():
    ignored = subprocess.run(
        ["git", "check-ignore", "results/README.md", "results/report.zip", "results/sites/a"],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert ignored.stdout.split() == ["results/report.zip", "results/sites/a"]


def test_clean_leaves_the_page(results):
    subprocess.run(["make", "-f", ROOT / "Makefile", "clean"], check=True, capture_output=True)
    assert [path.name for path in results.iterdir()] == ["README.md"]


def test_a_page_from_the_future_stops_no_study(results):
    nobody = pd.DataFrame({"path": [], "paired_scan": [], "phase_labels": []})
    late = time.time() + 3600
    os.utime(results / "README.md", (late, late))
    check_study(Study(), nobody)
    os.utime(results / "sites/a.parquet", (late, late))
    with pytest.raises(InputError, match=r"sites/a\.parquet carries a time in the future"):
        check_study(Study(), nobody)


def test_the_page_names_every_folder_of_products():
    rules = "".join(path.read_text() for path in (ROOT / "workflow/rules").rglob("*.smk"))
    folders = set(re.findall(r"results/(\w+)/", rules)) - {"strips"}
    page = (ROOT / "results/README.md").read_text()
    assert not [folder for folder in folders if f"`{folder}/`" not in page]
