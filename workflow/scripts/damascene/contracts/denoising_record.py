"""denoised/{panorama}.json: how a panorama was denoised."""

from typing import ClassVar, Literal

from pydantic import Field

from damascene.contracts.record import Part, Record


class Strength(Part):
    """How strongly a method denoised, as a factor on what fits the noise, and who chose it."""

    value: float = Field(description="The factor.")
    chosen_by: Literal["study", "calibration", "noise"] = Field(
        description="The configuration; the error at hidden pixels; or the measured noise alone, "
        "where a calibration would not be valid."
    )
    reason: str = Field("", description="Why; empty for a strength of the configuration.")
    tried: tuple[float, ...] = Field((), description="Factors that a calibration compared.")
    errors_grey: tuple[float, ...] = Field(
        (), description="Root mean square error of each at hidden pixels, in grey levels."
    )


class DenoisingRecord(Record):
    """How a panorama was denoised, and how noisy it was before and after."""

    kind: ClassVar[str] = "the record of a denoising"

    panorama: str = Field(description="Name in the sample sheet.")
    method: str = Field(description="Name of the method.")
    strength: Strength = Field(description="Factor on the strength that fits the noise.")
    noise_grey_levels: float | None = Field(
        description="Standard deviation of the finest part of the noise before, in grey levels; "
        "None where it could not be measured and nothing was denoised."
    )
    noise_after_grey_levels: float = Field(
        description="Standard deviation of the finest part of the noise after, in grey levels."
    )
    parameters: dict[str, float] = Field(
        description="Parameters of the method that follow from noise and strength, with units."
    )
    network_sha256: str = Field(
        "",
        description="SHA-256 checksum of what the network learned from, as on its card; empty "
        "without a network.",
    )
    doubts: tuple[str, ...] = Field(
        (), description="In which way the noise is other than the network learned from."
    )
