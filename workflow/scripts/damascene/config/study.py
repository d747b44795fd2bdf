"""A whole study: one configuration and one sample sheet."""

import difflib
import typing
from typing import Literal

import pydantic
from pydantic import Field

from damascene import InputError
from damascene.config.denoiser_comparison import DenoiserComparison
from damascene.config.denoising import Denoise
from damascene.config.detection import Detection
from damascene.config.label_source import LabelSource
from damascene.config.networks import DamageNetwork, InclusionNetwork, Network
from damascene.config.presets import PRESETS, TRAINING_PRESETS, read_preset, read_training_preset
from damascene.config.reproduce import Reproduce
from damascene.config.section import InputPath, Section
from damascene.config.segmentation import Segmentation
from damascene.config.sensitivity import Sensitivity
from damascene.config.simulation import Simulation
from damascene.config.split import Split
from damascene.config.statistics import Statistics
from damascene.config.training import Training
from damascene.config.without_effect import keys_without_effect
from damascene.config.workshop import Workshop


class Study(Section):
    """A study: one configuration and one sample sheet."""

    study: str = Field(
        "simulated_tensile_series",
        min_length=1,
        description="Name of the study, shown in the report.",
    )
    seed: int = Field(
        20190514,
        ge=0,
        description="Every random choice derives from it. Another seed shows how much a result "
        "depends on chance.",
    )
    data_folder: str = Field(
        ".",
        description="Folder that relative paths in the sample sheet and of label files start from.",
    )
    panoramas: str = Field(
        "config/panoramas.tsv", description="Sample sheet, one row per panorama."
    )
    strips: int = Field(
        1,
        ge=1,
        le=1000,
        description="Number of jobs that share the denoising, the search for candidates and the "
        "classification of one panorama. Results are the same. Raise it where one job takes hours "
        "and a cluster has free nodes; each job costs some seconds of its own.",
    )
    labels: list[LabelSource] = Field(
        default_factory=list,
        description="Files with labelled sites, for panoramas that are not simulated.",
    )
    simulation: Simulation = Field(default_factory=Simulation)
    denoise: Denoise = Field(default_factory=Denoise)
    segmentation: Segmentation = Field(default_factory=Segmentation)
    preset: Literal[PRESETS] = Field(
        "default",
        description="Parameter set that `detection` and the windows and thresholds of the "
        "networks start from: that of this project, or a published one, see `config/presets`. "
        "Keys given below override single values.",
    )
    training_preset: Literal[TRAINING_PRESETS] = Field(
        "default",
        description="Networks and training to start from: those of this project, or published "
        "ones, see `config/presets/training`. Keys given below override single values.",
    )
    models: InputPath = Field(
        "train",
        description="`train` learns from your labels. A folder with inclusion.keras, "
        "damage.keras and their cards, such as `results/models` of an earlier study, is used as "
        "it is, with its own networks and windows, and needs no labels; copy it out of the results "
        "of this study first. If there are labels, they test it: labels on steel that it was "
        "trained on are refused. `simulated` takes networks trained on "
        "simulated steel only: a first answer, to be checked with labels of your own.",
    )
    detection: Detection = Field(default_factory=Detection)
    inclusion: InclusionNetwork = Field(default_factory=InclusionNetwork)
    damage: DamageNetwork = Field(default_factory=DamageNetwork)
    training: Training = Field(default_factory=Training)
    split: Split = Field(default_factory=Split)
    statistics: Statistics = Field(default_factory=Statistics)
    sensitivity: Sensitivity = Field(default_factory=Sensitivity)
    compare_denoising: DenoiserComparison = Field(default_factory=DenoiserComparison)
    reproduce: Reproduce = Field(default_factory=Reproduce)
    workshop: Workshop = Field(default_factory=Workshop)

    def stage(self, name: str) -> Network:
        """Return the settings of the `inclusion` or the `damage` network."""
        return {"inclusion": self.inclusion, "damage": self.damage}[name]


def load_study(config: dict, *, source: str = "config") -> Study:
    """Check a configuration and complete it: by its presets first, then by the defaults.

    Parameters
    ----------
    config : dict
        As read from YAML. What it gives has precedence over the presets.
    source : str, optional
        Name of the file, for messages.

    Raises
    ------
    InputError
        With one line for every key that is unknown, missing or out of range, or that has no
        effect beside another one.
    """
    # A section whose keys are all commented out.
    config = {key: value for key, value in config.items() if value is not None}
    given = config
    preset = config.get("preset", PRESETS[0])
    training_preset = config.get("training_preset", TRAINING_PRESETS[0])
    # An unknown one is told below, together with all other mistakes.
    if training_preset in TRAINING_PRESETS:
        config = _merged(read_training_preset(training_preset), config)
    if preset in PRESETS:
        config = _merged(read_preset(preset), config)
    try:
        study = Study.model_validate(config)
    except pydantic.ValidationError as error:
        lines = [_explain(problem) for problem in error.errors()]
        raise InputError(f"{source} cannot be used:\n" + "\n".join(lines)) from error
    idle = keys_without_effect(given, study)
    if idle:
        raise InputError("\n  ".join([f"{source} cannot be used:", *idle]))
    return study


def _merged(defaults, given):
    """Return nested settings with those given in place of the defaults."""
    both = defaults.keys() & given.keys()
    parts = {
        key: _merged(defaults[key], given[key])
        for key in both
        if isinstance(defaults[key], dict) and isinstance(given[key], dict)
    }
    return defaults | given | parts


def _explain(problem):
    place = ".".join(str(part) for part in problem["loc"])
    if problem["type"] == "extra_forbidden":
        known = _known_keys(problem["loc"][:-1])
        near = difflib.get_close_matches(str(problem["loc"][-1]), known, n=1)
        hint = f"Did you mean '{near[0]}'?" if near else f"Known keys here: {', '.join(known)}."
        return f"  {place}: unknown key. {hint}"
    message = problem["msg"].removeprefix("Value error, ").removesuffix(".")
    if problem["type"] == "string_type":
        message = "give a text, with a unit if it is a length, or in quotation marks"
    if problem["type"] == "list_type":
        message = "give a list: values in square brackets with commas between them, or a line for "
        message += "each that begins with '- '"
    if problem["type"] == "model_type":
        message = "give keys with their values, as config/README.md lists them"
    if isinstance(problem["input"], dict):
        # Values that do not go together are told in the message.
        return f"  {place}: {message}."
    return f"  {place}: {message} (found: {problem['input']!r})."


def _known_keys(location):
    model = Study
    for part in location:
        if isinstance(part, int):
            continue
        if not hasattr(model, "model_fields"):
            # A name that the user gives to one of several sections.
            (_, model) = typing.get_args(model)
            continue
        annotation = model.model_fields[part].annotation
        model = LabelSource if annotation == list[LabelSource] else annotation
    return list(model.model_fields)
