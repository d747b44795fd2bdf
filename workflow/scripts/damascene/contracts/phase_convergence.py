"""How much the fraction of a phase depends on the size of the window it is measured in."""

from damascene.contracts.columns import (
    FRACTION,
    NOT_NEGATIVE,
    POSITIVE,
    contract,
    number,
    text,
    whole,
)

PHASE_CONVERGENCE = contract(
    {
        "panorama": text("name in the sample sheet"),
        "phase": text("name in the configuration"),
        "edge_um": number("edge of the square windows, which lie side by side", POSITIVE),
        "windows": whole("windows of which at least three quarters are mapped"),
        "mean_fraction": number("mean of their fractions", FRACTION),
        "standard_deviation": number("standard deviation of their fractions", NOT_NEGATIVE),
    },
    description="windows of one size, at least five of them, for one phase in one panorama",
    key=["panorama", "phase", "edge_um"],
)
