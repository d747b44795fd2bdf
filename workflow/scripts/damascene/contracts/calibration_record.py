"""models/calibration.json: how probabilities are calibrated and prediction sets are made."""

from typing import ClassVar

import pydantic
from pydantic import Field

from damascene.classes import SITE_CLASSES
from damascene.contracts.record import Part, Record


class ClassCalibration(Part):
    """What held-out labels of one class allow to say."""

    labels: int = Field(ge=0, description="Held-out labels of the class.")
    groups: int = Field(ge=0, description="Groups of sites in which they lie.")
    share: float = Field(
        description="Their fraction of all held-out labels. Calibrated probabilities hold where "
        "the classes have these fractions among the sites."
    )
    set_threshold: float | None = Field(
        description="Probability, before calibration, from which the class is in a prediction "
        "set; None where its labels do not suffice for the coverage."
    )
    not_promised: str = Field("", description="Why not; empty where they do.")


class Calibration(Record):
    """What held-out labels say of the probabilities that the networks give."""

    kind: ClassVar[str] = "the calibration of the networks"

    tested: str = Field(description="Which labels were held out, and from which networks.")
    labels: int = Field(ge=0, description="Held-out labels of all classes.")
    groups: int = Field(ge=0, description="Groups of sites in which they lie.")
    temperature: float = Field(
        gt=0,
        description="Divides the logarithms of the probabilities; above 1 makes them less sure.",
    )
    coverage: float = Field(
        gt=0, lt=1, description="Fraction of the sites of a class whose set is to hold it."
    )
    classes: dict[str, ClassCalibration] = Field(description="Each class of a site.")

    @pydantic.field_validator("classes")
    @classmethod
    def _all_classes(cls, classes):
        if tuple(classes) != SITE_CLASSES:
            raise ValueError(f"needed are {', '.join(SITE_CLASSES)}, in this order")
        return classes

    @property
    def set_thresholds(self) -> list[float]:
        """Threshold of each class in the order of `SITE_CLASSES`, NaN where there is none."""
        found = [each.set_threshold for each in self.classes.values()]
        return [float("nan") if each is None else each for each in found]
