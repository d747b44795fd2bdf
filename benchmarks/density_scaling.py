"""Measure time and memory of densities and their comparisons for many sites and many panoramas.

Usage: python benchmarks/density_scaling.py

Sites lie at random in panoramas of 40 nm pixels: 12,500 to 100,000 in one panorama of 1.2 mm x
0.8 mm, and 500 in each of 125 to 1,000 panoramas of 120 µm x 80 µm at four strains of two
conditions. Each case runs in a process of its own; times are of one core, memory is its peak,
imports included.
"""

import argparse
import multiprocessing
import resource
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
import pandas as pd

sys.path.insert(0, str(Path(__file__).parents[1] / "workflow" / "scripts"))
sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "unit"))
from made_records import panorama_record

from damascene.classes import SITE_CLASSES
from damascene.quality.blocks import block_edges
from damascene.statistics.block_bootstrap import spread_densities
from damascene.statistics.panorama_blocks import blocks_by_panorama
from damascene.statistics.summary import summarise_sites

_PIXEL_NM = 40.0
_LARGE, _SMALL = (20_000, 30_000), (2000, 3000)


def make_study(panoramas: int, sites: int, *, shape: tuple[int, int]):
    """Return sites, quality blocks and records of panoramas with so many sites each."""
    random = np.random.default_rng(0)
    names = [f"p{index:04d}" for index in range(panoramas)]
    total = panoramas * sites
    table = pd.DataFrame(
        {
            "panorama": np.repeat(names, sites),
            "class": random.choice(SITE_CLASSES, total),
            "label": "",
            "x_px": random.uniform(0, shape[1] - 1, total),
            "y_px": random.uniform(0, shape[0] - 1, total),
            "area_um2": random.lognormal(0, 0.8, total),
            "touches_border": False,
            "touches_mask": False,
        }
    )
    tops, lefts = (block_edges(side, pixel_size_nm=_PIXEL_NM) for side in shape)
    top, left = (each.ravel() for each in np.meshgrid(tops[:-1], lefts[:-1], indexing="ij"))
    height, width = (
        each.ravel() for each in np.meshgrid(np.diff(tops), np.diff(lefts), indexing="ij")
    )
    one = pd.DataFrame({"top_px": top, "left_px": left, "height_px": height, "width_px": width})
    quality = pd.concat([one.assign(panorama=name, valid_fraction=1.0) for name in names])
    records = [panorama_record(name, shape=shape, pixel_size_nm=_PIXEL_NM) for name in names]
    return table, quality, records


def _measure(panoramas, sites, shape):
    table, quality, records = make_study(panoramas, sites, shape=shape)
    names = [one.panorama for one in records]
    begin = time.process_time()
    summarise_sites(
        table,
        records,
        quality=quality,
        strains_percent={name: (0, 4, 8, 12)[place % 4] for place, name in enumerate(names)},
        conditions={name: "ab"[place // 4 % 2] for place, name in enumerate(names)},
        confidence=0.95,
    )
    statistics = time.process_time() - begin
    found = blocks_by_panorama(table, quality, records)
    begin = time.process_time()
    for one in found.values():
        if len(one.blocks.areas_mm2) > 1:
            spread_densities(one.blocks.counts, one.blocks.areas_mm2, seed=0)
    bootstrap = time.process_time() - begin
    return statistics, bootstrap, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> None:
    """Measure all cases and print a table."""
    argparse.ArgumentParser(description=__doc__.splitlines()[0]).parse_args()
    cases = [(1, sites, _LARGE) for sites in (12_500, 25_000, 50_000, 100_000)]
    cases += [(panoramas, 500, _SMALL) for panoramas in (125, 250, 500, 1000)]
    context = multiprocessing.get_context("spawn")
    print("panoramas  sites each  statistics (s)  bootstrap (s)  memory (MiB)")
    for panoramas, sites, shape in cases:
        with ProcessPoolExecutor(max_workers=1, mp_context=context) as pool:
            found = pool.submit(_measure, panoramas, sites, shape).result()
        statistics, bootstrap, memory = found
        print(
            f"{panoramas:9d}  {sites:10d}  {statistics:14.1f}  {bootstrap:13.1f}  {memory:12.0f}",
            flush=True,
        )


if __name__ == "__main__":
    main()
