"""For whom scores hold: labelled sites beside the candidates without a label."""

from damascene.classes import ALL, SITE_LABELS
from damascene.contracts.columns import FRACTION, contract, flag, interval, number, text, whole


def _share(name, of):
    return {
        name: number(f"fraction of {of} that have the class; missing without any", missing=True),
        **{f"{name}_{bound}": column for bound, column in interval(f"`{name}`").items()},
    }


def _diameters(name, of):
    return {
        f"{name}_diameter_{percent}_um": number(
            f"equivalent diameter that {percent} % of {of} stay below, in micrometres; missing "
            "without any",
            missing=True,
        )
        for percent in (5, 95)
    }


SCOPE = contract(
    {
        "class": text("class, or `all`", among=(*SITE_LABELS, ALL)),
        "labels": whole("sites that have the class as their label"),
        "label_share": number("their fraction of all labels", FRACTION),
        "answered": whole("labelled sites that networks which never saw them gave the class"),
        **_share("answered_share", "the labelled sites that such networks answered"),
        "others": whole("candidates without a label that the networks gave the class"),
        **_share("other_share", "the candidates without a label"),
        "differs": flag("whether the intervals of the two last fractions lie apart"),
        **_diameters("label", "the labelled sites of the class"),
        **_diameters("other", "the candidates without a label that were given the class"),
    },
    description="one class among the labels, and among the candidates that nobody labelled",
    key=["class"],
)
