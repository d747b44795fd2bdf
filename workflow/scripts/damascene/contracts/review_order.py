"""Sites in the order in which people should label them, and the sheet on which they can."""

from damascene.contracts.candidates import POSITION
from damascene.contracts.columns import contract, text, whole
from damascene.contracts.review_labels import DRAWN_BY, IMAGE_MARK

RANDOM, CLUSTER, DISAGREEMENT, SET, FAR, BALANCE, _ = DRAWN_BY

REVIEW_ORDER = contract(
    {
        "rank": whole("place in the queue, from 1"),
        "panorama": text("name in the sample sheet"),
        "site_id": whole("the candidate"),
        "drawn_by": text(
            "why it is asked about: `random`, drawn from all sites, so that shares estimated from "
            "these are honest; `disagreement`, annotators contradict each other; `set`, the "
            "networks cannot tell between classes; `far`, unlike what they learned from; "
            "`balance`, few labels of its class; `cluster`, one of a group of look-alikes, where "
            "there are no networks yet",
            among=DRAWN_BY,
        ),
    },
    description="one site that should be labelled, the most valuable first; nothing of what "
    "networks make of it, which would sway who labels from this table",
    key=["panorama", "site_id"],
)

REVIEW_REASONS = contract(
    {
        **REVIEW_ORDER.columns,
        "reason": text(
            "why it is asked about, in words, with what networks and people said of it: not to be "
            "read before the site is labelled"
        ),
    },
    description="the same queue with reasons, which the page shows on request",
    key=["panorama", "site_id"],
)

LABEL_SHEET = contract(
    {
        "number": whole("number of the clip on the printed sheet, from 1"),
        "panorama": text("name in the sample sheet"),
        "site_id": whole("the candidate"),
        **POSITION,
        "label": text(
            "to be filled in: a class or its letter (m martensite, d interface decohesion, n "
            "notch, i inclusion, s shadowing, u unclear); empty cells are no answer"
        ),
        "drawn_by": text("see `review/order.tsv`", among=DRAWN_BY),
        "image": IMAGE_MARK,
    },
    description="one clip of the sheet",
    key=["panorama", "site_id"],
)
