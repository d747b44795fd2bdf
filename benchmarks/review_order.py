"""Measure how many labels networks need in the order of the review gallery and in random order.

Usage: python benchmarks/review_order.py --simulated RESULTS --real RESULTS --output FOLDER
    [--repeats N] [--orders NAME ...]

RESULTS are those of the finished default study, whose candidates all have a known class, and of a
real study with labels. What frozen layers see of sites is read from `predictions/*.features.npy`
and `clips/*.features.npy`; both networks have the same frozen layers and windows, as by default.

A simulated annotator is asked about sites and answers wrongly in 10 % of the cases, with any other
class. Places are divided at random, anew in each repeat: a third tests, the others are the study.
Labels are given in rounds of 25. Until each class has three labels, as the workflow asks for, there
are no networks, and groups of look-alikes take turns. Then last layers are fitted to the answers
after each round, and choose the sites of the next one by `review.order.order_sites`. The
convolutions stay as they are. Distances from the training sites take each eighth feature.

The score is macro-F1 on the sites of the tested places with their true classes. Full labels are
those of all sites of the study by the same annotator. Shares of classes are estimated from all
labels, and from those that were drawn at random, and held against what the annotator would say of
all sites of the study.
"""

import argparse
import sys
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.metrics import f1_score

sys.path.insert(0, str(Path(__file__).parents[1] / "workflow" / "scripts"))
from damascene.classes import SITE_CLASSES, STAGES
from damascene.classification.calibration import site_probabilities
from damascene.classification.compared_sites import sampled_rows
from damascene.classification.decide import with_classes
from damascene.config.study import load_study
from damascene.contracts.panorama_record import PanoramaRecord
from damascene.detection.matching import match_to_outlines
from damascene.evaluation.class_learning import StageFeatures, stage_features
from damascene.labels import ROLES
from damascene.labels.split import assign_groups, block_edges_px
from damascene.review.order import BALANCE, CLUSTER, FAR, SET, VALUED, order_sites
from damascene.review.pool import look_alikes
from damascene.shift.space import LEAST_GROUPS, LEAST_SITES, fit_space

ROUND, MOST = 25, 250
WRONG = 0.1
TESTED = 1 / 3
#: Orders by what counts beside chance; `random` has nothing beside it.
ORDERS = {
    "random": (),
    "gallery": VALUED,
    "doubtful": (CLUSTER, SET),
    "balanced": (CLUSTER, BALANCE),
    "far": (CLUSTER, FAR),
    "look-alikes": (CLUSTER,),
}
_PURPOSES = ("split", "answers", "chance", "groups")


def simulated_sites(results: Path, study) -> tuple[pd.DataFrame, np.ndarray]:
    """Return candidates of a simulated study with their true class, and what is seen of them."""
    tables, features = [], []
    for path in sorted(results.glob("truth/*.parquet")):
        truth = pd.read_parquet(path)
        found = pd.read_parquet(results / "candidates" / path.name)
        record = PanoramaRecord.read(results / "panoramas" / f"{path.stem}.json")
        looked = np.load(results / "predictions" / f"{path.stem}.features.npy")
        found = found.iloc[sampled_rows(len(found))].assign(row=range(len(looked)))
        pairs = match_to_outlines(found, truth, tolerance_px=10)
        sites = found.merge(pairs, on="site_id").merge(truth[["truth_id", "true_class"]])
        names = {"true_class": "label", "x_px": "clip_x_px", "y_px": "clip_y_px"}
        edges = block_edges_px(study.split.block, {record.panorama: record.pixel_size_nm})
        sites = assign_groups(sites.rename(columns=names), group_by="block", block_px=edges)
        tables.append(sites[["panorama", "site_id", "label", "group"]])
        features.append(looked[sites["row"]].astype(np.float32))
    return pd.concat(tables, ignore_index=True), np.concatenate(features)


def real_sites(results: Path, _) -> tuple[pd.DataFrame, np.ndarray]:
    """Return the labelled sites of a real study, and what is seen of them."""
    split = pd.read_parquet(results / "labels/split.parquet")
    (file,) = results.glob("clips/*.features.npy")
    return split[["panorama", "site_id", "label", "group"]], np.load(file)[:, 0].astype(np.float32)


def annotator(labels: np.ndarray, *, rng: np.random.Generator) -> np.ndarray:
    """Return what somebody says of sites who takes one of ten for any other class."""
    place = np.array([SITE_CLASSES.index(each) for each in labels])
    turn = rng.integers(1, len(SITE_CLASSES), len(place))
    wrong = rng.random(len(place)) < WRONG
    return np.array(SITE_CLASSES)[(place + turn * wrong) % len(SITE_CLASSES)]


