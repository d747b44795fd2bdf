"""Whole studies, run as a user runs them: in a folder of their own, by the command line."""

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import yaml
from PIL import Image

from tests.made_images import simulated

ROOT = Path(__file__).parents[2]
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
                *(sys.executable, "-m", "snakemake", "--cores", "2"),
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


@pytest.fixture
def study(tmp_path) -> Study:
    """Return an empty study."""
    return Study(tmp_path)


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


@pytest.fixture(scope="session")
def small_study(tmp_path_factory) -> Study:
    """Return a small simulated study that has been run, with a denoiser."""
    study = Study(tmp_path_factory.mktemp("small"))
    return study.configure(SMALL | {"denoise": {"method": "gaussian"}}, *SMALL_ROWS).finish()


#: Names that a careless reader of tables takes for a number and for nothing.
GRID, BLANK = "06", "NA"
TILE = 768
COLUMNS, ROWS = 4, 3
MISSING = {(3, 0), (1, 2)}


@pytest.fixture(scope="session")
def imported_study(tmp_path_factory):
    """Return a study of a grid of PNG tiles and a blank 16-bit image, cross-validated."""
    folder = tmp_path_factory.mktemp("imported")
    data = folder / "data"
    (data / "tiles").mkdir(parents=True)
    truth, pixels = simulated(
        folder,
        panorama=GRID,
        shape=(TILE * ROWS, TILE * COLUMNS),
        pixel_size_nm=40,
        seed=11,
        dwell_time_ns=3000,
    )
    grid = ["file\tcolumn\trow"]
    for column in range(COLUMNS):
        for row in range(ROWS):
            if (column, row) not in MISSING:
                tile = pixels[row * TILE : (row + 1) * TILE, column * TILE : (column + 1) * TILE]
                Image.fromarray(tile).save(data / f"tiles/im{column}{row}.png")
                grid.append(f"im{column}{row}.png\t{column}\t{row}")
    (data / "grid.tsv").write_text("\n".join(grid) + "\n")
    cells = list(zip(truth["x_px"] // TILE, truth["y_px"] // TILE, strict=True))
    labels = ["file\tx_px\ty_px\tsays"]
    for (column, row), site in zip(cells, truth.itertuples(), strict=True):
        if (int(column), int(row)) not in MISSING:
            labels.append(
                f"im{int(column)}{int(row)}.png\t{site.x_px % TILE:.1f}\t{site.y_px % TILE:.1f}\t"
                f"{site.true_class}"
            )
    labels.append("im00.png\t5\t5\t")
    (data / "labels.tsv").write_text("\n".join(labels) + "\n")
    # Bright everywhere, so that there is nothing to be found; 16-bit, so that it is converted.
    rng = np.random.default_rng(3)
    blank = rng.normal(30000, 800, (600, 700)).astype(np.uint16)
    Image.fromarray(blank).save(data / "blank.tif")
    study = Study(folder).configure(
        {
            "study": "imported",
            "data_folder": str(data),
            "labels": [
                {
                    "path": "labels.tsv",
                    "panorama": GRID,
                    "columns": {"label": "says", "tile": "file"},
                }
            ],
            "split": {"folds": 3, "block": f"{TILE} px"},
            # One stage descends the gradient, the other one does not.
            "damage": {"network": "compact"},
            "training": {"epochs": 3},
        },
        f"{GRID}\tgrid.tsv\ttiles\t40\t",
        f"{BLANK}\tblank.tif\t\t40\t3",
    )
    return study.finish(), pixels, len(labels) - 2
