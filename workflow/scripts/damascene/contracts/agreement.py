"""How well annotators agree with each other, and the networks with them."""

from damascene.classes import SITE_CLASSES
from damascene.contracts.columns import contract, interval_over_groups, number, text, whole

AGREEMENT = contract(
    {
        "comparison": text(
            "`pair 1-2`: two annotators, numbered by name; `all`: all of them; `3 again`: the last "
            "answer of one against their answer before, on candidates that they answered twice, "
            "at one position or on two parts of a candidate; `3 against others`: one against what "
            "the others agree on; `networks for 3`: the networks on the same sites; `networks "
            "minus 3`: the difference of the two. With `all` in place of the number, the sites of "
            "all annotators are taken together; one on which all agree counts once for each"
        ),
        "annotators": text("their names, in this order"),
        "sites": whole("sites that are compared"),
        "score": text(
            "`agreement` (fraction of equal answers), `kappa` (Cohen), `fleiss_kappa`, `macro_f1` "
            "or `balanced_accuracy`; of `networks minus ...` their difference"
        ),
        "value": number("its value; missing where it does not exist", missing=True),
        **interval_over_groups("the score"),
    },
    description="one score of one comparison; no rows where one person labelled",
    key=["comparison", "score"],
)

CLASS_AGREEMENT = contract(
    {
        "class": text("class", among=SITE_CLASSES),
        "comparison": text("`pair 1-2`: two annotators, numbered by name; `all`: all of them"),
        "annotators": text("their names, in this order"),
        "sites": whole("sites that two or more of them answered"),
        "named": whole("of these, sites that one of them at least gave the class"),
        "score": text(
            "`positive_agreement`: how often another annotator names the class, too, where one "
            "does; `kappa`: agreement on whether a site is of the class, beyond chance, which is "
            "taken from all answers together (Fleiss)"
        ),
        "value": number("its value; missing where nobody named the class", missing=True),
        **interval_over_groups("the score"),
    },
    description="one score of how well annotators agree on one class; no rows where one labelled",
    key=["class", "comparison", "score"],
)
