"""Faults: images that are cut off or change, damaged networks, and clocks that are wrong."""

import os
import shlex
import shutil
import subprocess
import time
from contextlib import suppress
from pathlib import Path

from PIL import Image, ImageOps

from tests.faults.kills import STAGES
from tests.faults.outcome import Bench, Outcome, expect
from tests.faults.study import Run, removed, run

IMAGE = "data/imported.png"
_HOUR_S = 3600


def truncated_before(bench: Bench, outcome: Outcome) -> None:
    """Cut an image off before the run starts."""
    folder = bench.copy(outcome.fault)
    targets = removed(folder, *STAGES["import"][1])
    whole = _cut_off(folder / IMAGE)
    ended = run(folder, *targets)
    expect(outcome, ended, f"{IMAGE} is ", "Copy the file again")
    (folder / IMAGE).write_bytes(whole)
    outcome.done = f"two thirds of {IMAGE} before the start"
    bench.recover(folder, outcome, *targets)


def truncated_meanwhile(bench: Bench, outcome: Outcome) -> None:
    """Cut an image off after it was checked, before its job reads it."""
    folder = bench.copy(outcome.fault)
    targets = removed(folder, *STAGES["import"][1])
    going = Run(folder, *targets)
    _wait_for(lambda: going.job("import_panorama"), going)
    whole = _cut_off(folder / IMAGE)
    ended = going.end()
    expect(outcome, ended, f"{IMAGE} is ", "Copy the file again")
    (folder / IMAGE).write_bytes(whole)
    outcome.done = f"two thirds of {IMAGE} after the check at the start"
    bench.recover(folder, outcome, *targets)


def replaced_meanwhile(bench: Bench, outcome: Outcome) -> None:
    """Put the right image in the place of another, with its old time, while that one is read."""
    folder = bench.copy(outcome.fault)
    targets = removed(folder, *STAGES["import"][1])
    path, right = folder / IMAGE, folder / "right.png"
    shutil.copy2(path, right)
    ImageOps.invert(Image.open(right)).save(path)
    going = Run(folder, *targets)
    parts = folder / "results/panoramas"
    # By then a PNG has been read whole.
    _wait_for(lambda: any(map(_is_long, parts.glob(".partial.*.imported.ome.tif"))), going)
    # The product will be younger than this file, and so pass for made from it.
    shutil.copy2(right, path)
    ended = going.end()
    right.unlink()
    expect(outcome, ended, "changed while it was read", IMAGE)
    outcome.done = f"{IMAGE} copied over with an older time while another one was imported"
    bench.recover(folder, outcome, *targets)


def _is_long(path):
    with suppress(FileNotFoundError):
        return path.stat().st_size > 20_000
    return False


def _cut_off(path):
    whole = path.read_bytes()
    os.truncate(path, len(whole) * 2 // 3)
    return whole


def _wait_for(condition, going):
    until = time.monotonic() + 120
    while going.running() and time.monotonic() < until and not condition():
        time.sleep(0.002)


def damaged_model(name: str, *, how: str, newer: bool):
    """Return a fault: a trained network is damaged, and sites are to be classified."""

    def fault(bench: Bench, outcome: Outcome) -> None:
        folder = bench.copy(outcome.fault)
        path = folder / f"results/models/{name}.keras"
        about, content = path.stat(), bytearray(path.read_bytes())
        if how == "truncated":
            content = content[: len(content) // 2]
        else:
            content[len(content) // 2] ^= 0x10
        path.write_bytes(content)
        if not newer:
            os.utime(path, ns=(about.st_atime_ns, about.st_mtime_ns))
        targets = removed(folder, *STAGES["classification"][1])
        ended = run(folder, *targets)
        expect(outcome, ended, f"{name}.keras cannot be read", "Delete it and run again")
        path.unlink()
        time_told = "a new time" if newer else "its old time"
        outcome.done = f"{name}.keras {how}, with {time_told}; deleted as told"
        model = str(path.relative_to(folder))
        bench.recover(folder, outcome, model, *targets)

    return fault


def ahead(name: str, *patterns: str):
    """Return a fault: a file carries a time that is an hour in the future."""

    def fault(bench: Bench, outcome: Outcome) -> None:
        folder = bench.copy(outcome.fault)
        targets = removed(folder, *patterns)
        _shift(folder / name, _HOUR_S)
        ended = run(folder, *targets)
        expect(outcome, ended, "in the future", name, "touch ")
        told = next((one for one in ended.said.splitlines() if one.startswith("touch ")), "true")
        subprocess.run(shlex.split(told), cwd=folder, check=True)
        outcome.done = f"{name} an hour ahead; then `{told}`"
        bench.recover(folder, outcome, *targets)
        _require_rest(folder, outcome, *targets)

    return fault


def behind(name: str, *patterns: str):
    """Return a fault: a product carries a time that is before that of what it was made from."""

    def fault(bench: Bench, outcome: Outcome) -> None:
        folder = bench.copy(outcome.fault)
        targets = [
            str(path.relative_to(folder))
            for pattern in patterns
            for path in sorted(folder.glob(f"results/{pattern}"))
        ]
        _shift(folder / name, -30 * 24 * _HOUR_S)
        outcome.done = f"{name} a month behind"
        ended = bench.recover(folder, outcome, *targets)
        made = ended.said.count("localrule ") + ended.said.count("\nrule ")
        outcome.noticed = f"{made} job(s) run again, then nothing"
        _require_rest(folder, outcome, *targets)

    return fault


def _shift(path: Path, seconds: float):
    now = time.time() + seconds
    os.utime(path, (now, now))


def _require_rest(folder, outcome, *targets):
    """Note whether another run would find something to do."""
    again = run(folder, *targets, "--dry-run")
    if "Nothing to be done" not in again.said:
        outcome.problems.append(f"the next run works again: {again.said[-2000:]}")


def two_runs(bench: Bench, outcome: Outcome) -> None:
    """Start a second run in the folder of one that is going on."""
    folder = bench.copy(outcome.fault)
    targets = removed(folder, *STAGES["descent"][1], *STAGES["statistics"][1])
    going = Run(folder, *targets)
    _wait_for(lambda: going.job("summarise_sites", "train_network"), going)
    ended = run(folder, *targets)
    expect(outcome, ended, "cannot be locked", "no other Snakemake process")
    first = going.end()
    if first.code != 0:
        outcome.problems.append(f"the first run was disturbed: {first.said[-2000:]}")
    outcome.done = "a second run while a network was trained"
    bench.recover(folder, outcome, *targets)


def stale_lock(bench: Bench, outcome: Outcome) -> None:
    """Leave the lock of a killed run behind."""
    folder = bench.copy(outcome.fault)
    targets = removed(folder, *STAGES["candidates"][1])
    going = Run(folder, *targets)
    _wait_for(lambda: going.job("find_candidates"), going)
    going.kill()
    going.end()
    expect(outcome, run(folder, *targets), "cannot be locked", "--unlock")
    run(folder, "--unlock")
    outcome.done = "kill -9 of a run; then `snakemake --unlock` as told"
    bench.recover(folder, outcome, *targets)
