"""Noise reduction."""

from typing import Annotated, Literal

from pydantic import Field

from damascene.config.section import Section

#: As a strength: found on the panorama itself.
CALIBRATED = "calibrated"
#: Methods that learn nothing and take a strength.
CLASSICAL = ("gaussian", "median", "non_local_means", "total_variation", "wavelet")


class Denoise(Section):
    """Noise reduction before the search for sites."""

    method: Literal[
        "none", "gaussian", "median", "non_local_means", "total_variation", "wavelet"
    ] = Field(
        "none",
        description="How noise is reduced. Smoothing closes small voids, noise invents them: "
        "decide by the table of `snakemake compare_denoising`.",
    )
    strength: Annotated[float, Field(gt=0)] | Literal["calibrated"] = Field(
        1.0,
        description="Factor on the smoothing that follows from the measured noise. Above 1 more "
        "noise is removed, and more small voids with it. `calibrated` chooses it for each "
        "panorama by the error at hidden pixels, which is valid for noise without correlation.",
    )
