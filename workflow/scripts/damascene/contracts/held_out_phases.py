"""Pixels of labelled areas that took no part in the training, by true and assigned phase."""

from damascene.contracts.columns import NOT_NEGATIVE, contract, number, text, whole

#: Ranges of equal width of the probability of the assigned phase.
CONFIDENCE_BINS = 10

HELD_OUT_PHASES = contract(
    {
        "method": text("how the phases were found"),
        "fold": whole("fold that was held out; of a method that learned elsewhere, always 0"),
        "group": text("panorama or block, alike within; intervals rest on them"),
        "true_phase": text("phase in the label image"),
        "assigned_phase": text("phase in the map"),
        "confidence_bin": whole(
            f"which of {CONFIDENCE_BINS} ranges the probability of the assigned phase lies in; 0 "
            "for a method without probabilities"
        ),
        "pixels": whole("number of such pixels"),
        "confidence": number(
            "sum of the probabilities of the assigned phase over these pixels; missing for a "
            "method without probabilities",
            NOT_NEGATIVE,
            missing=True,
        ),
    },
    description="pixels of one group, one true and one assigned phase, in one range of probability",
    key=["method", "fold", "group", "true_phase", "assigned_phase", "confidence_bin"],
)
