"""What the sections of the configuration share: strict keys, lengths and areas with a unit."""

from typing import Annotated

import pydantic
from pydantic import AfterValidator

from damascene.units import plain_quantity, split_quantity

# No panorama is longer: a centimetre of steel, a million pixels.
_LONGEST = {"px": 1e6, "nm": 1e7, "um": 1e4}


def _checked_length(text: str) -> str:
    value, unit = split_quantity(text, ("px", "nm", "um"), "0.4 um")
    if value > _LONGEST[unit]:
        raise ValueError(
            f"longer than any panorama: give at most {_LONGEST[unit]:.0f} {unit}, as in '0.4 um'"
        )
    return plain_quantity(text)


def _above_zero(text: str) -> str:
    if split_quantity(text, ("px", "nm", "um"), "0.4 um")[0] == 0:
        raise ValueError("must be above 0")
    return text


def _checked_area(text: str) -> str:
    value, unit = split_quantity(text, ("px2", "um2"), "0.03 um2")
    if value > _LONGEST[unit.removesuffix("2")] ** 2:
        raise ValueError("larger than any panorama: give an area as in '0.03 um2'")
    return plain_quantity(text)


def _without_braces(text: str) -> str:
    if "{" in text or "}" in text:
        raise ValueError(
            "braces in this path would be taken for variables of the workflow. Rename the file or "
            "folder, or name it by a link without braces"
        )
    return text


#: A file that rules take for their input.
InputPath = Annotated[str, AfterValidator(_without_braces)]
Length = Annotated[str, AfterValidator(_checked_length)]
#: Edge of something, which has one.
Edge = Annotated[Length, AfterValidator(_above_zero)]
Area = Annotated[str, AfterValidator(_checked_area)]


class Section(pydantic.BaseModel):
    """Part of the configuration; it takes no key that it does not know, and does not change."""

    # A misspelt key that is silently ignored gives numbers with other settings than meant.
    model_config = pydantic.ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    @pydantic.field_validator("*", mode="before")
    @classmethod
    def _no_truth_value_for_a_number(cls, value, info):
        """Refuse what would be taken for 1 or 0."""
        parts = value if isinstance(value, list) else [value]
        wanted = cls.model_fields[info.field_name].annotation
        if wanted is not bool and any(isinstance(part, bool) for part in parts):
            raise ValueError(
                "yes, no, on, off, true and false are no number and no text. Give a number, or a "
                "text in quotation marks"
            )
        return value
