"""The small study as jobs of a real SLURM: three nodes on this machine, one with a GPU in name."""

import io
import os
import re
import shutil
import subprocess
import tempfile
import zipfile
from pathlib import Path

import pandas as pd
import pytest

from tests.studies import ROOT, SMALL, SMALL_ROWS, Study

CLUSTER = ROOT / "tests/slurm/local_cluster.sh"
PARTITIONS = ROOT / "tests/slurm/partitions.yaml"
PROFILE = (
    *("--workflow-profile", "workflow/profiles/slurm"),
    *("--slurm-partition-config", str(PARTITIONS)),
    # Jobs of seconds need not be waited for as those of minutes.
    *("--slurm-init-seconds-before-status-checks", "5"),
)
RULES = "\n".join(path.read_text() for path in (ROOT / "workflow/rules").rglob("*.smk"))
#: Rules that ask for a GPU, and rules made from these.
NETWORK_RULES = {
    name
    for name, body in re.findall(r"^rule (\w+):\n((?:[ \n].*\n?)+)", RULES, flags=re.MULTILINE)
    if "gpu=1" in body
}
NETWORK_RULES |= {
    name
    for base, name in re.findall(r"^use rule (\w+) as (\w+) with:", RULES, flags=re.MULTILINE)
    if base in NETWORK_RULES
}


@pytest.fixture(scope="module")
def cluster():
    """Start a SLURM on this machine, and stop it."""
    if os.geteuid() != 0:
        pytest.skip("a SLURM of one's own is started by root")
    if not (shutil.which("slurmctld") or shutil.which("apt-get")):
        pytest.skip("SLURM is not installed, and this is no Debian on which it could be")
    # Paths of sockets are limited to 107 bytes: pytest's own folders may lie too deep.
    state = Path(tempfile.mkdtemp(prefix="slurm-", dir="/tmp"))
    # The daemon that authenticates refuses a folder that others may not enter.
    state.chmod(0o755)
    # Commands find this SLURM where one is installed, and not where other tests are sent.
    elsewhere = pytest.MonkeyPatch()
    elsewhere.delenv("SLURM_CONF")
    try:
        with (state / "start.log").open("w") as log:
            started = subprocess.run(
                ["bash", CLUSTER, "start", state, "--accounting", "--mem", "8000", "--gpus", "2"],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                timeout=300,
                check=False,
            )
        told = (state / "start.log").read_text()[-1000:]
        # No network, or a machine that is a node of a real cluster; all else is a fault to mend.
        if "apt-get failed" in told or "stop or remove the other SLURM first" in told:
            pytest.skip(f"no SLURM can be had here: {told}")
        assert started.returncode == 0, told
        yield
    finally:
        elsewhere.undo()
        subprocess.run(
            ["bash", CLUSTER, "stop", state, "--purge"],
            stdout=subprocess.DEVNULL,
            timeout=120,
            check=False,
        )
        shutil.rmtree(state, ignore_errors=True)


@pytest.fixture(scope="module")
def on_slurm(cluster, tmp_path_factory):
    """Return the small study, run through SLURM, and the table of its jobs."""
    study = Study(tmp_path_factory.mktemp("slurm"))
    study.configure(SMALL | {"denoise": {"method": "gaussian"}}, *SMALL_ROWS)
    # Not even Snakemake itself fits into the memory of the first attempt of one rule.
    short = "calibrate_networks:mem_mb=60 + 1000 * (attempt - 1)"
    return study, finish(study, "--set-resources", short)


@pytest.fixture(scope="module")
def without_gpu(on_slurm, tmp_path_factory):
    """Return the study after a panorama was classified again without a GPU, and its jobs."""
    study = on_slurm[0].copied(tmp_path_factory.mktemp("without") / "study")
    study.path("predictions/unstrained.parquet").unlink()
    return study, finish(study, "results/predictions/unstrained.parquet", "--resources", "gpu=0")


def finish(study, *arguments):
    """Run a study through SLURM and return its jobs as SLURM's accounting tells of them."""
    done = study.run(*PROFILE, *arguments)
    assert done.returncode == 0, done.stdout[-6000:]
    run = re.search(r"SLURM run ID: (\S+)", done.stdout)[1]
    fields = "JobID,Comment,NodeList,Partition,State,ReqMem,AllocTRES"
    told = subprocess.run(
        [
            *("sacct", "--allocations", "--parsable2", "--starttime", "now-2hours"),
            *("--name", run, "--format", fields),
        ],
        capture_output=True,
        text=True,
        check=True,
    )
    jobs = pd.read_csv(io.StringIO(told.stdout), sep="|", dtype=str, keep_default_na=False)
    assert len(jobs) == done.stdout.count("has been submitted with SLURM jobid") > 0
    return jobs.set_index("JobID")


def places(study):
    """Return the first line of every rule's log, taken apart."""
    logs = study.path("logs")
    told = re.compile(
        r"\d\d:\d\d:\d\d host (?P<host>\S+), SLURM job (?P<job>\d+) on node (?P<node>\w+)"
        r"(?:, CUDA_VISIBLE_DEVICES (?P<devices>\S+))?, threads (?P<threads>\d+)"
    )
    rows = [
        {
            "rule": path.relative_to(logs).parts[0].removesuffix(".log"),
            "path": path,
            **told.fullmatch(path.read_text().splitlines()[0]).groupdict(),
        }
        for path in sorted(logs.rglob("*.log"))
        if path.relative_to(logs).parts[0] != "slurm"
    ]
    return pd.DataFrame(rows)


