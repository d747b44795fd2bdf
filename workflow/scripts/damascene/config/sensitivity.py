"""The grid of detection parameters of the sensitivity analysis."""

from typing import Annotated

from pydantic import Field

from damascene.config.section import Area, Edge, Length, Section


class Sensitivity(Section):
    """Values that `snakemake sensitivity` combines; those of the study are added to each list."""

    threshold: list[Annotated[float, Field(gt=0)]] = Field(
        [0.6, 0.8, 1.0, 1.2, 1.4],
        description="Factors on the threshold of the study. Above 1 more pixels are dark: a "
        "higher grey value, or less depth.",
    )
    eps: list[Edge] = Field(
        ["1 px", "1.5 px", "2 px", "3 px", "4 px"], description="Values of `detection.eps`."
    )
    min_samples: list[Annotated[int, Field(ge=1)]] = Field(
        [3, 4, 5, 10, 20],
        description="Values of `detection.min_samples`. Those above the number of pixels within "
        "`eps` are left out, because no pixel has that many neighbours. Every combination of "
        "threshold, eps and min_samples is another clustering of all panoramas and costs time.",
    )
    minimum_area: list[Area] = Field(
        ["0 px2", "10 px2", "20 px2", "40 px2", "80 px2"],
        description="Values of `detection.minimum_area`. These, and the merge distances, cost "
        "little time.",
    )
    merge_distance: list[Length] = Field(
        ["0 um", "0.4 um", "0.8 um", "1.2 um", "2 um"],
        description="Values of `detection.merge_distance`; at 0 um nothing is merged.",
    )
