"""The planning of studies: job counts against the engine's own, resources, the preview target."""

import re

import numpy as np
import pandas as pd
import pytest
import yaml
from PIL import Image

from damascene.config.study import load_study
from damascene.study.jobs import default_jobs
from damascene.study.models import with_models
from damascene.study.plan import plan_study
from damascene.study.sheet import read_sheet
from tests.studies import SMALL, SMALL_ROWS


def job_stats(text):
    """Return the numbers of jobs by rule from the first table of a dry-run."""
    table = text.split("Job stats:")[1].split("total")[0]
    return {
        rule: int(count)
        for rule, count in re.findall(r"^(\w+) +(\d+)$", table, re.MULTILINE)
        if rule != "all"
    }


def draw_image(path, size=600):
    grey = np.random.default_rng(1).integers(60, 160, (size, size), np.uint8)
    Image.fromarray(grey).save(path)


STUDIES = {
    "default": ({}, SMALL_ROWS),
    "small": (SMALL, SMALL_ROWS),
    "cross_validate": (SMALL | {"split": {"folds": 3}}, SMALL_ROWS),
    "models": ({"models": "simulated"}, SMALL_ROWS),
    "denoise": (SMALL | {"denoise": {"method": "median"}}, SMALL_ROWS),
    "described": (SMALL | {"damage": {"descriptors": True}}, SMALL_ROWS),
    "strips": (SMALL | {"denoise": {"method": "median"}, "strips": 3}, SMALL_ROWS),
    "pseudo_labels": (SMALL | {"training": {"pseudo_labels": 2}}, SMALL_ROWS),
    "imported": ({"models": "simulated"}, ["real\timage.png\t\t40\t3"]),
    "mixed": (
        {"models": "simulated"},
        ["real\timage.png\t\t40\t3", "frames\tframes.tsv\t\t40\t3", *SMALL_ROWS],
    ),
}


@pytest.mark.parametrize("name", STUDIES)
def test_jobs_are_counted_as_the_engine_counts_them(study, name, monkeypatch):
    config, rows = STUDIES[name]
    study.configure(config, *rows)
    for image in ("image.png", "second.png"):
        draw_image(study.folder / image)
    (study.folder / "frames.tsv").write_text(
        "file\tx_px\ty_px\nimage.png\t0\t0\nsecond.png\t500\t0\n"
    )
    dry = study.run("--dry-run")
    assert dry.returncode == 0, dry.stdout[-3000:]
    monkeypatch.chdir(study.folder)
    checked = with_models(load_study(config))
    plan = plan_study(checked, read_sheet(study.folder / "config/panoramas.tsv"))
    counted = {rule: len(jobs) for rule, jobs in default_jobs(plan).items()}
    assert counted == job_stats(dry.stdout)


def resources_of(text, rule):
    """Return mem_mb and runtime of every job of a rule in a dry-run."""
    jobs = text.split("\nrule ")
    found = [job for job in jobs if job.startswith(f"{rule}:")]
    return [
        tuple(int(re.search(rf"\b{name}=(\d+)", job)[1]) for name in ("mem_mb", "runtime"))
        for job in found
    ]


def test_limits_grow_with_the_panorama_and_follow_the_candidates_found(study):
    asked = {}
    # The larger one takes more than the ten minutes that every job may take.
    for side in (1000, 60000):
        study.configure(
            {"simulation": {"width_px": side, "height_px": side}},
            "one\tsimulated\t\t40\t12",
        )
        asked[side] = resources_of(study.run("--dry-run").stdout, "classify_sites")[0]
    assert asked[60000][1] > asked[1000][1]
    study.path("candidates").mkdir(parents=True)
    few = pd.DataFrame({"x_px": np.zeros(10)})
    few.to_parquet(study.path("candidates/one.parquet"))
    found = resources_of(study.run("--dry-run").stdout, "classify_sites")[0]
    assert found[1] < asked[60000][1] and found[0] <= asked[60000][0]


def test_the_preview_works_before_and_after_runs_and_its_advice_can_be_used(study):
    study.configure(SMALL, *SMALL_ROWS).finish("plan_resources")
    costs = pd.read_csv(study.path("planning/costs.tsv"), sep="\t").set_index("rule")
    assert costs.jobs.sum() == sum(job_stats(study.run("--dry-run").stdout).values())
    assert (costs.basis == "shipped unit costs").all()
    assert "core-hours" in study.path("planning/preview.txt").read_text()
    assert (
        study.path("planning/preview.txt").read_text()
        in study.path("logs/plan_resources.log").read_text()
    )
    assert study.path("figures/costs.svg").stat().st_size > 5000
    # Nothing new: nothing to do. A new benchmark: once more.
    assert "Nothing to be done" in study.run("plan_resources").stdout
    for name in ("unstrained", "strained"):
        path = study.path(f"benchmarks/find_candidates/{name}.tsv")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("s\tmax_rss\tmean_load\n3000\t9000\t100\n")
    done = study.finish("plan_resources")
    assert done.path("planning/preview.txt").exists()
    costs = pd.read_csv(study.path("planning/costs.tsv"), sep="\t").set_index("rule")
    assert costs.basis["find_candidates"] == "measured here: 2 jobs"
    assert costs.core_hours["find_candidates"] == pytest.approx(6000 / 3600)
    profile = study.path("planning/set_resources.yaml")
    advised = yaml.safe_load(profile.read_text())["set-resources"]
    assert advised.keys() == {"find_candidates"}
    # 9,000 MB and 50 minutes with their margins, and more at a second attempt.
    assert advised["find_candidates"] == {"mem_mb": "14000 * attempt", "runtime": "200 * attempt"}
    (study.folder / "profile").mkdir()
    profile.rename(study.folder / "profile/profile.yaml")
    dry = study.run("--dry-run", "--workflow-profile", str(study.folder / "profile"))
    assert set(resources_of(dry.stdout, "find_candidates")) == {(14000, 200)}
