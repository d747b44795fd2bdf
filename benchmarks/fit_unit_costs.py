"""Fit the unit costs of every rule to the benchmark files of studies of several sizes.

Usage: python benchmarks/fit_unit_costs.py --studies FOLDER ... [--check size_50 classify_50 ...]
           [--output resources/unit_costs.tsv]

FOLDER is what `measure_unit_costs.py` filled, or any other folder of studies. Studies named by
`--check` take no part in the fit; what the costs say of their jobs is printed beside what was
measured.
"""

import argparse
import contextlib
import csv
import sys
from collections import defaultdict
from dataclasses import asdict, fields, replace
from pathlib import Path

import numpy as np
import yaml
from scipy.optimize import nnls

sys.path.insert(0, str(Path(__file__).parents[1] / "workflow/scripts"))
from damascene.classes import STAGES
from damascene.config.study import load_study
from damascene.jobs.benchmarks import read_benchmarks
from damascene.jobs.resources import Size, cpu_seconds, megabytes, stored_megabytes
from damascene.jobs.sizes import job_size
from damascene.jobs.unit_costs import SHIPPED, SMALL, UnitCost, cost_of
from damascene.networks import COST_KINDS, network_named
from damascene.study.models import with_models
from damascene.study.sheet import read_sheet

#: What the size of a job is counted in; rules that are not named depend on the labels.
PANORAMA = (
    *("simulate_panorama", "import_panorama", "stitch_frames", "denoise_panorama"),
    *(
        "find_candidates",
        "describe_candidates",
        "measure_noise",
        "measure_quality",
        "sweep_detection",
    ),
    *("classify_sites", "draw_quality", "draw_overview", "draw_stitching", "draw_labels"),
    *("apply_denoisers", "import_paired_scan", "simulate_paired_scan"),
)
STUDY = (
    *("collect_labels", "cut_unlabelled", "score_denoisers", "compare_with_truth"),
    *("summarise_sites", "draw_sizes", "draw_gallery", "embed_sites", "draw_embedding"),
)
#: Rules that run before candidates are found and cannot depend on them.
BEFORE = (
    *("simulate_panorama", "import_panorama", "stitch_frames", "denoise_panorama"),
    "measure_noise",
)
#: Rules that run networks, on a GPU if there is one.
NETWORK_RULES = (
    *("look_at_labels", "train_network", "predict_held_out", "classify_sites", "explain_networks"),
    *("embed_sites", "compare_load_directions", "apply_denoisers"),
)
#: Share of the largest job below which growth of memory and storage is taken for noise.
NOISE = 0.15
#: Processor seconds until a job's Python is ready, where jobs of one size cannot tell.
START_SECONDS, NETWORK_START_SECONDS = 2.0, 8.0
#: Networks that were published for a GPU take half an hour to measure: calculated from their
#: operations (400 and, in training, 1,200 core-seconds for 1,000 clips). The memory was measured.
LARGE_MB, LARGE_CPU_PER_1000, LARGE_TRAINING_CPU_PER_1000 = 2400.0, 400.0, 1200.0
#: Sites from which on the growth of rules that read the whole study is known.
MANY_SITES = 100_000
#: Rules of labels that keep a core busy for less than these seconds at so many labels share a row.
SMALL_SECONDS, SMALL_SITES = 10.0, 500
#: Rules that were not run, the one whose costs they take, and what their size is counted in.
ALIKE = {
    "cut_unlabelled": (("cut_clips", ""), "study"),
    "apply_denoisers": (("denoise_panorama", "non_local_means"), "panorama"),
    "import_paired_scan": (("import_panorama", ""), "panorama"),
    "simulate_paired_scan": (("simulate_panorama", ""), "panorama"),
    "stitch_frames": (("import_panorama", ""), "panorama"),
    "draw_stitching": (("draw_overview", ""), "panorama"),
    "plan_resources": (("draw_sizes", ""), "labels"),
}
#: Rules that do the work of another, and are counted as its jobs.
SAME = {
    "train_fold": "train_network",
    "train_for_load_direction": "train_network",
    "draw_confusion_truth": "draw_confusion_held_out",
}


