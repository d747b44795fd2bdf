"""Quality of the image, block by block."""

import pandera.pandas as pa

from damascene.contracts.columns import FRACTION, NOT_NEGATIVE, contract, number, text, whole


def _grey(description):
    return number(f"{description}, 0 to 255", pa.Check.in_range(0, 255), missing=True)


QUALITY = contract(
    {
        "panorama": text("name in the sample sheet"),
        "left_px": whole("first column"),
        "top_px": whole("first row"),
        "width_px": whole("columns"),
        "height_px": whole("rows"),
        "valid_fraction": number("valid pixels over all pixels", FRACTION),
        "median_grey": _grey("median grey value"),
        "ferrite_grey": _grey("grey value of ferrite"),
        "martensite_grey": _grey("grey value of martensite"),
        "noise_grey": number(
            "standard deviation of the noise in grey values", NOT_NEGATIVE, missing=True
        ),
        "sharpness": number("sharpness, see `quality.measures`", missing=True),
        "threshold_grey": _grey("threshold of the detection at the centre of the block"),
        "levels_from": text(
            "where the levels come from that a relative threshold follows there: measured in the "
            "`block`, in the `nearest` that shows both phases, or `assumed`; empty for others",
            among=("block", "nearest", "assumed", ""),
        ),
        "candidates": whole("candidates whose centroid lies in the block"),
        "candidates_per_mm2": number("candidates over the valid area", NOT_NEGATIVE, missing=True),
    },
    description=(
        "one block of a panorama, by rows of blocks; without values where less than a quarter of "
        "the block is valid"
    ),
    key=["panorama", "left_px", "top_px"],
)
