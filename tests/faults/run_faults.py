"""Break runs of a small study on purpose, and show that nothing is lost.

    python tests/faults/run_faults.py [--only NAME ...] [--output FOLDER] [--list]

or `make faults`. A study of two small panoramas, one simulated and one imported, is run once
without disturbance. Each fault is then done to a copy of it from which the products of some stage
were removed. Faults that need a small disk or a read-only one mount it (root), those of SLURM start
a cluster on this machine (root, Debian); elsewhere they are skipped, and the table says why. All
faults together take about an hour on 2 cores, without SLURM about 40 minutes.

A fault is survived if all of this holds:

- it is noticed: the run that met it fails with words that tell what to do, if there is anything
  to do;
- between the fault and the next run, no product stands at its name that differs from the one of
  the undisturbed run, unless Snakemake knows that it is incomplete and will make it again;
- the same command, after at most the one command that the message tells, finishes;
- all products are then, byte for byte, those of the undisturbed run. Seconds in the cards and
  histories of networks, date and addresses in memory inside a network, logs and
  benchmarks do not count.

The table is printed and written to `faults.md` and `faults.tsv` in the output folder. The exit code
is 1 if a fault was not survived; what was said by that run is printed, and its folder kept. A call
with the output folder of an earlier one adds to its table, and uses its undisturbed study again if
neither the workflow nor the study was changed.
"""

import argparse
import csv
import hashlib
import json
import shutil
import signal
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "workflow/scripts")]

from tests.faults import inputs, kills, slurm, storage  # noqa: E402
from tests.faults.outcome import Bench, Fault, Outcome, SkippedFault, timed  # noqa: E402
from tests.faults.study import copied, kill_runs, products, run, write_study  # noqa: E402

COLUMNS = (
    "fault",
    "what was done",
    "noticed how",
    "rerun finished",
    "bytes equal to the undisturbed run",
    "half-written files found",
    "seconds",
    "survived",
)
FAULTS: dict[str, Fault] = {
    **{f"kill the job: {stage}": kills.kill_job(stage) for stage in kills.STAGES},
    **{f"kill the run: {stage}": kills.kill_run(stage) for stage in kills.STAGES},
    "kill the run: three times on the way": kills.kill_often,
    **{
        f"disk full: {stage}": storage.full_results(stage)
        for stage in ("simulation", "denoising", "clips", "descent", "descriptors", "figures")
    },
    "disk full: the study": storage.full_study,
    "read-only: results": storage.read_only("results"),
    "read-only: study": storage.read_only("."),
    "truncated image: before the start": inputs.truncated_before,
    "truncated image: after the check": inputs.truncated_meanwhile,
    "image replaced while it is read": inputs.replaced_meanwhile,
    "damaged network: flipped bit": inputs.damaged_model("damage", how="flipped", newer=False),
    "damaged network: flipped bit, newer": inputs.damaged_model(
        "inclusion", how="flipped", newer=True
    ),
    "damaged network: truncated": inputs.damaged_model("inclusion", how="truncated", newer=False),
    "damaged network: truncated, newer": inputs.damaged_model(
        "damage", how="truncated", newer=True
    ),
    "two runs in one folder": inputs.two_runs,
    "lock of a killed run": inputs.stale_lock,
    "clock: image ahead": inputs.ahead(inputs.IMAGE, "panoramas/imported.*"),
    "clock: product ahead": inputs.ahead(
        "results/denoised/imported.ome.tif", "candidates/imported.parquet"
    ),
    "clock: product behind": inputs.behind(
        "results/panoramas/imported.ome.tif", "panoramas/imported.*"
    ),
    "clock: later product behind": inputs.behind(
        "results/candidates/imported.parquet", "candidates/imported.*"
    ),
    "SLURM: a job is cancelled": slurm.cancelled_job,
    "SLURM: a node is drained": slurm.lost_node("drain"),
    "SLURM: a node is set down": slurm.lost_node("down"),
    "SLURM: the controller is killed": slurm.lost_controller,
}


