"""A small simulated study: its products are opened, and its numbers must add up."""

import json
import re
import zipfile
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest
import tifffile
from PIL import Image

from damascene.classes import DAMAGE_CLASSES, DAMAGE_MECHANISMS, SITE_LABELS, STAGE_CLASSES
from damascene.contracts.candidate_runs import CANDIDATE_RUNS
from damascene.contracts.candidates import CANDIDATES
from damascene.contracts.conditions import CONDITIONS
from damascene.contracts.descriptors import DESCRIPTORS
from damascene.contracts.dispersion import DISPERSION
from damascene.contracts.evolution import EVOLUTION
from damascene.contracts.labels import SPLIT
from damascene.contracts.rate_ratios import RATE_RATIOS
from damascene.contracts.sites import SITES
from damascene.contracts.table import read_table, read_tsv
from damascene.images.store import TiledImage

PANORAMAS = ("unstrained", "strained")


def sites_of(study):
    return pd.concat([read_table(study.path(f"sites/{name}.parquet"), SITES) for name in PANORAMAS])


def test_panoramas_open_with_an_independent_reader(small_study):
    for name in PANORAMAS:
        with tifffile.TiffFile(small_study.path(f"panoramas/{name}.ome.tif")) as tiff:
            assert tiff.is_ome and tiff.series[0].shape == (2048, 3072)
            assert 'PhysicalSizeX="0.04"' in tiff.ome_metadata
            assert len(tiff.series[0].levels) > 1
            pixels = tiff.asarray()
        record = json.loads(small_study.path(f"panoramas/{name}.json").read_text())
        assert record["valid_area_mm2"] == pytest.approx(2048 * 3072 * 1.6e-9)
        with TiledImage(small_study.path(f"denoised/{name}.ome.tif")) as denoised:
            smooth = denoised.read()
        assert smooth.shape == pixels.shape
        # Neighbouring pixels differ less after the Gaussian.
        assert (
            np.abs(np.diff(smooth.astype(int))).mean() < np.abs(np.diff(pixels.astype(int))).mean()
        )


def test_every_candidate_becomes_a_site(small_study):
    for name in PANORAMAS:
        candidates = read_table(small_study.path(f"candidates/{name}.parquet"), CANDIDATES)
        sites = read_table(small_study.path(f"sites/{name}.parquet"), SITES)
        pd.testing.assert_frame_equal(sites[candidates.columns], candidates)
        runs = read_table(small_study.path(f"candidates/{name}.runs.parquet"), CANDIDATE_RUNS)
        area = (runs["right_px"] - runs["left_px"] + 1).groupby(runs["site_id"]).sum()
        assert area.tolist() == candidates["area_px"].tolist()
        described = read_table(
            small_study.path(f"candidates/{name}.descriptors.parquet"), DESCRIPTORS
        )
        np.testing.assert_allclose(np.exp(described["log_area"]), candidates["area_um2"], rtol=1e-5)
        damage = sites[[f"p_{label}" for label in DAMAGE_CLASSES]].sum(axis=1)
        np.testing.assert_allclose(damage, 1, atol=1e-5)


def test_counts_add_up(small_study):
    sites = sites_of(small_study)
    densities = pd.read_csv(small_study.path("statistics/densities.tsv"), sep="\t")
    parts = densities[densities["class"].isin(SITE_LABELS)]
    assert parts["count"].sum() == len(sites)
    for (name, label), row in parts.set_index(["panorama", "class"]).iterrows():
        assert row["count"] == ((sites["panorama"] == name) & (sites["class"] == label)).sum()
        # The table has nine digits.
        assert row["density_per_mm2"] == pytest.approx(row["count"] / row["area_mm2"], rel=1e-8)
        assert row["density_low_per_mm2"] <= row["density_per_mm2"] <= row["density_high_per_mm2"]
        assert row["block_low_per_mm2"] <= row["density_low_per_mm2"] * (1 + 1e-8)
        assert row["block_high_per_mm2"] >= row["density_high_per_mm2"] * (1 - 1e-8)
    every = densities[densities["class"] == "all"]
    assert every["count"].sum() == len(sites) and densities["not_estimated"].isna().all()
    evolution = read_tsv(small_study.path("statistics/evolution.tsv"), EVOLUTION)
    by_class = densities.groupby("class")["count"].sum()
    assert evolution.set_index("class")["count"].to_dict() == by_class.to_dict()
    conditions = read_tsv(small_study.path("statistics/conditions.tsv"), CONDITIONS)
    assert conditions.groupby("class")["count"].sum().to_dict() == by_class.to_dict()
    ratios = read_tsv(small_study.path("statistics/rate_ratios.tsv"), RATE_RATIOS)
    assert ratios["not_estimated"].tolist() == ["the sample sheet names no condition"]
    scatter = read_tsv(small_study.path("statistics/dispersion.tsv"), DISPERSION)
    chosen = scatter[scatter["chosen"] & (scatter["class"] == "all")].set_index("panorama")
    assert chosen["blocks"].to_dict() == every.set_index("panorama")["blocks"].to_dict()
    confusion = pd.read_csv(small_study.path("evaluation/truth_confusion.tsv"), sep="\t")
    detection = pd.read_csv(small_study.path("evaluation/truth_detection.tsv"), sep="\t")
    outside = detection[
        (detection["scope"] == "outside_labelled_area") & (detection["class"] == "all")
    ]
    assert 0 < confusion["count"].sum() <= outside.set_index("score").loc["precision", "matched"]


