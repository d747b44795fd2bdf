"""Measure how often intervals of raw and corrected counts hold the truth, on simulated studies.

Usage: python benchmarks/corrected_coverage.py [--studies N] [--answers TABLE] [--output TABLE]

A study has one small panorama and held-out labels. Damage gathers in bands (the Cox process of the
simulator), other sites do not. Each site has a size and a contrast, by which a detector finds it or
not; the study sees found sites only, and 300 planted voids. Networks answer found sites and labels:
a class has a mean answer of its own, sites scatter round it, and groups of labels and places of the
panorama differ a bit. The labels have equal numbers of each class; in the panorama interfaces and
notches are `shift` times as frequent, and inclusions and shadows so many times less, than that.

With `--answers` a table like `models/held_out.parquet`, whose rows are drawn as they are, takes the
place of the model of the networks: labels from half of its groups, the panorama from the others.

The truth of an interval is the expected number of sites that are there, found or not, per area. The
truth of a share is what was drawn.
"""

import argparse
import sys
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import special

sys.path.insert(0, str(Path(__file__).parents[1] / "workflow" / "scripts"))
from damascene.classes import DAMAGE, DAMAGE_MECHANISMS, SITE_CLASSES
from damascene.classification.decide import with_classes
from damascene.contracts.panorama_record import PanoramaRecord
from damascene.correction import held_out
from damascene.correction import table as correction_table
from damascene.correction.table import Tables, correct_counts
from damascene.simulation.microstructure import band_strength
from damascene.simulation.sites import BAND_PULL
from damascene.statistics import density
from damascene.statistics.panorama_blocks import blocks_of

SHIFTS = (1.0, 2.0, 4.0)
#: Height and width of the panorama, and edge of the cells in which it is counted.
SHAPE_UM = (120.0, 240.0)
CELL_UM = 20.0
PIXEL_NM = 40.0
EXPECTED_SITES = 250.0
GROUPS = 12
# Inclusions and shadows are rarer, interfaces and notches more frequent, in the order of classes.
_SHIFTED = np.array([-1, 1, -1, 1, 0])
# Which classes look alike: interface between notch and martensite, shadows a bit like inclusions.
_LOOKS = np.array(
    [
        [2.4, 0.0, 0.5, 0.0, 0.0],
        [0.0, 2.2, 0.2, 0.7, 0.1],
        [0.4, 0.2, 2.4, 0.1, 0.1],
        [0.0, 0.9, 0.1, 2.0, 0.9],
        [0.1, 0.1, 0.1, 0.7, 2.3],
    ]
)
_GROUP_SPREAD = 0.3
# The networks are overconfident and favour some classes.
_SHARPNESS, _FAVOUR = 1.4, np.array([-0.3, 0.2, 0.0, -0.2, 0.3])
_THRESHOLDS = {"inclusion_threshold": 0.35, "damage_threshold": 0.45}
# Detector: half of the sites of this ln(area in um2) and contrast are found.
_HALF = np.array([-2.4, 0.5])
_SLOPES = np.array([2.2, 25.0])
_VOIDS = 300


def shares_at(shift: float) -> np.ndarray:
    """Return the shares of the classes in a panorama."""
    shares = shift ** _SHIFTED.astype(float)
    return shares / shares.sum()


def answers_to(targets, places, random):
    """Return probabilities (n, classes) that the networks give sites of classes in places."""
    count = places.max(initial=0) + 1
    mood = _GROUP_SPREAD * random.standard_normal((count, len(SITE_CLASSES)))
    seen = _LOOKS[targets] + mood[places] + random.standard_normal((len(targets), 5))
    logits = _SHARPNESS * (seen @ _LOOKS.T - 0.5 * (_LOOKS**2).sum(axis=1)) + _FAVOUR
    return special.softmax(logits, axis=1)


