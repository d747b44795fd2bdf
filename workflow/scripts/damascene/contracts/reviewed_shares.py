"""Shares of classes that follow from labels alone, honest ones beside those that are not."""

from damascene.classes import SITE_CLASSES
from damascene.contracts.columns import FRACTION, contract, interval, number, text, whole

#: Which labels a share is estimated from.
RANDOM_PART, ALL_LABELS, NETWORKS = "random part", "all labels", "networks"

REVIEWED_SHARES = contract(
    {
        "from": text(
            f"`{RANDOM_PART}`: labels of sites that were drawn at random from all, an honest "
            f"estimate; `{ALL_LABELS}`: it leans towards what people were asked about; "
            f"`{NETWORKS}`: the class that the networks gave each site, for comparison",
            among=(RANDOM_PART, ALL_LABELS, NETWORKS),
        ),
        "class": text("class", among=SITE_CLASSES),
        "sites": whole("sites of the class among those that the share is estimated from"),
        "of": whole("sites that the share is estimated from"),
        "share": number("share of the class", FRACTION),
        **interval(
            f"the share in the study; given for the `{RANDOM_PART}` alone, as no other part is a "
            "sample of all sites"
        ),
        "unclear": whole(
            "answered sites of this part that are left out because all last answers are `unclear`"
        ),
        "contradicting": whole(
            "answered sites of this part that are left out because people contradict each other "
            "and nobody has decided"
        ),
        "unanswered": whole(
            "sites drawn at random that were passed over and have no answer; where there are many, "
            "the share is no longer honest"
        ),
    },
    description="one class, estimated from one part of the labels",
    key=["from", "class"],
)
