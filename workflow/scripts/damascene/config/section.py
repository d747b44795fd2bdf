"""What the sections of the configuration share: strict keys, lengths and areas with a unit."""

from typing import Annotated

import pydantic
from pydantic import AfterValidator

from damascene.units import split_quantity


def _checked_length(text: str) -> str:
    split_quantity(text, ("px", "nm", "um"), "0.4 um")
    return text


def _checked_area(text: str) -> str:
    split_quantity(text, ("px2", "um2"), "0.03 um2")
    return text


Length = Annotated[str, AfterValidator(_checked_length)]
Area = Annotated[str, AfterValidator(_checked_area)]


class Section(pydantic.BaseModel):
    """Part of the configuration; it takes no key that it does not know, and does not change."""

    # A misspelt key that is silently ignored gives numbers with other settings than meant.
    model_config = pydantic.ConfigDict(extra="forbid", frozen=True)
