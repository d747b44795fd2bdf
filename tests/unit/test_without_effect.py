"""Every key of the configuration either has an effect, or is refused with the key that stops it."""

import numpy as np
import pytest
from PIL import Image

from damascene import InputError
from damascene.config.presets import PRESETS, TRAINING_PRESETS
from damascene.config.simulation import Simulation
from damascene.config.study import Study, load_study
from damascene.config.without_effect import RULES
from damascene.study.check import check_study
from damascene.study.sheet import read_sheet

#: Keys that mean something in every study, whatever else is set.
ALWAYS = {
    *("study", "seed", "data_folder", "panoramas", "strips", "labels", "preset", "models"),
    "detection.threshold.rule",
    *(
        f"detection.{key}"
        for key in (
            *("fill_holes", "eps", "min_samples", "metric", "sites", "minimum_area", "merge"),
            "drop_rim_fragments",
        )
    ),
    *("denoise.method", "compare_denoising.added_noise", "compare_denoising.methods"),
    *("inclusion.threshold", "damage.threshold"),
    *("segmentation.method", "segmentation.unlabelled"),
    *(
        f"segmentation.phases.{name}.{key}"
        for name in ("ferrite", "martensite", "damage")
        for key in ("label", "colour")
    ),
    *("statistics.confidence", "statistics.coverage", "statistics.withhold"),
    # Of the analysis that asks for them.
    *(f"sensitivity.{key}" for key in type(Study().sensitivity).model_fields),
    *(
        f"workshop.{key}"
        for key in type(Study().workshop).model_fields.keys()
        - {"panorama", "image_pixel_size", "digits_folder"}
    ),
    *("reproduce.folder", "reproduce.fetch", "reproduce.scores"),
}
#: Keys without effect for lack of simulated panoramas or labels, which the sheet decides.
BY_THE_SHEET = {
    *(f"simulation.{key}" for key in Simulation.model_fields),
    *("split.group_by", "split.folds"),
}

DEEP = {"damage": {"network": "compact"}}
PUBLISHED = {"inclusion": {"network": "inception_v3"}, "damage": {"network": "eeracn"}}
FIXED = {"preset": "kerzel2024"}
NAMED = {"models": "simulated"}
NO_MAPS = {"segmentation": {"method": "none"}}
OTSU = {"segmentation": {"method": "multi_otsu"}}
FOREST = {"segmentation": {"method": "random_forest"}}
RELATIVE = {"preset": "kerzel2024", "detection": {"threshold": {"rule": "relative"}}}

#: What is given, the key without effect in it, and the key that stops it.
IDLE = [
    *(
        ({}, key, value, "detection.threshold.rule: relative")
        for key, value in (
            ("detection.threshold.grey", 30),
            # The default is no better: it is not what happens.
            ("detection.threshold.grey", 20),
            ("detection.threshold.inclusive", True),
            ("detection.threshold.inclusive", False),
        )
    ),
    (RELATIVE, "detection.threshold.grey", 25, "detection.threshold.rule: relative"),
    (FIXED, "detection.threshold.depth", 0.3, "detection.threshold.rule: fixed"),
    (FIXED, "detection.threshold.block", "20 um", "detection.threshold.rule: fixed"),
    ({"preset": "medghalchi2020"}, "detection.threshold.depth", 0.3, "rule: matched"),
    ({"preset": "medghalchi2020"}, "detection.minimum_edge", 0.2, "rule: matched"),
    (FIXED, "detection.threshold.reference", "a", "rule: matched"),
    (FIXED, "detection.minimum_edge", 0.2, "rule: fixed"),
    ({"preset": "kusche2019"}, "detection.merge_distance", "1 um", "detection.merge: none"),
    ({}, "detection.passes", 2, "the same in each pass"),
    ({"preset": "medghalchi2020"}, "detection.passes", 7, "the same in each pass"),
    ({}, "denoise.strength", 2, "denoise.method: none"),
    ({"denoise": {"method": "paired"}}, "denoise.strength", 2, "denoise.method: paired"),
    ({}, "denoise.epochs", 30, "denoise.method: none"),
    ({"denoise": {"method": "simulated"}}, "denoise.epochs", 30, "denoise.method: simulated"),
    ({}, "compare_denoising.noise_grey", 10, "compare_denoising.added_noise: none"),
    *(
        (NO_MAPS, f"segmentation.{key}", value, "segmentation.method: none")
        for key, value in (
            ("hard_phase", ""),
            ("damage_phase", ""),
            ("probabilities", True),
            ("folds", 3),
        )
    ),
    *(
        (given, f"segmentation.{key}", value, f"method: {given['segmentation']['method']}")
        for given in (NO_MAPS, {"segmentation": {"method": "simulated"}}, OTSU, FOREST)
        for key, value in (
            ("network", "unet_lite0"),
            ("widths", [8, 16]),
            ("epochs", 3),
            ("patches", 10),
            ("batch_size", 2),
            ("learning_rate", 1e-4),
            ("class_weights", "equal"),
            ("augmentation", "none"),
            ("quarter_turns", True),
        )
    ),
    (OTSU, "segmentation.probabilities", True, "segmentation.method: multi_otsu"),
    (NAMED, "training_preset", "kusche2018", "models: simulated"),
    *(
        (NAMED, f"training.{key}", value, "models: simulated")
        for key, value in Study().training.model_dump().items()
    ),
    *(
        (NAMED, f"{stage}.{key}", value, "models: simulated")
        for stage in ("inclusion", "damage")
        for key, value in (
            ("network", "compact"),
            ("window", "6 um"),
            ("centre", 0.5),
            ("descriptors", True),
        )
    ),
    (NAMED | {"damage": {"network": "vgg16"}}, "damage.weights", "imagenet", "models: simulated"),
    (NAMED | {"damage": {"network": "compact"}}, "damage.head_rate_factor", 3, "models: simulated"),
    (
        NAMED | {"inclusion": {"network": "vgg16", "weights": "imagenet"}},
        "inclusion.frozen_layers",
        3,
        "models: simulated",
    ),
    (NAMED, "split.cross_validate", False, "models: simulated"),
    (PUBLISHED, "inclusion.centre", 0.4, "inclusion.network: inception_v3"),
    (PUBLISHED, "damage.descriptors", True, "damage.network: eeracn"),
    *(
        ({}, f"training.{key}", value, "network: steel_lite0")
        for key, value in (
            ("epochs", 40),
            ("batch_size", 8),
            ("learning_rate", 1e-3),
            ("schedule", "constant"),
            ("patience", 3),
            ("weight_decay", 0.1),
            ("label_smoothing", 0.2),
        )
    ),
    *(
        ({"training": {"augmentation": name}}, "training.rotation_deg", 90, f"augmentation: {name}")
        for name in ("none", "flips")
    ),
    (PUBLISHED, "training.simulated_sites", 0.2, "network without descriptors"),
    (
        {stage: {"descriptors": False} for stage in ("inclusion", "damage")},
        "training.simulated_sites",
        0.2,
        "descriptors: false",
    ),
    ({"split": {"group_by": "panorama"}}, "split.block", "30 um", "split.group_by: panorama"),
    ({"workshop": {"image": "a.png"}}, "workshop.panorama", "b", "workshop.image: a.png"),
    ({}, "workshop.image_pixel_size", "30 nm", "workshop.image: ''"),
    ({}, "workshop.digits_folder", "mnist", "workshop.digits: digits"),
]


