"""All classifiers on the same held-out sites."""

from damascene.contracts.columns import contract, number, text, whole


def _score(name, description):
    return {
        name: number(description, missing=True),
        f"{name}_low": number("lower bound of its confidence interval", missing=True),
        f"{name}_high": number("upper bound of its confidence interval", missing=True),
    }


CLASSIFIERS = contract(
    {
        "classifier": text("name of the classifier; `networks`: the two of the study"),
        "features": text("what it learns from: `descriptors`, `hog`, `none`, or networks"),
        "sites": whole("labelled sites that were held out"),
        "groups": whole("groups of sites, alike within a group, on which the intervals rest"),
        **_score("macro_f1", "mean of F1 over the classes"),
        **_score("kappa", "Cohen's kappa"),
        **_score("balanced_accuracy", "mean of the recalls of the classes"),
        "parameters": number("fitted numbers, mean over the folds", missing=True),
        "training_s": number("seconds of a training, mean over the folds", missing=True),
        "sites_per_s": number("sites classified in a second", missing=True),
    },
    description="one classifier on one kind of features, best first",
    key=["classifier", "features"],
)
