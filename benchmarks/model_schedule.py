"""Model how long a large study takes on a cluster, from the unit costs of its rules.

Usage: python benchmarks/model_schedule.py [--panoramas 1000] [--megapixels 1000] [--nodes 1 10 50]
           [--table TSV] [--picture PNG]

List scheduling: a job starts as soon as what it needs is done and a slot is free, in the order of
the sheet. Nothing is run. The study imports its panoramas, trains the default networks on 500
labels and classifies all candidates. A slot is two cores, on which unit costs were measured; a GPU
is one more slot, for rules that run networks, and shortens the part of their time that grows with
the sites.
"""

import argparse
import heapq
import sys
from collections import defaultdict
from pathlib import Path

import matplotlib
import pandas as pd

sys.path.insert(0, str(Path(__file__).parents[1] / "workflow/scripts"))
from damascene.config.study import load_study
from damascene.figures import style
from damascene.jobs.resources import Size, seconds, stored_megabytes
from damascene.jobs.sizes import EXPECTED_PER_MEGAPIXEL, job_cost
from damascene.jobs.unit_costs import read_unit_costs
from damascene.study.jobs import default_jobs
from damascene.study.plan import plan_study

#: What a rule waits for: of the same panorama where both work on one, else all of it.
NEEDS = {
    "find_candidates": ("import_panorama",),
    "describe_candidates": ("find_candidates",),
    "measure_quality": ("find_candidates",),
    "draw_quality": ("measure_quality",),
    "collect_labels": ("find_candidates",),
    "split_labels": ("collect_labels",),
    "cut_clips": ("split_labels",),
    "describe_labels": ("split_labels",),
    "look_at_labels": ("cut_clips",),
    "train_network": ("look_at_labels", "describe_labels"),
    "draw_training": ("train_network",),
    "predict_held_out": ("train_network",),
    "score_networks": ("predict_held_out",),
    "draw_confusion_held_out": ("score_networks",),
    "calibrate_networks": ("predict_held_out",),
    "measure_calibration": ("predict_held_out",),
    "draw_calibration": ("measure_calibration",),
    "classify_sites": ("describe_candidates", "train_network", "calibrate_networks"),
    "label_sites": ("classify_sites", "collect_labels"),
    "draw_overview": ("label_sites",),
    "summarise_sites": ("label_sites",),
    "draw_sizes": ("label_sites",),
    "draw_gallery": ("label_sites",),
    "draw_densities": ("summarise_sites",),
}
#: Rules that read the image of a panorama from end to end, or nearly so.
READERS = (
    *("find_candidates", "describe_candidates", "measure_quality", "draw_quality"),
    *("classify_sites", "draw_overview"),
)
LABELS = 500
#: Two cores each.
SLOTS_PER_NODE = 8
#: Seconds that starting a job takes on its node, measured with a local SLURM.
START_SECONDS = 6
#: Seconds until the engine sees that a job is done and submits what waits for it.
NOTICE_SECONDS = 10
#: Assumed, not measured: how much faster a GPU runs a network than two cores do.
GPU_SPEED = 20
GPUS = {"no GPU": lambda nodes: 0, "one GPU": lambda nodes: 1, "a GPU a node": lambda nodes: nodes}


