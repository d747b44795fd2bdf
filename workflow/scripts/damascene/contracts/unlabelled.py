"""Candidates without a label that networks may label by themselves."""

from damascene.contracts.columns import contract, number, text, whole

UNLABELLED = contract(
    {
        "panorama": text("name in the sample sheet"),
        "site_id": whole("the candidate"),
        "clip_x_px": number("column of the centre of the clip"),
        "clip_y_px": number("row of the centre of the clip"),
        "group": text("as in the split of the labels"),
    },
    description="one candidate without a label",
    key=["panorama", "site_id"],
)
