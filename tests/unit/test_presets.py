"""Published parameter sets: one key selects them, single keys override them."""

import pytest

from damascene import config, config_files

PUBLISHED = config.PRESETS[1:]


def test_every_file_is_a_preset_and_every_preset_a_file():
    assert {path.stem for path in config.PRESET_FOLDER.iterdir()} == set(config.PRESETS)
    assert {path.suffix for path in config.PRESET_FOLDER.iterdir()} == {".yaml"}


@pytest.mark.parametrize("name", config.PRESETS)
def test_a_preset_gives_every_key_it_governs_and_no_other(name):
    given = config.read_preset(name)
    assert {section: set(values) for section, values in given.items()} == {
        section: set(keys) for section, keys in config_files.GOVERNED.items()
    }


def test_the_default_preset_holds_the_defaults_of_the_models():
    assert config.load_study({}) == config.load_study({"preset": "default"}) == config.Study()


@pytest.mark.parametrize("name", PUBLISHED)
def test_published_presets_name_their_source_and_stay_in_pixels(name):
    head = (config.PRESET_FOLDER / f"{name}.yaml").read_text().split("detection:")[0]
    assert all(line.startswith("#") for line in head.splitlines())
    assert "doi 10." in head and "Left open" in head
    given = config.read_preset(name)
    lengths = [given["detection"][key] for key in ("eps", "merge_distance")]
    lengths += [given[stage]["window"] for stage in ("inclusion", "damage")]
    assert all(length.endswith(" px") for length in lengths)
    assert given["detection"]["minimum_area"].endswith(" px2")


@pytest.mark.parametrize("name", config.PRESETS)
def test_a_checked_study_is_checked_again_without_a_change(name):
    """Jobs check the study that the first process completed."""
    study = config.load_study({"preset": name, "detection": {"min_samples": 7}})
    assert config.load_study(study.model_dump()) == study


def test_single_keys_override_a_preset():
    preset = config.load_study({"preset": "kerzel2024"})
    study = config.load_study(
        {
            "preset": "kerzel2024",
            "detection": {"threshold": {"grey": 25}, "merge": "corrected"},
            "damage": {"threshold": 0.6, "epochs": 3},
        }
    )
    changed = {"merge": "corrected", "threshold": preset.detection.threshold}
    assert study.detection.model_copy(update=changed) == preset.detection.model_copy(update=changed)
    assert study.detection.merge == "corrected"
    assert study.detection.threshold == preset.detection.threshold.model_copy(update={"grey": 25})
    assert (study.damage.threshold, study.damage.window, study.damage.epochs) == (0.6, "100 px", 3)
    assert study.inclusion == preset.inclusion


def test_values_of_the_published_presets():
    """The table of published parameter sets, written down a second time."""
    stated = {
        "reclik2017": ("fixed", 20, True, "never", "4 px", 10, 1, "0 px2", "none", "0 px"),
        "kusche2019": ("fixed", 20, True, "never", "4 px", 20, 1, "0 px2", "none", "0 px"),
        "medghalchi2020": ("matched", 30.6, False, "never", "1 px", 5, 2, "0 px2", "none", "0 px"),
        "kerzel2024": ("fixed", 20, False, "before", "1 px", 5, 1, "20 px2", "published", "50 px"),
    }
    networks = {
        "reclik2017": ("80 px", 0.5, "80 px", 0),
        "kusche2019": ("250 px", 0.7, "50 px", 0.7),
        "medghalchi2020": ("250 px", 0.5, "250 px", 0),
        "kerzel2024": ("250 px", 0.7, "100 px", 0.5),
    }
    for name in PUBLISHED:
        study = config.load_study({"preset": name})
        rule = study.detection
        assert (
            *(rule.threshold.rule, rule.threshold.grey, rule.threshold.inclusive, rule.fill_holes),
            *(rule.eps, rule.min_samples, rule.passes, rule.minimum_area),
            *(rule.merge, rule.merge_distance),
        ) == stated[name]
        assert rule.sites == ("blobs" if name == "medghalchi2020" else "clusters")
        assert rule.metric == "euclidean" and not rule.drop_rim_fragments
        assert (
            *(study.inclusion.window, study.inclusion.threshold),
            *(study.damage.window, study.damage.threshold),
        ) == networks[name]