def test_phase_maps_and_their_numbers_add_up(small_study):
    phases = pd.read_csv(small_study.path("statistics/phases.tsv"), sep="\t")
    damage = pd.read_csv(small_study.path("statistics/phase_damage.tsv"), sep="\t")
    fractions = phases.fillna({"panorama": ""}).set_index(["panorama", "phase"])["fraction"]
    for name in PANORAMAS:
        record = json.loads(small_study.path(f"phases/{name}.json").read_text())
        assert sum(record["fractions"].values()) == pytest.approx(1, abs=1e-5)
        with (
            TiledImage(small_study.path(f"phases/{name}.ome.tif")) as image,
            TiledImage(small_study.path(f"truth/{name}.phases.ome.tif")) as truth,
        ):
            found, true = (
                np.bincount(each.read().ravel(), minlength=4)[1:] for each in (image, truth)
            )
            assert image.shape == truth.shape == (2048, 3072)
        assert found.sum() == true.sum() == 2048 * 3072
        assert fractions[name, "ferrite"] + fractions[name, "martensite"] == pytest.approx(1)
        assert fractions[name, "martensite"] == pytest.approx(found[1] / found[:2].sum())
        assert fractions[name, "damage"] == pytest.approx(found[2] / found.sum())
        # Maps of noisy and of smoothed images differ from the truth by less than half of this.
        assert fractions[name, "martensite"] == pytest.approx(true[1] / true[:2].sum(), abs=0.02)
    assert "" in fractions.index.get_level_values("panorama")
    np.testing.assert_allclose(damage["mapped_area_um2"], 2048 * 3072 * 0.0016)
    assert (
        damage["common_area_um2"] <= damage[["map_area_um2", "candidates_area_um2"]].min(1)
    ).all()
    notes = small_study.path("statistics/phase_notes.txt").read_text()
    assert notes in small_study.path("statistics/headline.txt").read_text()


def test_sites_by_phase_are_the_sites(small_study):
    density = pd.read_csv(small_study.path("statistics/density_by_phase.tsv"), sep="\t")
    sites = sites_of(small_study)
    for (name, label), rows in density.groupby(["panorama", "class"]):
        chosen = sites if name == "all panoramas" else sites[sites["panorama"] == name]
        classes = DAMAGE_MECHANISMS if label == "damage" else [label]
        # All is valid and of a phase, so that the surroundings of every site are known.
        expected = chosen["class"].isin(classes).sum()
        area = 2048 * 3072 * 1.6e-9 * (2 if name == "all panoramas" else 1)
        for _, each in rows.groupby("measure"):
            assert each["count"].sum() == expected
            # The middle of a large cavity has no local fraction.
            assert each["area_mm2"].sum() == pytest.approx(area, rel=1e-4)
    assert len(density["panorama"].unique()) == 3
    chosen = (density["measure"] == "distance") & (density["panorama"] == "all panoramas")
    damage = density[chosen & (density["class"] == "damage")]
    # The simulator puts damage in and beside martensite.
    assert damage["count"].iloc[0] > 0.8 * damage["count"].sum()


