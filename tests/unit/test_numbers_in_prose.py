"""Numbers in sentences are those of the code: who changes one is told where the other stands."""

import itertools
import re
from pathlib import Path

import numpy as np
import pytest

from damascene.classification import prediction_sets
from damascene.config.presets import PRESET_FOLDER, PRESETS, TRAINING_PRESETS
from damascene.config.study import Study, load_study
from damascene.detection import settings
from damascene.images.stitching import brightness_matching, register
from damascene.study.sheet import NAME
from damascene.units import length_px

ROOT = Path(__file__).parents[2]
USAGE = (ROOT / "config/README.md").read_text()


def description(section, key):
    """Return the words about a key in the table of all keys."""
    return re.search(rf"^\| `{section}\.{key}` \|.*$", USAGE, flags=re.MULTILINE)[0]


def numbers_in(text):
    return {float(number) for number in re.findall(r"(?<![\w.])\d+(?:\.\d+)?(?:e-?\d+)?", text)}


@pytest.mark.parametrize("name", PRESETS[1:])
def test_heads_of_presets_name_the_values_below_them(name):
    text = (PRESET_FOLDER / f"{name}.yaml").read_text()
    head = " ".join(line[1:].strip() for line in text.splitlines() if line.startswith("#"))
    study = load_study({"preset": name})
    detection = study.detection
    number = {
        stage: study.stage(stage).window.removesuffix(" px") for stage in ("inclusion", "damage")
    }
    values = [detection.min_samples, *number.values()]
    values += [detection.threshold.grey, detection.eps.removesuffix(" px")]
    values += [study.inclusion.threshold, study.damage.threshold]
    if detection.merge != "none":
        values.append(detection.merge_distance.removesuffix(" px"))
    if detection.minimum_area != "0 px2":
        values.append(detection.minimum_area.removesuffix(" px2"))
    missing = {float(value) for value in values} - numbers_in(head)
    assert not missing, missing
    assert ("up to and including" in head) == detection.threshold.inclusive


@pytest.mark.parametrize("name", TRAINING_PRESETS)
def test_the_table_of_trainings_holds_their_values(name):
    row = re.search(
        rf"^\| `{name}` \| (?!darker|grey).*$",
        USAGE[USAGE.index("training preset |") :],
        flags=re.MULTILINE,
    )[0]
    training = load_study({"training_preset": name}).training
    if name == "default":
        assert f"at most {training.epochs} epochs" in row and "cosine" in row
        assert (training.class_shares, training.augmentation) == ("equal", "mild")
        return
    assert {training.batch_size, training.epochs, training.learning_rate} <= numbers_in(row)
    if training.patience < training.epochs:
        assert f"stops after {training.patience} without" in row
    stage = load_study({"training_preset": name}).inclusion
    words = {0: "random weights", 10: "first ten layers frozen, last layer at ten times"}
    assert words[stage.frozen_layers] in row
    assert stage.head_rate_factor == max(stage.frozen_layers, 1)


def test_the_default_grid_has_as_many_combinations_as_is_said():
    grid = Study().sensitivity
    pairs = 0
    for eps, least in itertools.product(grid.eps, grid.min_samples):
        reach = length_px(eps, pixel_size_nm=40)
        step = np.arange(-9, 10)
        pairs += (step[:, None] ** 2 + step**2 <= reach**2).sum() >= least
    count = pairs * len(grid.threshold) * len(grid.minimum_area) * len(grid.merge_distance)
    assert f"The {count:,} combinations of the default grid" in USAGE


def test_labels_that_sets_need_are_those_that_are_said():
    said = re.search(
        r"(\d+) held-out labels in (\d+) groups for (0\.\d+), (\d+) in (\d+) for (0\.\d+)",
        description("statistics", "coverage"),
    )
    for labels, groups, level in (said.groups()[:3], said.groups()[3:]):
        enough = {"level": float(level)}
        labels, groups = int(labels), int(groups)
        assert prediction_sets.too_few(labels, groups, **enough) == ""
        assert prediction_sets.too_few(labels - 1, groups, **enough) != ""
        assert prediction_sets.too_few(labels, groups - 1, **enough) != ""


@pytest.mark.parametrize(
    ("words", "value"),
    [
        ("at a distance of 0.2 um", settings._EDGE_DISTANCE_NM == 200),
        (
            "may differ from the nominal one by a\ntenth of a frame's longer edge",
            register.SEARCH == 0.1,
        ),
        ("for each frame if it is 1 % or more", brightness_matching.LEAST_CHANGE == 0.01),
        (
            "letters, digits, `-`, `_`; at most 80",
            NAME.fullmatch("a" * 80) and not NAME.fullmatch("a" * 81),
        ),
    ],
)
def test_single_numbers(words, value):
    assert words in USAGE and value


def test_eps_below_a_pixel_is_refused_as_said():
    with pytest.raises(ValueError, match="1 px or more"):
        load_study({"detection": {"eps": "0.9 px"}})
