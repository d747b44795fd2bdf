"""Phase maps: parts, changes of patches, calibration, training, and the map of a panorama."""

import itertools
import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import tifffile
from made_panoramas import write_pair

from damascene import InputError
from damascene.config.segmentation import Segmentation
from damascene.images.store import TiledImage, write_all_valid, write_tiled
from damascene.images.valid_area import VALID
from damascene.segmentation.calibration import (
    calibrated,
    expected_calibration_error,
    fit_calibration,
)
from damascene.segmentation.maps import map_caveats, write_map
from damascene.segmentation.parts import divided, folds_of_panoramas
from damascene.segmentation.scans import scanned

PHASES = ("dark", "bright")


@pytest.mark.parametrize("shape", [(484, 645), (2000, 3000), (300, 4000), (260, 260)])
def test_parts_cover_every_pixel_once_and_every_fold_has_some(shape):
    covered = np.zeros(shape, int)
    parts = divided("a", shape, folds=4, seed=1, panoramas=None)
    for window, _ in parts:
        covered[window.slices()] += 1
        assert min(window.shape) >= 64
    assert (covered == 1).all()
    areas = np.bincount([fold for _, fold in parts], [np.prod(w.shape) for w, _ in parts])
    assert len(areas) == 4 and areas.min() > 0.5 * areas.mean()
    assert parts == divided("a", shape, folds=4, seed=1, panoramas=None)
    assert parts != divided("a", shape, folds=4, seed=2, panoramas=None)


def test_panoramas_are_kept_whole_where_there_are_enough():
    names = [f"p{number}" for number in range(11)]
    folds = folds_of_panoramas(names, folds=5, seed=3)
    assert sorted(np.bincount(list(folds.values()))) == [2, 2, 2, 2, 3]
    assert folds == folds_of_panoramas(reversed(names), folds=5, seed=3)
    assert folds_of_panoramas(names, folds=12, seed=3) is None
    ((window, fold),) = divided("p3", (700, 900), folds=5, seed=3, panoramas=folds)
    assert (window.shape, fold) == ((700, 900), folds["p3"])


def test_a_panorama_too_small_for_its_folds_is_refused():
    with pytest.raises(InputError, match="only 4 blocks of 64 px, fewer than"):
        divided("a", (130, 150), folds=5, seed=0, panoramas=None)


def test_a_scan_charges_rims_alone_and_hides_what_it_cuts_off():
    grey = np.full((96, 96), 80, np.float32)
    damage = np.zeros((96, 96), bool)
    damage[40:50, 30:60] = True
    grey[damage] = 5
    brighter, cut = [], 0
    for seed in range(60):
        changed, covered = scanned(grey, damage, np.random.default_rng(seed))
        again, _ = scanned(grey, damage, np.random.default_rng(seed))
        np.testing.assert_array_equal(changed, again)
        assert changed.min() >= 0 and changed.max() <= 255
        assert (changed[~covered] == 0).all()
        cut += not covered.all()
        if covered.all():
            brighter.append(changed[36:40, 30:60].mean() - 80)
            assert abs(changed[:20].mean() - 80) < 12
            assert changed[damage].mean() < 40
    assert 0 < cut < 15
    # About half of them have a rim, of several strengths.
    assert 0.25 < np.mean(np.array(brighter) > 6) < 0.75


def answers_with(temperature, offsets, *, seed=0, pixels=40_000):
    """Return labels, and probabilities that are wrong by a temperature and offsets."""
    random = np.random.default_rng(seed)
    logits = 2 * random.standard_normal((pixels, 3))
    true = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    labels = (true.cumsum(axis=1) < random.random((pixels, 1))).sum(axis=1)
    return calibrated(true, 1 / temperature, -np.array(offsets) * temperature), true, labels


