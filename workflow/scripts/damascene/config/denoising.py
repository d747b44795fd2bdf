"""Noise reduction."""

from typing import Annotated, Literal

import pydantic
from pydantic import Field

from damascene.config.section import Section

#: As a strength: found on the panorama itself.
CALIBRATED = "calibrated"
#: Methods that learn nothing and take a strength.
CLASSICAL = ("gaussian", "median", "non_local_means", "total_variation", "wavelet")
#: Pixels that a network learns from in an epoch.
EPOCH_MEGAPIXELS = 18
#: Methods by networks.
LEARNED = ("self_supervised", "paired", "simulated")


class Denoise(Section):
    """Noise reduction before the search for sites."""

    method: Literal[
        "none",
        "gaussian",
        "median",
        "non_local_means",
        "total_variation",
        "wavelet",
        "self_supervised",
        "paired",
        "simulated",
    ] = Field(
        "none",
        description="How noise is reduced. Smoothing closes small voids, noise invents them: "
        "decide by the table of `snakemake compare_denoising`. Three methods use a network: "
        "`paired` learns from a second scan of the same places (the column `paired_scan` of the "
        "sample sheet), `self_supervised` from the noisy panoramas alone, and `simulated` has "
        "learned from simulated steel and is ready. One network is trained for each "
        "`noise_condition` of the sample sheet.",
    )
    strength: Annotated[float, Field(gt=0)] | Literal["calibrated"] = Field(
        1.0,
        description="Factor on the smoothing that follows from the measured noise. Above 1 more "
        "noise is removed, and more small voids with it. `calibrated` chooses it for each "
        "panorama by the error at hidden pixels, which is valid for noise without correlation.",
    )
    epochs: int = Field(
        16,
        ge=1,
        description="For `self_supervised` and `paired`: how long a network is trained, in epochs "
        "of 18 megapixels. Raise it if the loss in the table of the training still falls.",
    )

    @pydantic.model_validator(mode="after")
    def _no_contradiction(self):
        if self.method in LEARNED and self.strength == CALIBRATED:
            raise ValueError(
                f"'strength: {CALIBRATED}' chooses the smoothing of a filter, and 'method: "
                f"{self.method}' is a network. Give a number, or leave the key out"
            )
        return self
