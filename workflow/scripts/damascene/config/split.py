"""Which labels train, and which test."""

from typing import Literal

import pydantic
from pydantic import Field

from damascene.config.section import Length, Section


class Split(Section):
    """Which labels train, and which test."""

    group_by: Literal["block", "panorama"] = Field(
        "block",
        description="Labels of one group are never on both sides of a split. `panorama` is the "
        "stricter test and needs as many labelled panoramas as folds.",
    )
    block: Length = Field(
        "40 um",
        description="Edge of the spatial blocks for `block`. Keep it wider than the larger "
        "window. For a "
        "grid of tiles, the edge of a tile groups by tile.",
    )
    folds: int = Field(
        5,
        ge=2,
        description="Parts into which the groups are divided. One part validates, the others "
        "train.",
    )
    cross_validate: bool = Field(
        False,
        description="Also train once per fold and predict every label by networks that were not "
        "trained on it. Costs as many trainings as folds and is what a paper should quote.",
    )

    @pydantic.model_validator(mode="after")
    def _folds_for_three_roles(self):
        if self.cross_validate and self.folds < 3:
            raise ValueError(
                "cross_validate needs at least 3 folds: one to test, one to validate, the rest to "
                "train"
            )
        return self