def test_calibration_takes_back_a_temperature_and_offsets():
    given, true, labels = answers_with(1.7, [0.4, 0.2, -0.6])
    temperature, offsets = fit_calibration(given, labels)
    assert temperature == pytest.approx(1.7, rel=0.05)
    np.testing.assert_allclose(offsets, [0.4, 0.2, -0.6], atol=0.06)
    np.testing.assert_allclose(calibrated(given, temperature, offsets), true, atol=0.03)
    before = expected_calibration_error(given, labels)
    after = expected_calibration_error(calibrated(given, temperature, offsets), labels)
    assert after < 0.01 < before


def test_a_phase_without_labels_keeps_its_offset():
    given, _, labels = answers_with(1.3, [0, 0, 0])
    kept = labels != 2
    _, offsets = fit_calibration(given[kept], labels[kept])
    assert offsets[2] == 0 and np.isfinite(offsets).all()


def steel(shape=(320, 640), seed=0):
    """Return greys of two phases in stripes of two brightnesses, and the phases from 1."""
    random = np.random.default_rng(seed)
    phases = 1 + ((np.arange(shape[1]) // 40) % 2) * np.ones((shape[0], 1), int)
    grey = np.where(phases == 2, 150, 70) + random.normal(0, 5, shape)
    return np.clip(grey, 0, 255).astype(np.uint8), phases.astype(np.uint8)


@pytest.fixture(scope="module")
def panorama(tmp_path_factory):
    """Write an image, its mask with an invalid corner, and its labels."""
    folder = tmp_path_factory.mktemp("steel")
    grey, phases = steel()
    valid = np.full(grey.shape, VALID, np.uint8)
    valid[:40, :60] = 0
    for name, pixels in (("image", grey), ("valid", valid), ("labels", phases)):
        options = {"shape": grey.shape, "pixel_size_nm": 40.0, "name": name}
        write_tiled(folder / f"{name}.ome.tif", [pixels], labels=name != "image", **options)
    return folder


def test_a_map_holds_the_most_probable_phases_and_nothing_outside(panorama, tmp_path):
    random = np.random.default_rng(4)
    answer = random.dirichlet([1, 1], (320, 640)).astype(np.float32)
    with TiledImage(panorama / "valid.ome.tif") as valid:
        inside = valid.read() == VALID
        record = write_map(
            [answer[:100], answer[100:]],
            valid,
            panorama="a",
            phases=PHASES,
            method="train",
            path=tmp_path / "a.ome.tif",
            probabilities_path=tmp_path / "p.ome.tif",
        )
    with TiledImage(tmp_path / "a.ome.tif") as stored:
        written = stored.read()
    np.testing.assert_array_equal(written, np.where(inside, answer.argmax(-1) + 1, 0))
    planes = tifffile.imread(tmp_path / "p.ome.tif")
    expected = np.rint(255 * np.moveaxis(answer, -1, 0)) * inside
    np.testing.assert_array_equal(planes, expected)
    with tifffile.TiffFile(tmp_path / "p.ome.tif") as file:
        assert file.series[0].axes == "CYX"
        assert all(f'Name="{name}"' in file.ome_metadata for name in PHASES)
    assert record.pixels == {
        name: int((written == number).sum()) for number, name in enumerate(PHASES, 1)
    }
    assert sum(record.fractions.values()) == pytest.approx(1, abs=1e-5)
    chosen = answer.max(axis=-1)
    assert record.confidence == pytest.approx(chosen[inside].mean(), abs=1e-4)
    assert record.confidence_by_phase["dark"] == pytest.approx(
        chosen[inside & (written == 1)].mean(), abs=1e-4
    )


def test_a_map_without_probabilities_has_no_confidence(panorama, tmp_path):
    _, phases = steel()
    with TiledImage(panorama / "valid.ome.tif") as valid:
        record = write_map(
            [phases], valid, panorama="a", phases=PHASES, method="m", path=tmp_path / "a.ome.tif"
        )
    assert record.confidence is None
    assert record.confidence_by_phase == {"dark": None, "bright": None}


def test_a_map_of_nothing_valid_has_neither_confidence_nor_doubts_about_it(tmp_path):
    _, path = write_pair(tmp_path / "p", np.zeros((30, 40), np.uint8), np.zeros((30, 40), bool))
    answer = np.full((30, 40, 2), 0.5, np.float32)
    with TiledImage(path) as valid:
        record = write_map(
            [answer], valid, panorama="a", phases=PHASES, method="m", path=tmp_path / "a.ome.tif"
        )
    with TiledImage(tmp_path / "a.ome.tif") as stored:
        assert not stored.read().any()
    assert record.confidence is None and record.caveats == ()
    assert set(record.pixels.values()) == {0}


@pytest.mark.parametrize(
    ("fractions", "confidence", "size", "kinds"),
    [
        ({"dark": 0.6, "bright": 0.39, "damage": 0.01}, 0.95, 40, []),
        ({"dark": 0.6, "bright": 0.39, "damage": 0.01}, None, 25, []),
        ({"dark": 0.6, "bright": 0.39, "damage": 0.01}, 0.95, 24.9, ["foreign_pixel_size"]),
        ({"dark": 0.99, "bright": 0.01, "damage": 0.0}, 0.95, 40, ["one_phase"]),
        ({"dark": 0.01, "bright": 0.99, "damage": 0.0}, 0.8, 90, None),
        ({"dark": 0.3, "bright": 0.69, "damage": 0.01}, 0.95, 40, ["much_of_minor_phase"]),
        ({"dark": 0.0, "bright": 0.0, "damage": 0.0}, None, 40, []),
    ],
)
def test_caveats(fractions, confidence, size, kinds):
    found = map_caveats(
        fractions,
        confidence=confidence,
        pixel_size_nm=size,
        learned_nm=(25, 80),
        damage_phase="damage",
        minor_phase="bright",
    )
    told = [caveat.kind for caveat in found]
    every = ["foreign_pixel_size", "one_phase", "much_of_minor_phase", "unsure"]
    assert told == (every if kinds is None else kinds)


SETTINGS = {
    "method": "train",
    "phases": {name: {"label": n, "colour": "#112233"} for n, name in enumerate(PHASES)},
    "hard_phase": "",
    "damage_phase": "",
    "widths": [4, 8],
    "epochs": 3,
    "patches": 24,
    "batch_size": 4,
    "learning_rate": 0.02,
    "folds": 2,
    "augmentation": "flips",
}

TRAIN = textwrap.dedent(
    """
    import json, logging, sys
    from damascene.learning.device import choose_device
    choose_device(gpu=0, threads=1)
    from damascene.config.segmentation import Segmentation
    from damascene.segmentation.train import Lesson, train_segmentation
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    folder, model, settings = sys.argv[1:]
    lesson = {name: f"{folder}/{name}.ome.tif" for name in ("image", "valid", "labels")}
    history, card = train_segmentation(
        {"a": Lesson(**lesson)},
        phases=("dark", "bright"),
        settings=Segmentation.model_validate(json.loads(settings)),
        seed=5,
        fold_seed=6,
        model_path=model,
        trained_on="stripes",
    )
    print(card.model_dump_json())
    """
)


#: A process of its own does not get the path of the library from pytest.
WITH_LIBRARY = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2] / "workflow/scripts")}


