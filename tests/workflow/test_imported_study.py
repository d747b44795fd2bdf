"""A panorama made of tiles with missing cells and hand-set labels, and one without any site."""

import json

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from damascene.classes import SITE_LABELS, STAGE_CLASSES
from damascene.contracts.candidates import CANDIDATES
from damascene.contracts.labels import LABELLED_SITES
from damascene.contracts.sites import SITES
from damascene.contracts.table import read_table
from damascene.images.store import TiledImage
from damascene.simulation import simulate_panorama

from .conftest import Study

TILE = 768
COLUMNS, ROWS = 4, 3
MISSING = {(3, 0), (1, 2)}


@pytest.fixture(scope="module")
def imported_study(tmp_path_factory):
    """Return a study of a grid of PNG tiles and a blank 16-bit image, cross-validated."""
    folder = tmp_path_factory.mktemp("imported")
    data = folder / "data"
    (data / "tiles").mkdir(parents=True)
    image_path = folder / "simulated.ome.tif"
    truth, _ = simulate_panorama(
        panorama="series",
        shape=(TILE * ROWS, TILE * COLUMNS),
        pixel_size_nm=40,
        strain_percent=12,
        seed=11,
        dwell_time_ns=3000,
        image_path=image_path,
        phases_path=folder / "phases.ome.tif",
    )
    with TiledImage(image_path) as image:
        pixels = image.read()
    grid = ["file\tcolumn\trow"]
    for column in range(COLUMNS):
        for row in range(ROWS):
            if (column, row) not in MISSING:
                tile = pixels[row * TILE : (row + 1) * TILE, column * TILE : (column + 1) * TILE]
                Image.fromarray(tile).save(data / f"tiles/im{column}{row}.png")
                grid.append(f"im{column}{row}.png\t{column}\t{row}")
    (data / "grid.tsv").write_text("\n".join(grid) + "\n")
    cells = list(zip(truth["x_px"] // TILE, truth["y_px"] // TILE, strict=True))
    labels = ["file\tx_px\ty_px\tsays"]
    for (column, row), site in zip(cells, truth.itertuples(), strict=True):
        if (int(column), int(row)) not in MISSING:
            labels.append(
                f"im{int(column)}{int(row)}.png\t{site.x_px % TILE:.1f}\t{site.y_px % TILE:.1f}\t"
                f"{site.true_class}"
            )
    labels.append("im00.png\t5\t5\t")
    (data / "labels.tsv").write_text("\n".join(labels) + "\n")
    # Bright everywhere, so that there is nothing to be found; 16-bit, so that it is converted.
    rng = np.random.default_rng(3)
    blank = rng.normal(30000, 800, (600, 700)).astype(np.uint16)
    Image.fromarray(blank).save(data / "blank.tif")
    study = Study(folder).configure(
        {
            "study": "imported",
            "data_folder": str(data),
            "labels": [
                {
                    "path": "labels.tsv",
                    "panorama": "series",
                    "columns": {"label": "says", "tile": "file"},
                }
            ],
            "split": {"folds": 3, "block": f"{TILE} px", "cross_validate": True},
            # One stage descends the gradient, the other one does not.
            "damage": {"network": "compact"},
            "training": {"epochs": 3},
        },
        "series\tgrid.tsv\ttiles\t40\t",
        "blank\tblank.tif\t\t40\t3",
    )
    return study.finish(), pixels, len(labels) - 2


def test_the_panorama_is_assembled_without_its_missing_cells(imported_study):
    study, pixels, _ = imported_study
    record = json.loads(study.path("panoramas/series.json").read_text())
    cells = COLUMNS * ROWS - len(MISSING)
    assert record["valid_area_mm2"] == pytest.approx(cells * TILE**2 * 1.6e-9)
    assert any("2 of 12 cells" in note for note in record["notes"])
    with (
        TiledImage(study.path("panoramas/series.ome.tif")) as image,
        TiledImage(study.path("panoramas/series.valid.ome.tif")) as valid,
    ):
        mask = valid.read() == 255
        assert (image.read()[mask] == pixels[mask]).all()
    assert mask.sum() == cells * TILE**2
    candidates = read_table(study.path("candidates/series.parquet"), CANDIDATES)
    inside = mask[candidates["y_px"].round().astype(int), candidates["x_px"].round().astype(int)]
    assert inside.all()


def test_the_16_bit_image_was_converted_and_this_was_said(imported_study):
    study, *_ = imported_study
    record = json.loads(study.path("panoramas/blank.json").read_text())
    assert any("16-bit" in note for note in record["notes"])
    assert "16-bit" in study.path("logs/import_panorama/blank.log").read_text()


def test_no_label_is_lost(imported_study):
    study, _, given = imported_study
    labels = read_table(study.path("labels/labels.parquet"), LABELLED_SITES)
    log = study.path("logs/collect_labels.log").read_text()
    assert f"{given} labels, 1 rows without a label left out" in log
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
    assert len(read_table(study.path("sites/blank.parquet"), SITES)) == 0
    densities = pd.read_csv(study.path("statistics/densities.tsv"), sep="\t")
    blank = densities[densities["panorama"] == "blank"]
    area = 600 * 700 * 1.6e-9
    assert (blank["count"] == 0).all() and blank["area_mm2"].to_numpy() == pytest.approx(area)
    # Exact Poisson: with nothing seen, the upper bound is -ln(0.025) events.
    assert blank["density_high_per_mm2"].to_numpy() == pytest.approx(-np.log(0.025) / area)
    assert study.path("figures/overview_blank.png").is_file()


def test_an_unknown_strain_stays_unknown(imported_study):
    study, *_ = imported_study
    densities = pd.read_csv(study.path("statistics/densities.tsv"), sep="\t")
    assert densities.loc[densities["panorama"] == "series", "strain_percent"].isna().all()


def test_networks_of_both_kinds_are_explained(imported_study):
    study, *_ = imported_study
    study.finish("--", "explanation")
    for stage in STAGE_CLASSES:
        for name in ("filters", "attention", "feature_maps"):
            with Image.open(study.path(f"figures/{name}_{stage}.png")) as image:
                assert np.asarray(image.convert("L")).std() > 5
