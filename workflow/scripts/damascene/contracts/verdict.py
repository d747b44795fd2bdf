"""Which numbers of a study may be used, and why."""

from damascene.contracts.columns import contract, text

VERDICT = contract(
    {
        "number": text("what is judged, in words, such as `counts of interface`"),
        "kind": text(
            "kind of number", among=("sites", "counts", "corrected", "trend", "sizes", "phases")
        ),
        "class": text("class that it counts; empty for a number of all sites"),
        "usable": text(
            "whether it may be used: `yes`, `with_care` or `no`", among=("yes", "with_care", "no")
        ),
        "reason": text("why, in a sentence"),
    },
    description="one kind of number, for one class where it has classes",
    key=["kind", "class"],
)
