"""quality/{panorama}.json: the quality of a panorama in a few figures."""

from typing import ClassVar, Literal

from pydantic import Field

from damascene.contracts.candidate_counts import ThresholdLevels
from damascene.contracts.panorama_record import ValidArea
from damascene.contracts.record import Part, Record


class Caveat(Part):
    """Something that speaks against the candidates of a panorama."""

    kind: Literal[
        "nothing_valid",
        "no_levels",
        "few_levels",
        "inverted",
        "much_dark",
        "dark_ferrite",
        "no_candidates",
        "correlated_noise",
        "unknown_noise",
        "other_noise",
        "unmeasured_noise",
    ] = Field(description="Which fault it is.")
    text: str = Field(description="The fault, and what to do about it.")


class QualityRecord(Record):
    """Figures of the valid pixels of a panorama; None where no block could be measured."""

    kind: ClassVar[str] = "the quality of a panorama"

    panorama: str = Field(description="Name in the sample sheet.")
    fractions: ValidArea = Field(description="Fractions of pixels, valid and not, by reason.")
    median_grey: float | None = Field(description="Median grey value.")
    ferrite_grey: float | None = Field(description="Grey level of ferrite.")
    martensite_grey: float | None = Field(description="Grey level of martensite.")
    black_fraction: float | None = Field(description="Pixels of grey 0, as a fraction.")
    saturated_fraction: float | None = Field(description="Pixels of grey 255, as a fraction.")
    noise_grey: float | None = Field(
        description="Standard deviation of the noise in grey levels, median over the blocks."
    )
    sharpness: float | None = Field(description="Median over the blocks; see `quality.measures`.")
    threshold_grey: float | None = Field(
        description="Grey below which a pixel is dark, median over the blocks."
    )
    low_threshold_grey: float | None = Field(description="Its 5 % quantile.")
    high_threshold_grey: float | None = Field(description="Its 95 % quantile.")
    blocks: int = Field(description="Blocks of the panorama.")
    measured_blocks: int = Field(description="Blocks with enough valid pixels.")
    levels: ThresholdLevels | None = Field(
        description="Where a relative threshold was measured; None for any other."
    )
    caveats: tuple[Caveat, ...] = Field(description="What speaks against the candidates.")
    notes: tuple[str, ...] = Field(description="Ways in which blocks stand out, a sentence each.")
    histogram: tuple[int, ...] = Field(description="Valid pixels of each grey value, 0 to 255.")
