"""Scores on sites whose steel was turned against the direction of the load."""

from damascene.contracts.columns import contract, number
from damascene.contracts.scores import SCORES

LOAD_DIRECTION = contract(
    {
        "angle_deg": number("counter-clockwise turn of the steel in the clips that are judged"),
        **SCORES.columns,
        "trained_turns_deg": number("largest random turn of the clips that trained the network"),
    },
    description="one score of one class at one turn, for one network",
    key=["trained_turns_deg", "angle_deg", "class", "score"],
)