def fitted(stages: dict[str, StageFeatures], learned: np.ndarray, study) -> pd.DataFrame:
    """Return what last layers that learned from some sites say of all."""
    answers = {name: stage.answers(learned) for name, stage in stages.items()}
    return with_classes(
        pd.DataFrame(index=range(len(learned))),
        answers["inclusion"][:, 0],
        answers["damage"],
        inclusion_threshold=study.inclusion.threshold,
        damage_threshold=study.damage.threshold,
    )


def enough(labels: np.ndarray) -> bool:
    """Return whether networks can be trained."""
    return all((labels == name).sum() >= ROLES for name in SITE_CLASSES)


def one_pool(table, features, learned, predicted, *, chance, grouped, distances):
    """Return what the gallery knows of the sites of the study, see `review.pool.read_pool`."""
    pool = table.assign(
        chance=chance,
        labelled=learned,
        contradiction="",
        undecided=False,
        predicted_class="",
        prediction_set="",
        distance=np.nan,
        cluster=-1,
        cluster_distance=np.nan,
    )
    names = [f"p_{name}" for name in SITE_CLASSES]
    if predicted is None:
        pool[names] = np.nan
        pool["cluster"], pool["cluster_distance"] = grouped
        return pool
    pool["predicted_class"] = predicted["predicted_class"].to_numpy()
    pool[names] = site_probabilities(predicted)
    groups = table["group"].to_numpy()[learned]
    if distances and learned.sum() >= LEAST_SITES and len(np.unique(groups)) >= LEAST_GROUPS:
        some = features[:, ::8]
        space = fit_space(some[learned], groups)
        pool["distance"] = space.distances(some) / np.quantile(space.within, 0.95)
    return pool


def shares(labels) -> np.ndarray:
    """Return the share of each class."""
    return np.array([np.mean(np.asarray(labels) == name) for name in SITE_CLASSES])


def one_repeat(table, features, study, *, repeat: int, orders) -> list[dict]:
    """Return the score of each order after each round, with shares of classes, of one division."""
    rngs = {name: np.random.default_rng([repeat, at]) for at, name in enumerate(_PURPOSES)}
    groups = rngs["split"].permutation(table["group"].unique())
    sizes = table["group"].value_counts()[groups].cumsum().to_numpy()
    tested = (
        table["group"].isin(groups[: np.searchsorted(sizes, TESTED * len(table)) + 1]).to_numpy()
    )
    said = annotator(table["label"].to_numpy(), rng=rngs["answers"])
    stages = {
        stage: stage_features(
            stage,
            table.assign(label=said, answers=said),
            features[:, np.newaxis],
            settings=study.stage(stage),
            training=study.training,
        )
        for stage in STAGES
    }
    own = np.flatnonzero(~tested)
    part = table.iloc[own].reset_index(drop=True)
    looks = features[own]
    grouped = look_alikes(looks, seed=int(rngs["groups"].integers(2**31)))
    chance = rngs["chance"].permutation(len(own)).astype(np.uint64)

    def score(predicted):
        names = predicted["predicted_class"].to_numpy()[tested]
        return f1_score(
            table["label"].to_numpy()[tested],
            names,
            labels=SITE_CLASSES,
            average="macro",
            zero_division=0,
        )

    full = score(fitted(stages, ~tested, study))
    truth = shares(said[own])
    rows = []
    for name in orders:
        learned, random, predicted = np.zeros(len(own), bool), np.zeros(len(own), bool), None
        while learned.sum() < min(MOST, len(own)):
            pool = one_pool(
                part,
                looks,
                learned,
                predicted,
                chance=chance,
                grouped=grouped,
                distances=FAR in ORDERS[name],
            )
            counts = pd.Series(said[own][learned]).value_counts().to_dict()
            order = order_sites(
                pool.assign(site_id=range(len(own))), most=ROUND, labels=counts, kinds=ORDERS[name]
            )
            chosen = order["site_id"].to_numpy()
            learned[chosen] = True
            random[chosen[(order["drawn_by"] == "random").to_numpy()]] = True
            value, predicted = 0.0, None
            if enough(said[own][learned]):
                everywhere = np.zeros(len(table), bool)
                everywhere[own[learned]] = True
                answers = fitted(stages, everywhere, study)
                value, predicted = score(answers), answers.iloc[own].reset_index(drop=True)
            row = {"repeat": repeat, "order": name, "labels": int(learned.sum()), "f1": value}
            row |= {"full": full, "pool": len(own), "tested": int(tested.sum())}
            estimates = {"all": shares(said[own][learned]), "random": shares(said[own][random])}
            for each, values in estimates.items():
                row |= {f"{each}_{c}": v for c, v in zip(SITE_CLASSES, values - truth, strict=True)}
            rows.append(row)
    return rows


