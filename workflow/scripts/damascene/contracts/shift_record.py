"""shift/{panorama}.json: how far a panorama is from what its networks learned from."""

from collections.abc import Iterable
from pathlib import Path
from typing import ClassVar, Literal

from pydantic import Field

from damascene.contracts.record import Part, Record

#: From the best to the worst; the last one where nothing could be compared.
FLAGS = ("within", "beyond", "foreign", "not_tested")


class ShiftMeasure(Part):
    """One measure of a panorama, beside its range in the training panoramas."""

    measure: str = Field(description="Name of the measure, see `shift.measures`.")
    value: float | None = Field(description="Value of the panorama; None if not measured.")
    low: float | None = Field(description="Lower end of the range within the training set.")
    high: float | None = Field(description="Upper end of this range.")
    excess: float | None = Field(
        description="Distance outside the range, in tolerances of this measure; 0 within it."
    )
    flag: Literal[FLAGS] = Field(description="What follows from it.")
    meaning: str = Field(description="The same in words.")


class ShiftRecord(Record):
    """The domain shift of a panorama."""

    kind: ClassVar[str] = "the domain shift of a panorama"

    panorama: str = Field(description="Name in the sample sheet.")
    flag: Literal[FLAGS] = Field(description="The verdict.")
    reason: str = Field(description="The verdict in words, with what stands out.")
    sites: int = Field(description="Candidates whose windows were compared.")
    measures: tuple[ShiftMeasure, ...] = Field(description="One by one.")

    @property
    def withheld(self) -> str:
        """Why classes of this panorama are not counted; empty where they are."""
        return self.reason if self.flag == "foreign" else ""


def withheld_in(paths: Iterable[str | Path]) -> dict[str, str]:
    """Return why classes are not counted, by panorama, of those in which they are not."""
    records = (ShiftRecord.read(path) for path in paths)
    return {one.panorama: one.withheld for one in records if one.withheld}