def make_bench(output: Path, *targets: str) -> Bench:
    """Run the study without disturbance, or take what an earlier call with the same code left."""
    output = output.resolve()
    study, key = output / "undisturbed", output / "undisturbed.json"
    state = [*targets, _state_of_the_code()]
    if not key.exists() or json.loads(key.read_text()) != state:
        shutil.rmtree(study, ignore_errors=True)
        ended = run(write_study(study), *targets)
        if ended.code != 0:
            raise SystemExit(f"The undisturbed run failed:\n{ended.said[-6000:]}")
        key.write_text(json.dumps(state))
        print(f"undisturbed run: {ended.seconds:.0f} s", flush=True)
    bench = Bench(study=study, sound=products(study), scratch=output / "broken")
    again = run(copied(study, output / "broken/copy"), *targets, "--dry-run")
    if "Nothing to be done" not in again.said:
        raise SystemExit(f"A copy of the study is not taken for finished:\n{again.said[-4000:]}")
    return bench


def _state_of_the_code():
    files = [Path(__file__).with_name("study.py"), *sorted((ROOT / "workflow").rglob("*.*"))]
    texts = (path.read_bytes() for path in files if path.suffix in (".py", ".smk"))
    return hashlib.sha256(b"".join(texts)).hexdigest()


def do(name: str, bench: Bench) -> Outcome:
    """Do a fault and return what came of it."""
    outcome = Outcome(fault=name, done="")
    with timed(outcome):
        try:
            FAULTS[name](bench, outcome)
        except SkippedFault as reason:
            outcome.skipped = str(reason)
        except Exception as error:
            outcome.problems.append(f"{type(error).__name__}: {error}")
    if outcome.survived:
        shutil.rmtree(bench.copy_path(name), ignore_errors=True)
    return outcome


def cells(outcome: Outcome) -> list[str]:
    """Return a row of the table."""
    if outcome.skipped:
        return [outcome.fault, f"skipped: {outcome.skipped}", *[""] * 5, "skipped"]
    return [
        outcome.fault,
        outcome.done,
        outcome.noticed,
        "yes" if outcome.finished else "no",
        "yes" if not outcome.different else f"no: {', '.join(outcome.different[:5])}",
        ", ".join(outcome.half_written) or "none",
        f"{outcome.seconds:.0f}",
        "yes" if outcome.survived else "NO",
    ]


def write_tables(outcomes: list[Outcome], folder: Path) -> str:
    """Write the table, with the faults of earlier calls, and return it as Markdown."""
    path = folder / "faults.tsv"
    found = {}
    if path.exists():
        with path.open(newline="") as file:
            found = {row[0]: row for row in list(csv.reader(file, delimiter="\t"))[1:]}
    for outcome in outcomes:
        row = [one.replace("\t", " ").replace("\n", " ") for one in cells(outcome)]
        found[outcome.fault] = row
    rows = [found[name] for name in FAULTS if name in found]
    with path.open("w", newline="") as file:
        csv.writer(file, delimiter="\t").writerows([COLUMNS, *rows])
    lines = [COLUMNS, ["---"] * len(COLUMNS), *([c.replace("|", "/") for c in row] for row in rows)]
    text = "".join(f"| {' | '.join(line)} |\n" for line in lines)
    (folder / "faults.md").write_text(text)
    return text


def _stop(number, _frame):
    """End what was started, then this program, with mounts taken down on the way."""
    kill_runs()
    sys.exit(128 + number)


def main() -> int:
    """Do the faults that were asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", nargs="+", metavar="NAME", help="faults whose names begin so")
    parser.add_argument("--output", type=Path, metavar="FOLDER", help="kept; a temporary one else")
    parser.add_argument("--list", action="store_true", help="print the names of all faults")
    given = parser.parse_args()
    names = [name for name in FAULTS if not given.only or name.startswith(tuple(given.only))]
    if given.list or not names:
        print("\n".join(FAULTS))
        return 0 if given.list else 2
    signal.signal(signal.SIGTERM, _stop)
    output = given.output or Path(tempfile.mkdtemp(prefix="faults-"))
    output.mkdir(parents=True, exist_ok=True)
    bench = make_bench(output)
    outcomes = []
    for name in names:
        outcomes.append(do(name, bench))
        last = outcomes[-1]
        state = "skipped" if last.skipped else "survived" if last.survived else "LOST"
        print(f"{len(outcomes)}/{len(names)} {name}: {state}, {last.seconds:.0f} s", flush=True)
        print("".join(f"{problem}\n" for problem in last.problems), end="", flush=True)
        text = write_tables(outcomes, output)
    print(f"\n{text}")
    return 0 if all(outcome.survived for outcome in outcomes) else 1


if __name__ == "__main__":
    sys.exit(main())
