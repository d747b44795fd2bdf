"""Run studies of several sizes, whose benchmark files tell what each rule costs.

Usage: python benchmarks/measure_unit_costs.py --output FOLDER [--megapixels 6 25 50 100]
           [--only NAME ...]

Each study lies in a folder of its own below FOLDER: simulated steel at 0 and 12 % strain by size,
then studies that import, stitch, denoise and classify what was simulated, and studies that train.
Finished studies are kept. About an hour on two cores; `fit_unit_costs.py` makes the table of it.
"""

import argparse
import json
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import yaml
from PIL import Image

sys.path.insert(0, str(Path(__file__).parents[1] / "workflow/scripts"))
from damascene.classes import STAGES
from damascene.images.store import TiledImage

ROOT = Path(__file__).parents[1]

#: Columns and rows of panoramas by their round number of megapixels.
SHAPES = {6: (3072, 2048), 25: (6144, 4096), 50: (8192, 6144), 100: (10240, 9728)}
HEADER = "panorama\tpath\tpixel_size_nm\tstrain_percent\toverlap_percent\n"
STRAINED_ROW = "strain_12\tsimulated\t40\t12\t\n"
SIMULATED_ROWS = "strain_00\tsimulated\t40\t0\t\n" + STRAINED_ROW
DENOISERS = ("gaussian", "median", "wavelet", "total_variation", "non_local_means")
TRAINED = ["results/models/inclusion.keras", "results/models/damage.keras"]
#: The slow ones are measured up to this size.
SLOW_MEGAPIXELS = 25
FRAME_PX, OVERLAP = 1024, 0.1
#: Panoramas with many sites, for the rules that read all of them.
COPIES, SITES_A_COPY = 200, 5000


