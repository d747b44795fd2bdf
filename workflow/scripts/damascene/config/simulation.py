"""Simulated panoramas."""

from pydantic import Field

from damascene.config.section import Section

# Cell of the sample sheet for a panorama that the simulator makes.
SIMULATED = "simulated"


class Simulation(Section):
    """Simulated panoramas: rows of the sample sheet whose path is `simulated`."""

    width_px: int = Field(
        6144,
        ge=512,
        description="Columns of each simulated panorama. Halve it for a quick try; time and the "
        "number of sites grow with the area.",
    )
    height_px: int = Field(4096, ge=512, description="Rows of each simulated panorama.")
    dwell_time_ns: float = Field(
        3000,
        gt=0,
        description="Time the beam spends on a pixel. Lower it to see the effect of fast "
        "scanning: the noise rises, and at 500 ns and below it becomes Gamma-like.",
    )
    labelled_fraction: float = Field(
        0.5,
        gt=0,
        lt=1,
        description="Left part of each simulated panorama in which sites are labelled. The rest "
        "is kept for the test against the truth.",
    )
    labels_per_class: int = Field(
        50,
        ge=1,
        description="Largest number of labels of each class in one panorama. Raise it to see "
        "what more labelling would bring.",
    )
