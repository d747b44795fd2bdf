"""models/calibration.json: how probabilities are calibrated and prediction sets are made."""

from typing import ClassVar

from pydantic import Field

from damascene.classes import SITE_CLASSES
from damascene.contracts.record import Record


class Calibration(Record):
    """What held-out sites say of the probabilities that the networks give."""

    kind: ClassVar[str] = "the calibration of the networks"

    temperature: float = Field(
        gt=0,
        description="Divides the logarithms of the probabilities; above 1 makes them less sure.",
    )
    set_thresholds: tuple[float, ...] = Field(
        min_length=len(SITE_CLASSES),
        max_length=len(SITE_CLASSES),
        description="For each class of a site, the probability from which it is in the set.",
    )