def trained(panorama, model, **settings):
    """Train in a process of its own, with one thread, so that sums are the same each time."""
    given = Segmentation.model_validate(SETTINGS | settings).model_dump_json()
    return [sys.executable, "-c", TRAIN, str(panorama), str(model), given]


@pytest.fixture(scope="module")
def network(panorama, tmp_path_factory):
    """Train a small network to tell bright stripes from dark ones."""
    path = tmp_path_factory.mktemp("models") / "phases.keras"
    done = subprocess.run(
        trained(panorama, path), env=WITH_LIBRARY, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    path.with_suffix(".json").write_text(done.stdout.splitlines()[-1])
    return path


def test_a_network_learns_and_its_map_does_not_depend_on_threads(network, panorama, tmp_path):
    from damascene.contracts.image_model_card import ImageModelCard
    from damascene.segmentation.segment import segment_panorama

    card = ImageModelCard.read(network.with_suffix(".json"))
    assert card.phases == PHASES and card.panoramas == ("a",) and card.note == "stripes"
    assert card.pixel_size_nm == pytest.approx((40, 40))
    assert card.scores["mean_iou"] > 0.9
    assert not list(network.parent.glob(".*"))
    maps = []
    for threads, order in ((1, PHASES), (3, PHASES), (1, PHASES[::-1])):
        path = tmp_path / f"{threads}{order[0]}.ome.tif"
        with (
            TiledImage(panorama / "image.ome.tif") as image,
            TiledImage(panorama / "valid.ome.tif") as valid,
        ):
            record = segment_panorama(
                image,
                valid,
                panorama="a",
                model_path=network,
                phases=order,
                method="train",
                path=path,
                threads=threads,
            )
        with TiledImage(path) as stored:
            maps.append(stored.read())
    assert maps[0].tobytes() == maps[1].tobytes()
    # The same phases under the numbers of the other order.
    np.testing.assert_array_equal(maps[2], np.array([0, 2, 1], np.uint8)[maps[0]])
    _, phases = steel()
    assert (maps[0] == phases)[maps[0] > 0].mean() > 0.97
    assert (maps[0][:40, :60] == 0).all() and (maps[0][:40, 60:] > 0).all()
    assert record.trained_on == "stripes"


def test_a_training_that_was_killed_ends_with_the_same_network(network, panorama, tmp_path):
    """It is killed after its first epoch, and starts again."""
    path = tmp_path / "phases.keras"
    running = subprocess.Popen(
        trained(panorama, path), env=WITH_LIBRARY, stderr=subprocess.PIPE, text=True
    )
    for line in running.stderr:
        if line.startswith("epoch 1/"):
            break
    os.kill(running.pid, signal.SIGKILL)
    running.wait()
    running.stderr.close()
    assert not path.exists()
    done = subprocess.run(
        trained(panorama, path), env=WITH_LIBRARY, capture_output=True, text=True, check=True
    )
    assert "continuing after epoch 1" in done.stderr
    assert weights_of(path) == weights_of(network)


def test_both_runs_of_a_pre_trained_network_keep_their_checkpoints(monkeypatch, tmp_path):
    """The second would else take the place of the first, and a killed training start anew."""
    from damascene.segmentation import train

    kept = []

    def descend(*_, checkpoints, **options):
        kept.append([path for path, _ in checkpoints])
        return SimpleNamespace(get_weights=list), pd.DataFrame({"epoch": [1]})

    def train_segmentation(fold):
        model_path = tmp_path / f"phases.{fold}.keras"
        settings = Segmentation(network="unet_lite0", epochs=4)
        given = {"loss": None, "options": {}, "seed": 1, "key": [], "device": "CPU"}
        train._descended(None, [], [], settings=settings, model_path=model_path, **given)

    monkeypatch.setattr(train, "descend", descend)
    train_segmentation(1)
    train_segmentation(10)
    assert len(kept) == 4
    paths = list(itertools.chain(*kept))
    assert len(set(paths)) == len(paths)


def weights_of(path):
    import keras

    model = keras.models.load_model(path, compile=False)
    return [array.tobytes() for array in model.get_weights()]


@pytest.mark.parametrize(
    ("elsewhere", "labelled", "words"),
    [(1, 0, "trains has no pixel of bright"), (0, 1, "none of them is left for it")],
)
def test_a_part_without_what_it_is_for_is_refused(panorama, tmp_path, elsewhere, labelled, words):
    grey, phases = steel()
    parts = divided("a", grey.shape, folds=2, seed=6, panoramas=None)
    held = np.full(grey.shape, elsewhere, np.uint8)
    for window, fold in parts:
        if fold == labelled:
            held[window.slices()] = phases[window.slices()]
    for name, pixels in (("image", grey), ("labels", held)):
        options = {"shape": grey.shape, "pixel_size_nm": 40.0, "name": name}
        write_tiled(tmp_path / f"{name}.ome.tif", [pixels], labels=True, **options)
    write_all_valid(tmp_path / "valid.ome.tif", shape=grey.shape, pixel_size_nm=40.0, name="valid")
    from damascene.segmentation.train import Lesson, train_segmentation

    lesson = {name: tmp_path / f"{name}.ome.tif" for name in ("image", "valid", "labels")}
    with pytest.raises(InputError, match=words):
        train_segmentation(
            {"a": Lesson(**lesson)},
            phases=PHASES,
            settings=Segmentation.model_validate(SETTINGS),
            seed=5,
            fold_seed=6,
            model_path=tmp_path / "phases.keras",
            trained_on="stripes",
        )


@pytest.mark.parametrize("shape", [(300, 500), (900, 500)])
def test_the_figure_shows_image_and_phases(tmp_path, shape):
    from damascene.figures.phases import draw_phases

    grey, phases = steel(shape)
    phases[:100, :100] = 0
    for name, pixels in (("image", grey), ("labels", phases)):
        options = {"shape": shape, "pixel_size_nm": 40.0, "name": name}
        write_tiled(tmp_path / f"{name}.ome.tif", [pixels], labels=name != "image", **options)
    with (
        TiledImage(tmp_path / "image.ome.tif") as image,
        TiledImage(tmp_path / "labels.ome.tif") as labels,
    ):
        figure = draw_phases(
            image,
            labels,
            colours={"dark": "#0000FF", "bright": "#FF0000"},
            fractions={"dark": 0.5, "bright": 0.5},
            title="a",
        )
    assert len(figure.axes) == 4
    shown = figure.axes[1].images[0].get_array()
    # Bright steel is drawn redder than blue, dark steel bluer than red, and neither outside.
    for number, sign in ((2, 1), (1, -1)):
        inside = shown[phases == number]
        assert (np.sign(inside[:, 0] - inside[:, 2]) == sign).all()
    outside = shown[phases == 0]
    assert (outside == outside[0]).all()
    legend = [text.get_text() for text in figure.legends[0].get_texts()]
    assert legend == ["dark 50 %", "bright 50 %", "not valid"]


def test_a_phase_tints_the_image_and_damage_hides_it():
    from damascene.figures.overview import INVALID_GREY
    from damascene.figures.phases import coloured

    grey, numbers = np.full((2, 2), 0.4, np.float32), np.array([[0, 1], [2, 1]], np.uint8)
    shown = coloured(grey, numbers, colours=["#0000FF", "#FF0000"], solid=[False, True])
    by_hand = [[[INVALID_GREY] * 3, [0.2, 0.2, 0.7]], [[1, 0, 0], [0.2, 0.2, 0.7]]]
    np.testing.assert_allclose(shown, by_hand, atol=1e-6)
    # In float64 it would take twice the memory.
    assert shown.dtype == np.float32


@pytest.mark.parametrize(("figure_px", "rows"), [(800, 1024), (1024, 1024), (1025, 2048)])
def test_a_figure_reads_the_smallest_level_that_is_large_enough(tmp_path, figure_px, rows):
    from damascene.figures.overview import read_small

    pixels = np.zeros((2048, 512), np.uint8)
    path = tmp_path / "image.ome.tif"
    write_tiled(path, [pixels], shape=pixels.shape, pixel_size_nm=40.0, name="image")
    with TiledImage(path) as image:
        assert read_small(image, figure_px=figure_px).shape == (rows, rows // 4)
