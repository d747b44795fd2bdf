"""The small study that faults are done to, how it is run, and what of it must not change."""

import csv
import hashlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
import zipfile
from base64 import b64decode
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import yaml
from PIL import Image

from tests.made_images import simulated

ROOT = Path(__file__).parents[2]
#: Seconds after which a run counts as hanging.
TIMEOUT_S = 600
_GOING: "set[Run]" = set()
# Logs and benchmarks tell times, as do histories of training and the notes about the user's files.
_TIMED = {"logs", "benchmarks", "sources"}
CONFIG = {
    "study": "faults",
    "data_folder": "data",
    "labels": [{"path": "labels.tsv"}],
    "simulation": {
        "width_px": 2048,
        "height_px": 1536,
        "labelled_fraction": 0.7,
        "labels_per_class": 12,
    },
    "denoise": {"method": "gaussian"},
    "split": {"folds": 3, "block": "15 um"},
    # One network descends the gradient and has checkpoints, the other one does not.
    "damage": {"network": "compact"},
    "training": {"epochs": 6, "refit": False},
}
SHEET = (
    "panorama\tpath\tpixel_size_nm\tstrain_percent\n"
    "rendered\tsimulated\t40\t6\n"
    "imported\timported.png\t40\t12\n"
)


def write_study(folder: Path) -> Path:
    """Write the configuration, the sheet, an image and the labels of the study."""
    (folder / "config").mkdir(parents=True)
    (folder / "data").mkdir()
    (folder / "config/config.yaml").write_text(yaml.safe_dump(CONFIG))
    (folder / "config/panoramas.tsv").write_text(SHEET)
    with TemporaryDirectory() as made:
        truth, pixels = simulated(
            Path(made),
            panorama="imported",
            shape=(1536, 2048),
            pixel_size_nm=40,
            seed=11,
            dwell_time_ns=3000,
        )
    Image.fromarray(pixels).save(folder / "data/imported.png")
    labels = truth[["panorama", "x_px", "y_px", "true_class"]].rename(
        columns={"true_class": "label"}
    )
    labels.to_csv(folder / "data/labels.tsv", sep="\t", index=False, float_format="%.1f")
    return folder


@dataclass(frozen=True)
class Ended:
    """A run that has ended: its exit code, and what it said on both streams."""

    code: int
    said: str
    seconds: float


class Run:
    """A run of the workflow in a folder, in a session of its own, beside this program."""

    def __init__(self, folder: Path, *arguments: str, cores: bool = True, prefix: tuple = ()):
        self.folder = folder
        self._started = time.monotonic()
        self._said = (folder.parent / f"{folder.name}.said").open("w+", errors="replace")
        command = [
            *(*prefix, sys.executable, "-m", "snakemake"),
            *(("--cores", "2") if cores else ()),
            *("--snakefile", str(ROOT / "workflow/Snakefile")),
            *("--directory", str(folder), "--nocolor", *arguments),
        ]
        self.process = subprocess.Popen(
            command, cwd=ROOT, stdout=self._said, stderr=subprocess.STDOUT, start_new_session=True
        )
        _GOING.add(self)

    def said(self) -> str:
        """Return all that was said so far."""
        self._said.flush()
        return Path(self._said.name).read_text(errors="replace")

    def running(self) -> bool:
        """Tell whether the run goes on."""
        return self.process.poll() is None

    def end(self, timeout_s: float = TIMEOUT_S) -> Ended:
        """Wait for the end; a run that hangs is killed."""
        try:
            code = self.process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            self.kill()
            code = None
        _GOING.discard(self)
        said = self.said()
        self._said.close()
        return Ended(code, said, time.monotonic() - self._started)

    def kill(self) -> None:
        """Kill the run and all that it started, as `kill -9` does."""
        # Those that were stopped cannot start others meanwhile.
        pids = [self.process.pid, *descendants(self.process.pid)]
        for number in (signal.SIGSTOP, signal.SIGKILL):
            for pid in {*pids, *descendants(self.process.pid)}:
                with suppress(ProcessLookupError):
                    os.kill(pid, number)
        self.process.wait()

    def job(self, *scripts: str) -> int | None:
        """Return the process of a job that runs one of these adapters, None if there is none."""
        endings = tuple(f".{name}.py" for name in scripts)
        for pid in descendants(self.process.pid):
            with suppress(OSError):
                words = Path(f"/proc/{pid}/cmdline").read_bytes().decode().split("\0")
                # The shell that starts it has the name in the middle of its words.
                if "python" in words[0] and any(word.endswith(endings) for word in words):
                    return pid
        return None


