"""Noise reduction."""

from typing import Literal

from pydantic import Field

from damascene.config.section import Section


class Denoise(Section):
    """Noise reduction before the search for sites."""

    method: Literal[
        "none", "gaussian", "median", "non_local_means", "total_variation", "wavelet"
    ] = Field(
        "none",
        description="How noise is reduced. Smoothing closes small voids, noise invents them: "
        "decide by the table of `snakemake compare_denoising`.",
    )
    strength: float = Field(
        1.0,
        gt=0,
        description="Factor on the smoothing that follows from the measured noise. Above 1 more "
        "noise is removed, and more small voids with it.",
    )
