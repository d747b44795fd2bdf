"""What `snakemake compare_denoising` adds to panoramas."""

from typing import Literal, Self

from pydantic import Field, model_validator

from damascene.config.denoising import CLASSICAL, LEARNED
from damascene.config.section import Section

# The network that needs no training.
_SHIPPED = "simulated"


class DenoiserComparison(Section):
    """What `snakemake compare_denoising` compares denoisers on."""

    methods: list[Literal[CLASSICAL + LEARNED]] = Field(
        [*CLASSICAL, _SHIPPED],
        min_length=1,
        description="Methods that are compared with `none` and with that of `denoise`. Networks of "
        "`self_supervised` and `paired` are trained for it, which takes their time.",
    )
    added_noise: Literal["none", "gaussian", "gamma"] = Field(
        "none",
        description="Noise that is added to panoramas before they are denoised. `none` compares on "
        "simulated panoramas and on those with a `paired_scan` of clearly less noise. With the "
        "others any clean panorama can be used: the sites found in it are then those to be found. "
        "`gamma` is that of fast scans, skewed and with lines.",
    )
    noise_grey: float = Field(
        25.0,
        gt=0,
        le=100,
        description="Standard deviation of the added noise in grey levels; 25 was measured at "
        "100 ns a pixel.",
    )

    @model_validator(mode="after")
    def _trained_on_what_is_compared(self) -> Self:
        trained = [name for name in self.methods if name in LEARNED and name != _SHIPPED]
        if trained and self.added_noise != "none":
            raise ValueError(
                f"networks of {' and '.join(trained)} learn from the noise of the panoramas and "
                f"not from what 'added_noise: {self.added_noise}' adds; leave one of both out"
            )
        return self
