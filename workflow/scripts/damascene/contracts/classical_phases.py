"""models/classical_phases.json: what multi-Otsu or a forest learned of the phases of a study."""

from typing import ClassVar

from pydantic import Field

from damascene.contracts.record import Record


class ClassicalPhases(Record):
    """A classical way to a phase map; the pixels from which a forest grows lie beside it."""

    kind: ClassVar[str] = "the record of a classical method for phase maps"

    method: str = Field(description="`multi_otsu` or `random_forest`.")
    phases: tuple[str, ...] = Field(description="Phases in the order of their numbers, from 1.")
    sigma_px: float | None = Field(
        description="Standard deviation of the Gaussian before the thresholds, in pixels; None of "
        "a forest."
    )
    order: tuple[int, ...] = Field(
        description="Number of the phase, from 0, of each range of grey values, the darkest first; "
        "empty of a forest."
    )
    pixels: int | None = Field(description="Pixels that a forest learned from, else None.")
    pixel_size_nm: tuple[float, float] = Field(
        description="Finest and coarsest pixels that it learned from, in nanometres."
    )
    panoramas: tuple[str, ...] = Field(description="Panoramas that it learned from.")
    trained_on: str = Field(description="What it learned from, for readers of its maps.")
    seed: int = Field(description="Seed of the pixels and of the trees.")
