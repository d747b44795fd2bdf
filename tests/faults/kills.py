"""Faults: `kill -9` of a job, or of the whole run, in every stage."""

import os
import random
import signal
import time
from contextlib import suppress
from pathlib import Path

from tests.faults.outcome import Bench, Outcome, line_with
from tests.faults.study import Run, removed, run

#: Seconds in which a job must have begun.
_BEGIN_S = 120
#: Stage, the adapter that is killed, and the products it makes.
STAGES = {
    "simulation": ("simulate_panorama", ("panoramas/rendered.*", "truth/rendered.*")),
    "import": ("import_panorama", ("panoramas/imported.*",)),
    "denoising": ("denoise_panorama", ("denoised/*",)),
    "candidates": ("find_candidates", ("candidates/*.parquet", "candidates/*.json")),
    "descriptors": ("describe_candidates", ("candidates/*.descriptors.parquet",)),
    "clips": ("cut_clips", ("clips/*",)),
    "training": ("train_network", ("models/inclusion.*",)),
    "descent": ("train_network", ("models/damage.*",)),
    "evaluation": (
        "predict_held_out",
        tuple(f"evaluation/{name}" for name in ("predictions.*", "scores.*", "confusion.*")),
    ),
    "classification": ("classify_sites", ("predictions/*",)),
    "statistics": ("summarise_sites", ("statistics/*",)),
    "figures": ("draw_gallery", ("figures/gallery.*",)),
}


def kill_job(stage: str):
    """Return a fault: the process of a job is killed, Snakemake lives on."""

    def fault(bench: Bench, outcome: Outcome) -> None:
        _kill(bench, outcome, stage=stage, whole_run=False)

    return fault


def kill_run(stage: str):
    """Return a fault: Snakemake and all its jobs are killed at once."""

    def fault(bench: Bench, outcome: Outcome) -> None:
        _kill(bench, outcome, stage=stage, whole_run=True)

    return fault


def _kill(bench, outcome, *, stage, whole_run):
    """Kill once at a random time, and once as the first product is being written."""
    script, patterns = STAGES[stage]
    rng = random.Random(f"{stage} {whole_run}")
    folder = bench.copy(outcome.fault)
    targets = removed(folder, *patterns)
    lasts_s = _usual_seconds(bench.study, script, stage)
    points = []
    seconds = rng.uniform(0.1, 0.9) * lasts_s
    tries = [_random_time(seconds / 2**n) for n in range(4)], [_first_write(folder, patterns)] * 4
    for waits in tries:
        going, pid, met_s = _met(folder, targets, script=script, patterns=patterns, waits=waits)
        points.append(f"{met_s:.2f} s")
        if whole_run:
            going.kill()
            ended = going.end()
        else:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
            ended = going.end()
        bench.look_for_halves(folder, outcome)
        if whole_run:
            refused = run(folder, *targets)
            if "--unlock" not in refused.said:
                outcome.problems.append(f"unlocking is not explained: {refused.said[-1500:]}")
            outcome.noticed = line_with(refused.said, "--unlock")
            run(folder, "--unlock")
        else:
            outcome.noticed = line_with(ended.said, "Error in rule")
            if ended.code == 0:
                outcome.problems.append("the run did not notice that its job was killed")
    outcome.done = f"kill -9 of {script} after {' and '.join(points)}"
    checkpoint = list((folder / "results/models").glob(".*.checkpoint.npz"))
    last = bench.recover(folder, outcome, *targets)
    if stage == "descent":
        log = (folder / "results/logs/train_network/damage.log").read_text()
        resumed = line_with(log, "continuing after epoch")
        outcome.noticed += f"; {resumed or 'started anew'}"
        if checkpoint and not resumed and last.code == 0:
            outcome.problems.append("a checkpoint was there, and the training began anew")


def _met(folder, targets, *, script, patterns, waits):
    """Return a run and the process of its job, at the first of some points that is met."""
    for wait in waits:
        removed(folder, *patterns)
        going = Run(folder, *targets)
        pid = _job_of(going, script)
        begun = time.monotonic()
        wait(going)
        if going.running() and Path(f"/proc/{pid}").exists():
            return going, pid, time.monotonic() - begun
        # The machine was faster than in the undisturbed run.
        going.end()
    raise RuntimeError(f"{script} could not be met while it ran")


def _job_of(going, script):
    """Wait until the adapter runs, and return its process."""
    until = time.monotonic() + _BEGIN_S
    while time.monotonic() < until and going.running():
        if (pid := going.job(script)) is not None:
            return pid
        time.sleep(0.01)
    going.kill()
    raise RuntimeError(f"{script} did not begin: {going.said()[-3000:]}")


def _usual_seconds(study, script, stage):
    """Return how long the job took in the undisturbed run."""
    files = sorted((study / "results/benchmarks").glob(f"{script}*")) + sorted(
        (study / f"results/benchmarks/{script}").glob("*.tsv")
    )
    name = {"training": "inclusion", "descent": "damage"}.get(stage, "")
    table = next(path for path in files if path.suffix == ".tsv" and name in path.name)
    return float(table.read_text().splitlines()[1].split("\t")[0])


def _random_time(seconds):
    def wait(going):
        until = time.monotonic() + seconds
        while time.monotonic() < until and going.running():
            time.sleep(0.005)

    return wait


def _first_write(folder, patterns):
    """Wait for the first new file in the folders of the products, whatever its name."""
    places = sorted({(folder / "results" / pattern).parent for pattern in patterns})

    def seen():
        return {path for place in places if place.is_dir() for path in place.iterdir()}

    def wait(going):
        # What an earlier kill left half is written anew under the same name.
        before = {path: path.stat().st_mtime_ns for path in seen()}
        while going.running():
            with suppress(FileNotFoundError):
                if any(before.get(path) != path.stat().st_mtime_ns for path in seen()):
                    return
            time.sleep(0.001)

    return wait


def kill_often(bench: Bench, outcome: Outcome) -> None:
    """Kill a run from the beginning to the end at three random times."""
    rng = random.Random(7)
    folder = bench.copy(outcome.fault)
    removed(folder, "**/*")
    times = []
    for _ in range(3):
        going = Run(folder)
        seconds = rng.uniform(15, 70)
        times.append(f"{seconds:.0f} s")
        _random_time(seconds)(going)
        going.kill()
        going.end()
        bench.look_for_halves(folder, outcome)
        refused = run(folder)
        if "--unlock" not in refused.said:
            outcome.problems.append(f"unlocking is not explained: {refused.said[-1500:]}")
        outcome.noticed = line_with(refused.said, "--unlock")
        run(folder, "--unlock")
    outcome.done = f"kill -9 of the run after {', '.join(times)}"
    bench.recover(folder, outcome)
