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
        True,
        description="Test all folds in turn, so that every label is predicted by networks that "
        "did not learn from it: what a paper should quote, and what corrected counts, prediction "
        "sets and the effect of new labels need. Costs a training of each stage for each fold, "
        "seconds where frozen layers looked at the labels once, as by default. Networks that learn "
        "all their weights take as long for each fold as for the final ones: with `false` the "
        "first fold alone is tested, by one further training. The final networks are the same "
        "either way.",
    )
