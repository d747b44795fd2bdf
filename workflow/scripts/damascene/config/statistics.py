"""Intervals."""

from pydantic import Field

from damascene.config.section import Section


class Statistics(Section):
    """Intervals."""

    confidence: float = Field(
        0.95, gt=0.5, lt=1, description="Confidence level of all intervals in tables and figures."
    )
    coverage: float = Field(
        0.9,
        gt=0.5,
        lt=1,
        description="Fraction of the sites of each class whose prediction set must contain the "
        "true class. Higher values give larger sets and need more labels of each class, in more "
        "groups: 19 held-out labels in 9 groups for 0.9, 39 in 19 for 0.95. There are no sets for "
        "classes with fewer.",
    )
    withhold: bool = Field(
        True,
        description="Give no counts of classes in a panorama that is foreign to the networks; "
        "`statistics/domain_shift.tsv` says which and why. With `false` they are given, and the "
        "warning stays: take it only where labels of this panorama show that its classes are "
        "right.",
    )
