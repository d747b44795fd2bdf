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
        "true class. Higher values give larger sets and need more labels of each class: 9 for "
        "0.9, 19 for 0.95.",
    )
