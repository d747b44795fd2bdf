"""quality/{panorama}.json: the quality of a panorama in a few figures."""

from typing import ClassVar

from pydantic import Field

from damascene.contracts.panorama_record import ValidArea
from damascene.contracts.record import Record


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
    notes: tuple[str, ...] = Field(description="Ways in which blocks stand out, a sentence each.")
    histogram: tuple[int, ...] = Field(description="Valid pixels of each grey value, 0 to 255.")
