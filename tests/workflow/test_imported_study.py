"""A panorama made of tiles with missing cells and hand-set labels, and one without any site."""

import json

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from damascene.classes import SITE_LABELS, STAGE_CLASSES
from damascene.contracts.candidates import CANDIDATES
from damascene.contracts.densities import DENSITIES
from damascene.contracts.labels import LABELLED_SITES
from damascene.contracts.sites import SITES
from damascene.contracts.table import read_table, read_tsv
from damascene.images.store import TiledImage

from .conftest import BLANK, COLUMNS, GRID, MISSING, ROWS, TILE


def test_the_panorama_is_assembled_without_its_missing_cells(imported_study):
    study, pixels, _ = imported_study
    record = json.loads(study.path(f"panoramas/{GRID}.json").read_text())
    cells = COLUMNS * ROWS - len(MISSING)
    assert record["valid_area_mm2"] == pytest.approx(cells * TILE**2 * 1.6e-9)
    assert any("2 of 12 cells" in note for note in record["notes"])
    with (
        TiledImage(study.path(f"panoramas/{GRID}.ome.tif")) as image,
        TiledImage(study.path(f"panoramas/{GRID}.valid.ome.tif")) as valid,
    ):
        mask = valid.read() == 255
        assert (image.read()[mask] == pixels[mask]).all()
    assert mask.sum() == cells * TILE**2
    candidates = read_table(study.path(f"candidates/{GRID}.parquet"), CANDIDATES)
    inside = mask[candidates["y_px"].round().astype(int), candidates["x_px"].round().astype(int)]
    assert inside.all()


def test_the_16_bit_image_was_converted_and_this_was_said(imported_study):
    study, *_ = imported_study
    record = json.loads(study.path(f"panoramas/{BLANK}.json").read_text())
    assert any("16-bit" in note for note in record["notes"])
    assert "16-bit" in study.path(f"logs/import_panorama/{BLANK}.log").read_text()


def test_what_speaks_against_a_panorama_stands_beside_the_numbers_and_on_the_terminal(
    imported_study,
):
    study, *_ = imported_study
    headline = study.path("statistics/headline.txt").read_text()
    said = (study.folder / "said.txt").read_text()
    for words in (
        f"! {BLANK}: no part of the image shows the two grey levels of ferrite and martensite",
        f"! {BLANK}: no dark site was found in 0.000672 mm²",
        "! 1 of 2 panoramas were handed in with 8 bits, the others with 16",
    ):
        assert words in headline
        assert words in said
    assert f"! {GRID}" not in headline


def test_no_label_is_lost(imported_study):
    study, _, given = imported_study
    labels = read_table(study.path("labels/labels.parquet"), LABELLED_SITES)
    log = study.path("logs/collect_labels.log").read_text()
    assert f"{given} answers, 0 of them without a place, 1 rows without an answer left out" in log
    assert len(labels) >= 0.95 * given
    # Cross-validation answers for every label.
    predictions = pd.read_parquet(study.path("models/held_out.parquet"))
    assert len(predictions) == len(labels)
    assert predictions["predicted_class"].isin(SITE_LABELS).all()


def test_both_ways_of_training_stand_in_their_histories(imported_study):
    study, *_ = imported_study
    along = {"inclusion": "strength", "damage": "learning_rate"}
    for stage, column in along.items():
        card = json.loads(study.path(f"models/{stage}.json").read_text())
        history = pd.read_csv(study.path(f"models/{stage}.history.tsv"), sep="\t")
        runs = history.groupby("run").size()
        assert set(along.values()) & set(history) == {column}
        assert runs["selection"] == card["epochs_run"]
        # Trained anew on the validation sites as well, for the best number of epochs or at once.
        assert runs["refit"] == (card["best_epoch"] if stage == "damage" else 1)
    assert card["network"] == "compact" and card["epochs_run"] <= 3
    assert study.path("figures/training.png").is_file()


def test_a_panorama_without_a_site_gives_zeros_with_intervals(imported_study):
    study, *_ = imported_study
    assert len(read_table(study.path(f"sites/{BLANK}.parquet"), SITES)) == 0
    densities = read_tsv(study.path("statistics/densities.tsv"), DENSITIES)
    blank = densities[densities["panorama"] == BLANK]
    area = 600 * 700 * 1.6e-9
    assert (blank["count"] == 0).all() and blank["area_mm2"].to_numpy() == pytest.approx(area)
    # Exact Poisson: with nothing seen, the upper bound is -ln(0.025) events.
    assert blank["density_high_per_mm2"].to_numpy() == pytest.approx(-np.log(0.025) / area)
    assert study.path(f"figures/overview_{BLANK}.png").is_file()


def test_an_unknown_strain_stays_unknown(imported_study):
    study, *_ = imported_study
    densities = read_tsv(study.path("statistics/densities.tsv"), DENSITIES)
    assert densities.loc[densities["panorama"] == GRID, "strain_percent"].isna().all()


def test_networks_of_both_kinds_are_explained(imported_study, tmp_path):
    study = imported_study[0].copied(tmp_path / "study")
    study.finish("--", "explanation")
    for stage in STAGE_CLASSES:
        for name in ("filters", "attention", "feature_maps"):
            with Image.open(study.path(f"figures/{name}_{stage}.png")) as image:
                assert np.asarray(image.convert("L")).std() > 5
