"""Labelled sites that do not suffice: how many there are, and what is missing."""

from collections.abc import Mapping
from dataclasses import dataclass

from damascene.classes import SITE_CLASSES
from damascene.labels import ROLES


@dataclass(frozen=True)
class FewLabels:
    """Labelled sites that do not suffice.

    Attributes
    ----------
    counts : mapping of class to int
        Labelled sites of each class.
    reason : str
        What is missing, and what to do; whole sentences.
    """

    counts: Mapping[str, int]
    reason: str

    @property
    def counted(self) -> str:
        """How many labelled sites there are of each class, and how many are needed."""
        each = ", ".join(f"{self.counts.get(name, 0)} {name}" for name in SITE_CLASSES)
        return f"{each}; needed are {ROLES} of each class, in {ROLES} places"
