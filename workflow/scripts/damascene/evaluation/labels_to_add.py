"""Which labels would help most, in words."""

import pandas as pd

from damascene.classes import SITE_CLASSES

#: A gain that stays below this is none that a study would notice.
HARDLY = 0.02


def labels_to_add_text(gains: pd.DataFrame, *, confidence: float) -> str:
    """Say what more labels of each class would bring, the surest gains first.

    No number is given where the interval of the gain holds zero.

    Parameters
    ----------
    gains : pandas.DataFrame
        `LABELS_TO_ADD`.
    confidence : float
        Of the intervals.

    Returns
    -------
    str
        A line for each class.
    """
    ordered = gains.sort_values("low", ascending=False, kind="stable")
    lines = [_line(row, confidence=confidence) for _, row in ordered.iterrows()]
    lines += [
        f"{_shown(name)}: too few places have a label of it to say what more would bring. Label "
        "some in three groups at least."
        for name in SITE_CLASSES
        if name not in set(gains["class"])
    ]
    return "\n".join(f"- {line}" for line in lines) + "\n"


def _line(row, *, confidence):
    start = f"{_shown(row['class'])} ({row['labels']} labels, F1 {row['f1']:.2f}): "
    # The chance to say a gain by mistake is that of both sides of the interval together.
    if row["low"] > 0:
        gain = f"+{row['gain']:.2f} [{row['low']:+.2f}, {row['high']:+.2f}]"
        return start + (
            f"{row['more']} more labels are expected to raise F1 to "
            f"{min(row['f1'] + row['gain'], 1):.2f} ({gain} at {100 * confidence:g} % confidence) "
            "if the curve goes on as so far."
        )
    if row["high"] < HARDLY:
        return start + f"{row['more']} more labels would hardly help."
    return start + (f"what {row['more']} more labels would bring cannot be told from these labels.")


def _shown(name):
    return name.replace("_", " ")
