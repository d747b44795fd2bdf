"""The configuration: what is accepted, what is refused in which words, what is written from it."""

import json
import os
import re
from pathlib import Path

import pytest
import yaml

from damascene import InputError
from damascene.config import written_files
from damascene.config.config_file import check_config_file, refuse_missing_study
from damascene.config.label_source import LabelSource
from damascene.config.presets import PRESETS, TRAINING_PRESETS
from damascene.config.section import Section
from damascene.config.study import Study, load_study
from damascene.seeds import derive_seed
from damascene.units import area_px, length_px

ROOT = Path(__file__).parents[2]


def test_written_files_are_in_sync():
    """`make sync` was run after the last change of a model."""
    assert (ROOT / "config/config.yaml").read_text() == written_files.default_yaml()
    assert (ROOT / "config/presets/default.yaml").read_text() == written_files.default_preset()
    training = (ROOT / "config/presets/training/default.yaml").read_text()
    assert training == written_files.default_training_preset()
    usage = (ROOT / "config/README.md").read_text()
    assert usage == written_files.with_tables(usage)
    assert (ROOT / "workflow/schemas/config.schema.json").read_text() == written_files.schema_text()


def test_default_file_is_the_default_study():
    loaded = load_study(yaml.safe_load((ROOT / "config/config.yaml").read_text()))
    assert loaded == Study()


def test_default_file_overrides_no_preset():
    given = yaml.safe_load((ROOT / "config/config.yaml").read_text())
    for name in PRESETS:
        assert load_study(given | {"preset": name}) == load_study({"preset": name})
    for name in TRAINING_PRESETS:
        chosen = {"training_preset": name}
        assert load_study(given | chosen) == load_study(chosen)


def test_default_file_shows_the_keys_of_presets_ready_for_use():
    """With the '#' of such keys taken off, the file holds every key of every section."""
    text = (ROOT / "config/config.yaml").read_text()
    uncommented = re.sub(r"^( *)#(?=#|\w+:|  )", r"\1", text, flags=re.MULTILINE)
    assert yaml.safe_load(uncommented) == Study().model_dump()


def test_every_key_is_described():
    described = list(written_files.described(Study))
    for _, _, default in described:
        if isinstance(default, Section):
            described += written_files.described(type(default))
    described += written_files.described(LabelSource)
    assert len(described) > 60
    for key, description, default in described:
        assert description or isinstance(default, Section), key


def test_schema_forbids_unknown_keys():
    schema = json.loads(written_files.schema_text())
    sections = [schema, *schema["$defs"].values()]
    assert all(section["additionalProperties"] is False for section in sections)


def phases_with(*, names=("one", "two"), labels=(1, 2), colour="#112233"):
    return {
        name: {"label": label, "colour": colour} for name, label in zip(names, labels, strict=True)
    }


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (
            {"damage": {"network": "compact", "frozen_layers": 3}},
            ["damage", "'weights: none' would keep random weights"],
        ),
        # The default has the weights of ImageNet and nothing to freeze.
        ({"damage": {"frozen_layers": 3}}, ["damage", "steel_lite0 always", "layers to 0"]),
        (
            {"damage": {"network": "eeracn", "weights": "imagenet"}},
            ["inception_v3, xception, vgg16, not for eeracn"],
        ),
        (
            {"damage": {"network": "efficientnet_lite0", "weights": "imagenet"}},
            ["damage", "Set weights to none"],
        ),
        (
            {"inclusion": {"weights": "my.weights.h5"}},
            ["inclusion", "steel_lite0 always", "or choose another network"],
        ),
        ({"damage": {"network": "vgg"}}, ["damage.network", "no network 'vgg'", "eeracn"]),
        ({"detectoin": {}}, ["detectoin: unknown key", "Did you mean 'detection'?"]),
        ({"detection": {"epss": "1 px"}}, ["detection.epss", "Did you mean 'eps'?"]),
        ({"wholly_other": 1}, ["wholly_other", "Known keys here: study"]),
        ({"labels": [{"path": "a.tsv", "colums": {}}]}, ["labels.0.colums", "'columns'"]),
        ({"detection": {"eps": "1"}}, ["detection.eps", "px, nm, um", "'0.4 um'", "found: '1'"]),
        ({"detection": {"minimum_area": "20 px"}}, ["minimum_area", "px2, um2"]),
        ({"detection": {"minimum_edge": -1}}, ["minimum_edge", "greater than or equal to 0"]),
        (
            {"detection": {"minimum_edge": 0.25, "threshold": {"rule": "fixed"}}},
            ["minimum_edge: 0.25", "does not know", "relative"],
        ),
        ({"detection": {"threshold": {"depth": 1.2}}}, ["threshold.depth", "less than 1"]),
        ({"denoise": {"method": "magic"}}, ["denoise.method", "'none'", "'wavelet'"]),
        ({"split": {"folds": 2}}, ["split.folds", "greater than or equal to 3", "found: 2"]),
        ({"seed": "many"}, ["seed", "found: 'many'"]),
        ({"models": "a{b}"}, ["models: braces in this path", "Rename", "found: 'a{b}'"]),
        (
            {"damage": {"network": "compact", "weights": "w{1}.h5"}},
            ["damage.weights: braces in this path"],
        ),
        (
            {"workshop": {"place": "100, 200"}},
            ["workshop.place: give a list: values in square", "found: '100, 200'"],
        ),
        ({"labels": ["labels.tsv"]}, ["labels.0: give keys with their values", "config/README.md"]),
        ({"study": 6}, ["study: give a text", "in quotation marks", "found: 6"]),
        ({"preset": "kerzel"}, ["preset", "'kerzel2024'", "'default'", "found: 'kerzel'"]),
        ({"sensitivity": {"eps": ["1 px", "2"]}}, ["sensitivity.eps.1", "found: '2'"]),
        ({"detection": {"merge_distance": "0 px"}}, ["detection", "set 'merge: none'"]),
        ({"detection": {"eps": "0.5 px"}}, ["detection", "no pixel has a neighbour", "1 px or"]),
        (
            {"detection": {"threshold": {"rule": "fixed", "grey": 0}}},
            ["detection.threshold", "below grey 0", "'inclusive: true'"],
        ),
        (
            {"preset": "kerzel2024", "detection": {"threshold": {"reference": "a"}}},
            ["detection.threshold", "'rule: matched', but the rule is 'fixed'"],
        ),
    ],
)
def test_refusals_name_the_key_and_what_to_do(given, words):
    with pytest.raises(InputError) as error:
        load_study(given, source="my.yaml")
    assert all(word in str(error.value) for word in ["my.yaml", *words])


