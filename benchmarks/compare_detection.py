"""Time the search for candidates against the straightforward way, on one panorama.

Usage: python benchmarks/compare_detection.py IMAGE.ome.tif MASK.ome.tif
           [--preset kerzel2024 ...] [--repeats 3] [--threads 2] [--no-peer] [--out TABLE.tsv]

Each measurement is a process of its own, of which time and processor time (without starting Python)
and peak memory are taken:

read        read and decompress the image by strips, nothing else
job         `find_candidates` from the files
clustering  everything after the dark mask, which is in memory
peer        the straightforward way: load the image, threshold, fill, DBSCAN of scikit-learn on all
            dark pixels, a loop over the labels for size and centroid, merge; its part after the
            dark mask is `peer_clustering`

Both ways must find the same candidates to the last digit, or the comparison stops. The table has
one row per measurement: the medians of the repeats, the largest of their peaks. Where other work
goes on beside, compare processor times.
"""

import argparse
import importlib
import json
import re
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd

sys.path.insert(0, str(Path(__file__).parents[1] / "workflow" / "scripts"))
from damascene.clustering.pixels import Pixels
from damascene.contracts.candidates import CANDIDATES
from damascene.contracts.table import empty_table
from damascene.detection.candidates import choose_sites, find_candidates
from damascene.detection.clusters import STRIP_ROWS, clusters_of_strips
from damascene.detection.darkness import FixedThreshold
from damascene.detection.joining import join_clusters
from damascene.detection.parameters import DetectionParameters
from damascene.images.store import TILE_PX, open_pair
from damascene.images.tiles import map_tiles, tile_windows
from damascene.images.valid_area import VALID

RULES = {
    "kerzel2024": DetectionParameters(
        dark=FixedThreshold(grey=20),
        fill_holes="before",
        eps_px=1,
        min_samples=5,
        minimum_area_px=20,
        # The published way of merging stops with an error on panoramas of this size.
        merge="corrected",
        merge_distance_px=50,
        drop_rim_fragments=False,
    ),
    "reclik2017": DetectionParameters(
        dark=FixedThreshold(grey=20, inclusive=True),
        fill_holes="never",
        eps_px=4,
        min_samples=10,
        merge="none",
        drop_rim_fragments=False,
    ),
}
OURS, PEER = ("read", "clustering", "job"), ("peer",)


def main() -> None:
    """Run what is asked for and write the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("image", type=Path)
    parser.add_argument("mask", type=Path, help="mask of valid pixels")
    parser.add_argument("--preset", nargs="+", choices=list(RULES), default=list(RULES))
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--no-peer", action="store_true", help="leave the straightforward way out")
    parser.add_argument("--out", type=Path, help="table to write; printed without")
    parser.add_argument("--measure", choices=OURS + PEER, help=argparse.SUPPRESS)
    parser.add_argument("--sites", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        print(json.dumps(measure(options)))
        return
    table = pd.concat([compare(options, preset) for preset in options.preset])
    if options.out:
        table.to_csv(options.out, sep="\t", index=False, float_format="%.9g")
    print(table.to_string(index=False))


def compare(options: argparse.Namespace, preset: str) -> pd.DataFrame:
    """Return the measurements of one set of parameters, one row each."""
    results = {}
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(options.repeats):
            for what in OURS if options.no_peer else OURS + PEER:
                sites = Path(folder) / f"{what}.npy"
                for name, result in in_own_process(options, preset, what, sites).items():
                    results.setdefault(name, []).append(result)
        found = {path.stem: np.load(path) for path in Path(folder).glob("*.npy")}
    for what, sites in found.items():
        if not np.array_equal(sites, found["job"]):
            raise SystemExit(f"{preset}: {what} and job do not find the same candidates.")
    seconds = {
        name: statistics.median(run["seconds"] for run in runs) for name, runs in results.items()
    }
    peer_of = {"job": "peer", "clustering": "peer_clustering"}
    return pd.DataFrame(
        {
            "panorama": options.image.name.split(".")[0],
            "megapixels": results["read"][0]["pixels"] / 1e6,
            "parameters": preset,
            "measured": name,
            "seconds": seconds[name],
            "cpu_seconds": statistics.median(run["cpu_seconds"] for run in runs),
            "peak_mib": max(run["peak_mib"] for run in runs),
            "times_faster": seconds.get(peer_of.get(name), float("nan")) / seconds[name],
            "candidates": len(found["job"]),
        }
        for name, runs in results.items()
    )


def in_own_process(options: argparse.Namespace, preset: str, what: str, sites: Path) -> dict:
    """Take one measurement in a process of its own, so that its peak memory is its own."""
    command = [sys.executable, __file__, options.image, options.mask, "--preset", preset]
    command += ["--threads", options.threads, "--measure", what, "--sites", sites]
    run = subprocess.run(list(map(str, command)), stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(run.stdout)


def measure(options: argparse.Namespace) -> dict:
    """Take one measurement in this process and leave the sites that were found."""
    parameters = RULES[options.preset[0]]
    # What is imported at first use is part of starting Python, for both ways.
    if options.measure in PEER:
        importlib.import_module("scipy.ndimage")
        importlib.import_module("sklearn.cluster")
    else:
        empty_table(CANDIDATES)
    clock = Clock()
    with open_pair(options.image, options.mask) as (image, valid):
        if options.measure == "read":
            tiles = map_tiles(
                lambda tile: tile, image, halo_px=0, tile_px=TILE_PX, threads=options.threads
            )
            for _ in tiles:
                pass
            taken = {"read": clock.taken()}
        elif options.measure == "job":
            table, *_ = find_candidates(
                image, valid, panorama="benchmark", parameters=parameters, threads=options.threads
            )
            taken = {"job": clock.taken()}
            np.save(options.sites, sites_of(table))
        elif options.measure == "clustering":
            mask = dark_mask(image, valid, parameters)
            clock = Clock()
            clusters = clusters_of_strips(strips_of(mask), shape=mask.shape, parameters=parameters)
            owner, _ = choose_sites(clusters, parameters=parameters)
            measures = join_clusters(clusters, owner).measures
            # The mask of the whole image is not part of it, so neither is the memory.
            taken = {"clustering": {**clock.taken(), "peak_mib": float("nan")}}
            np.save(options.sites, sites_of(measures))
        else:
            mask = dark_mask(image, valid, parameters)
            without_mask = Clock()
            sites = straightforward(mask, parameters)
            taken = {
                "peer": clock.taken(),
                "peer_clustering": {**without_mask.taken(), "peak_mib": float("nan")},
            }
            np.save(options.sites, sites)
        pixels = image.shape[0] * image.shape[1]
    return {name: {**result, "pixels": pixels} for name, result in taken.items()}


class Clock:
    """Time and processor time since it was made, and the peak memory of the process."""

    def __init__(self):
        self.started = time.perf_counter(), time.process_time()

    def taken(self) -> dict[str, float]:
        """Return the three."""
        return {
            "seconds": time.perf_counter() - self.started[0],
            "cpu_seconds": time.process_time() - self.started[1],
            "peak_mib": peak_mib(),
        }


def peak_mib() -> float:
    """Return the peak memory of this process; that of `getrusage` may be its parent's."""
    status = Path("/proc/self/status").read_text()
    return int(re.search(r"VmHWM:\s*(\d+) kB", status)[1]) / 1024