def kill_runs() -> None:
    """Kill all runs that go on."""
    for going in list(_GOING):
        going.kill()


def run(folder: Path, *arguments: str, **options) -> Ended:
    """Run the workflow to its end."""
    return Run(folder, *arguments, **options).end()


def removed(folder: Path, *patterns: str) -> list[str]:
    """Remove products, and return their names as targets of a run."""
    found = (path for pattern in patterns for path in folder.glob(f"results/{pattern}"))
    paths = sorted(path for path in found if path.is_file())
    for path in paths:
        path.unlink()
    return [str(path.relative_to(folder)) for path in paths]


def descendants(pid: int) -> list[int]:
    """Return the processes below one, from the oldest on."""
    parents = {}
    for path in Path("/proc").iterdir():
        if path.name.isdigit():
            with suppress(OSError):
                # The name of a program may hold spaces and brackets.
                fields = (path / "stat").read_text().rpartition(")")[2].split()
                parents.setdefault(int(fields[1]), []).append(int(path.name))
    found = []
    waiting = [pid]
    while waiting:
        children = parents.get(waiting.pop(), [])
        found += children
        waiting += children
    return sorted(found)


def copied(study: Path, folder: Path) -> Path:
    """Copy a study with its results, times of files included."""
    shutil.rmtree(folder, ignore_errors=True)
    return Path(shutil.copytree(study, folder, symlinks=True))


def products(folder: Path) -> dict[str, str]:
    """Return a checksum of the content of every product, by its path below the study."""
    found = {}
    for path in sorted((folder / "results").rglob("*")):
        name = path.relative_to(folder)
        if path.is_file() and not _TIMED & set(name.parts) and not path.name.startswith("."):
            found[str(name)] = checksum(path)
    return found


def checksum(path: Path) -> str:
    """Return a checksum of what a product says, without the time that its making took."""
    try:
        content = _content(path)
    except (ValueError, KeyError, zipfile.BadZipFile, csv.Error):
        content = path.read_bytes()
    return hashlib.sha256(content).hexdigest()


def _content(path):
    if path.suffix == ".keras":
        return b"".join(_members(path))
    if path.suffix == ".json" and path.parent.name in ("models", "folds"):
        card = json.loads(path.read_text())
        for key in ("training_s", "sites_per_s"):
            del card[key]
        return json.dumps(card).encode()
    if path.suffix == ".json" and path.parent.name == "panoramas":
        record = json.loads(path.read_text())
        # A copy of the study holds the same files since another time.
        record["sources"] = [(one["file"], one["sha256"]) for one in record["sources"]]
        return json.dumps(record).encode()
    if path.name.endswith(".history.tsv"):
        with path.open(newline="") as file:
            rows = list(csv.DictReader(file, delimiter="\t"))
        return json.dumps([{**row, "seconds": None} for row in rows]).encode()
    return path.read_bytes()


def _members(path):
    """Return what is in a model, without the time and the memory in which it was saved."""
    with zipfile.ZipFile(path) as archive:
        for name in sorted(archive.namelist()):
            content = archive.read(name)
            if name == "metadata.json":
                content = json.dumps(json.loads(content) | {"date_saved": None}).encode()
            content = re.sub(rb'"shared_object_id": \d+', b"", content)
            yield name.encode() + content


def incomplete(folder: Path) -> set[str]:
    """Return the products that Snakemake knows to be cut off."""
    marks = (folder / ".snakemake/incomplete").glob("**/*")
    # Long names are spread over folders, whose names begin with an @.
    return {
        b64decode(
            "".join(part.removeprefix("@") for part in mark.relative_to(folder).parts[2:]),
            altchars=b"-_",
        ).decode()
        for mark in marks
        if mark.is_file() and "migration" not in mark.name
    }


def half_written(folder: Path, sound: dict[str, str]) -> list[str]:
    """Return products at their names that are not what they should be, and would be believed."""
    return sorted(
        name
        for name, content in products(folder).items()
        if content != sound.get(name) and name not in incomplete(folder)
    )


def differences(folder: Path, sound: dict[str, str]) -> list[str]:
    """Return products that are missing, or not those of the undisturbed run."""
    found = products(folder)
    return sorted(name for name in {*found, *sound} if found.get(name) != sound.get(name))
