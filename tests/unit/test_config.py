"""The configuration: what is accepted, what is refused in which words, what is written from it."""

import json
from pathlib import Path

import pytest
import yaml

from damascene import InputError, config

ROOT = Path(__file__).parents[2]


def test_written_files_are_in_sync():
    """`make sync` was run after the last change of a model."""
    assert (ROOT / "config/config.yaml").read_text() == config.default_yaml()
    usage = (ROOT / "config/README.md").read_text()
    assert usage == config.with_table(usage)
    assert (ROOT / "workflow/schemas/config.schema.json").read_text() == config.schema_text()


def test_default_file_is_the_default_study():
    loaded = config.load_study(yaml.safe_load((ROOT / "config/config.yaml").read_text()))
    assert loaded == config.Study()


def test_every_key_is_described():
    described = list(config._described(config.Study))
    for model in (config.InclusionNetwork, config.DamageNetwork, config.LabelSource):
        described += config._described(model)
    for key, description, default in described:
        assert description or isinstance(default, config._Section), key


def test_schema_forbids_unknown_keys():
    schema = json.loads(config.schema_text())
    sections = [schema, *schema["$defs"].values()]
    assert all(section["additionalProperties"] is False for section in sections)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"detectoin": {}}, ["detectoin: unknown key", "Did you mean 'detection'?"]),
        ({"detection": {"epss": "1 px"}}, ["detection.epss", "Did you mean 'eps'?"]),
        ({"wholly_other": 1}, ["wholly_other", "Known keys here: study"]),
        ({"labels": [{"path": "a.tsv", "colums": {}}]}, ["labels.0.colums", "'columns'"]),
        ({"detection": {"eps": "1"}}, ["detection.eps", "px, nm, um", "'0.4 um'", "found: '1'"]),
        ({"detection": {"minimum_area": "20 px"}}, ["minimum_area", "px2, um2"]),
        ({"detection": {"threshold": {"fraction": 1.2}}}, ["threshold.fraction", "less than 1"]),
        ({"denoise": {"method": "magic"}}, ["denoise.method", "'none'", "'wavelet'"]),
        ({"split": {"folds": 2, "cross_validate": True}}, ["split", "at least 3 folds"]),
        ({"seed": "many"}, ["seed", "found: 'many'"]),
    ],
)
def test_refusals_name_the_key_and_what_to_do(given, words):
    with pytest.raises(InputError) as error:
        config.load_study(given, source="my.yaml")
    assert all(word in str(error.value) for word in ["my.yaml", *words])


def test_all_mistakes_are_told_at_once():
    with pytest.raises(InputError) as error:
        config.load_study({"seed": -1, "split": {"folds": 1}, "pannoramas": "x"})
    assert all(word in str(error.value) for word in ("seed", "split.folds", "pannoramas"))


@pytest.mark.parametrize(
    ("text", "expected"), [("0.4 um", 10), ("0.4 µm", 10), ("40 nm", 1), ("7.5 px", 7.5)]
)
def test_lengths_become_pixels(text, expected):
    assert config.length_px(text, pixel_size_nm=40) == pytest.approx(expected)


def test_areas_become_pixels():
    assert config.area_px("0.032 um2", pixel_size_nm=40) == pytest.approx(20)
    assert config.area_px("20 px2", pixel_size_nm=40) == 20


def test_seeds_differ_by_purpose_and_stay():
    first = config.derive_seed(1, "simulation", "a")
    assert first == config.derive_seed(1, "simulation", "a")
    others = {
        config.derive_seed(2, "simulation", "a"),
        config.derive_seed(1, "simulation", "b"),
        config.derive_seed(1, "labels", "a"),
    }
    assert first not in others and len(others) == 3
    assert 0 <= first < 2**32
