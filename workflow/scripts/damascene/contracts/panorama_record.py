"""panoramas/{panorama}.json: what is known of a panorama beside its pixels."""

from typing import ClassVar, Literal

from pydantic import Field

from damascene.contracts.record import Part, Record
from damascene.contracts.source_file import SourceFile


class AcquisitionRecord(Part):
    """How the images of a panorama were taken; None where no header says or they differ."""

    microscope: str | None = Field(None, description="Vendor and model.")
    accelerating_voltage_kv: float | None = Field(None, description="In kilovolts.")
    working_distance_mm: float | None = Field(None, description="In millimetres.")
    detector: str | None = Field(None, description="Name in the header.")
    dwell_time_ns: float | None = Field(None, description="Time a pixel got, in nanoseconds.")
    acquired: str | None = Field(
        None, description="Date and time of the first image, ISO 8601 without zone."
    )


class ValidArea(Part):
    """Fractions of all pixels, between 0 and 1; they add up to 1."""

    valid: float = Field(description="Searched for sites.")
    no_image: float = Field(description="Covered by no image.")
    blank: float = Field(description="Margins and empty areas of one grey.")
    charging: float = Field(description="Saturated by charging.")


class GreyScale(Part):
    """From which grey values the 8-bit ones of a panorama were made: 0 to 2^bit_depth - 1."""

    stored_bits: Literal[8, 16] = Field(description="Bits of a pixel in the files.")
    bit_depth: int = Field(description="Bits that the grey values fill; 255 is their full scale.")
    bit_depth_source: Literal["file", "header", "sheet", "data"] = Field(
        description="Who says so: `file`, its 8 bits are all there are; `header`; `sheet`, the "
        "sample sheet; `data`, the grey values themselves."
    )
    largest_value: int | None = Field(description="Largest grey value; None for 8-bit files.")


class StitchingQuality(Part):
    """How well overlapping frames fit together."""

    frames: int = Field(description="Frames in the list.")
    pairs: int = Field(description="Overlaps of neighbouring frames.")
    accepted_pairs: int = Field(description="Overlaps that were registered.")
    loops: int = Field(description="Accepted pairs more than needed to connect the frames.")
    rms_residual_px: float | None = Field(
        description="Root mean square residual of accepted pairs, in pixels; None without loops."
    )
    largest_residual_px: float | None = Field(
        description="Largest residual of accepted pairs, in pixels; None without loops."
    )
    nominal_frames: int = Field(description="Frames whose place no overlap confirms.")
    lowest_gain: float = Field(description="Lowest factor on the grey values of a frame.")
    highest_gain: float = Field(description="Highest factor on the grey values of a frame.")


class PanoramaRecord(Record):
    """A panorama: its size, its origin, and what was done to its images."""

    kind: ClassVar[str] = "the record of a panorama"
    remedy: ClassVar[str] = "Delete the file and run again, which imports the panorama again."

    panorama: str = Field(description="Name in the sample sheet.")
    width_px: int = Field(description="Columns of the image.")
    height_px: int = Field(description="Rows of the image.")
    pixel_size_nm: float = Field(description="Edge of a pixel in nanometres.")
    pixel_size_source: Literal["sheet", "header"] = Field(
        description="Whether the sample sheet or the header of the image states the pixel size."
    )
    acquisition: AcquisitionRecord = Field(description="How the images were taken.")
    valid_area_mm2: float = Field(description="Area of the valid pixels in square millimetres.")
    valid_fraction: float = Field(description="Valid pixels as a fraction of all.")
    valid_area: ValidArea = Field(description="Fractions of pixels, valid and not, by reason.")
    source: str = Field(description="Path that was read, or `simulated`.")
    sources: tuple[SourceFile, ...] = Field(
        description="Every file that was read, the grid file or list first; empty if simulated."
    )
    stitching: StitchingQuality | None = Field(
        description="How well frames fit together; None if the panorama is not stitched."
    )
    grey_scale: GreyScale | None = Field(
        description="Which grey value is full scale; None if the panorama is simulated."
    )
    notes: tuple[str, ...] = Field(description="What was done to the images, a sentence each.")