def dark_mask(image, valid, parameters) -> np.ndarray:
    """Threshold the whole image at once."""
    pixels = image.read()
    mask = (
        pixels <= parameters.dark.grey
        if parameters.dark.inclusive
        else pixels < parameters.dark.grey
    )
    for windows in tile_windows(image.shape, tile_px=TILE_PX):
        for window in windows:
            mask[window.slices()] &= valid.read(window) == VALID
    return mask


def strips_of(mask):
    """Hand the mask to the clustering as the detector does, without greys."""
    for top in range(0, len(mask), STRIP_ROWS):
        rows, columns = np.divmod(np.flatnonzero(mask[top : top + STRIP_ROWS]), mask.shape[1])
        pixels = Pixels(
            rows=rows + top,
            columns=columns,
            greys=np.zeros(len(rows), np.int16),
            beside_invalid=np.zeros(len(rows), bool),
        )
        yield pixels, min(top + STRIP_ROWS, len(mask))


def sites_of(table) -> np.ndarray:
    """Return rows, columns and areas of sites, sorted."""
    sites = np.column_stack([table["y_px"], table["x_px"], table["area_px"]])
    return sites[np.lexsort(sites.T)]


def straightforward(mask: np.ndarray, parameters: DetectionParameters) -> np.ndarray:
    """Find sites the way it is done where nobody minds the size of the image."""
    from scipy.ndimage import binary_fill_holes
    from scipy.spatial import KDTree
    from sklearn.cluster import DBSCAN

    if parameters.fill_holes == "before":
        mask = binary_fill_holes(mask)
    points = np.argwhere(mask)
    labels = DBSCAN(eps=parameters.eps_px, min_samples=parameters.min_samples).fit(points).labels_
    sites = []
    for label in set(labels.tolist()) - {-1}:
        members = points[np.where(labels == label)]
        if len(members) > parameters.minimum_area_px:
            sites.append([*members.mean(axis=0), len(members)])
    # The larger one of two that are close takes the other; of equal ones the upper left.
    sites = np.array(sorted(sites, key=lambda site: (-site[2], site[0], site[1]))).reshape(-1, 3)
    kept, joined = np.ones(len(sites), bool), sites.copy()
    if parameters.merge == "corrected" and len(sites):
        tree = KDTree(sites[:, :2])
        for larger, site in enumerate(sites):
            for other in tree.query_ball_point(site[:2], parameters.merge_distance_px):
                distance = np.linalg.norm(sites[other, :2] - site[:2])
                takes = kept[larger] and kept[other] and other > larger
                if takes and distance < parameters.merge_distance_px:
                    kept[other] = False
                    area = joined[larger, 2] + sites[other, 2]
                    joined[larger, :2] += (sites[other, :2] - joined[larger, :2]) * (
                        sites[other, 2] / area
                    )
                    joined[larger, 2] = area
    sites = joined[kept]
    return sites[np.lexsort(sites.T)]


if __name__ == "__main__":
    main()
