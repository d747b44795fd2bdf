"""How much the number of sites scatters from block to block, by the size of the blocks."""

from damascene.contracts.columns import (
    FRACTION,
    NOT_NEGATIVE,
    POSITIVE,
    contract,
    flag,
    number,
    text,
    whole,
)

DISPERSION = contract(
    {
        "panorama": text("name in the sample sheet"),
        "class": text("class, `damage`, or `all`, whose dispersion chooses the blocks"),
        "block_height_um": number("mean height of a block", POSITIVE),
        "block_width_um": number("mean width of a block", POSITIVE),
        "blocks": whole("blocks with valid area"),
        "mean_count": number("mean number of sites in a block", NOT_NEGATIVE),
        "dispersion": number(
            "variance of the number of sites over its mean, 1 for independent sites; missing "
            "without sites or with one block",
            NOT_NEGATIVE,
            missing=True,
        ),
        "p_value": number(
            "probability that independent sites scatter as much or more; missing with fewer than "
            "two sites or two blocks",
            FRACTION,
            missing=True,
        ),
        "chosen": flag("whether the intervals of the densities rest on blocks of this size"),
    },
    description="one size of blocks, for one class in one panorama",
    key=["panorama", "class", "block_height_um", "block_width_um"],
)
