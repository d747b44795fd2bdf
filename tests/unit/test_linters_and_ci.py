"""Files that other programs read: hooks of pre-commit, the workflow of GitHub, the citation."""

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
CI = ROOT / ".github/workflows/ci.yml"
LOCK = dict(re.findall(r"^([\w.-]+)==(\S+)", (ROOT / "requirements.lock").read_text(), re.M))


def check_schema(schema, path):
    """Check a file by a schema that comes with check-jsonschema; nothing is downloaded."""
    command = ["check_jsonschema", "--builtin-schema", f"vendor.{schema}", path]
    return subprocess.run([sys.executable, "-m", *command], capture_output=True, text=True)


def jobs():
    return yaml.safe_load(CI.read_text())["jobs"]


def test_hooks_have_the_versions_of_the_lock_file():
    config = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())
    hooks = [hook for repository in config["repos"] for hook in repository["hooks"]]
    packages = [package for hook in hooks for package in hook["additional_dependencies"]]
    assert {package.split("==")[0] for package in packages} == {"ruff", "snakefmt"}
    for package in packages:
        name, version = package.split("==")
        assert version == LOCK[name], name


def test_hooks_run_the_linters_of_make_lint():
    config = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())
    entries = [hook["entry"] for repository in config["repos"] for hook in repository["hooks"]]
    lint = (ROOT / "Makefile").read_text().split("\nlint:")[1].split("\n\n")[0]
    called = {line.split("$(BIN)/")[1].split(" --")[0] for line in lint.splitlines()[1:]}
    called = {" ".join(call.split()[:2]).removesuffix(" .") for call in called}
    # The lint of Snakemake needs all packages.
    assert {entry.split(" --")[0] for entry in entries} == called - {"snakemake"}


@pytest.mark.parametrize(
    ("schema", "path"),
    [("github-workflows", ".github/workflows/ci.yml"), ("citation-file-format", "CITATION.cff")],
)
def test_files_follow_their_schema(schema, path):
    result = check_schema(schema, ROOT / path)
    assert result.returncode == 0, result.stdout + result.stderr


def test_the_schema_refuses_a_workflow_with_a_misspelt_key(tmp_path):
    broken = tmp_path / "ci.yml"
    broken.write_text(CI.read_text().replace("runs-on:", "run-on:"))
    assert check_schema("github-workflows", broken).returncode == 1


def test_actions_are_pinned_to_a_commit():
    used = re.findall(r"uses: (\S+)(.*)", CI.read_text())
    assert len(used) >= 3
    for action, comment in used:
        assert re.fullmatch(r"[\w/-]+@[0-9a-f]{40}", action), action
        assert re.fullmatch(r" # v\d+\.\d+\.\d+", comment), action


def test_every_supported_python_runs_the_tests():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    first, end = map(int, re.findall(r"3\.(\d+)", project["requires-python"]))
    supported = [f"3.{minor}" for minor in range(first, end)]
    assert jobs()["test"]["strategy"]["matrix"]["python"] == supported
    assert jobs()["test"]["steps"][-1] == {"run": ".ci/run"}


def test_the_report_is_kept():
    *_, make, upload = jobs()["report"]["steps"]
    assert make == {"run": "make demo"}
    assert upload["with"]["path"] == "results/report.zip"


def test_make_says_what_to_do_where_no_cache_can_be_written(tmp_path):
    nowhere = tmp_path / "file"
    nowhere.write_text("no folder")
    for name, place in (("HOME", nowhere), ("XDG_CACHE_HOME", nowhere / "cache")):
        environment = os.environ | {"HOME": str(tmp_path), "XDG_CACHE_HOME": "", name: str(place)}
        done = subprocess.run(
            ["make", "cache"],
            cwd=ROOT,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode != 0 and "export XDG_CACHE_HOME=" in done.stdout
    environment = os.environ | {"HOME": str(nowhere), "XDG_CACHE_HOME": str(tmp_path / "cache")}
    subprocess.run(["make", "cache"], cwd=ROOT, env=environment, check=True)