def main() -> None:
    """Run what has not been run."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", type=Path, required=True, help="folder for the studies")
    parser.add_argument("--megapixels", type=int, nargs="+", default=list(SHAPES))
    parser.add_argument("--only", nargs="*", help="names of studies, as the folders are called")
    parser.add_argument("--list", action="store_true", help="print the names and do nothing")
    options = parser.parse_args()
    folder = options.output.resolve()
    for name, (config, rows, targets, prepare) in studies(folder, options.megapixels).items():
        if options.list:
            print(name)
        elif not options.only or name in options.only:
            run_study(folder / name, config, rows, targets, prepare)


def studies(folder: Path, sizes: list[int]) -> dict[str, tuple]:
    """Return configuration, rows of the sheet, targets and preparation of each study by name."""
    by_name = {}
    for size in sizes:
        width, height = SHAPES[size]
        config = {"models": "simulated", "simulation": {"width_px": width, "height_px": height}}
        small = size <= SLOW_MEGAPIXELS
        targets = ["all", "sensitivity"] if small else ["all"]
        by_name[f"size_{size}"] = (config, SIMULATED_ROWS if small else STRAINED_ROW, targets, None)
    small = {
        "simulation": {
            "width_px": 3072,
            "height_px": 2048,
            "labelled_fraction": 0.7,
            "labels_per_class": 12,
        },
        "split": {"folds": 3, "block": "15 um"},
        "training": {"refit": False},
    }
    extras = ["all", "classifiers", "evaluation", "explanation", "compare_denoising"]
    by_name["train_default"] = (small, SIMULATED_ROWS, extras, None)
    by_name["train_compact"] = (
        small | {stage: {"network": "compact"} for stage in STAGES},
        SIMULATED_ROWS,
        [*TRAINED, "results/sites/strain_12.parquet"],
        None,
    )
    # Two epochs tell what one takes.
    by_name["train_large"] = (
        small
        | {"inclusion": {"network": "inception_v3"}, "damage": {"network": "eeracn"}}
        | {"training": {"refit": False, "epochs": 2}},
        SIMULATED_ROWS,
        [*TRAINED, "results/sites/strain_12.parquet"],
        None,
    )
    for size in sizes:
        image = folder / f"size_{size}/results/panoramas/strain_12.ome.tif"
        row = f"strain_12\t{image}\t40\t12\t\n"
        models = {"models": str(folder / "train_default/results/models")}
        by_name[f"classify_{size}"] = (models, row, ["all"], None)
        frames = f"strain_12\t{folder}/stitch_{size}/frames.tsv\t40\t12\t\n"
        by_name[f"stitch_{size}"] = (
            {"models": "simulated"},
            frames,
            ["results/figures/stitching_strain_12.svg"],
            lambda study, image=image: cut_frames(image, study),
        )
        for method in DENOISERS if size <= SLOW_MEGAPIXELS else ():
            by_name[f"denoise_{method}_{size}"] = (
                {"models": "simulated", "denoise": {"method": method}},
                row,
                ["results/denoised/strain_12.ome.tif"],
                None,
            )
    image = folder / f"size_{sizes[0]}/results/panoramas/strain_12.ome.tif"
    names = [f"copy_{number:03d}" for number in range(COPIES)]
    by_name["many_sites"] = (
        {"models": str(folder / "train_default/results/models")},
        "".join(f"{name}\t{image}\t40\t12\t\n" for name in names),
        [
            "results/statistics/densities.tsv",
            "results/figures/size_distributions.svg",
            "results/figures/gallery.svg",
            f"results/figures/overview_{names[0]}.svg",
        ],
        lambda study, source=folder / f"classify_{sizes[0]}/results": copy_results(
            source, study / "results", names
        ),
    )
    return by_name


def copy_results(source: Path, results: Path, names: list[str]) -> None:
    """Make results of many panoramas with many sites out of those of one."""
    for name in names:
        for kind in ("panoramas", "candidates", "predictions", "sites"):
            (results / kind).mkdir(parents=True, exist_ok=True)
        for ending in (".ome.tif", ".valid.ome.tif"):
            (results / f"panoramas/{name}{ending}").hardlink_to(
                source / f"panoramas/strain_12{ending}"
            )
        record = json.loads((source / "panoramas/strain_12.json").read_text())
        record["panorama"] = name
        (results / f"panoramas/{name}.json").write_text(json.dumps(record))
        for kind in ("candidates", "predictions", "sites"):
            table = pd.read_parquet(source / f"{kind}/strain_12.parquet")
            table = pd.concat([table] * (SITES_A_COPY // len(table)), ignore_index=True)
            table = table.assign(panorama=name, site_id=np.arange(len(table)))
            table.to_parquet(results / f"{kind}/{name}.parquet")
    # One of them is left to be described and classified.
    for kind in ("predictions", "sites"):
        (results / f"{kind}/{names[0]}.parquet").unlink()


def cut_frames(image: Path, study: Path) -> None:
    """Cut a panorama into overlapping frames, whose list is `frames.tsv`."""
    step = round(FRAME_PX * (1 - OVERLAP))
    lines = ["file\tx_px\ty_px"]
    with TiledImage(image) as opened:
        scene = opened.read()
    random = np.random.default_rng(1)
    for top in range(0, scene.shape[0] - FRAME_PX + 1, step):
        for left in range(0, scene.shape[1] - FRAME_PX + 1, step):
            name = f"{top}_{left}.png"
            # The stage misses its place by some pixels.
            y, x = np.clip(
                np.array([top, left]) + random.integers(-8, 9, 2),
                0,
                np.array(scene.shape) - FRAME_PX,
            )
            Image.fromarray(scene[y : y + FRAME_PX, x : x + FRAME_PX]).save(study / name)
            lines.append(f"{name}\t{left}\t{top}")
    (study / "frames.tsv").write_text("\n".join(lines) + "\n")


def run_study(study: Path, config: dict, rows: str, targets: list[str], prepare) -> None:
    """Write a study and run it, unless it has been run."""
    if (study / "finished").exists():
        return
    start = time.perf_counter()
    (study / "config").mkdir(parents=True, exist_ok=True)
    if prepare:
        prepare(study)
    (study / "config/config.yaml").write_text(yaml.safe_dump(config))
    (study / "config/panoramas.tsv").write_text(HEADER + rows)
    call = [sys.executable, "-m", "snakemake", "--cores", "2", "--quiet", "all"]
    call += ["--snakefile", str(ROOT / "workflow/Snakefile"), "--directory", str(study)]
    # Copied results have no history, and are as old as what they were made from.
    call += ["--rerun-triggers", "mtime"] if prepare is not None else []
    subprocess.run([*call, "--", *targets], check=True, cwd=ROOT)
    (study / "finished").touch()
    print(f"{study.name}: {time.perf_counter() - start:.0f} s", flush=True)


if __name__ == "__main__":
    main()