def main() -> None:
    """Model all cases, print and draw them."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--panoramas", type=int, default=1000)
    parser.add_argument("--megapixels", type=float, default=1000)
    parser.add_argument("--nodes", type=int, nargs="+", default=[1, 10, 50])
    parser.add_argument("--table", type=Path)
    parser.add_argument("--picture", type=Path)
    options = parser.parse_args()
    jobs, stored_mb = study_jobs(options.panoramas, options.megapixels)
    busy = pd.Series({rule: sum(part["seconds"] for part in jobs[rule].values()) for rule in jobs})
    print(f"{sum(map(len, jobs.values())):,} jobs, {busy.sum() / 3600:,.0f} slot-hours, of which")
    print((busy / busy.sum()).sort_values(ascending=False).head(6).round(3).to_string())
    reads_tb = len(READERS) * options.panoramas * stored_mb / 1e6
    rows = []
    for nodes in options.nodes:
        for name, gpus in GPUS.items():
            hours, waited, last = makespan(jobs, nodes * SLOTS_PER_NODE, gpus(nodes))
            rows.append(
                {
                    "nodes": nodes,
                    "gpus": name,
                    "hours": hours,
                    "longest_queue": waited,
                    "detected_after_hours": last["find_candidates"] / 3600,
                    "trained_after_hours": last["calibrate_networks"] / 3600,
                    "read_mb_per_s": reads_tb * 1e6 / (hours * 3600),
                }
            )
    table = pd.DataFrame(rows)
    print(f"{reads_tb:,.1f} TB of images read")
    print(table.round(1).to_string(index=False))
    if options.table:
        table.round(3).to_csv(options.table, sep="\t", index=False)
    if options.picture:
        draw(table, options).savefig(options.picture, dpi=style.PNG_DPI)


def study_jobs(panoramas: int, megapixels: float) -> tuple[dict, float]:
    """Return the jobs of a study by rule and panorama (or number), and the MB of an image."""
    study = load_study({"labels": [{"path": "labels.tsv"}]})
    names = [f"p{number}" for number in range(panoramas)]
    sheet = pd.DataFrame(
        {
            "panorama": names,
            "path": "image.tif",
            "overlap_percent": float("nan"),
            "strain_percent": float("nan"),
        }
    )
    costs = read_unit_costs()
    one = Size(megapixels=megapixels, sites=EXPECTED_PER_MEGAPIXEL * megapixels)
    everything = Size(megapixels=panoramas * one.megapixels, sites=panoramas * one.sites)
    sizes = {"panorama": one, "study": everything, "labels": Size(sites=LABELS)}
    jobs = defaultdict(dict)
    for rule, wildcards in default_jobs(plan_study(study, sheet)).items():
        cost = job_cost(costs, rule, study=study)
        size = sizes[cost.scope]
        whole, growing = (
            seconds(cost, size),
            cost.cpu_seconds_per_1000 / cost.cores * size.sites / 1000,
        )
        for number, one_of in enumerate(wildcards):
            jobs[rule][one_of.get("panorama", number)] = {
                "seconds": whole,
                "gpu_seconds": whole - (1 - 1 / GPU_SPEED) * growing,
                "gpu": bool(cost.gpu),
            }
    image = costs["import_panorama", ""]
    return jobs, stored_megabytes(image, one)


def makespan(jobs: dict, slots: int, gpus: int) -> tuple[float, str, dict[str, float]]:
    """Return the hours until all is done, what waited longest, and when each rule was done."""
    waiting, followers = {}, defaultdict(list)
    for rule, of_rule in jobs.items():
        for name in of_rule:
            needed = [
                (other, each)
                for other in NEEDS.get(rule, ())
                # Rules that run once or by stage have numbers, and wait for all of the other.
                for each in ([name] if name in jobs[other] and name != 0 else jobs[other])
            ]
            waiting[rule, name] = len(needed)
            for key in needed:
                followers[key].append((rule, name))
    order = {key: number for number, key in enumerate(waiting)}
    free, ready = {"cpu": slots, "gpu": gpus}, {"cpu": [], "gpu": []}
    events, waited, last = [], defaultdict(float), {}

    def offer(key: tuple, time: float) -> None:
        kind = "gpu" if jobs[key[0]][key[1]]["gpu"] and gpus else "cpu"
        heapq.heappush(ready[kind], (order[key], key, time))

    for key, count in waiting.items():
        if not count:
            heapq.heappush(events, (0.0, order[key], "ready", key))
    now = 0.0
    while events:
        now, _, what, key = heapq.heappop(events)
        if what == "ready":
            offer(key, now)
        else:
            free[what] += 1
            last[key[0]] = now
            for follower in followers[key]:
                waiting[follower] -= 1
                if not waiting[follower]:
                    at = now + NOTICE_SECONDS
                    heapq.heappush(events, (at, order[follower], "ready", follower))
        # All that happens at one time comes before anything starts.
        if events and events[0][0] == now:
            continue
        for kind in free:
            while free[kind] and ready[kind]:
                _, started, since = heapq.heappop(ready[kind])
                waited[started[0]] += now - since
                free[kind] -= 1
                job = jobs[started[0]][started[1]]
                takes = job["gpu_seconds" if kind == "gpu" else "seconds"] + START_SECONDS
                heapq.heappush(events, (now + takes, order[started], kind, started))
    return now / 3600, max(waited, key=waited.get), last


@matplotlib.rc_context(style.STYLE)
def draw(table: pd.DataFrame, options) -> matplotlib.figure.Figure:
    """Draw the time against the number of nodes, with and without GPUs."""
    figure = style.new_figure(width_mm=style.COLUMN_WIDTH_MM, height_mm=65)
    axes = figure.subplots()
    looks = zip(GPUS, ("#000000", "#0072B2", "#D55E00"), "osD", strict=True)
    for name, colour, marker in looks:
        rows = table[table.gpus == name]
        axes.plot(rows.nodes, rows.hours, marker=marker, color=colour, label=name)
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xticks(options.nodes, [str(nodes) for nodes in options.nodes], minor=False)
    axes.set_yticks([1, 2, 5, 10, 20, 40], ["1", "2", "5", "10", "20", "40"], minor=False)
    axes.minorticks_off()
    axes.set_xlabel(f"nodes of {2 * SLOTS_PER_NODE} cores")
    axes.set_ylabel(
        f"hours for {options.panoramas:,} panoramas of {options.megapixels / 1000:g} Gpx"
    )
    axes.grid(linewidth=0.3, color="0.85")
    axes.legend()
    return figure


if __name__ == "__main__":
    main()