@pytest.mark.parametrize(
    "detection",
    [
        {"merge": "none", "merge_distance": "0 px"},
        {"eps": "0.5 px", "min_samples": 1},
        {"threshold": {"rule": "fixed", "grey": 0, "inclusive": True}},
        {"threshold": {"rule": "matched", "grey": 30.6, "reference": "a"}},
    ],
)
def test_what_only_looks_contradictory_is_accepted(detection):
    loaded = load_study({"detection": detection}).detection.model_dump()
    assert loaded["threshold"] | detection.pop("threshold", {}) == loaded["threshold"]
    assert loaded | detection == loaded


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("study: a\ndetection:\n\teps: 1 px\n", ["line 3", "tab", "Indent by spaces"]),
        ("study: a\ndetection: [\nseed: 1\n", ["begins in line 2", "brackets"]),
        ("study: a\nseed 1\n", ["line 3", "begins in line 2", "expected ':'"]),
        ('study: "a\nseed: 1\n', ["begins in line 1", "quotation marks"]),
        ("split:\n  folds: 3\nseed: 1\nsplit: {}\n", ["line 4: 'split' is given in line 1"]),
        ("split:\n  folds: 3\n  folds: 4\n", ["line 3: 'folds' is given in line 2"]),
        ("labels:\n- path: a\n  path: b\n", ["line 3: 'path' is given in line 2"]),
        ("detection: {eps: 1 px, eps: 3 px}\n", ["line 1: 'eps' is given in line 1"]),
        ("labels: [{path: a, path: b}]\n", ["line 1: 'path' is given in line 1"]),
        ('{"seed": 1,\n"seed": 2}\n', ["line 2: 'seed' is given in line 1"]),
        ("study: a\nseed: 2024-13-45\n", ["line 2", "as a date"]),
        ("study: a\nstudy_: 2024-01-31\n", ["line 2", "as a date"]),
        ("study: a\n? [a]\n: 3\n", ["line 2: a list or a mapping is no key"]),
        ("study: a\nyes: 3\n", ["line 2: 'yes' is no key"]),
        ("study: a\ndata_folder: !ENV x\n", ["line 2", "!ENV", "without tags"]),
        ("detection:\n  <<: [1]\n", ["line 2", "merging"]),
        ("a: &a\n  b: *a\nseed: 010\n", ["line 3", "010"]),
        ("simulation:\n  width_px: 20:30\n", ["line 2", "20:30"]),
        ("seed: 1_000\n", ["1_000"]),
        ("seed: 0x10\n", ["0x10"]),
        ("a: " + 3000 * "[" + 3000 * "]", ["nested too deeply"]),
        ("study: a\x07\n", ["is not YAML", "special characters"]),
        ("# nothing yet\n", ["at least one"]),
        ("- study\n", ["keys and values"]),
        (
            "seed: 1\nstudy: Pr\u00fcf\n".encode("latin-1"),
            ["row 2", "not a text in UTF-8", "Pr\u00fcf"],
        ),
        ("study: a\n".encode("utf-16"), ["not in UTF-8", "Save it as UTF-8"]),
    ],
)
def test_a_configuration_that_cannot_be_read_is_told_with_its_line(tmp_path, content, words):
    path = tmp_path / "config.yaml"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(InputError) as error:
        check_config_file(path)
    assert all(word in str(error.value) for word in [str(path), *words]), error.value