class Drawn:
    """Answers drawn from a table of held-out ones instead."""

    def __init__(self, table, random):
        groups = random.permutation(table["group"].unique())
        half = set(groups[: len(groups) // 2])
        self.parts = [table[table["group"].isin(half)], table[~table["group"].isin(half)]]

    def of_panorama(self, targets, random):
        """Return rows of the second half of the groups, one for each site, of its class."""
        rows = []
        for target in targets:
            own = self.parts[1].index[self.parts[1]["label"] == SITE_CLASSES[target]]
            rows.append(random.choice(own))
        return self.parts[1].loc[rows].reset_index(drop=True)


def answer_table(targets, places, random):
    """Return label, answers and group of sites."""
    joint = answers_to(targets, places, random)
    rest = joint[:, 1:] / joint[:, 1:].sum(axis=1, keepdims=True)
    table = pd.DataFrame({"label": np.array(SITE_CLASSES)[targets], "group": places.astype(str)})
    return with_classes(table, joint[:, 0], rest, **_THRESHOLDS)


def draw_places(shares, seed, random):
    """Return class and position in um of the sites that are there, and their expected numbers."""
    cells_y, cells_x = np.arange(0.5, SHAPE_UM[0]), np.arange(2.5, SHAPE_UM[1], 5)
    band = band_strength(cells_y, cells_x, seed=seed)
    banded = np.exp(BAND_PULL * band - BAND_PULL**2 / 2).ravel() / band.size
    even = np.full(band.size, 1 / band.size)
    targets, ys, xs = [], [], []
    for index, name in enumerate(SITE_CLASSES):
        intensity = banded if name in DAMAGE_MECHANISMS else even
        counts = random.poisson(EXPECTED_SITES * shares[index] * intensity)
        cell = np.repeat(np.arange(band.size), counts)
        row, column = np.divmod(cell, len(cells_x))
        targets.append(np.full(len(cell), index))
        ys.append(row + random.random(len(cell)))
        xs.append(5 * (column + random.random(len(cell))))
    return np.concatenate(targets), np.concatenate(ys), np.concatenate(xs)


def find(log_area, contrast, random):
    """Return which voids the detector finds, and what it measures of them."""
    odds = (np.column_stack([log_area, contrast]) - _HALF) @ _SLOPES
    found = random.random(len(log_area)) < special.expit(odds)
    measured = np.exp(log_area - 0.2 + 0.1 * random.standard_normal(len(log_area)))
    return found, measured, contrast + 0.03 + 0.02 * random.standard_normal(len(contrast))


def make_study(shift, *, seed, labels, groups, answers=None):
    """Return the tables of a study, its record, and expected and drawn numbers by class."""
    random = np.random.default_rng([seed, round(10 * shift)])
    shares = shares_at(shift)
    targets, y_um, x_um = draw_places(shares, seed, random)
    log_area = random.normal(-1.6, 0.7, len(targets))
    contrast = random.uniform(0.48, 0.72, len(targets))
    found, area, seen = find(log_area, contrast, random)
    drawn = np.bincount(targets, minlength=5)
    targets, y_um, x_um = targets[found], y_um[found], x_um[found]
    place = (y_um // 40).astype(int) * 6 + (x_um // 40).astype(int)
    if answers is None:
        sites = answer_table(targets, place, random)
        labelled = np.repeat(np.arange(5), labels)
        held = answer_table(labelled, random.integers(0, groups, len(labelled)), random)
    else:
        halves = Drawn(answers, random)
        sites, held = halves.of_panorama(targets, random), halves.parts[0]
    sites = sites.assign(
        panorama="a",
        site_id=np.arange(len(sites)),
        x_px=x_um * 1000 / PIXEL_NM,
        y_px=y_um * 1000 / PIXEL_NM,
        area_um2=area[found],
        label="",
        touches_border=False,
        touches_mask=False,
    )
    sites["class"] = sites["predicted_class"]
    planted_area = random.uniform(np.log(0.02), np.log(1.3), _VOIDS)
    planted_contrast = random.uniform(0.35, 0.75, _VOIDS)
    hit, hit_area, hit_contrast = find(planted_area, planted_contrast, random)
    planted = pd.DataFrame(
        {
            "panorama": "a",
            "area_um2": np.exp(planted_area),
            "dark_area_um2": np.exp(planted_area),
            "contrast": planted_contrast,
            "found": hit,
            "found_area_um2": np.where(hit, hit_area, np.nan),
            "found_contrast": np.where(hit, hit_contrast, np.nan),
        }
    )
    contrasts = sites[["panorama", "site_id"]].assign(contrast=seen[found])
    record = made_record()
    quality = made_quality()
    densities = density.density_table(
        sites,
        [record],
        strains_percent=[np.nan],
        found={"a": blocks_of(sites, quality, pixel_size_nm=PIXEL_NM)},
    )
    tables = Tables(
        sites=sites,
        quality=quality,
        densities=densities,
        planted=planted,
        contrasts=contrasts,
        held_out=held,
    )
    return tables, record, EXPECTED_SITES * shares, drawn


def made_record():
    """Return the record of the panorama."""
    height, width = (round(length * 1000 / PIXEL_NM) for length in SHAPE_UM)
    return PanoramaRecord.model_construct(
        panorama="a",
        height_px=height,
        width_px=width,
        pixel_size_nm=PIXEL_NM,
        valid_area_mm2=SHAPE_UM[0] * SHAPE_UM[1] / 1e6,
    )


def made_quality():
    """Return the cells of the panorama, all valid."""
    edge = round(CELL_UM * 1000 / PIXEL_NM)
    height, width = (round(length * 1000 / PIXEL_NM) for length in SHAPE_UM)
    tops, lefts = np.meshgrid(np.arange(0, height, edge), np.arange(0, width, edge), indexing="ij")
    return pd.DataFrame(
        {
            "panorama": "a",
            "left_px": lefts.ravel(),
            "top_px": tops.ravel(),
            "width_px": edge,
            "height_px": edge,
            "valid_fraction": 1.0,
        }
    )


def measure(*, shift, labels, groups, studies, first_seed, replicates, answers=None):
    """Return coverage and bias of raw and corrected numbers by class."""
    area = SHAPE_UM[0] * SHAPE_UM[1] / 1e6
    is_damage = np.isin(SITE_CLASSES, DAMAGE_MECHANISMS)
    parts = []
    for seed in range(first_seed, first_seed + studies):
        tables, record, expected, drawn = make_study(
            shift, seed=seed, labels=labels, groups=groups, answers=answers
        )
        table, _ = correct_counts(
            tables,
            [record],
            conditions={},
            minimum_area="20 px2",
            confidence=0.95,
            seed=seed,
            replicates=replicates,
        )
        table = table.set_index("class").loc[[*SITE_CLASSES, DAMAGE, "all"]]
        truth = np.append(expected, [expected[is_damage].sum(), expected.sum()]) / area
        there = np.append(drawn, [drawn[is_damage].sum(), drawn.sum()])
        one = {
            "there": there,
            "true_share": there / there[-1],
            "given": table["not_estimated"] == "",
        }
        for name, prefix in (("raw", ""), ("corrected", "corrected_")):
            low, high = (table[f"{prefix}{bound}_per_mm2"] for bound in ("low", "high"))
            one[f"{name}_holds"] = ((low <= truth) & (truth <= high)).where(high.notna())
            one[f"{name}_width"] = (high - low) * area
            count = table[f"{prefix}count"].astype(float)
            one[f"{name}_share"] = count / count["all"] - one["true_share"]
            one[f"{name}_count"] = count
        found = table["count"]["all"]
        for method in ("acc", "pacc", "emq"):
            one[f"{method}_share"] = table[f"{method}_count"] / found - one["true_share"]
        parts.append(pd.DataFrame(one))
    every = pd.concat(parts, keys=range(studies)).astype(float)
    by_class = every.groupby(level=1, sort=False)
    result = by_class.mean()
    for name in ("raw", "corrected"):
        result[f"{name}_ratio"] = result[f"{name}_count"] / result["there"]
    for name in ("raw", "corrected", "acc", "pacc", "emq"):
        result[f"{name}_rmse"] = np.sqrt(
            (every[f"{name}_share"] ** 2).groupby(level=1, sort=False).mean()
        )
    return result.rename_axis("class").reset_index()


def main() -> None:
    """Measure all shifts, and print or write the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--studies", type=int, default=400)
    parser.add_argument("--first-seed", type=int, default=1000)
    parser.add_argument("--replicates", type=int, default=500)
    parser.add_argument("--labels", type=int, nargs="+", default=[60], help="labels of each class")
    parser.add_argument("--groups", type=int, nargs="+", default=[GROUPS])
    parser.add_argument("--shifts", type=float, nargs="+", default=list(SHIFTS))
    parser.add_argument("--any-labels", action="store_true", help="correct however few they are")
    parser.add_argument("--answers", type=Path, help="held-out answers to draw from")
    parser.add_argument("--output", type=Path)
    options = parser.parse_args()
    if options.any_labels:
        held_out.LEAST_LABELS = held_out.LEAST_GROUPS = 2
        held_out.MOST_CONDITION = np.inf
    # Contracts are tested elsewhere, and take half of the time.
    for module in (density, correction_table):
        module.check_table = lambda made, *_, **__: made
    answers = None if options.answers is None else pd.read_parquet(options.answers)
    parts = []
    for labels in options.labels:
        for groups in options.groups:
            for shift in options.shifts:
                part = measure(
                    shift=shift,
                    labels=labels,
                    groups=groups,
                    studies=options.studies,
                    first_seed=options.first_seed,
                    replicates=options.replicates,
                    answers=answers,
                )
                part.insert(0, "shift", shift)
                part.insert(0, "groups", groups)
                part.insert(0, "labels", labels)
                print(part.round(3).to_string(index=False), flush=True)
                parts.append(part)
    if options.output:
        pd.concat(parts).to_csv(options.output, sep="\t", index=False, float_format="%.4g")


if __name__ == "__main__":
    main()
