"""Fractions of phases with their intervals."""

from damascene.contracts.columns import FRACTION, NOT_NEGATIVE, contract, number, text, whole


def _edge(points):
    return number(
        f"edge of windows from which on the fraction scatters between them by at most {points} "
        "(one standard deviation); missing where even the largest windows scatter more",
        NOT_NEGATIVE,
        missing=True,
    )


PHASES = contract(
    {
        "panorama": text("name in the sample sheet; empty for all panoramas together"),
        "strain_percent": number("strain; missing where it is not known", missing=True),
        "phase": text("name in the configuration"),
        "area_um2": number("area of the phase", NOT_NEGATIVE),
        "whole_area_um2": number(
            "area that the fraction is taken of: of damage the whole mapped area, of any other "
            "phase that without damage",
            NOT_NEGATIVE,
        ),
        "fraction": number(
            "area of the phase over the whole; missing where nothing is mapped",
            FRACTION,
            missing=True,
        ),
        "low": number("lower bound of its interval, from leaving out each group", missing=True),
        "high": number("upper bound of its interval", missing=True),
        "no_interval": text("why there is no interval; empty where there is one"),
        "groups": whole(
            "groups on which the interval rests: blocks of the panorama, for all together panoramas"
        ),
        "block_width_um": number(
            "mean width of a block: twice the distance from which on the structure is hardly "
            "correlated, or the whole width",
            NOT_NEGATIVE,
            missing=True,
        ),
        "block_height_um": number("mean height of a block, in the same way", missing=True),
        "edge_for_2_points_um": _edge("2 percentage points"),
        "edge_for_1_point_um": _edge("1 percentage point"),
        "confidence": number("confidence level of the interval", FRACTION),
    },
    description="one phase in one panorama, or in all of them",
    key=["panorama", "phase"],
)