def with_key(given, key, value):
    """Return a configuration with one more key."""
    head, _, rest = key.partition(".")
    inner = with_key(given.get(head, {}), rest, value) if rest else value
    return given | {head: inner}


def leaves(section, prefix=""):
    for key, value in section.items():
        if isinstance(value, dict):
            yield from leaves(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}"


def test_every_key_is_in_one_of_the_lists():
    """A new key is either known to have an effect in every study, or has a rule and an example."""
    every = set(leaves(Study().model_dump()))
    by_rule = {key for rule in RULES for key in rule.keys}
    assert by_rule <= every and not by_rule & ALWAYS
    assert every == ALWAYS | BY_THE_SHEET | by_rule
    assert by_rule - {key for _, key, _, _ in IDLE} <= {
        "inclusion.weights",
        "damage.frozen_layers",
        "inclusion.head_rate_factor",
    }


@pytest.mark.parametrize(("given", "key", "value", "beside"), IDLE)
def test_a_key_without_effect_is_refused_with_the_key_that_stops_it(given, key, value, beside):
    with pytest.raises(InputError) as error:
        load_study(with_key(given, key, value))
    told = str(error.value)
    name = key.split(".")[-1]
    assert name in told and beside.split(": ")[-1] in told, told


@pytest.mark.parametrize(
    "given",
    [
        # What presets say is not what the user said.
        RELATIVE,
        *(
            {"preset": name, "detection": {"merge": "corrected", "merge_distance": "1 um"}}
            for name in PRESETS
        ),
        *(
            {"preset": name, "training_preset": other}
            for name in PRESETS
            for other in TRAINING_PRESETS
        ),
        {"preset": "kerzel2024"} | NAMED,
        {"preset": "medghalchi2020", "detection": {"passes": 1}},
        {"preset": "medghalchi2020", "detection": {"passes": 2}},
        with_key(RELATIVE, "detection.threshold.depth", 0.3),
        with_key(FIXED, "detection.threshold.grey", 30),
        with_key(NAMED, "damage.threshold", 0.2),
        with_key(DEEP, "training.epochs", 3),
        with_key(PUBLISHED, "training.augmentation", "none"),
        # Neutral values promise nothing.
        with_key(PUBLISHED, "inclusion.centre", 1),
        with_key(FIXED, "detection.minimum_edge", 0),
        {"denoise": {"method": "none", "strength": 1.0}},
        {"split": {"group_by": "panorama", "block": "40 um"}},
        {"training": None, "detection": None},
    ],
)
def test_keys_with_an_effect_are_accepted(given):
    study = load_study(given)
    # Jobs check the study once more, with every key.
    assert load_study(study.model_dump()) == study