def comparable(path):
    """Return what of a product must not depend on where and when it was made."""
    if path.suffix == ".keras":
        with zipfile.ZipFile(path) as container:
            # The configuration names objects by their address in memory.
            config = re.sub(rb'"shared_object_id": \d+', b"", container.read("config.json"))
            return config, container.read("model.weights.h5")
    if path.parent.name in ("models", "folds") and path.suffix == ".json":
        return re.sub(r'"(training_s|sites_per_s)": [\d.]+', "", path.read_text())
    if path.parent.name == "label_history" and path.suffix == ".json":
        return re.sub(r'"written": "[^"]*"', "", path.read_text())
    if path.name.endswith(".history.tsv"):
        return pd.read_csv(path, sep="\t").drop(columns="seconds").to_csv()
    return path.read_bytes()


def products(study):
    """Return all products of a study by their path below results/."""
    results = study.folder / "results"
    return {
        str(path.relative_to(results)): comparable(path)
        for path in sorted(results.rglob("*"))
        if path.is_file()
        and path.suffix != ".zip"
        and path.relative_to(results).parts[0] not in ("benchmarks", "logs")
    }


def test_every_product_equals_that_of_a_local_run(on_slurm, small_study):
    made, expected = products(on_slurm[0]), products(small_study)
    assert made.keys() == expected.keys()
    suffixes = {Path(name).suffix for name in made}
    assert suffixes >= {".tsv", ".parquet", ".npy", ".tif", ".keras", ".json", ".png", ".svg"}
    assert [name for name in made if made[name] != expected[name]] == []


def test_networks_run_on_the_gpu_node_and_nothing_else_does(on_slurm):
    study, jobs = on_slurm
    assert {
        "look_at_labels",
        "train_network",
        "classify_sites",
        "segment_panorama",
    } <= NETWORK_RULES
    where = places(study)
    assert len(where) == 74
    for row in where.itertuples():
        job, network = jobs.loc[row.job], row.rule in NETWORK_RULES
        assert (job["NodeList"], job["State"]) == (row.node, "COMPLETED")
        assert (row.node == "gpu1") == (job["Partition"] == "gpu") == network, row.rule
        assert ("gres/gpu=1" in job["AllocTRES"]) == network, row.rule


def test_the_log_of_a_gpu_job_names_the_gpu_and_warns_that_none_is_seen(on_slurm):
    for row in places(on_slurm[0]).itertuples():
        log = row.path.read_text()
        if row.rule in NETWORK_RULES:
            assert row.devices in ("0", "1") and "GPUs granted: 1; devices seen: CPU\n" in log
            assert "A GPU was granted, but TensorFlow sees none: running on the CPU." in log
        else:
            assert pd.isna(row.devices) and "GPU" not in log


def test_jobs_that_belong_together_share_an_allocation(on_slurm):
    where = places(on_slurm[0])
    jobs_of = where.groupby("rule")["job"].agg(set)
    # One of each panorama, another for its quality, one of all labels.
    assert len(jobs_of["simulate_panorama"]) == len(jobs_of["measure_quality"]) == 2
    assert len(jobs_of["collect_labels"]) == 1
    for first, *others in (
        ("simulate_panorama", "measure_noise", "denoise_panorama", "find_candidates"),
        ("simulate_panorama", "describe_candidates"),
        ("measure_quality", "draw_quality"),
        ("collect_labels", "split_labels", "cut_clips", "describe_labels"),
        ("draw_training", "score_networks", "draw_confusion_held_out"),
        ("draw_training", "measure_calibration", "draw_calibration"),
        ("draw_training", "measure_agreement"),
        ("summarise_sites", "draw_densities", "correct_counts", "draw_corrected_counts"),
        ("summarise_shift", "summarise_sites"),
        ("compare_with_truth", "draw_confusion_truth", "draw_detection"),
    ):
        assert all(jobs_of[other] == jobs_of[first] for other in others), first
    # Six readers of phase maps and six results that do not need each other, three to a job.
    assert len(set.union(*jobs_of[["measure_phases", "draw_phases", "describe_phases"]])) == 2
    assert len(set.union(*jobs_of[["draw_sizes", "draw_gallery", "draw_overview"]])) <= 2
    assert where["job"].nunique() == 25
    # A network has its job to itself.
    shared = where.groupby("job")["rule"].size()
    assert (shared[where.loc[where["rule"].isin(NETWORK_RULES), "job"]] == 1).all()


def test_a_job_that_ran_out_of_memory_gets_more(on_slurm):
    study, jobs = on_slurm
    attempts = jobs[jobs["Comment"] == "rule_calibrate_networks"]
    assert list(attempts["ReqMem"]) == ["60M", "1060M"]
    assert attempts["State"].iloc[0] in ("FAILED", "OUT_OF_MEMORY")
    assert attempts["State"].iloc[1] == "COMPLETED"
    # The log of the job that failed, and of no other, is kept beside the logs, and says why.
    logs = {path.stem: path.read_text() for path in study.path("logs/slurm").rglob("*.log")}
    assert logs.keys() == {attempts.index[0]}, "\n".join(log[-3000:] for log in logs.values())
    assert "exceeded memory limit" in logs[attempts.index[0]]


def test_without_gpus_networks_run_on_the_other_nodes_and_say_the_same(without_gpu, on_slurm):
    study, jobs = without_gpu
    (job,) = jobs.itertuples()
    assert job.Comment == "rule_classify_sites_wildcards_unstrained"
    assert job.Partition == "cpu" and "gpu" not in job.AllocTRES
    place = places(study).set_index("job").loc[job.Index]
    assert pd.isna(place["devices"]) and place["node"] == job.NodeList
    log = place["path"].read_text()
    assert "GPUs granted: 0; devices seen: CPU\n" in log and "TensorFlow sees none" not in log
    sites = "predictions/unstrained.parquet"
    assert study.path(sites).read_bytes() == on_slurm[0].path(sites).read_bytes()
