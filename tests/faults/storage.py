"""Faults: a disk that is full, and folders that cannot be written."""

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tests.faults.kills import STAGES
from tests.faults.outcome import Bench, Outcome, SkippedFault, expect
from tests.faults.study import Run, removed, run

#: Room that is left on the full disk: enough for logs, too little for the products.
LEFT_BYTES = 8192


@contextmanager
def mounted(folder: Path, *arguments: str) -> Iterator[None]:
    """Mount something on a folder for a while."""
    done = subprocess.run(["mount", *arguments, str(folder)], capture_output=True, check=False)
    if done.returncode:
        raise SkippedFault(f"mounting is not possible here: {done.stderr.decode().strip()}")
    try:
        yield
    finally:
        subprocess.run(["umount", str(folder)], check=True)


@contextmanager
def small_disk(folder: Path, *, megabytes: int) -> Iterator[Path]:
    """Move what is in a folder to a small disk of its own, and back at the end."""
    moved = folder.rename(folder.with_name(f"{folder.name}.moved"))
    folder.mkdir()
    try:
        with mounted(folder, "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs"):
            shutil.copytree(moved, folder, symlinks=True, dirs_exist_ok=True)
            yield folder / ".ballast"
            shutil.rmtree(moved)
            shutil.copytree(folder, moved, symlinks=True)
    finally:
        shutil.rmtree(folder)
        moved.rename(folder)


def fill(ballast: Path, *, left_bytes: int = LEFT_BYTES) -> None:
    """Fill the disk of a file but for some bytes."""
    with ballast.open("wb") as file, suppress(OSError):
        while (free := shutil.disk_usage(ballast.parent).free) > left_bytes:
            file.write(bytes(min(free - left_bytes, 2**20)))
            file.flush()


def full_results(stage: str):
    """Return a fault: the disk of the results is full when a stage writes."""

    def fault(bench: Bench, outcome: Outcome) -> None:
        folder = bench.copy(outcome.fault)
        _, patterns = STAGES[stage]
        with small_disk(folder / "results", megabytes=200) as ballast:
            targets = removed(folder, *patterns)
            fill(ballast)
            ended = run(folder, *targets)
            expect(outcome, ended, "the disk is full", "Free some space and run again")
            ballast.unlink()
            bench.recover(folder, outcome, *targets)
        outcome.done = f"{LEFT_BYTES // 1024} KiB left below results/, products of {stage} wanted"

    return fault


def full_study(bench: Bench, outcome: Outcome) -> None:
    """Fill the disk of the whole study while a run is going on."""
    folder = bench.copy(outcome.fault)
    with small_disk(folder, megabytes=200) as ballast:
        targets = removed(folder, *STAGES["denoising"][1], *STAGES["candidates"][1])
        going = Run(folder, *targets)
        until = time.monotonic() + 120
        while going.running() and time.monotonic() < until and not going.job("denoise_panorama"):
            time.sleep(0.01)
        fill(ballast, left_bytes=0)
        ended = going.end()
        # Either the job was the first to meet it, or Snakemake itself.
        told = "the disk is full" if "the disk is full" in ended.said else "No space left on device"
        expect(outcome, ended, told)
        ballast.unlink()
        # Where no lock could be removed, the message says how.
        if "--unlock" in run(folder, *targets, "--dry-run").said:
            run(folder, "--unlock")
        bench.recover(folder, outcome, *targets)
    outcome.done = "no byte left below the study from the middle of denoising on"


def read_only(name: str):
    """Return a fault: a folder of the study cannot be written."""

    def fault(bench: Bench, outcome: Outcome) -> None:
        if os.geteuid() != 0:
            raise SkippedFault("mounting needs the rights of root")
        folder = bench.copy(outcome.fault)
        targets = removed(folder, *STAGES["candidates"][1])
        place = folder / name
        with mounted(place, "--bind", str(place)):
            subprocess.run(["mount", "-o", "remount,ro,bind", str(place)], check=True)
            ended = run(folder, *targets)
        expect(outcome, ended, "Read-only file system")
        outcome.done = f"{name} mounted read-only, products of candidates wanted"
        bench.recover(folder, outcome, *targets)

    return fault
