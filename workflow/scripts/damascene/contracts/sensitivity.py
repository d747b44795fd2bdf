"""Number of candidates by the parameters of the detection."""

import pandera.pandas as pa

from damascene.contracts.columns import NOT_NEGATIVE, contract, number, text, whole

SENSITIVITY = contract(
    {
        "panorama": text("name in the sample sheet"),
        "settings": text("`study`: those of the study; `grid`: others; or the name of a preset"),
        "combination": whole(
            "number in the grid, the same for all panoramas; -1 for a preset", pa.Check.ge(-1)
        ),
        "rule": text("how the threshold is chosen: `relative`, `fixed` or `matched`"),
        "threshold": number("its depth (relative) or grey value"),
        "eps_px": number("reach of the clustering", NOT_NEGATIVE),
        "min_samples": whole("neighbours that make a pixel the core of a cluster"),
        "minimum_area_px": number("sites have more pixels than this", NOT_NEGATIVE),
        "merge_distance_px": number("sites closer than this are merged; 0: none", NOT_NEGATIVE),
        "clusters": whole("clusters of any size"),
        "candidates": whole(
            "sites; missing where merging as published would stop with an error", missing=True
        ),
        "area_mm2": number("valid area", NOT_NEGATIVE),
        "candidates_per_mm2": number("sites over valid area", NOT_NEGATIVE, missing=True),
    },
    description="one combination of parameters on one panorama",
)
