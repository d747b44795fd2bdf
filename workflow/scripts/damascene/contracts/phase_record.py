"""phases/{panorama}.json: what the phase map of a panorama was made by, and what it holds."""

from typing import ClassVar, Literal

from pydantic import Field

from damascene.contracts.record import Part, Record


class PhaseCaveat(Part):
    """Something that speaks against a phase map."""

    kind: Literal["foreign_pixel_size", "one_phase", "much_of_minor_phase", "unsure"] = Field(
        description="Which fault it is."
    )
    text: str = Field(description="The fault, and what to do about it.")


class PhaseRecord(Record):
    """How a phase map was made, and the area of each phase in it."""

    kind: ClassVar[str] = "the record of a phase map"

    panorama: str = Field(description="Name in the sample sheet.")
    method: str = Field(description="How phases were told, as in the configuration.")
    trained_on: str = Field(
        description="What the network or the forest learned from; empty where nothing was learned."
    )
    phases: dict[str, int] = Field(
        description="Value of each phase in the map; 0 is outside the valid area."
    )
    pixels: dict[str, int] = Field(description="Pixels of each phase.")
    fractions: dict[str, float] = Field(
        description="Part of the valid area that each phase takes up, from 0 to 1; all 0 where "
        "nothing is valid."
    )
    confidence: float | None = Field(
        description="Mean over the valid pixels of the probability of the phase that was chosen; "
        "None where there are no probabilities, or no valid pixels."
    )
    confidence_by_phase: dict[str, float | None] = Field(
        description="The same over the pixels of each phase; None for a phase without pixels."
    )
    caveats: tuple[PhaseCaveat, ...] = Field(description="What speaks against the map.")
