"""Correct the counts of real tiles by the labels of others, and hold them against their majority.

Usage: python benchmarks/corrected_real_tiles.py models/held_out.parquet [--splits N]

The labelled tiles are divided in two parts by lot, again and again. How the networks answer each
class is learned from one part; the answers to the other part are counted, raw and corrected, as if
nobody had labelled it; its majority labels are the truth. No network saw the sites it answered.

Intervals are those of the product: of the expected number in an area like these tiles. They hold
the chance of which sites lie there, too, so that they should hold the count of the tiles themselves
more often than 95 %.
"""

import argparse
import sys
from pathlib import Path

import numpy as np
import pandas as pd

sys.path.insert(0, str(Path(__file__).parents[1] / "workflow" / "scripts"))
from damascene.classes import DAMAGE, DAMAGE_MECHANISMS, SITE_CLASSES
from damascene.classification.calibration import site_probabilities
from damascene.correction.counts import (
    METHOD,
    METHODS,
    Panorama,
    block_replicates,
    class_counts,
    count_replicates,
)
from damascene.correction.held_out import answers_of, held_out_answers

_IS_DAMAGE = np.isin(SITE_CLASSES, DAMAGE_MECHANISMS)


def with_damage(counts):
    """Append the sum of damage to counts of classes, along the last axis."""
    return np.concatenate([counts, counts[..., _IS_DAMAGE].sum(axis=-1, keepdims=True)], axis=-1)


def one_split(labels, others, *, seed, replicates):
    """Return raw, corrected and true counts of the other tiles, with intervals."""
    held_out = held_out_answers(labels)
    scores = held_out.scores_of(site_probabilities(others))
    answers = answers_of(others["predicted_class"])
    tile, blocks = pd.factorize(others["group"])
    count = len(SITE_CLASSES)
    sums = np.zeros((len(blocks), 2 * count))
    np.add.at(sums[:, :count], tile, scores)
    raw_sums = np.zeros((len(blocks), count))
    np.add.at(raw_sums, tile, answers[:, :count])
    areas = np.ones(len(blocks))
    panorama = Panorama(
        answers=answers,
        scores=scores,
        labelled=np.zeros(count),
        block_sums=sums,
        block_areas_mm2=areas,
        block_numbers=np.bincount(tile).astype(float),
    )
    options = {"replicates": replicates, "seed": seed}
    drawn = {
        "corrected": with_damage(count_replicates(panorama, held_out, **options)),
        "raw": block_replicates(with_damage(raw_sums), areas, **options),
    }
    counts = {name: with_damage(each) for name, each in class_counts(panorama, held_out).items()}
    counts["raw"] = with_damage(raw_sums.sum(axis=0))
    truth = others["label"].value_counts().reindex(SITE_CLASSES, fill_value=0).to_numpy(float)
    row = pd.DataFrame({"truth": with_damage(truth)}, index=[*SITE_CLASSES, DAMAGE])
    for name, each in counts.items():
        row[name] = each
    for name, each in drawn.items():
        low, high = np.quantile(each, [0.025, 0.975], axis=0)
        row[f"{name}_low"], row[f"{name}_high"] = low, high
        row[f"{name}_holds"] = (low <= row["truth"]) & (row["truth"] <= high)
    return row


def main() -> None:
    """Measure all splits and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("held_out", type=Path)
    parser.add_argument("--splits", type=int, default=100)
    parser.add_argument("--replicates", type=int, default=500)
    parser.add_argument("--learned", type=float, default=0.5, help="part of the tiles learned from")
    parser.add_argument("--class", dest="label", default="notch", help="class for --chosen")
    parser.add_argument(
        "--chosen",
        type=float,
        default=1.0,
        help="part of that class that is kept in the other tiles, for another prevalence",
    )
    options = parser.parse_args()
    table = pd.read_parquet(options.held_out)
    groups = np.sort(table["group"].unique())
    parts = []
    for seed in range(options.splits):
        random = np.random.default_rng(seed)
        half = set(random.permutation(groups)[: round(options.learned * len(groups))])
        learns = table["group"].isin(half)
        others = table[~learns]
        if options.chosen < 1:
            kept = (others["label"] != options.label) | (
                random.random(len(others)) < options.chosen
            )
            others = others[kept]
        parts.append(one_split(table[learns], others, seed=seed, replicates=options.replicates))
    every = pd.concat(parts, keys=range(len(parts)))
    by_class = every.astype(float).groupby(level=1, sort=False)
    print(f"{len(table)} sites, {len(groups)} tiles, {options.splits} splits; counts are means")
    print(by_class.mean().round(2).to_string())
    errors = pd.DataFrame(
        {
            name: ((every[name] - every["truth"]).astype(float) ** 2)
            .groupby(level=1, sort=False)
            .mean()
            ** 0.5
            for name in ("raw", *METHODS)
        }
    )
    print(f"root mean square error of the counts ({METHOD} is the corrected count)")
    print(errors.round(2).to_string())


if __name__ == "__main__":
    main()
