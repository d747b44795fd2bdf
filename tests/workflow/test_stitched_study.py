"""A panorama taken as overlapping frames, with labels that count from the corners of frames."""

import json
import os

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from damascene.contracts.labels import LABELLED_SITES
from damascene.contracts.table import read_table
from damascene.images.store import TiledImage
from tests.made_images import simulated
from tests.studies import Study

WIDTH, HEIGHT = 512, 442
STEP = np.array([440, 380])
CLASSES = ("inclusion", "notch", "shadowing", "interface", "martensite")


@pytest.fixture(scope="module")
def stitched_study(tmp_path_factory):
    """Return a study of 3 x 2 displaced frames, the scene they were cut from, and their corners."""
    folder = tmp_path_factory.mktemp("stitched")
    data = folder / "data"
    (data / "frames").mkdir(parents=True)
    truth, scene = simulated(
        folder, shape=(880, 1460), pixel_size_nm=50, seed=6, dwell_time_ns=3000
    )
    rng = np.random.default_rng(6)
    corners, lines = {}, ["file\tx_um\ty_um"]
    for place in np.ndindex(3, 2):
        nominal = np.array(place) * STEP
        x, y = np.clip(nominal + 20 + rng.normal(0, 8, 2).round(), 0, None).astype(int)
        frame = scene[y : y + HEIGHT, x : x + WIDTH]
        name = f"f{place[0]}{place[1]}.png"
        Image.fromarray(frame).save(data / "frames" / name)
        corners[name] = (x, y)
        lines.append(f"{name}\t{nominal[0] * 0.05:g}\t{nominal[1] * 0.05:g}")
    (data / "frames.tsv").write_text("\n".join(lines) + "\n")
    labels = ["file\tx_px\ty_px\tlabel"]
    for number, site in enumerate(truth.itertuples()):
        # In the first frame that shows it.
        for name, (left, top) in corners.items():
            x, y = site.x_px - left, site.y_px - top
            if 0 <= x < WIDTH and 0 <= y < HEIGHT:
                labels.append(f"{name}\t{x:.1f}\t{y:.1f}\t{CLASSES[number % 5]}")
                break
    assert len(labels) > 20
    (data / "labels.tsv").write_text("\n".join(labels) + "\n")
    study = Study(folder).configure(
        {
            "study": "stitched",
            "data_folder": str(data),
            "split": {"folds": 3, "block": "12 um"},
            "labels": [{"path": "labels.tsv", "panorama": "series", "columns": {"tile": "file"}}],
        },
        "series\tframes.tsv\tframes\t50\t12",
    )
    return study, scene, corners


def test_the_frames_become_one_panorama_and_labels_follow_them(stitched_study):
    study, scene, corners = stitched_study
    study.finish("results/labels/labels.parquet", "results/figures/stitching_series.svg")
    record = json.loads(study.path("panoramas/series.json").read_text())
    assert record["stitching"]["accepted_pairs"] == record["stitching"]["pairs"] == 7
    frames = pd.read_csv(study.path("panoramas/series.frames.tsv"), sep="\t").set_index("file")
    placed = frames[["placed_x_px", "placed_y_px"]]
    true = pd.DataFrame(corners, index=placed.columns).T.loc[placed.index]
    np.testing.assert_array_equal(placed, true - true.min())
    with (
        TiledImage(study.path("panoramas/series.ome.tif")) as image,
        TiledImage(study.path("panoramas/series.valid.ome.tif")) as valid,
    ):
        left, top = true.min()
        rows, columns = image.shape
        mask = valid.read() == 255
        part = scene[top : top + rows, left : left + columns]
        assert (image.read()[mask] == part[mask]).all()
    pairs = pd.read_csv(study.path("panoramas/series.stitching.tsv"), sep="\t")
    assert len(pairs) == 7 and pairs["residual_px"].max() < 0.5
    given = pd.read_csv(study.folder / "data/labels.tsv", sep="\t")
    expected = given[["x_px", "y_px"]].to_numpy() + placed.loc[given["file"]].to_numpy()
    labels = read_table(study.path("labels/labels.parquet"), LABELLED_SITES)
    kept = {tuple(position) for position in labels[["x_px", "y_px"]].to_numpy()}
    assert kept and kept <= {tuple(position) for position in expected}
    assert study.path("figures/stitching_series.png").stat().st_size > 10_000


def test_a_wrong_list_stops_the_run_before_any_work(stitched_study):
    study, *_ = stitched_study
    path = study.folder / "data/frames.tsv"
    text = path.read_text()
    path.write_text(text.replace("f10.png\t22", "f10.png\t2200"))
    done = study.run("-n")
    path.write_text(text)
    assert done.returncode != 0
    assert "frames.tsv, row 4" in done.stdout and "f10.png" in done.stdout


def test_a_frame_replaced_by_an_older_one_is_stitched_again(stitched_study):
    study, *_ = stitched_study
    frame = study.folder / "data/frames/f11.png"
    before, content = frame.stat(), frame.read_bytes()
    with Image.open(frame) as image:
        Image.fromarray(np.asarray(image)[::-1]).save(frame)
    os.utime(frame, ns=(before.st_mtime_ns - 10**12,) * 2)
    target = ("--dry-run", "--", "results/panoramas/series.json")
    done = study.run(*target)
    assert "is imported again: f11.png changed" in done.stdout and "stitch_frames" in done.stdout
    # Put back, it is the one that was stitched.
    frame.write_bytes(content)
    assert "Nothing to be done" in study.run(*target).stdout