def labels_needed(curves: pd.DataFrame, *, of_full: float = 0.95) -> pd.Series:
    """Return after how many labels each repeat of an order reached a part of the full score.

    A repeat that does not get there counts as if the next round had.
    """

    def reached(one):
        one = one.sort_values("labels")
        enough = one["f1"] >= of_full * one["full"]
        # Reached to stay, as one lucky round is none.
        stays = enough[::-1].cummin()[::-1]
        return one["labels"][stays].min() if stays.any() else one["labels"].max() + ROUND

    return curves.groupby(["order", "repeat"])[["labels", "f1", "full"]].apply(reached)


def summary(curves: pd.DataFrame) -> pd.DataFrame:
    """Return labels needed by order, and their ratio to random order with an interval."""
    needed = labels_needed(curves).rename("labels").reset_index()
    needed = needed.pivot_table("labels", "repeat", "order")
    rng, rows = np.random.default_rng(0), []
    for name in [each for each in ORDERS if each in needed]:
        draws = rng.integers(0, len(needed), (4000, len(needed)))
        ratios = needed[name].to_numpy()[draws].mean(1) / needed["random"].to_numpy()[draws].mean(1)
        at = curves[(curves["order"] == name)].groupby("labels")["f1"].mean()
        rows.append(
            {
                "order": name,
                "labels_needed": needed[name].mean(),
                "not_reached": int((needed[name] > curves["labels"].max()).sum()),
                "ratio": needed[name].mean() / needed["random"].mean(),
                "low": np.quantile(ratios, 0.025),
                "high": np.quantile(ratios, 0.975),
                **{f"f1_at_{count}": at.get(count, np.nan) for count in (75, 100, 150, 200, 250)},
            }
        )
    return pd.DataFrame(rows)


def share_errors(curves: pd.DataFrame, *, labels: int) -> pd.DataFrame:
    """Return how wrong shares of classes are, from all labels and from the random part."""
    at, rows = curves[curves["labels"] == labels], []
    for name, one in at.groupby("order"):
        for part in ("all", "random"):
            errors = one[[f"{part}_{each}" for each in SITE_CLASSES]].to_numpy()
            rows.append(
                {
                    "order": name,
                    "labels": labels,
                    "from": part,
                    # Mean over the repeats, of the class where it is largest; and over classes.
                    "largest_bias": np.abs(errors.mean(axis=0)).max(),
                    "mean_bias": np.abs(errors.mean(axis=0)).mean(),
                    "scatter": errors.std(axis=0, ddof=1).mean(),
                }
            )
    return pd.DataFrame(rows)


def main() -> None:
    """Run it."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--simulated", type=Path)
    parser.add_argument("--real", type=Path)
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--repeats", type=int, default=10)
    parser.add_argument("--orders", nargs="+", choices=list(ORDERS), default=list(ORDERS))
    options = parser.parse_args()
    study = load_study({})
    # One person answers: no fractions of answers.
    study = study.model_copy(
        update={"training": study.training.model_copy(update={"soft_labels": False})}
    )
    sources = {"simulated": simulated_sites, "real": real_sites}
    options.output.mkdir(parents=True, exist_ok=True)
    for name, load in sources.items():
        results = getattr(options, name)
        if results is None:
            continue
        table, features = load(results, study)
        print(name, len(table), table["label"].value_counts().to_dict(), flush=True)
        rows = []
        for repeat in range(options.repeats):
            rows += one_repeat(table, features, study, repeat=repeat, orders=options.orders)
            print(f"{name}: repeat {repeat + 1} of {options.repeats}", flush=True)
        curves = pd.DataFrame(rows)
        curves.to_csv(options.output / f"{name}_curves.tsv", sep="\t", index=False)
        told = summary(curves)
        told.to_csv(options.output / f"{name}_needed.tsv", sep="\t", index=False)
        errors = pd.concat([share_errors(curves, labels=count) for count in (100, 200)])
        errors.to_csv(options.output / f"{name}_shares.tsv", sep="\t", index=False)
        print(told.round(3).to_string(index=False))
        print(errors.round(3).to_string(index=False), flush=True)


if __name__ == "__main__":
    main()
