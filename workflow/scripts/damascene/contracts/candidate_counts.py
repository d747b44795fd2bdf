"""candidates/{panorama}.json: what each step of the detection left."""

from typing import ClassVar

from pydantic import Field

from damascene.contracts.record import Part, Record


class ThresholdLevels(Part):
    """In how many blocks the levels were measured that a relative threshold follows."""

    blocks: int = Field(description="Blocks with enough valid pixels.")
    measured_blocks: int = Field(
        description="Those that show ferrite and martensite; all others have the levels of the "
        "nearest that does, or, if none does, an assumed step."
    )


class CandidateCounts(Record):
    """What each step of the detection left of a panorama, in the order of the steps."""

    kind: ClassVar[str] = "the counts of a detection"

    panorama: str = Field(description="Name in the sample sheet.")
    levels: ThresholdLevels | None = Field(
        None, description="Where a relative threshold was measured; None for any other."
    )
    dark_pixels: int = Field(description="Pixels darker than the threshold.")
    filled_pixels: int = Field(description="Pixels filled in holes before clustering.")
    noise_pixels: int = Field(description="Dark pixels that belong to no cluster.")
    clusters: int = Field(description="Clusters of any size.")
    larger_than_minimum: int = Field(description="Clusters larger than the minimum area.")
    edged: int = Field(description="Those of these with a steep enough edge.")
    rim_fragments: int = Field(
        description="Those that are pieces of a larger one: in its hull or beside it."
    )
    merged_corrected: int = Field(description="Sites after merging that counts each pair.")
    merged_published: int | None = Field(
        description="Sites after merging as published; None where that code stops with an error."
    )
    candidates: int = Field(description="Candidates, with the way of merging that is set.")
