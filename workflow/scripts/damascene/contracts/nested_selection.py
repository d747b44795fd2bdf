"""Scores with settings that were chosen without the sites that test them, and these settings."""

from damascene.classes import STAGE_CLASSES
from damascene.contracts.columns import NOT_NEGATIVE, contract, flag, number, text, whole
from damascene.contracts.scores import SCORES

NESTED_CHOICES = contract(
    {
        "fold": whole("fold whose sites took no part in the choice"),
        "stage": text("`inclusion` or `damage`", among=tuple(STAGE_CLASSES)),
        "network": text("network that was chosen"),
        "window": text("edge of its window"),
        "augmentation": text("how its training clips were changed"),
        "strength": number("weight of the labels in the fit of a last layer", missing=True),
        "descriptors": flag("whether trees on descriptors take part in the answer"),
        "simulated_sites": number("weight of simulated sites among the trees", missing=True),
        "threshold": number("probability that must be exceeded", NOT_NEGATIVE),
        "loss": number("mean loss of the choice on the inner held-out sites", NOT_NEGATIVE),
    },
    description="the settings of one stage that were chosen for one fold",
    key=["fold", "stage"],
)

#: How the settings came about, and which sites are scored.
SELECTIONS = ("study", "nested")
SCORED_SITES = ("all", "unanimous")

NESTED_SCORES = contract(
    {
        "selection": text(
            "`study`: settings of the study, whoever chose them; `nested`: settings chosen anew "
            "for each fold, without its sites",
            among=SELECTIONS,
        ),
        "sites": text(
            "`all` labelled sites, or those on which at least two people agree without exception",
            among=SCORED_SITES,
        ),
        **SCORES.columns,
    },
    description="one score of one class, by how the settings were chosen",
    key=["selection", "sites", "class", "score"],
)
