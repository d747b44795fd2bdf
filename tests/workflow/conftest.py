"""Whole studies that several tests open, each run once, whichever process asks for it first."""

import fcntl
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.made_images import simulated
from tests.studies import SMALL, SMALL_ROWS, Study


@pytest.fixture(scope="session")
def made_once(tmp_path_factory, worker_id) -> Callable[[str, Callable[[Study], object]], Study]:
    """Return a function that makes a study which all test processes share.

    Nobody changes it: a test that runs anything works on a copy.
    """
    own = tmp_path_factory.getbasetemp()
    shared = own if worker_id == "master" else own.parent

    def make(name: str, run: Callable[[Study], object]) -> Study:
        folder = shared / name
        with Path(f"{folder}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not folder.exists():
                folder.mkdir()
                run(Study(folder))
            elif not (folder / "said.txt").exists():
                pytest.fail(f"The study {name} failed in another test.")
        return Study(folder)

    return make


@pytest.fixture(scope="session")
def small_study(made_once) -> Study:
    """Return a small simulated study that has been run, with a denoiser."""
    config = SMALL | {"denoise": {"method": "gaussian"}}
    return made_once("small", lambda study: study.configure(config, *SMALL_ROWS).finish())


#: Names that a careless reader of tables takes for a number and for nothing.
GRID, BLANK = "06", "NA"
TILE = 768
COLUMNS, ROWS = 4, 3
MISSING = {(3, 0), (1, 2)}


@pytest.fixture(scope="session")
def imported_study(made_once):
    """Return a study of a grid of tiles, the image they were cut from, and its number of labels."""
    study = made_once("imported", run_imported)
    labels = (study.folder / "data/labels.tsv").read_text().splitlines()
    # One line is the header, another one has no answer.
    return study, np.load(study.folder / "pixels.npy"), len(labels) - 2


def run_imported(study):
    """Run a study of a grid of PNG tiles and a blank 16-bit image, cross-validated."""
    folder = study.folder
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
    np.save(folder / "pixels.npy", pixels)
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
    study.configure(
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
    study.finish()
