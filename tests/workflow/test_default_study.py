"""The default study, whole: what the README promises of it."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from PIL import Image

from damascene.config.study import load_study
from damascene.detection.matching import match_to_outlines
from damascene.images.store import TiledImage
from damascene.images.tiles import tile_windows
from damascene.jobs.benchmarks import read_benchmarks
from damascene.jobs.resources import ENGINE_MB, megabytes, memory_limit_mb
from damascene.jobs.sizes import job_cost, job_size
from damascene.jobs.unit_costs import read_unit_costs
from damascene.study.plan import plan_study
from damascene.study.sheet import read_sheet
from tests.studies import ROOT, Study


@pytest.fixture(scope="module")
def default_study(tmp_path_factory):
    study = Study(tmp_path_factory.mktemp("default"))
    (study.folder / "config").symlink_to(ROOT / "config")
    return study.finish()


def test_nearly_all_true_sites_are_found_and_little_else(default_study):
    scores = pd.read_csv(default_study.path("evaluation/truth_detection.tsv"), sep="\t")
    of_all = scores[(scores["scope"] == "all") & (scores["class"] == "all")].set_index("score")
    assert of_all.loc["recall", "total"] > 500
    assert of_all.loc["recall", "value"] >= 0.95
    assert of_all.loc["precision", "value"] >= 0.95


def test_the_five_classes_are_told_apart_where_nothing_was_labelled(default_study):
    scores = pd.read_csv(default_study.path("evaluation/truth_scores.tsv"), sep="\t")
    macro_f1 = scores[(scores["class"] == "all") & (scores["score"] == "macro_f1")].iloc[0]
    assert macro_f1["support"] > 200
    assert macro_f1["value"] >= 0.85


def test_a_confidence_is_the_fraction_that_is_right_over_all_true_sites(default_study):
    """Labels are of equal number in all classes and panoramas, and sites are not."""
    found = []
    for path in sorted(default_study.path("sites").glob("*.parquet")):
        sites = pd.read_parquet(path)
        truth = pd.read_parquet(default_study.path(f"truth/{path.name}"))
        matches = match_to_outlines(sites, truth, tolerance_px=10)
        matches = matches.merge(truth[["truth_id", "true_class", "area_px"]], on="truth_id")
        largest = matches.sort_values("area_px").drop_duplicates("site_id", keep="last")
        found.append(sites.merge(largest[["site_id", "true_class"]], on="site_id"))
    sites = pd.concat(found)
    # Further right than any window of a label reaches.
    sites = sites[sites["x_px"] > 3300]
    right = sites["predicted_class"] == sites["true_class"]
    assert len(sites) > 250
    # A standard deviation of chance is near 0.01.
    assert sites["confidence"].mean() == pytest.approx(right.mean(), abs=0.04)
    bins = pd.cut(sites["confidence"], np.linspace(0, 1, 11))
    apart = (sites["confidence"] - right).groupby(bins, observed=True).sum().abs().sum()
    assert apart / len(sites) < 0.05


def test_damage_grows_with_strain_and_inclusions_do_not(default_study):
    densities = pd.read_csv(default_study.path("statistics/densities.tsv"), sep="\t")
    table = densities.pivot(index="strain_percent", columns="class", values="count")
    assert table["damage"].is_monotonic_increasing
    # Three counts of about 40: their spread stays within four standard deviations of chance.
    inclusions = table["inclusion"]
    assert inclusions.max() - inclusions.min() <= 4 * (2 * inclusions.mean()) ** 0.5


def test_the_headline_has_a_column_for_every_panorama(default_study):
    headline = default_study.path("statistics/headline.txt").read_text().splitlines()
    assert headline[0] == "Which numbers may be used:"
    assert ["panorama", "strain_00", "strain_06", "strain_12"] in map(str.split, headline)


def test_phases_are_those_of_the_simulated_steel(default_study):
    """The network that is shipped has seen neither this specimen nor its noise."""
    record = json.loads(default_study.path("phases/strain_12.json").read_text())
    with (
        TiledImage(default_study.path("phases/strain_12.ome.tif")) as found,
        TiledImage(default_study.path("truth/strain_12.phases.ome.tif")) as true,
    ):
        pairs = np.zeros((4, 4), int)
        for row in tile_windows(true.shape, tile_px=2048):
            for window in row:
                np.add.at(pairs, (true.read(window), found.read(window)), 1)
    pairs = pairs[1:, 1:]
    iou = np.diag(pairs) / (pairs.sum(axis=0) + pairs.sum(axis=1) - np.diag(pairs))
    assert iou.mean() >= 0.92 and iou[2] >= 0.85
    fractions = pairs.sum(axis=0) / pairs.sum()
    assert fractions[1] == pytest.approx(pairs.sum(axis=1)[1] / pairs.sum(), abs=0.01)
    assert list(record["fractions"].values()) == pytest.approx(list(fractions), abs=1e-5)
    assert list(record["phases"]) == ["ferrite", "martensite", "damage"]
    # As sure as it is right.
    right = np.diag(pairs).sum() / pairs.sum()
    assert record["confidence"] == pytest.approx(right, abs=0.03)
    assert not record["caveats"]


def test_no_job_took_more_memory_than_its_rule_asks_for(default_study, monkeypatch):
    """A cluster would have killed it: the engine, beside the job, counts too."""
    monkeypatch.chdir(default_study.folder)
    study = load_study(yaml.safe_load(Path("config/config.yaml").read_text()))
    sheet = plan_study(study, read_sheet(Path(study.panoramas))).sheet
    costs = read_unit_costs()
    took, asked = {}, {}
    for job in read_benchmarks():
        if job.mb:
            cost = job_cost(costs, job.rule, study=study, stage=job.stage)
            panorama = job.job if cost.scope == "panorama" else None
            size = job_size(cost, study=study, sheet=sheet, panorama=panorama)
            took[job.rule, job.job] = job.mb + ENGINE_MB
            asked[job.rule, job.job] = memory_limit_mb(megabytes(cost, size))
    assert len(took) > 90 and {"draw_phases", "train_network"} <= {rule for rule, _ in took}
    killed = {job: (took[job], asked[job]) for job in took if took[job] > asked[job]}
    assert killed == {}


def test_networks_are_compared_with_classical_classifiers(default_study):
    default_study.finish("classifiers")
    table = pd.read_csv(default_study.path("evaluation/classifiers.tsv"), sep="\t")
    predictions = pd.read_parquet(default_study.path("models/held_out.parquet"))
    assert (table["sites"] == len(predictions)).all()
    scores = pd.read_csv(default_study.path("evaluation/scores.tsv"), sep="\t")
    macro_f1 = scores[(scores["class"] == "all") & (scores["score"] == "macro_f1")].iloc[0]
    networks = table[table["classifier"] == "networks"].iloc[0]
    assert networks["macro_f1"] == pytest.approx(macro_f1["value"])
    of_descriptors = table[table["features"] == "descriptors"]["macro_f1"]
    majority = table[table["classifier"] == "majority"]["macro_f1"].iloc[0]
    # Five classes of which one is called; measured features tell most sites apart.
    assert majority < 0.15
    assert of_descriptors.max() > 0.7
    with Image.open(default_study.path("figures/classifiers.png")) as image:
        assert image.width == 1600
