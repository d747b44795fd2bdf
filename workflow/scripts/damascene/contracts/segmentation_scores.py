"""How well phase maps agree with label images that took no part in the training."""

from damascene.contracts.columns import contract, interval_over_groups, number, text, whole

PHASE_SCORES = ("iou", "precision", "recall", "dice", "fraction_error")
OVERALL_SCORES = ("mean_iou", "mean_iou_of_groups", "pixel_accuracy", "calibration_error")

SEGMENTATION_SCORES = contract(
    {
        "method": text("how the phases were found"),
        "phase": text("phase, or `all`"),
        "score": text(
            "of a phase: `iou` (intersection over union), `precision`, `recall`, `dice`, "
            "`fraction_error` (assigned less true area fraction, in percentage points); of all: "
            "`mean_iou` (of all pixels together, over the phases), `mean_iou_of_groups` (mean over "
            "the groups of their own mean), `pixel_accuracy`, `calibration_error` (mean distance "
            "of probability and accuracy)",
            among=(*PHASE_SCORES, *OVERALL_SCORES),
        ),
        "value": number("the score; missing where it does not exist", missing=True),
        **interval_over_groups("the score"),
        "pixels": whole("labelled pixels: of the phase, or all"),
    },
    description="one score of one method",
    key=["method", "phase", "score"],
)

SEGMENTATION_CONFUSION = contract(
    {
        "method": text("how the phases were found"),
        "true_phase": text("phase in the label image"),
        "assigned_phase": text("phase in the map"),
        "pixels": whole("number of such pixels"),
        "share": number("part of the pixels of the true phase; missing without any", missing=True),
    },
    description="pixels of one true and one assigned phase",
    key=["method", "true_phase", "assigned_phase"],
)

SEGMENTATION_COSTS = contract(
    {
        "method": text("how the phases were found"),
        "fold": whole("fold that was held out"),
        "training_s": number("seconds of training; missing where done elsewhere", missing=True),
        "answering_s": number("seconds that the maps of the held-out panoramas took"),
        "megapixels": number("size of those maps in megapixels"),
    },
    description="what one method took for one fold",
    key=["method", "fold"],
)
