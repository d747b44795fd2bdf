"""denoised/{panorama}.json: how a panorama was denoised."""

from typing import ClassVar

from pydantic import Field

from damascene.contracts.record import Record


class DenoisingRecord(Record):
    """How a panorama was denoised, and how noisy it was before and after."""

    kind: ClassVar[str] = "the record of a denoising"

    panorama: str = Field(description="Name in the sample sheet.")
    method: str = Field(description="Name of the method.")
    strength: float = Field(description="Factor on the strength that fits the noise.")
    noise_grey_levels: float = Field(
        description="Standard deviation of the noise before, in grey levels."
    )
    noise_after_grey_levels: float = Field(
        description="Standard deviation of the noise after, in grey levels."
    )
    parameters: dict[str, float] = Field(
        description="Parameters of the method that follow from noise and strength, with units."
    )
