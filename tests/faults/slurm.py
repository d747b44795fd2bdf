"""Faults of a cluster: cancelled jobs, lost nodes, and a controller that dies, on a real SLURM."""

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.faults.kills import STAGES
from tests.faults.outcome import Bench, Outcome, SkippedFault, line_with
from tests.faults.study import ROOT, Run, removed, run

_CLUSTER = ROOT / "tests/slurm/local_cluster.sh"
# With accounting, as clusters have it: the plugin turns to it where the controller does not answer.
_NODES = ("--cpus", "8", "--mem", "16000", "--gpus", "0", "--accounting")
# One job on each of two nodes, long enough to be hit.
_PATTERNS = (*STAGES["classification"][1], *STAGES["statistics"][1])
# Seconds after a disturbance in which an undisturbed run is long done.
_HANGS_S = 240
# The cluster has no GPU.
_PROFILE = (
    *("--workflow-profile", str(ROOT / "workflow/profiles/slurm")),
    *("--set-resources", "classify_sites:gpu=0"),
)


@contextmanager
def cluster(state: Path) -> Iterator[None]:
    """Run a cluster on this machine for a while."""
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        raise SkippedFault("a SLURM cluster needs Debian and the rights of root")
    started = subprocess.run(
        [str(_CLUSTER), "start", str(state), *_NODES],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=300,
        check=False,
    )
    try:
        if started.returncode:
            raise SkippedFault(f"no SLURM cluster: {started.stdout.strip().splitlines()[-1]}")
        yield
    finally:
        subprocess.run([str(_CLUSTER), "stop", str(state), "--purge"], timeout=120, check=False)


def _slurm(*words: str) -> str:
    done = subprocess.run(words, capture_output=True, text=True, timeout=60, check=False)
    return done.stdout + done.stderr


def _running_jobs() -> list[tuple[str, str]]:
    """Return number and node of the jobs that run."""
    lines = _slurm("squeue", "--noheader", "--states=RUNNING", "--format=%i %N").splitlines()
    return [tuple(line.split()) for line in lines if len(line.split()) == 2]


def _disturbed(bench: Bench, outcome: Outcome, disturb: Callable[[Run, Path], str]) -> None:
    """Run on a cluster, disturb it when jobs run, and see that the run or the next one finishes.

    The script itself is reached about six seconds after its job began.
    """
    folder = bench.copy(outcome.fault)
    state = bench.scratch / "slurm"
    with cluster(state):
        targets = removed(folder, *_PATTERNS)
        # Only the profile of the project decides what goes to the cluster.
        going = Run(folder, *targets, *_PROFILE, cores=False)
        until = time.monotonic() + 120
        while going.running() and time.monotonic() < until and not _running_jobs():
            time.sleep(0.3)
        time.sleep(6)
        outcome.done = disturb(going, state)
        bench.look_for_halves(folder, outcome)
        ended = going.end(_HANGS_S)
    (folder / "slurm.said").write_text(ended.said)
    outcome.noticed = line_with(ended.said, "SLURM-job") or "not at all"
    ends = {0: "finished", None: f"hung for {_HANGS_S} s"}
    outcome.noticed += f"; the run itself {ends.get(ended.code, 'failed')}"
    if ended.code is None:
        outcome.problems.append(f"the run hung: {ended.said[-3000:]}")
        run(folder, "--unlock")
    bench.recover(folder, outcome, *targets)


def cancelled_job(bench: Bench, outcome: Outcome) -> None:
    """Cancel a job as an impatient neighbour would."""

    def disturb(_going, _state):
        number, node = _running_jobs()[0]
        _slurm("scancel", number)
        return f"scancel of job {number} on {node}"

    _disturbed(bench, outcome, disturb)


def lost_node(state: str):
    """Return a fault: the node of a running job is drained, or set down."""

    def fault(bench: Bench, outcome: Outcome) -> None:
        def disturb(_going, _folder):
            number, node = _running_jobs()[0]
            _slurm("scontrol", "update", f"nodename={node}", f"state={state}", "reason=test")
            return f"node {node} set to {state} while job {number} ran on it"

        _disturbed(bench, outcome, disturb)

    return fault


def lost_controller(bench: Bench, outcome: Outcome) -> None:
    """Kill the controller while jobs run, and start it again after half a minute.

    The plugin that submits jobs asks the controller whether squeue may be used before it looks at
    them. Where that question falls into the gap, it takes sacct from then on, and without
    accounting waits for ever: then this fault is not survived by the run, but by the next one.
    """

    def disturb(_going, state):
        pid = int((state / "run/slurmctld.pid").read_text())
        os.kill(pid, signal.SIGKILL)
        time.sleep(30)
        subprocess.run(
            [str(_CLUSTER), "start", str(state), *_NODES],
            capture_output=True,
            timeout=120,
            check=False,
        )
        return "kill -9 of slurmctld while jobs ran, started again after 30 s"

    _disturbed(bench, outcome, disturb)
