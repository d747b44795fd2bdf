"""Which labels train, and which test."""

from typing import Literal

from pydantic import Field

from damascene.config.section import Edge, Section


class Split(Section):
    """Which labels train, and which test.

    The final networks learn from all folds. Scores, calibration and prediction sets come from
    further networks, one for each fold that is tested. Labels have three roles for them: those of
    the tested fold take no part in the training, those of the next one decide how long it lasts,
    and the others are learned from.
    """

    group_by: Literal["block", "panorama"] = Field(
        "block",
        description="Labels of one group are never on both sides of a split. `panorama` is the "
        "stricter test and needs as many labelled panoramas as folds.",
    )
    block: Edge = Field(
        "40 um",
        description="Edge of the spatial blocks for `block`, at least that of the larger window. "
        "For a grid of tiles, the edge of a tile groups by tile.",
    )
    folds: int = Field(
        5,
        ge=3,
        description="Parts into which the groups are divided: at least one to test, one to "
        "validate and one to train.",
    )
    cross_validate: bool = Field(
        False,
        description="Test all folds in turn, so that every label is predicted by networks that "
        "did not learn from it. Costs as many trainings as folds and is what a paper should quote. "
        "Without it the first fold alone is tested, by one further training. The final networks "
        "are the same either way.",
    )
