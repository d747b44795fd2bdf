"""paired/{panorama}.json: how another scan of the same place was laid over a panorama."""

from typing import ClassVar

from pydantic import Field

from damascene.contracts.record import Record
from damascene.contracts.source_file import SourceFile


class PairedScanRecord(Record):
    """Where another scan lies in a panorama, how well both agree, and how noisy it is."""

    kind: ClassVar[str] = "the record of a second scan"

    panorama: str = Field(description="Name in the sample sheet.")
    source: str = Field(description="Path that was read, or `simulated`.")
    sources: tuple[SourceFile, ...] = Field(
        description="Every file that was read, the grid file first; empty if simulated."
    )
    width_px: int = Field(description="Columns of the scan as it was read.")
    height_px: int = Field(description="Rows of the scan as it was read.")
    shift_x_px: float = Field(
        description="Column of the panorama that the scan begins at, median over blocks."
    )
    shift_y_px: float = Field(
        description="Row of the panorama that the scan begins at, median over blocks."
    )
    largest_drift_px: float = Field(
        description="Largest distance of the shift of a block from the median, in pixels."
    )
    residual_px: float = Field(
        description="Root mean square distance of the shift of a block from its neighbours'."
    )
    correlation: float = Field(
        description="Of grey values without noise and shading, median over blocks."
    )
    blocks: int = Field(description="Blocks of the panorama that are mostly valid.")
    registered_blocks: int = Field(description="Blocks whose shift was found.")
    resampled: bool = Field(
        description="Whether grey values were interpolated; not where shifts are whole pixels."
    )
    covered_fraction: float = Field(
        description="Part of the valid pixels of the panorama that the scan covers."
    )
    grey_slope: float = Field(
        description="Grey values of the panorama over those of the scan, apart from the offset."
    )
    grey_offset: float = Field(description="Offset between them, in grey levels.")
    grey_matched: bool = Field(description="Whether the scan was brought to this line.")
    noise_grey_levels: float = Field(
        description="Fine noise of the scan as it was read, in grey levels of the panorama."
    )
    panorama_noise_grey_levels: float = Field(description="Noise of the panorama, measured alike.")
