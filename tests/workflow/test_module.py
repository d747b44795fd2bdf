"""Used as a module: another workflow takes all rules, runs a whole study, and builds on it."""

import os
import shutil
import subprocess
import sys
import zipfile

import pandas as pd
import pytest
import yaml

from tests.studies import CORES, HEADER, ROOT, SMALL, SMALL_ROWS, Study

#: Another workflow. Its own rule comes first, takes our products, and changes one of our rules.
OUTER = f"""
configfile: "config/config.yaml"


rule count_sites:
    input:
        "results/sites/strained.parquet",
    output:
        "counts/strained.txt",
    run:
        import pandas

        with open(output[0], "w") as file:
            print(len(pandas.read_parquet(input[0])), file=file)


module damascene:
    snakefile:
        "{ROOT}/workflow/Snakefile"
    config:
        config["steel"]


use rule * from damascene as damascene_*


use rule draw_gallery from damascene as damascene_draw_gallery with:
    threads: 2
"""


#: What `snakedeploy` writes, with names of its own.
DEPLOYED = """
configfile: "config/config.yaml"


module damascene:
    snakefile:
        github("own/damascene", path="workflow/Snakefile", tag="v1")
    config:
        config


use rule * from damascene
"""


class OuterStudy(Study):
    """The folder of another workflow, which is run there, without a path to the library."""

    def configure(self, config: dict) -> "OuterStudy":
        """Write the other workflow, its configuration with ours inside, and the sheet."""
        (self.folder / "workflow").mkdir()
        (self.folder / "workflow/Snakefile").write_text(OUTER)
        (self.folder / "config").mkdir()
        settings = {"colour": "blue", "steel": config}
        (self.folder / "config/config.yaml").write_text(yaml.safe_dump(settings))
        sheet = "\n".join([HEADER, *SMALL_ROWS]) + "\n"
        (self.folder / "config/panoramas.tsv").write_text(sheet)
        return self

    def run(self, *arguments: str) -> subprocess.CompletedProcess:
        """Run the other workflow; the output of both streams is in `stdout`."""
        environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
        return subprocess.run(
            [*(sys.executable, "-m", "snakemake", "--cores", CORES), *arguments],
            cwd=self.folder,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=2400,
            check=False,
        )


@pytest.fixture(scope="module")
def outer(tmp_path_factory) -> OuterStudy:
    """Return another workflow, with the settings of the small study, that has not run yet."""
    study = OuterStudy(tmp_path_factory.mktemp("outer"))
    return study.configure(SMALL | {"denoise": {"method": "gaussian"}})


def test_the_other_workflow_keeps_its_default_target(outer):
    done = outer.run("--dry-run")
    assert done.returncode == 0, done.stdout[-3000:]
    assert "rule count_sites:" in done.stdout and "rule damascene_train_network:" in done.stdout
    assert "damascene_all" not in done.stdout and "damascene_draw_overview" not in done.stdout


def test_every_target_can_be_asked_for(outer):
    targets = "evaluation explanation sensitivity classifiers load_direction plan_resources all"
    done = outer.run(*(f"damascene_{name}" for name in targets.split()), "--dry-run")
    assert done.returncode == 0, done.stdout[-3000:]
    assert "rule damascene_draw_confusion_truth:" in done.stdout


def test_a_study_run_as_a_module_is_the_study_byte_for_byte(small_study, outer):
    """Two runs of the same study, in other folders, give the same tables."""
    outer.finish("count_sites", "damascene_all")
    first, second = small_study.files(), outer.files()
    assert first.keys() == second.keys() and len(first) > 15
    assert [name for name in first if first[name] != second[name]] == []
    sites = pd.read_parquet(outer.path("sites/strained.parquet"))
    assert int((outer.folder / "counts/strained.txt").read_text()) == len(sites) > 20
    assert "Nothing to be done" in outer.run("--dry-run", "damascene_all").stdout
    # What a run shows is a matter of the other workflow.
    said = (outer.folder / "said.txt").read_text()
    assert "rule damascene_draw_gallery:" in said and "left; running" not in said


def test_its_report_finds_captions_and_the_settings_of_the_module(outer):
    outer.finish("count_sites", "damascene_all")
    outer.finish("--report", "results/report.zip", "damascene_all")
    with zipfile.ZipFile(outer.path("report.zip")) as report:
        page = report.read("report/report.html").decode()
    assert "Images were denoised by gaussian" in page and "Poisson" in page


def test_it_is_taken_from_a_hosting_site(tmp_path):
    """As `snakedeploy deploy-workflow` writes it; a repository on this disk stands for the site."""
    site = tmp_path / "site"
    ignored = shutil.ignore_patterns("__pycache__")
    for folder in ("workflow", "config", "resources"):
        shutil.copytree(ROOT / folder, site / folder, ignore=ignored)
    git = ["git", "-C", str(site), "-c", "user.name=a", "-c", "user.email=a@b.org"]
    for command in (["init", "-q"], ["add", "-A"], ["commit", "-qm", "all"], ["tag", "v1"]):
        subprocess.run([*git, *command], check=True)
    study = Study(tmp_path / "study").configure(
        {"models": "simulated", "simulation": SMALL["simulation"] | {"width_px": 1024}},
        "a\tsimulated\t\t40\t12",
    )
    (study.folder / "Snakefile").write_text(DEPLOYED)
    environment = os.environ | {
        "XDG_CACHE_HOME": str(tmp_path / "cache"),
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": f"url.file://{site}.insteadOf",
        "GIT_CONFIG_VALUE_0": "https://github.com/own/damascene",
    }
    environment.pop("PYTHONPATH", None)
    done = subprocess.run(
        [*(sys.executable, "-m", "snakemake", "--cores", CORES), "results/candidates/a.parquet"],
        cwd=study.folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert len(pd.read_parquet(study.path("candidates/a.parquet"))) > 5
