"""What jobs took: the benchmark files that the workflow engine writes."""

import csv
import hashlib
import math
from dataclasses import dataclass
from pathlib import Path

from damascene.classes import STAGES

#: Largest products by rule: what storage is estimated from. `{}` is the panorama or the stage.
PRODUCTS = {
    "simulate_panorama": (
        "panoramas/{}.ome.tif",
        "panoramas/{}.valid.ome.tif",
        "truth/{}.phases.ome.tif",
        "truth/{}.parquet",
    ),
    "import_panorama": ("panoramas/{}.ome.tif", "panoramas/{}.valid.ome.tif"),
    "stitch_frames": ("panoramas/{}.ome.tif", "panoramas/{}.valid.ome.tif"),
    "denoise_panorama": ("denoised/{}.ome.tif",),
    "denoise_by_network": ("denoised/{}.ome.tif",),
    "find_candidates": ("candidates/{}.parquet", "candidates/{}.runs.parquet"),
    "describe_candidates": ("candidates/{}.descriptors.parquet",),
    "measure_quality": ("quality/{}.tsv",),
    "draw_quality": ("figures/quality_{}.svg", "figures/quality_{}.png"),
    "draw_overview": ("figures/overview_{}.svg", "figures/overview_{}.png"),
    "draw_stitching": ("figures/stitching_{}.svg", "figures/stitching_{}.png"),
    "classify_sites": ("predictions/{}.parquet",),
    "cut_clips": ("clips/{}.npy",),
    "look_at_labels": ("clips/{}.features.npy",),
    "train_network": ("models/{}.keras",),
    "train_fold": ("models/folds/{}.keras",),
    "explain_networks": (
        "figures/filters_{}.svg",
        "figures/attention_{}.svg",
        "figures/feature_maps_{}.svg",
    ),
}


@dataclass(frozen=True, kw_only=True)
class Measured:
    """What a job took: `job` is what the rule's file is called for, empty if it runs once.

    `cores` is the number of cores busy on average, `mb` the most memory at one time and
    `stored_mb` the size of its largest products; each None where it was not measured.
    """

    rule: str
    job: str
    seconds: float
    cores: float | None
    mb: float | None
    stored_mb: float | None

    @property
    def cpu_seconds(self) -> float:
        """Time that the job kept cores busy; one of them, where it was too short to tell."""
        return self.seconds * (self.cores or 1)

    @property
    def stage(self) -> str | None:
        """Stage of a rule that runs once for each; the fold behind the dot is none of it."""
        stage = self.job.split(".")[0]
        return stage if stage in STAGES else None


def read_benchmarks(results: Path = Path("results")) -> list[Measured]:
    """Read all benchmark files below a folder of results.

    Returns
    -------
    list of Measured
        By rule and job. Files that a job is just writing are left out.
    """
    folder = results / "benchmarks"
    found = []
    for path in sorted(folder.rglob("*.tsv")):
        rule, _, job = path.relative_to(folder).with_suffix("").as_posix().partition("/")
        with path.open(newline="") as file:
            rows = list(csv.DictReader(file, delimiter="\t"))
        if rows and _number(rows[-1].get("s")) is not None:
            last = rows[-1]
            load = _number(last["mean_load"])
            found.append(
                Measured(
                    rule=rule,
                    job=job,
                    seconds=float(last["s"]),
                    # A job shorter than the interval of the measurement has no load.
                    cores=load / 100 if load else None,
                    mb=_number(last["max_rss"]),
                    stored_mb=_stored_mb(results, rule, job),
                )
            )
    return found


def benchmarks_digest(results: Path = Path("results")) -> str:
    """Return a short hash of which benchmark files there are and how new they are.

    That of the planning itself, which is written last, is left out.
    """
    folder = results / "benchmarks"
    found = [
        f"{path.relative_to(folder)} {path.stat().st_mtime_ns}"
        for path in sorted(folder.rglob("*.tsv"))
        if path.stem != "plan_resources"
    ]
    return hashlib.sha256("\n".join(found).encode()).hexdigest()[:12]


def benchmarks_are_older(product: str | Path, results: Path = Path("results")) -> bool:
    """Return whether no job has ended after a product of the planning was made."""
    if not Path(product).exists():
        return False
    made = Path(product).stat().st_mtime_ns
    found = (results / "benchmarks").rglob("*.tsv")
    return all(path.stat().st_mtime_ns <= made for path in found if path.stem != "plan_resources")


def _stored_mb(results, rule, job):
    paths = [results / pattern.format(job) for pattern in PRODUCTS.get(rule, ())]
    sizes = [path.stat().st_size for path in paths if path.exists()]
    return sum(sizes) / 1e6 if sizes else None


def _number(text):
    try:
        value = float(text)
    except (TypeError, ValueError):
        return None
    return value if math.isfinite(value) else None
