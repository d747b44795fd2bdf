"""A study as a user has it: a folder of its own, run by the command line."""

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[1]
#: Processes of tests share the cores of the machine.
CORES = "1" if "PYTEST_XDIST_WORKER" in os.environ else "2"
HEADER = "panorama\tpath\ttile_folder\tpixel_size_nm\tstrain_percent"


@dataclass(frozen=True)
class Study:
    """A folder with a configuration and a sheet, and what the last run of it said."""

    folder: Path
    #: Folder of the workflow that runs it.
    root: Path = ROOT

    def configure(self, config: dict, *rows: str, header: str = HEADER) -> "Study":
        """Write the configuration and, if rows are given, the sample sheet."""
        (self.folder / "config").mkdir(parents=True, exist_ok=True)
        (self.folder / "config/config.yaml").write_text(yaml.safe_dump(config, sort_keys=False))
        if rows:
            text = "\n".join([header, *rows]) + "\n"
            (self.folder / "config/panoramas.tsv").write_text(text)
        return self

    def run(self, *arguments: str) -> subprocess.CompletedProcess:
        """Run the workflow; the output of both streams is in `stdout`."""
        return subprocess.run(
            [
                *(sys.executable, "-m", "snakemake", "--cores", CORES),
                *("--snakefile", str(self.root / "workflow/Snakefile")),
                *("--directory", str(self.folder), *arguments),
            ],
            cwd=self.root,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=2400,
            check=False,
        )

    def finish(self, *arguments: str) -> "Study":
        """Run the workflow and fail the test with its output if it fails.

        What the first run says is kept in the folder.
        """
        done = self.run(*arguments)
        assert done.returncode == 0, done.stdout[-6000:]
        if not (self.folder / "said.txt").exists():
            (self.folder / "said.txt").write_text(done.stdout)
        return self

    def copied(self, folder: Path) -> "Study":
        """Return a copy in a folder that is not there yet."""
        shutil.copytree(self.folder, folder, symlinks=True)
        return Study(folder, root=self.root)

    def path(self, name: str) -> Path:
        """Return the path of a product."""
        return self.folder / "results" / name

    def files(self) -> dict[str, bytes]:
        """Return the contents of all tables by their path below results/."""
        results = self.folder / "results"
        return {
            str(path.relative_to(results)): path.read_bytes()
            for path in sorted(results.rglob("*"))
            if path.suffix in (".tsv", ".parquet", ".txt")
            and not {"benchmarks", "logs"} & set(path.relative_to(results).parts)
            # A history tells how many seconds an epoch took.
            and not path.name.endswith(".history.tsv")
        }


#: Two small simulated panoramas: sites enough to split and train every class, not to be good.
SMALL = {
    "simulation": {
        "width_px": 3072,
        "height_px": 2048,
        "labelled_fraction": 0.7,
        "labels_per_class": 12,
    },
    # One fold alone, as a study of networks that train for hours has it; others hold out all.
    "split": {"folds": 3, "block": "15 um", "cross_validate": False},
    "training": {"refit": False},
}
SMALL_ROWS = ("unstrained\tsimulated\t\t40\t0", "strained\tsimulated\t\t40\t12")