def test_labels_lie_in_the_labelled_part_and_never_on_both_sides(small_study):
    split = read_table(small_study.path("labels/split.parquet"), SPLIT)
    assert split["x_px"].max() <= 0.7 * 3072
    assert (split.groupby(["panorama", "label"]).size() <= 12).all()
    assert (split.groupby("group")["fold"].nunique() == 1).all()
    assert set(split["fold"]) == {0, 1, 2}
    # Both stages see a site alike, and share clips and what frozen layers saw in them.
    made = {path.name for path in small_study.path("clips").iterdir()}
    assert made == {"inclusion.npy", "inclusion.features.npy"}
    features = np.load(small_study.path("clips/inclusion.features.npy"))
    assert features.shape[:2] == (len(split), 5) and np.isfinite(features).all()
    clips = np.load(small_study.path("clips/inclusion.npy"))
    assert clips.shape == (len(split), 128, 128, 2) and clips.dtype == np.uint8
    # A clip shows its site: near the middle there is something dark, in nearly every one.
    # At the border, windows are shifted inside.
    inside = split["clip_x_px"].between(64, 3072 - 64) & split["clip_y_px"].between(64, 2048 - 64)
    clips = clips[inside.to_numpy()]
    assert len(clips) > 40
    middle = clips[:, 48:80, 48:80].min(axis=(1, 2))
    assert (middle < 0.5 * np.median(clips, axis=(1, 2))).mean() > 0.95


def test_models_have_cards(small_study):
    for stage, classes in STAGE_CLASSES.items():
        card = json.loads(small_study.path(f"models/{stage}.json").read_text())
        assert tuple(card["classes"]) == classes
        history = pd.read_csv(small_study.path(f"models/{stage}.history.tsv"), sep="\t")
        assert "learning_rate" not in history and (history["run"] == "selection").all()
        assert history["strength"].is_monotonic_increasing and len(history) == card["epochs_run"]
        assert np.isfinite(history["validation_loss"]).all()
        best = history.loc[history["validation_loss"].idxmin()]
        assert (best["epoch"], best["validation_loss"]) == (
            card["best_epoch"],
            pytest.approx(card["validation_loss"]),
        )
        # Trees of descriptors stand beside the network in both stages.
        assert (card["network"], card["descriptors"]) == ("steel_lite0", True)
        assert card["tree_share"] == 0.25


def test_figures_open(small_study):
    figures = sorted(small_study.path("figures").iterdir())
    names = {path.stem for path in figures}
    pages = ("overview", "quality", "phases")
    wanted = {f"{page}_{name}" for page in pages for name in PANORAMAS}
    wanted |= {"phases_against_strain", "phase_convergence", "islands_and_bands"}
    assert wanted | {"phase_surroundings"} <= names and len(names) == 28
    for path in figures:
        if path.suffix == ".svg":
            assert ElementTree.parse(path).getroot().tag.endswith("svg")
        else:
            with Image.open(path) as image:
                assert 300 < image.width <= 1600
                # Not a blank page.
                assert np.asarray(image.convert("L")).std() > 5


def test_the_report_states_the_numbers(small_study, tmp_path):
    study = small_study.copied(tmp_path / "study").finish("--report", "results/report.zip")
    headline = study.path("statistics/headline.txt").read_text().splitlines()
    with zipfile.ZipFile(study.path("report.zip")) as report:
        page = report.read("report/report.html").decode()
        pictures = [name for name in report.namelist() if name.endswith(".png")]
    assert len(pictures) == 28
    damage = next(line for line in headline if line.startswith("damage"))
    # The density with its interval, as the table of this very run has it.
    assert damage.split("(")[1].split(" ")[0] in page
    assert "gaussian" in page and "Poisson" in page


def test_a_run_shows_its_progress_and_where_to_look(small_study):
    """A log file gets no lines about single jobs, none of TensorFlow, none that move a cursor."""
    said = (small_study.folder / "said.txt").read_text()
    assert re.search(r"[1-9] of \d+ jobs done, .* left; running: ", said)
    for noise in ("Finished jobid", "rule train_network:", "oneDNN", "absl", "\x1b"):
        assert noise not in said, noise
    end = said[said.rindex(" left; running: ") :]
    for place in ("statistics/headline.txt", "results/figures/", "the target report"):
        assert place in end


def test_nothing_is_left_to_do(small_study):
    done = small_study.run("--dry-run")
    assert "Nothing to be done" in done.stdout


def test_a_new_seed_starts_over_and_a_threshold_does_not(small_study):
    done = small_study.run("--dry-run", "--config", "damage={threshold: 0.35}")
    assert done.returncode == 0
    assert "classify_sites" in done.stdout and "train_network" not in done.stdout
    done = small_study.run("--dry-run", "--config", "seed=3")
    assert "simulate_panorama" in done.stdout
