"""The shipped profiles: keys that Snakemake knows, rules that exist, nothing of the site."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from snakemake.cli import get_argument_parser
from snakemake_executor_plugin_slurm.partitions import read_partition_file

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "workflow/profiles"
PROFILES = {path.parent.name: path for path in sorted(FOLDER.glob("*/profile.yaml"))}
#: Options that may be a mapping; a mapping elsewhere in a profile is dropped without a word.
MAPPINGS = {"resources", "set-resources", "set-threads", "groups", "group-components"}
#: What belongs to a machine and not to a workflow, or, the last, is not safe.
SITE = re.compile(r"account|partition|default-resources|qos|reservation|constraint|array")


@pytest.fixture(scope="module")
def options():
    """Return all options of Snakemake and its plugins, as a profile spells them."""
    parser = get_argument_parser()
    return {
        option[2:]
        for action in parser._actions
        for option in action.option_strings
        if option.startswith("--")
    }


@pytest.fixture(scope="module")
def rules():
    sources = [path.read_text() for path in (ROOT / "workflow").glob("rules/*.smk")]
    sources.append((ROOT / "workflow/Snakefile").read_text())
    return set(
        re.findall(r"^(?:rule|use rule \w+ as) (\w+)", "\n".join(sources), flags=re.MULTILINE)
    )


def settings(name):
    return yaml.safe_load(PROFILES[name].read_text())


def test_the_profiles_are_shipped():
    assert PROFILES.keys() == {"default", "slurm", "workstation"}
    assert settings("slurm")["executor"] == "slurm"


@pytest.mark.parametrize("name", PROFILES)
def test_every_key_is_an_option(name, options):
    assert {"slurm-no-requeue", "retries"} <= options and "slurm-no-requeu" not in options
    assert not settings(name).keys() - options
    assert not {key for key, value in settings(name).items() if isinstance(value, dict)} - MAPPINGS


@pytest.mark.parametrize("name", PROFILES)
def test_rules_and_groups_that_are_named_exist(name, rules):
    assert {"all", "find_candidates", "train_fold"} <= rules
    profile = settings(name)
    for key in ("set-resources", "set-threads", "groups"):
        assert not profile.get(key, {}).keys() - rules, key
    groups = set(profile.get("groups", {}).values())
    assert not profile.get("group-components", {}).keys() - groups


@pytest.mark.parametrize("name", PROFILES)
def test_the_settings_of_the_site_are_left_alone(name):
    profile = settings(name)
    asked = {item for value in profile.get("set-resources", {}).values() for item in value}
    assert not [key for key in profile.keys() | asked if SITE.search(key)]


def test_failed_jobs_are_repeated_by_the_profile_and_not_inside_their_allocation():
    assert settings("slurm")["retries"] >= 1
    for path in (ROOT / "workflow").glob("rules/*.smk"):
        assert "retries:" not in path.read_text(), path.name


def test_no_group_holds_a_gpu():
    """CPU work in a group with a GPU would hold it idle."""
    networks = {
        name
        for path in (ROOT / "workflow").glob("rules/*.smk")
        for name, body in re.findall(
            r"^rule (\w+):\n((?:[ \n].*\n?)+)", path.read_text(), flags=re.MULTILINE
        )
        if "gpu=1" in body
    } | {"train_fold", "train_for_load_direction"}
    assert {"train_network", "classify_sites"} <= networks
    assert not settings("slurm").get("groups", {}).keys() & networks


@pytest.mark.parametrize(
    ("name", "arguments"),
    [("default", ["--cores", "2"]), ("workstation", []), ("slurm", [])],
)
def test_a_dry_run_works(name, arguments, tmp_path):
    run = dry_run(study(tmp_path), name, *arguments)
    assert run.returncode == 0, run.stdout[-3000:]
    assert f"profile workflow/profiles/{name}" in run.stdout
    gpu = re.search(r"rule train_network:.*?gpu=(\d)", run.stdout, flags=re.DOTALL)
    assert gpu[1] == ("0" if name == "default" else "1")


def test_the_settings_of_a_user_stay_beside_those_of_the_workflow(tmp_path):
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "partitions.yaml").write_text((FOLDER / "slurm/partitions.example.yaml").read_text())
    (mine / "profile.yaml").write_text(
        "default-resources: {slurm_account: mine}\n"
        "set-resources: {train_network: {gpu_model: a100}}\n"
        "slurm-partition-config: partitions.yaml\n"
        "retries: 9\n"
    )
    run = dry_run(study(tmp_path), "slurm", "--profile", str(mine))
    assert run.returncode == 0, run.stdout[-3000:]
    rules = re.findall(r"^ *rule (\w+):\n(?: .*\n)*?.*? resources: (.*)", run.stdout, re.MULTILINE)
    assert len(rules) > 20
    for name, resources in rules:
        assert "slurm_account=mine" in resources, name
        assert ("gpu_model=a100" in resources) == (name == "train_network")
    parser = get_argument_parser(profiles=[str(mine), str(PROFILES["slurm"])])
    # A path beside a profile is found there; where both say something, the workflow decides.
    told = parser.parse_args([])
    assert Path(told.slurm_partition_config) == mine / "partitions.yaml"
    assert told.retries == settings("slurm")["retries"] != 9
    assert parser.parse_args(["--retries", "4"]).retries == 4


def test_the_example_of_partitions_is_understood():
    found = {
        one.name: one.limits
        for one in read_partition_file(FOLDER / "slurm/partitions.example.yaml")
    }
    assert set(found) == {"cpu", "gpu", "highmem"}
    assert found["gpu"].max_gpu > 0 == found["cpu"].max_gpu == found["highmem"].max_gpu
    assert found["highmem"].max_mem_mb > found["cpu"].max_mem_mb
    # No rule, and no third attempt of one, asks for more time or threads than the smallest of them.
    assert min(one.max_runtime for one in found.values()) >= 240 and found["gpu"].max_threads >= 8


def study(folder):
    """Make the default study in a folder of its own."""
    (folder / "config").mkdir()
    for name in ("config.yaml", "panoramas.tsv"):
        (folder / "config" / name).write_text((ROOT / "config" / name).read_text())
    return folder


def dry_run(folder, profile, *arguments):
    """Plan a study with one of the shipped profiles."""
    return subprocess.run(
        [
            *(sys.executable, "-m", "snakemake", "--dry-run"),
            *("--workflow-profile", f"workflow/profiles/{profile}"),
            *("--snakefile", "workflow/Snakefile", "--directory", str(folder), *arguments),
        ],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
