"""Scores of classifiers that learn from a part of the labels."""

import pandera.pandas as pa

from damascene.contracts.columns import NOT_NEGATIVE, contract, number, text, whole

LEARNING_CURVE = contract(
    {
        "classifier": text("name of the classifier"),
        "share": number(
            "fraction of the groups of sites to learn from",
            pa.Check.in_range(0, 1, include_min=False),
        ),
        "repeat": whole("number of the random draw of groups"),
        "labels": number("labels to learn from, mean over the folds", NOT_NEGATIVE),
        "macro_f1": number("mean of F1 over the classes", missing=True),
        "kappa": number("Cohen's kappa", missing=True),
    },
    description="one classifier after one draw",
    key=["classifier", "share", "repeat"],
)
