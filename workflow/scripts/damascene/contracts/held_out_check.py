"""labels/held_out_check.tsv: whether labels are a test of networks from elsewhere."""

from damascene.classes import STAGES
from damascene.contracts.columns import contract, text, whole

#: What is known of the labels of a study. Where they are no test, the study stops.
HELD_OUT, NOT_KNOWN = "yes", "not known"

HELD_OUT_CHECK = contract(
    {
        "stage": text("`inclusion` or `damage`", among=STAGES),
        "network": text("file that the study names, under `models` or as `weights`"),
        "training_sites": whole(
            "sites that its card lists; missing where it lists none", missing=True
        ),
        "labels": whole("labelled sites that were compared with them"),
        "held_out": text(
            "`yes`: no label shares a pixel with a training site; `not known`: the scores may be "
            "those of labels on which the network was trained",
            among=(HELD_OUT, NOT_KNOWN),
        ),
        "reason": text("why it is not known; empty where it is"),
    },
    description="one network from elsewhere",
    key=["stage"],
)