def test_a_name_for_all_rows_beside_a_column_of_names_is_refused():
    source = {"path": "a.tsv", "panorama": "a", "columns": {"panorama": "sample"}}
    with pytest.raises(InputError, match="'columns: panorama: sample' has no effect"):
        load_study({"labels": [source]})


@pytest.mark.parametrize("key", sorted(BY_THE_SHEET))
def test_keys_that_the_sheet_makes_idle(tmp_path, key):
    path = tmp_path / "panoramas.tsv"
    path.write_text("panorama\tpath\tpixel_size_nm\tstrain_percent\na\tnone.tif\t40\t0\n")
    value = {"group_by": "panorama", "labelled_fraction": 0.3, "folds": 4}.get(
        key.split(".")[1], 600
    )
    study = load_study(with_key(NAMED | {"panoramas": str(path)}, key, value))
    sheet = read_sheet(path).set_index("panorama", drop=False)
    words = rf"{key}: '.*: {value}(\.0)?' has no effect beside 'panoramas"
    with pytest.raises(InputError, match=words):
        check_study(study, sheet)
    with pytest.raises(InputError) as error:
        check_study(load_study(NAMED | {"panoramas": str(path)}), sheet)
    assert "no effect" not in str(error.value)


@pytest.mark.parametrize(
    "key",
    [
        "inclusion.window",
        "damage.window",
        "split.block",
        "detection.threshold.block",
        "detection.eps",
    ],
)
@pytest.mark.parametrize(
    "text", ["0 um", "0 px", "10 m", "1 m", "20000 um", "2e7 px", "1e9 nm", "-1 um"]
)
def test_lengths_that_cannot_be_meant_are_refused(key, text):
    with pytest.raises(InputError, match=key.split(".")[0]):
        load_study(with_key({}, key, text))


@pytest.mark.parametrize("value", [float("inf"), float("nan")])
@pytest.mark.parametrize("key", ["denoise.strength", "damage.head_rate_factor", "seed"])
def test_numbers_without_end_are_refused(key, value):
    with pytest.raises(InputError, match=key.split(".")[-1]):
        load_study(with_key({"denoise": {"method": "median"}} | DEEP, key, value))


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"split": {"block": "4 um"}}, ["split.block: 4 um are smaller than inclusion.window: 5"]),
        ({"split": {"block": "100 px"}}, ["100 px are smaller than damage.window: 5 um"]),
        ({"detection": {"merge_distance": "9 um"}}, ["merge_distance: 9 um are 225 px", "half"]),
        ({"detection": {"eps": "300 px"}}, ["detection.eps: 300 px are 300 px", "half"]),
        ({"detection": {"threshold": {"block": "1 um"}}}, ["threshold.block: 1 um are 25 px"]),
        ({"inclusion": {"window": "30 um"}}, ["inclusion.window: 30 um are 750 px"]),
        ({"detection": {"eps": "0.01 um"}}, ["detection.eps: 0.01 um are 0.25 px"]),
    ],
)
def test_lengths_that_do_not_suit_a_panorama_are_refused(tmp_path, given, words):
    grey = np.random.default_rng(5).integers(60, 140, (400, 500), np.uint8)
    Image.fromarray(grey).save(tmp_path / "a.png")
    path = tmp_path / "panoramas.tsv"
    path.write_text("panorama\tpath\tpixel_size_nm\tstrain_percent\na\ta.png\t40\t0\n")
    study = load_study(given | {"panoramas": str(path), "data_folder": str(tmp_path)})
    with pytest.raises(InputError) as error:
        check_study(study, read_sheet(path).set_index("panorama", drop=False))
    assert all(word in str(error.value) for word in words), error.value
    # Equal edges are no contradiction.
    equal = load_study(
        {"split": {"block": "0.005e3 um"}, "panoramas": str(path), "data_folder": str(tmp_path)}
    )
    check_study(equal, read_sheet(path).set_index("panorama", drop=False))


def test_blocks_are_not_compared_with_windows_where_no_labels_are_divided(tmp_path):
    """The key could not be changed: without labels it has no effect."""
    grey = np.random.default_rng(5).integers(60, 140, (1300, 1300), np.uint8)
    Image.fromarray(grey).save(tmp_path / "a.png")
    path = tmp_path / "panoramas.tsv"
    path.write_text("panorama\tpath\tpixel_size_nm\tstrain_percent\na\ta.png\t40\t0\n")
    study = load_study(NAMED | {"panoramas": str(path), "data_folder": str(tmp_path)})
    # As the card of a published network may say.
    wide = study.inclusion.model_copy(update={"window": "1250 px"})
    study = study.model_copy(update={"inclusion": wide})
    sheet = read_sheet(path).set_index("panorama", drop=False)
    assert check_study(study, sheet) == ["Panoramas: 1."]
    labels = tmp_path / "labels.tsv"
    labels.write_text("panorama\tx_px\ty_px\tlabel\na\t650\t650\tnotch\n")
    labelled = load_study({"labels": [{"path": str(labels)}]}).labels
    with pytest.raises(InputError, match=r"split\.block: 40 um are smaller than inclusion\.window"):
        check_study(study.model_copy(update={"labels": labelled}), sheet)