def test_a_sound_configuration_passes(tmp_path):
    check_config_file(ROOT / "config/config.yaml")
    (tmp_path / "config.yaml").write_text("\ufeffstudy: Pr\u00fcf\r\nsplit: {folds: 3}\r\n")
    check_config_file(tmp_path / "config.yaml")
    (tmp_path / "config.yaml").write_text(
        "a: &a {eps: 2 px, eps2: 1.5e+3, b: -.5, c: 0.3, d: 0, e: '010', f: 007x, g: .nan}\n"
        "b: {<<: *a, eps: 3 px}\n"
    )
    check_config_file(tmp_path / "config.yaml")


@pytest.mark.parametrize(
    "given",
    [
        {"strips": True},
        {"seed": False},
        {"inclusion": {"threshold": True}},
        {"study": False},
        {"training": {"epochs": True}},
        {"sensitivity": {"min_samples": [True]}},
    ],
)
def test_a_truth_value_is_no_number(given):
    with pytest.raises(InputError, match="no number and no text"):
        load_study(given)


def test_only_a_folder_that_was_just_made_is_removed(tmp_path):
    new, old, full = (tmp_path / name for name in ("deep/er/new", "old", "full"))
    for folder in (new, old, full):
        folder.mkdir(parents=True)
    (full / "a.txt").write_text("")
    os.utime(old, (1e9, 1e9))
    for folder in (new, old, full):
        with pytest.raises(InputError, match=r"no study in .*config/README"):
            refuse_missing_study(folder)
    assert not (tmp_path / "deep").exists() and old.exists() and full.exists()


def test_all_mistakes_are_told_at_once():
    with pytest.raises(InputError) as error:
        load_study({"seed": -1, "split": {"folds": 1}, "pannoramas": "x", "preset": "y"})
    assert all(word in str(error.value) for word in ("seed", "split.folds", "pannoramas", "preset"))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0.4 um", 10),
        ("0.4 \u00b5m", 10),
        ("0.4 \u03bcm", 10),
        ("\uff14\uff10 nm", 1),
        ("40 nm", 1),
        ("7.5 px", 7.5),
    ],
)
def test_lengths_become_pixels(text, expected):
    assert length_px(text, pixel_size_nm=40) == pytest.approx(expected)


def test_areas_become_pixels():
    assert area_px("0.032 um2", pixel_size_nm=40) == pytest.approx(20)
    assert area_px("0.032 \u03bcm\u00b2", pixel_size_nm=40) == pytest.approx(20)
    assert area_px("20 px2", pixel_size_nm=40) == 20


def test_seeds_differ_by_purpose_and_stay():
    first = derive_seed(1, "simulation", "a")
    assert first == derive_seed(1, "simulation", "a")
    others = {
        derive_seed(2, "simulation", "a"),
        derive_seed(1, "simulation", "b"),
        derive_seed(1, "labels", "a"),
    }
    assert first not in others and len(others) == 3
    assert 0 <= first < 2**32


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"phases": {"a": {"label": 0, "colour": "#000000"}}}, ["phases", "at least 2"]),
        ({"phases": phases_with(labels=[7, 7])}, ["one and two have the label 7 both"]),
        ({"phases": phases_with(names=["Ferrite", "two"])}, ["'Ferrite' cannot name a phase"]),
        ({"phases": phases_with(names=["outside", "two"])}, ["'outside' cannot name a phase"]),
        ({"phases": phases_with(colour="red")}, ["segmentation.phases.one.colour", "'#D55E00'"]),
        ({"phases": {"one": {"value": 1}}}, ["phases.one.value: unknown key", "label, colour"]),
        ({"phases": phases_with()}, ["'hard_phase: martensite' is none of the phases one, two"]),
        ({"hard_phase": "damage"}, ["hard_phase and damage_phase are the same"]),
        (
            {"phases": phases_with(), "hard_phase": "", "damage_phase": "two"},
            ["one phase beside damage leaves nothing to choose between"],
        ),
        ({"unlabelled": 2}, ["'unlabelled: 2' is the label of martensite, too"]),
    ],
)
def test_phases_that_cannot_be_meant_are_refused(given, words):
    with pytest.raises(InputError) as error:
        load_study({"segmentation": {"method": "train"} | given})
    for word in words:
        assert word in str(error.value)


def test_phases_keep_the_order_in_which_they_are_given():
    """The order decides the values in phase maps."""
    given = phases_with(names=["two", "one"]) | phases_with(names=["zeta", "alpha"], labels=[5, 6])
    roles = {"hard_phase": "zeta", "damage_phase": ""}
    study = load_study({"segmentation": {"method": "train", "phases": given} | roles})
    assert list(study.segmentation.phases) == ["two", "one", "zeta", "alpha"]
