"""Measure how often intervals of densities hold the true one, by simulated sites in bands.

Usage: python benchmarks/density_coverage.py [--studies N] [--first-seed N] [--output TABLE]

Sites of a panorama follow a Cox process: a Poisson process whose density is a random field itself,
lognormal with bands along x. The true density is that of the steel, the mean over all bands, not
that of the piece which a panorama happens to show. Three classes share the bands: a common one, one
with a quarter and one with a twentieth of its sites. Beside the exact Poisson interval stands that
of blocks, whose size is chosen as in the workflow. Blocks start from the same cells of 20 µm.

The level in `statistics.blocks` by which blocks are chosen was tuned with other seeds.
"""

import argparse
import sys
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import ndimage

sys.path.insert(0, str(Path(__file__).parents[1] / "workflow" / "scripts"))
from damascene.statistics.blocks import Cells, block_sizes, choose_blocks, joined
from damascene.statistics.intervals import poisson_interval
from damascene.statistics.panorama_blocks import block_interval

#: Width and height of panoramas in µm.
PANORAMAS = ((120, 80), (200, 150), (400, 300), (1000, 700))
#: Height and length of a band in µm (None: across the panorama), and standard deviation of the
#: logarithm of the density. 8 x 110 µm is that of the simulated steel of this project.
BANDS = {
    "none": None,
    "8 x 110 um, weak": (8, 110, 0.25),
    "8 x 110 um": (8, 110, 0.5),
    "8 x 110 um, strong": (8, 110, 0.9),
    "20 x 200 um": (20, 200, 0.5),
    "15 um, endless": (15, None, 0.4),
    "20 um, round": (20, 20, 0.8),
}
#: Sites per mm² of the three classes.
RATES = {"common": 4000.0, "quarter": 1000.0, "rare": 200.0}
_CELL_UM, _STEP_UM = 20.0, 2.0


def random_field(
    width_um: float, height_um: float, *, band: tuple | None, random: np.random.Generator
) -> np.ndarray:
    """Return a density with mean 1 on nodes 2 µm apart, shape (rows, columns)."""
    rows, columns = int(height_um / _STEP_UM), int(width_um / _STEP_UM)
    if band is None:
        return np.ones((rows, columns))
    height, length, spread = band
    sigma = [height / _STEP_UM / 2, length / _STEP_UM / 2 if length else 0]
    margin = [int(4 * each) + 1 for each in sigma]
    shape = (rows + 2 * margin[0], columns + 2 * margin[1] if length else 1)
    field = ndimage.gaussian_filter(
        random.standard_normal(shape), sigma if length else (sigma[0], 0)
    )
    # Of white noise that was smoothed.
    scale = np.prod([2 * each * np.sqrt(np.pi) for each in sigma if each])
    field = field[margin[0] : margin[0] + rows] * np.sqrt(scale)
    field = field[:, margin[1] : margin[1] + columns] if length else np.repeat(field, columns, 1)
    return np.exp(spread * field - spread**2 / 2)


def make_cells(
    width_um: float, height_um: float, *, band: tuple | None, random: np.random.Generator
) -> Cells:
    """Return the cells of a simulated panorama; classes are those of `RATES` and their sum."""
    field = random_field(width_um, height_um, band=band, random=random)
    parts = [
        np.arange(number) * nodes // number
        for length, nodes in zip((height_um, width_um), field.shape, strict=True)
        for number in [round(length / _CELL_UM)]
    ]
    mean = np.add.reduceat(np.add.reduceat(field, parts[0], axis=0), parts[1], axis=1)
    ends = [np.diff([*part, nodes]) for part, nodes in zip(parts, field.shape, strict=True)]
    node_mm2 = (_STEP_UM * 1e-3) ** 2
    counts = random.poisson(mean[..., None] * node_mm2 * np.array(list(RATES.values())))
    counts = np.concatenate([counts, counts.sum(axis=-1, keepdims=True)], axis=-1)
    return Cells(counts, np.outer(*ends) * node_mm2, (_CELL_UM, _CELL_UM))


def measure(
    width_um: float, height_um: float, *, band: tuple | None, studies: int, first_seed: int
) -> pd.DataFrame:
    """Return for each class how many intervals hold its density, and what blocks they rest on."""
    truth = np.array([*RATES.values(), sum(RATES.values())])
    held = {kind: np.zeros(len(truth)) for kind in ("poisson", "cells", "blocks")}
    widths, totals, numbers = [], [], []
    for seed in range(first_seed, first_seed + studies):
        cells = make_cells(width_um, height_um, band=band, random=np.random.default_rng(seed))
        area, total = cells.areas_mm2.sum(), cells.counts.sum(axis=(0, 1))
        sizes = block_sizes(cells)
        chosen = sizes[choose_blocks(sizes, among=len(RATES))]
        exact = np.array(poisson_interval(total)) / area
        intervals = {
            "poisson": exact,
            "cells": block_interval(joined(cells, 1, 1), confidence=0.95),
            "blocks": block_interval(chosen, confidence=0.95),
        }
        for kind, (low, high) in intervals.items():
            held[kind] += (low <= truth) & (truth <= high)
        low, high = intervals["blocks"]
        widths.append((high - low) / (exact[1] - exact[0]))
        totals.append(total)
        numbers.append(len(chosen.areas_mm2))
    totals = np.array(totals)
    return pd.DataFrame(
        {
            "class": [*RATES, "all"],
            "mean_count": totals.mean(axis=0),
            # Variance of the count of a panorama over its mean, over all studies.
            "dispersion": totals.var(axis=0, ddof=1) / totals.mean(axis=0),
            **{kind: each / studies for kind, each in held.items()},
            "median_blocks": np.median(numbers),
            "width_over_poisson": np.median(widths, axis=0),
        }
    )


def main() -> None:
    """Measure all panoramas and bands, and print or write the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--studies", type=int, default=400)
    parser.add_argument("--first-seed", type=int, default=100_000)
    parser.add_argument("--output", type=Path)
    options = parser.parse_args()
    parts = []
    for width, height in PANORAMAS:
        for name, band in BANDS.items():
            part = measure(
                width, height, band=band, studies=options.studies, first_seed=options.first_seed
            )
            part.insert(0, "bands", name)
            part.insert(0, "panorama_um", f"{width} x {height}")
            print(part.round(3).to_string(index=False), flush=True)
            parts.append(part)
    if options.output:
        options.output.parent.mkdir(parents=True, exist_ok=True)
        pd.concat(parts).to_csv(options.output, sep="\t", index=False, float_format="%.4g")


if __name__ == "__main__":
    main()