def main() -> None:
    """Fit, check, write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--studies", type=Path, nargs="+", required=True)
    parser.add_argument("--check", nargs="*", default=[], help="studies to keep from the fit")
    parser.add_argument("--output", type=Path, default=SHIPPED)
    options = parser.parse_args()
    output = options.output.resolve()
    jobs, kept = defaultdict(list), defaultdict(list)
    found = [
        path.parents[1]
        for each in options.studies
        for path in sorted(each.resolve().glob("*/results/benchmarks"))
    ]
    for folder in found:
        for key, size, job in measured_jobs(folder):
            (kept if folder.name in options.check else jobs)[key].append((size, job))
    costs = {key: fit(*key, rows) for key, rows in sorted(jobs.items())}
    costs |= guessed_rules(costs)
    costs |= guessed_kinds(costs)
    costs |= guessed_growth(costs)
    costs = with_small_rules(costs)
    with output.open("w", newline="") as file:
        writer = csv.writer(file, delimiter="\t", lineterminator="\n")
        writer.writerow(field.name for field in fields(UnitCost))
        for _, cost in sorted(costs.items()):
            writer.writerow(
                f"{value:.4g}" if isinstance(value, float) else value
                for value in asdict(cost).values()
            )
    for key, rows in sorted(kept.items()):
        check(costs, key, rows)


def with_small_rules(costs: dict) -> dict:
    """Put one row for all rules that draw or measure something small from the labels.

    It holds the highest of their costs, so that no such rule asks for less than it took.
    """
    small = {
        key: cost
        for key, cost in costs.items()
        if cost.scope == "labels"
        and not (cost.gpu or key[1] or cost.stored_mb_per_1000)
        and cpu_seconds(cost, Size(sites=SMALL_SITES)) < SMALL_SECONDS
    }
    numbers = [field.name for field in fields(UnitCost) if field.type is float]
    row = UnitCost(
        rule=SMALL,
        scope="labels",
        jobs=sum(cost.jobs for cost in small.values()),
        **{name: max(getattr(cost, name) for cost in small.values()) for name in numbers},
    )
    return {key: cost for key, cost in costs.items() if key not in small} | {(SMALL, ""): row}


def measured_jobs(folder: Path):
    """Yield rule and variant, size, and measurement of every job of a study."""
    with contextlib.chdir(folder):
        config = yaml.safe_load(Path("config/config.yaml").read_text())
        study = with_models(load_study(config))
        sheet = read_sheet(Path(study.panoramas)).set_index("panorama", drop=False)
        for job in read_benchmarks():
            rule = SAME.get(job.rule, job.rule)
            cost = UnitCost(rule=rule, scope=scope_of(rule, study, job.stage))
            panorama = job.job if job.job in sheet.index else None
            size = job_size(cost, study=study, sheet=sheet, panorama=panorama)
            yield (rule, variant_of(rule, study, job.stage)), size, job


def scope_of(rule, study, stage):
    """Return what the size of a job of a rule is counted in."""
    if rule in PANORAMA or rule in STUDY:
        return "panorama" if rule in PANORAMA else "study"
    descends = rule == "train_network" and variant_of(rule, study, stage) != "frozen"
    return "epochs" if descends else "labels"


def variant_of(rule, study, stage):
    """Return the kind of network, or the denoiser, that a job of a rule used."""
    if rule == "denoise_panorama":
        return study.denoise.method
    if rule not in NETWORK_RULES:
        return ""
    kinds = [network_named(study.stage(each).network).cost_kind for each in STAGES]
    if stage:
        return network_named(study.stage(stage).network).cost_kind
    return max(kinds, key=COST_KINDS.index)


def fit(rule: str, variant: str, rows: list) -> UnitCost:
    """Return the costs of a rule that come closest to its jobs, none of them below zero."""
    scope = "panorama" if rule in PANORAMA else "study" if rule in STUDY else "labels"
    if rule == "train_network" and variant != "frozen":
        scope = "epochs"
    sizes = [size if rule not in BEFORE else replace(size, sites=0) for size, _ in rows]
    start = NETWORK_START_SECONDS if rule in NETWORK_RULES else START_SECONDS
    time = _time_parts(sizes, [job.cpu_seconds for _, job in rows], scope, start)
    memory = _steady(_parts(sizes, [job.mb for _, job in rows], scope, noise=NOISE), sizes)
    stored = _parts(sizes, [job.stored_mb for _, job in rows], scope, noise=NOISE)
    # Whatever else a machine does makes a job look less parallel, nothing makes it look more so.
    loads = [job.cores for _, job in rows if job.cores]
    return UnitCost(
        rule=rule,
        variant=variant,
        scope=scope,
        gpu=int(rule in NETWORK_RULES),
        **dict(
            zip(("cpu_seconds", "cpu_seconds_per_mpx", "cpu_seconds_per_1000"), time, strict=True)
        ),
        cores=max(loads, default=1.0),
        **dict(zip(("mb", "mb_per_mpx", "mb_per_1000"), memory, strict=True)),
        **dict(zip(("stored_mb", "stored_mb_per_mpx", "stored_mb_per_1000"), stored, strict=True)),
        largest_mpx=float(max(size.megapixels for size in sizes)),
        largest_sites=float(max(size.sites for size in sizes)),
        jobs=len(rows),
    )


def _steady(parts: tuple, sizes: list[Size]) -> tuple[float, float, float]:
    """Return parts of memory all of which are fixed where jobs of one size cannot tell."""
    fixed, per_mpx, per_1000 = parts
    if len(set(sizes)) > 1:
        return parts
    return fixed + per_mpx * sizes[0].megapixels + per_1000 * sizes[0].sites / 1000, 0.0, 0.0


def _parts(
    sizes: list[Size], values: list, scope: str, *, noise: float = 0.0
) -> tuple[float, float, float]:
    """Return the fixed part, that by megapixel, and that by 1,000 sites, of what was measured.

    A part that explains less than this share of the largest job is left out as noise: ten times the
    size would make something of it that nobody measured.
    """
    known = [(size, value) for size, value in zip(sizes, values, strict=True) if value]
    if not known:
        return 0.0, 0.0, 0.0
    y = np.array([value for _, value in known])
    parts = np.array([[1, size.megapixels, size.sites / 1000] for size, _ in known], float)
    used = np.array([True, scope == "panorama", True])
    while True:
        # Relative errors count: a long job must not be fitted at the price of the short ones.
        solved = np.zeros(3)
        solved[used], _ = nnls((parts / y[:, None])[:, used], np.ones(len(y)))
        share = (solved * parts).max(axis=0) / y.max()
        left = used & (share < noise) & (np.arange(3) > 0)
        if not left.any():
            return tuple(float(part) for part in solved)
        used &= ~left


def _time_parts(sizes: list[Size], values: list, scope: str, start: float) -> tuple:
    """Return the parts of processor time; jobs of one size are taken to grow from their start."""
    if len(set(sizes)) > 1:
        return _parts(sizes, values, scope)
    mean = float(np.mean(values))
    fixed = min(start, mean)
    return fixed, 0.0, (mean - fixed) * 1000 / max(sizes[0].sites, 1)


def guessed_rules(costs: dict) -> dict:
    """Return rows of rules that were not run; memory does not grow from panorama to panorama."""
    known = {rule for rule, _ in costs}
    return {
        (rule, ""): replace(
            costs[like],
            rule=rule,
            variant="",
            scope=scope,
            mb_per_mpx=costs[like].mb_per_mpx if scope == "panorama" else 0.0,
            jobs=0,
        )
        for rule, (like, scope) in ALIKE.items()
        if rule not in known and like in costs
    }


def guessed_kinds(costs: dict) -> dict:
    """Return rows for kinds of networks that a rule was not run with.

    Small networks cost as the frozen one at most; the large ones as their operations say.
    """
    guessed = {}
    for rule in NETWORK_RULES:
        known = next(
            (costs[rule, kind] for kind in ("frozen", "small") if (rule, kind) in costs), None
        )
        if known is None:
            continue
        training = rule == "train_network"
        large = replace(
            known,
            variant="large",
            scope="epochs" if training else known.scope,
            cpu_seconds_per_1000=LARGE_TRAINING_CPU_PER_1000 if training else LARGE_CPU_PER_1000,
            mb=LARGE_MB,
            jobs=0,
        )
        guessed |= {
            (rule, "large"): large,
            (rule, "small"): replace(known, variant="small", jobs=0),
        }
    return {key: cost for key, cost in guessed.items() if key not in costs}


def guessed_growth(costs: dict) -> dict:
    """Return rows of rules that read all sites and were run with few: they grow as the summary."""
    like = costs["summarise_sites", ""]
    # Maps of all sites pass each through a network.
    maps = {
        key: replace(
            cost,
            cpu_seconds_per_1000=costs["classify_sites", key[1]].cpu_seconds_per_1000,
            mb_per_1000=like.mb_per_1000,
        )
        for key, cost in costs.items()
        if key[0] == "embed_sites"
    }
    return maps | {
        key: replace(
            cost,
            mb_per_1000=like.mb_per_1000,
            cpu_seconds_per_1000=like.cpu_seconds_per_1000,
        )
        for key, cost in costs.items()
        if cost.scope == "study"
        # Networks pass over every site anew.
        and key[0] not in NETWORK_RULES
        and cost.largest_sites < MANY_SITES <= like.largest_sites
    }


def check(costs: dict, key: tuple[str, str], rows: list) -> None:
    """Print what the costs say of jobs that were kept from the fit, and what these took."""
    try:
        cost = cost_of(costs, *key)
    except KeyError:
        return
    for size, job in rows:
        said = (cpu_seconds(cost, size), megabytes(cost, size), stored_megabytes(cost, size))
        took = (job.cpu_seconds, job.mb, job.stored_mb)
        numbers = "\t".join(
            f"{one:.3g}\t{other:.3g}\t{one / other:.2f}" if other else "\t\t"
            for one, other in zip(said, took, strict=True)
        )
        print(f"{job.rule}\t{job.job}\t{size.megapixels:.0f}\t{size.sites:.0f}\t{numbers}")


if __name__ == "__main__":
    main()
