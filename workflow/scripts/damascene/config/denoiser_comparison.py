"""What `snakemake compare_denoising` adds to panoramas."""

from typing import Literal

from pydantic import Field

from damascene.config.section import Section


class DenoiserComparison(Section):
    """What `snakemake compare_denoising` compares denoisers on."""

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
