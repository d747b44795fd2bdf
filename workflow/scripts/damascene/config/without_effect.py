"""Keys that change nothing beside another key: what a user set in vain is told, not ignored."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from damascene.classes import STAGES
from damascene.config.denoising import CLASSICAL
from damascene.config.networks import Network
from damascene.config.segmentation import Segmentation
from damascene.config.training import Training
from damascene.networks import network_named

_FOR_DESCENT = (
    *("epochs", "batch_size", "learning_rate", "schedule", "patience", "weight_decay"),
    "label_smoothing",
)

#: Keys that say what label images and phase maps hold, whether or not maps are made.
_OF_PHASES = ("method", "phases", "unlabelled")
#: Keys that matter to every method that makes phase maps, and to every network.
_OF_MAPS = ("hard_phase", "damage_phase", "folds")
_OF_NETWORK_MAPS = ("probabilities",)


@dataclass(frozen=True, kw_only=True)
class Rule:
    """When keys have no effect.

    Attributes
    ----------
    keys : tuple of str
        By their places in the configuration.
    beside : callable
        Takes the `Study` and returns the other key and its value as a user writes them, or nothing
        where the keys do have an effect.
    neutral : object
        Value that promises nothing, and may be given anyway.
    """

    keys: tuple[str, ...]
    beside: Callable[..., str]
    neutral: object = None


def _rule(study):
    return f"detection.threshold.rule: {study.detection.threshold.rule}"


def _unless(rule):
    return lambda study: "" if study.detection.threshold.rule == rule else _rule(study)


def _denoiser(study, *methods):
    method = study.denoise.method
    return f"denoise.method: {method}" if method in methods else ""


def _named_models(study):
    return "" if study.models == "train" else f"models: {study.models}"


def _idle_for_maps(key):
    """Return the conditions under which a key of `segmentation` has no effect."""

    def made_by(*methods):
        def beside(study):
            method = study.segmentation.method
            return f"segmentation.method: {method}" if method in methods else ""

        return beside

    if key in _OF_PHASES:
        return []
    if key in _OF_MAPS:
        return [made_by("none")]
    if key in _OF_NETWORK_MAPS:
        return [made_by("none", "multi_otsu")]
    return [made_by("none", "simulated", "multi_otsu", "random_forest")]


def _of_network(stage, allows):
    """Return a condition: the network of a stage lacks what the key is for."""

    def beside(study):
        network = study.stage(stage).network
        return "" if allows(network_named(network)) else f"{stage}.network: {network}"

    return beside


def _only_frozen(study):
    names = {study.stage(stage).network for stage in STAGES}
    if all(network_named(name).frozen for name in names):
        return f"network: {' and '.join(sorted(names))}"
    return ""


def _no_trees(study):
    stages = (study.stage(stage) for stage in STAGES)
    if any(one.descriptors and network_named(one.network).descriptors for one in stages):
        return ""
    return "descriptors: false (or a network without descriptors) in both stages"


#: One row for each reason. A key may have several.
RULES = (
    Rule(
        keys=("detection.threshold.depth", "detection.threshold.block"), beside=_unless("relative")
    ),
    Rule(
        keys=("detection.threshold.grey", "detection.threshold.inclusive"),
        beside=lambda study: _rule(study) if study.detection.threshold.rule == "relative" else "",
    ),
    Rule(keys=("detection.threshold.reference",), beside=_unless("matched"), neutral=""),
    Rule(keys=("detection.minimum_edge",), beside=_unless("relative"), neutral=0),
    Rule(
        keys=("detection.merge_distance",),
        beside=lambda study: "detection.merge: none" if study.detection.merge == "none" else "",
        # Presets say so.
        neutral="0 px",
    ),
    Rule(
        keys=("detection.passes",),
        # All neighbours of a core pixel are kept, so that it is one in the next run.
        beside=lambda study: (
            "detection.eps and min_samples, which are the same in each pass"
            # That preset may be stated as published.
            if study.preset != "medghalchi2020" or study.detection.passes > 2
            else ""
        ),
        neutral=1,
    ),
    Rule(
        keys=("compare_denoising.noise_grey",),
        beside=lambda study: (
            "compare_denoising.added_noise: none"
            if study.compare_denoising.added_noise == "none"
            else ""
        ),
        neutral=25.0,
    ),
    Rule(
        keys=("denoise.strength",),
        beside=lambda study: _denoiser(study, "none", "paired"),
        neutral=1.0,
    ),
    Rule(
        keys=("denoise.epochs",),
        beside=lambda study: (
            ""
            if {"self_supervised", "paired"} & {*study.compare_denoising.methods}
            else _denoiser(study, "none", "simulated", *CLASSICAL)
        ),
        neutral=16,
    ),
    *(
        Rule(keys=(f"segmentation.{key}",), beside=beside, neutral=field.default)
        for key, field in Segmentation.model_fields.items()
        for beside in _idle_for_maps(key)
    ),
    Rule(keys=("training_preset",), beside=_named_models, neutral="default"),
    Rule(
        keys=tuple(f"training.{key}" for key in Training.model_fields)
        # All but the threshold.
        + tuple(
            f"{stage}.{key}"
            for stage in STAGES
            for key in Network.model_fields.keys() - {"threshold"}
        ),
        beside=_named_models,
    ),
    Rule(keys=("split.cross_validate",), beside=_named_models, neutral=True),
    *(
        Rule(keys=(f"{stage}.{key}",), beside=_of_network(stage, allows), neutral=neutral)
        for stage in STAGES
        for key, allows, neutral in (
            ("centre", lambda network: network.scales > 1, 1),
            ("descriptors", lambda network: network.descriptors, False),
        )
    ),
    Rule(keys=tuple(f"training.{key}" for key in _FOR_DESCENT), beside=_only_frozen),
    Rule(
        keys=("training.rotation_deg",),
        beside=lambda study: (
            f"training.augmentation: {study.training.augmentation}"
            if study.training.augmentation in ("none", "flips")
            else ""
        ),
        neutral=0,
    ),
    Rule(keys=("training.simulated_sites",), beside=_no_trees, neutral=0),
    Rule(
        keys=("split.block",),
        beside=lambda study: (
            f"split.group_by: {study.split.group_by}" if study.split.group_by != "block" else ""
        ),
        neutral="40 um",
    ),
    Rule(
        keys=("workshop.panorama",),
        beside=lambda study: f"workshop.image: {study.workshop.image}" * bool(study.workshop.image),
        neutral="",
    ),
    Rule(
        keys=("workshop.image_pixel_size",),
        beside=lambda study: "" if study.workshop.image else "workshop.image: ''",
        neutral="",
    ),
    Rule(
        keys=("workshop.digits_folder",),
        beside=lambda study: (
            f"workshop.digits: {study.workshop.digits}" if study.workshop.digits == "digits" else ""
        ),
        neutral="",
    ),
)


def keys_without_effect(given: dict, study) -> list[str]:
    """Name the keys that a user gave and that have no effect.

    Parameters
    ----------
    given : dict
        What the user wrote, without presets and defaults.
    study : Study
        What became of it.

    Returns
    -------
    list of str
        A line for each, with the other key and what to do.
    """
    keys = set(_leaves(given))
    if keys >= set(_leaves(study.model_dump())):
        # The settings of a checked study, which hold every key, and no choice of a user.
        return []
    lines = []
    for key in _leaves(given):
        for rule in RULES:
            if key not in rule.keys:
                continue
            beside, value = rule.beside(study), _value(study, key)
            if beside and (rule.neutral is None or value != rule.neutral):
                lines.append(
                    f"{key}: '{key.split('.')[-1]}: {value}' has no effect beside '{beside}'. "
                    "Remove one of the two."
                )
                break
    return lines


def _leaves(given: dict, prefix: str = "") -> Iterator[str]:
    for key, value in given.items():
        if isinstance(value, dict):
            yield from _leaves(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}"


def _value(study, key):
    value = study
    for part in key.split("."):
        value = getattr(value, part)
    return value
