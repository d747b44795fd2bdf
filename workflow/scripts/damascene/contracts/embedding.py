"""Sites in the plane that shows most of their differences in a network's last layer."""

from damascene.classes import SITE_LABELS
from damascene.contracts.columns import FRACTION, contract, number, text, whole

EMBEDDING = contract(
    {
        "panorama": text("name in the sample sheet"),
        "site_id": whole("the candidate"),
        "predicted_class": text("class decided from the probabilities", among=SITE_LABELS),
        "axis_1": number("first principal component", single=True),
        "axis_2": number("second principal component", single=True),
        "k_means": whole("number of its k-means cluster"),
        "mixture": whole("number of its component of the Gaussian mixture"),
    },
    description="one site",
    key=["panorama", "site_id"],
)

EMBEDDING_AGREEMENT = contract(
    {
        "groups": text("groups that are compared", among=("k_means", "mixture")),
        "against": text(
            "with the classes, or with the panoramas", among=("predicted_class", "panorama")
        ),
        "adjusted_rand": number("adjusted Rand index: 0 by chance, 1 where they are the same"),
        "mutual_information": number("normalised mutual information: 1 where they are the same"),
        "explained_1": number("fraction of the variance along the first axis", FRACTION),
        "explained_2": number("fraction of the variance along the second axis", FRACTION),
        "mixture_components": whole("components of the mixture"),
    },
    description="one way to group sites against one other",
    key=["groups", "against"],
)
