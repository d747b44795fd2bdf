"""Measure how often the intervals of scores hold the true value, by simulated labels in groups.

Usage: python benchmarks/interval_coverage.py [--studies N] [--output TABLE]

A study has labelled sites in groups of unequal size and composition. A group has a difficulty of
its own: the logit of the probability that a site is named rightly is shifted by a normal value of
standard deviation `spread`, and by half as much for each class. The true value of a score is that
of very many groups. Beside each interval of `statistics.jackknife` stands the percentile bootstrap
over groups.
"""

import argparse
import sys
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import special

sys.path.insert(0, str(Path(__file__).parents[1] / "workflow" / "scripts"))
from damascene.classes import ALL, SITE_CLASSES
from damascene.evaluation.curves import area_table
from damascene.evaluation.prediction_sets import coverage_table
from damascene.evaluation.scores import score_table

GROUPS = (3, 5, 9, 15, 30)
SPREADS = (0.0, 0.7, 1.2)
#: Scores that are reported: two of a rare class, two of a common one, and means.
REPORTED = (
    *((ALL, score) for score in ("macro_f1", "kappa", "accuracy", "balanced_accuracy")),
    *(("inclusion", score) for score in ("recall", "precision")),
    *(("interface", score) for score in ("recall", "f1", "roc_auc", "average_precision")),
    *((ALL, "coverage"), ("interface", "coverage")),
)
_SHARES = dict(zip(SITE_CLASSES, (0.10, 0.20, 0.15, 0.30, 0.25), strict=True))
_RIGHT = (0.85, 0.60, 0.75, 0.75, 0.65)
_IN_SET = 0.9
_SITES_PER_GROUP = 20
_MANY_GROUPS = 4000
_RESAMPLES = 300


def make_sites(
    *, groups: int, spread: float, seed: int, sites_per_group: float = _SITES_PER_GROUP
) -> pd.DataFrame:
    """Return labelled sites: group, label, predicted_class, in_set, and p_ of each class."""
    random = np.random.default_rng(seed)
    classes = len(SITE_CLASSES)
    sizes = np.maximum(random.poisson(sites_per_group * random.gamma(2.0, 0.5, groups)), 1)
    member = np.repeat(np.arange(groups), sizes)
    composition = random.dirichlet(8 * np.array(list(_SHARES.values())), groups).cumsum(axis=1)
    label = (random.random((len(member), 1)) > composition[member]).sum(axis=1)
    label = label.clip(0, classes - 1)
    ease = spread * random.standard_normal((groups, 1))
    ease = ease + spread / 2 * random.standard_normal((groups, classes))
    ease = ease[member, label]
    is_right = random.random(len(member)) < special.expit(
        special.logit(np.array(_RIGHT))[label] + ease
    )
    wrong = (label + random.integers(1, classes, len(member))) % classes
    predicted = np.where(is_right, label, wrong)
    # Probabilities that rank: more for the given class, less where the group is hard.
    strength = random.gamma(2.0, 1.0, (len(member), classes))
    strength[np.arange(len(member)), predicted] += 3
    strength /= strength.sum(axis=1, keepdims=True)
    in_set = random.random(len(member)) < special.expit(special.logit(_IN_SET) + ease)
    names = np.array(SITE_CLASSES, dtype=object)
    return pd.DataFrame(
        {
            "group": member.astype(str),
            "label": names[label],
            "predicted_class": names[predicted],
            "in_set": in_set,
            **{f"p_{name}": strength[:, index] for index, name in enumerate(SITE_CLASSES)},
        }
    )


def score(sites: pd.DataFrame, *, confidence: float = 0.95) -> pd.DataFrame:
    """Return value, low, high and groups of each score in `REPORTED`, by class and score."""
    targets = np.array([SITE_CLASSES.index(name) for name in sites["label"]])
    sets = np.zeros((len(sites), len(SITE_CLASSES)), bool)
    sets[np.arange(len(sites)), targets] = sites["in_set"]
    options = {"groups": sites["group"], "confidence": confidence}
    probabilities = sites[[f"p_{name}" for name in SITE_CLASSES]].to_numpy()
    promised = np.ones(len(SITE_CLASSES), bool)
    held = coverage_table(sets, targets, promised=promised, **options).rename(
        columns={"coverage": "value"}
    )
    tables = [
        score_table(sites["label"], sites["predicted_class"], **options),
        area_table(probabilities, targets, **options),
        held.assign(score="coverage"),
    ]
    table = pd.concat(tables).set_index(["class", "score"])
    return table[["value", "low", "high", "groups"]].reindex(list(REPORTED))


def bootstrap(sites: pd.DataFrame, *, seed: int) -> pd.DataFrame:
    """Return the 95 % percentile interval of each score, from groups drawn with replacement."""
    random = np.random.default_rng(seed)
    parts = [part for _, part in sites.groupby("group")]
    draws = []
    for _ in range(_RESAMPLES):
        drawn = [parts[one] for one in random.integers(0, len(parts), len(parts))]
        draws.append(score(pd.concat(drawn))["value"].to_numpy())
    low, high = np.nanpercentile(draws, [2.5, 97.5], axis=0)
    return pd.DataFrame({"low": low, "high": high}, index=pd.MultiIndex.from_tuples(REPORTED))


def measure(*, groups: int, spread: float, studies: int, with_bootstrap: int = 0) -> pd.DataFrame:
    """Return for each score the share of intervals with the true value, and their median width.

    Parameters
    ----------
    groups, spread
        See the module.
    studies : int
        How many are simulated.
    with_bootstrap : int, optional
        For how many of them a bootstrap is made too; it is slow.
    """
    # Of one group, as no interval is asked for.
    many = make_sites(groups=_MANY_GROUPS, spread=spread, seed=10**6).assign(group="all")
    truth = score(many)["value"]
    rows = []
    for seed in range(studies):
        sites = make_sites(groups=groups, spread=spread, seed=seed)
        table = score(sites)
        given = table["low"].notna()
        holds = (table["low"] <= truth) & (truth <= table["high"])
        one = {"given": given, "holds": holds.where(given), "width": table["high"] - table["low"]}
        if seed < with_bootstrap:
            old = bootstrap(sites, seed=seed)
            one["bootstrap"] = ((old["low"] <= truth) & (truth <= old["high"])).astype(float)
        rows.append(pd.DataFrame(one))
    every = pd.concat(rows, keys=range(studies)).astype(float).groupby(level=[1, 2], sort=False)
    result = every.mean().drop(columns="width").assign(width=every["width"].median())
    return result.rename_axis(["class", "score"]).reset_index()


def main() -> None:
    """Measure all numbers of groups and spreads, and print or write the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--studies", type=int, default=1000)
    parser.add_argument("--bootstraps", type=int, default=0, help="studies with a bootstrap")
    parser.add_argument("--output", type=Path)
    options = parser.parse_args()
    parts = []
    for spread in SPREADS:
        for groups in GROUPS:
            part = measure(
                groups=groups,
                spread=spread,
                studies=options.studies,
                with_bootstrap=options.bootstraps,
            )
            part.insert(0, "groups", groups)
            part.insert(0, "spread", spread)
            print(part.round(3).to_string(index=False), flush=True)
            parts.append(part)
    if options.output:
        pd.concat(parts).to_csv(options.output, sep="\t", index=False, float_format="%.4g")


if __name__ == "__main__":
    main()
