"""statistics/domain_shift.tsv: each panorama beside what its networks learned from."""

from damascene.contracts.columns import NOT_NEGATIVE, contract, number, text
from damascene.contracts.shift_record import FLAGS

#: Name of the row that sums up the others of a panorama.
VERDICT = "verdict"

DOMAIN_SHIFT = contract(
    {
        "panorama": text("name in the sample sheet"),
        "measure": text("what is compared, see `statistics.md`; `verdict` sums up the others"),
        "value": number(
            "value of the panorama; missing in the verdict and where it was not measured",
            missing=True,
        ),
        "training_low": number(
            "lower end of the range within the training set; missing where it is not known",
            missing=True,
        ),
        "training_high": number("upper end of this range", missing=True),
        "excess": number(
            "distance outside that range, in tolerances of the measure: up to 1 is within, and "
            "beyond the stated limit foreign; in the verdict the largest of those that count",
            NOT_NEGATIVE,
            missing=True,
        ),
        "flag": text(
            "`within` the training condition; `beyond` it: read classes with care; `foreign`: "
            "classes are not counted; `not_tested`",
            among=FLAGS,
        ),
        "meaning": text("the flag in words"),
    },
    description="one measure of one panorama, held against the training set of its networks",
    key=["panorama", "measure"],
)
