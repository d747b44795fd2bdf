"""Phase maps."""

import re
from typing import Annotated, Literal

import pydantic
from pydantic import AfterValidator, Field

from damascene.config.section import Section

_COLOUR = re.compile(r"#[0-9A-Fa-f]{6}")
_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")
# A map has a byte for each pixel, in which 0 lies outside; of more phases colours look alike.
_MOST_PHASES = 20
#: Methods without a network, which learn from the labels of the study alone.
CLASSICAL = ("multi_otsu", "random_forest")
#: The time of multi-Otsu grows 256-fold with each further phase.
MOST_OTSU_PHASES = 5
_MOST_LITE0_WIDTHS = 4


def _checked_colour(text: str) -> str:
    if not _COLOUR.fullmatch(text):
        raise ValueError("give a colour as in '#D55E00', in quotation marks")
    return text


class Phase(Section):
    """A phase: its grey value in label images, and its colour in figures."""

    label: int = Field(
        ge=0,
        le=255,
        description="Grey value of the phase in label images, where every other one but "
        "`unlabelled` is refused.",
    )
    colour: Annotated[str, AfterValidator(_checked_colour)] = Field(
        description="Colour of the phase in figures, as in '#D55E00'."
    )


def _of_dual_phase_steel():
    return {
        "ferrite": Phase(label=1, colour="#56B4E9"),
        "martensite": Phase(label=2, colour="#E69F00"),
        "damage": Phase(label=3, colour="#000000"),
    }


class Segmentation(Section):
    """Phase maps: which phase each pixel of a panorama belongs to."""

    method: Literal["none", "simulated", "train", "multi_otsu", "random_forest"] = Field(
        "simulated",
        description="`simulated` takes the network in `resources/models`, which learned the "
        "phases of simulated dual-phase steel: a first map of every panorama, to be looked at. "
        "`train` learns from the label images that the sample sheet names in `phase_labels`, and "
        "from the phases of simulated panoramas. `multi_otsu` cuts the grey values and "
        "learns from the labels which phase is darker, `random_forest` learns from multi-scale "
        "filters: rivals to compare with. `none` makes no "
        "maps.",
    )
    phases: dict[str, Phase] = Field(
        default_factory=_of_dual_phase_steel,
        min_length=2,
        max_length=_MOST_PHASES,
        description="The phases by name, in the order of their values in phase maps, from 1; 0 is "
        "outside. Each has the grey value `label` that it has in label images, and a `colour`. "
        "Those given replace all of these.",
    )
    unlabelled: int | None = Field(
        None,
        ge=0,
        le=255,
        description="Grey value of pixels in label images that nobody named a phase of; nothing is "
        "learned from them and nothing is tested on them. `null` where every pixel has a phase.",
    )
    hard_phase: str = Field(
        "martensite",
        description="The phase whose bands, islands and distances are measured; empty for none.",
    )
    damage_phase: str = Field(
        "damage",
        description="The phase that is cavities and not steel, so that fractions leave it out; "
        "empty for none.",
    )
    network: Literal["unet", "unet_lite0"] = Field(
        "unet",
        description="`unet` learns all its weights; `unet_lite0` decodes what EfficientNet-Lite0 "
        "sees, which knows the images of ImageNet: for a few label images.",
    )
    widths: list[Annotated[int, Field(ge=1, le=1024)]] = Field(
        [16, 32, 64, 96],
        min_length=1,
        max_length=6,
        description="Channels at each resolution, from half the resolution of the image down; as "
        "many numbers as there are resolutions, of which the decoder of `unet_lite0` has at most "
        "four.",
    )
    epochs: int = Field(
        40,
        ge=1,
        description="Passes over the patches at most; training stops early when it no longer "
        "improves.",
    )
    patches: int = Field(
        400, ge=1, description="Patches of 256 x 256 pixels drawn at random for one epoch."
    )
    batch_size: int = Field(16, ge=1, description="Patches per step. Lower it if memory runs out.")
    learning_rate: float = Field(2e-3, gt=0, description="Largest step size of the optimiser.")
    folds: int = Field(
        5,
        ge=2,
        le=50,
        description="Parts that the labelled area is divided into, by panorama where there are as "
        "many labelled ones, else by blocks. One part decides when training stops and calibrates "
        "the probabilities; `compare_segmentation` tests each part by what learned from others.",
    )
    class_weights: Literal["natural", "square_root", "equal"] = Field(
        "square_root",
        description="Weight of the phases in training: as they cover the area (`natural`), alike "
        "(`equal`), or between the two. The calibration takes the weights back out of the "
        "probabilities.",
    )
    augmentation: Literal["none", "flips", "mild", "strong", "scans"] = Field(
        "strong",
        description="How patches are changed in training: not at all; mirrored; also in scale, "
        "brightness, contrast, sharpness and noise, `mild` or `strong`. `scans` is for clean "
        "simulated steel: quarter turns, noise of many kinds, charged rims of cavities and missing "
        "parts, as of some microscope.",
    )
    quarter_turns: bool = Field(
        False,
        description="Whether patches are also turned by 90 degrees, for steel without a direction: "
        "neither rolled nor pulled.",
    )
    probabilities: bool = Field(
        False,
        description="Write the probability of each phase beside the map, as one image of bytes a "
        "phase. Takes some times the disk space of the panorama.",
    )

    @pydantic.field_validator("phases")
    @classmethod
    def _each_with_a_name_and_a_value(cls, phases):
        values = {}
        for name, phase in phases.items():
            if not _NAME.fullmatch(name) or name == "outside":
                raise ValueError(
                    f"'{name}' cannot name a phase, as it becomes part of columns. Use small "
                    "letters, digits and '_', and not 'outside'"
                )
            first = values.setdefault(phase.label, name)
            if first != name:
                raise ValueError(
                    f"{first} and {name} have the label {phase.label} both. Give each phase the "
                    "grey value that it has in label images"
                )
        return phases

    @pydantic.model_validator(mode="after")
    def _decoder_has_resolutions(self):
        if self.network == "unet_lite0" and len(self.widths) > _MOST_LITE0_WIDTHS:
            raise ValueError(
                f"'widths' has {len(self.widths)} numbers, but the decoder of unet_lite0 has at "
                f"most {_MOST_LITE0_WIDTHS} resolutions. Give fewer"
            )
        return self

    @pydantic.model_validator(mode="after")
    def _roles_are_phases(self):
        roles = {"hard_phase": self.hard_phase, "damage_phase": self.damage_phase}
        for key, name in roles.items():
            if name and name not in self.phases:
                raise ValueError(
                    f"'{key}: {name}' is none of the phases {', '.join(self.phases)}. Name one of "
                    "them, or leave it empty"
                )
        if self.hard_phase and self.hard_phase == self.damage_phase:
            raise ValueError("hard_phase and damage_phase are the same. Name two phases")
        for name, phase in self.phases.items():
            if phase.label == self.unlabelled:
                raise ValueError(
                    f"'unlabelled: {self.unlabelled}' is the label of {name}, too. Give another "
                    "value, or null"
                )
        if self.method == "multi_otsu" and len(self.phases) > MOST_OTSU_PHASES:
            raise ValueError(
                f"multi_otsu takes at most {MOST_OTSU_PHASES} phases. Use another method"
            )
        if len(self.phases) - bool(self.damage_phase) < 2:
            raise ValueError("one phase beside damage leaves nothing to choose between. Name two")
        return self
