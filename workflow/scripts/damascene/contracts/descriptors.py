"""Descriptors of sites: what a metallographer reads off a site, as numbers.

"Relief" is the grey value above ferrite over the step from ferrite to martensite. The x axis is the
direction of the load. Distances count from the outline of the site.
"""

from damascene.classes import SITE_CLASSES
from damascene.contracts.columns import contract, number, text, whole

_RELIEF_UM = (0.06, 0.11, 0.21, 0.35, 0.6, 1.0, 2.0, 4.0)
_NEAR_UM = (0.2, 0.5, 1.0)
_THICKNESS_UM = (0.3, 0.8, 1.6)
_CIRCUIT_UM = (0.15, 0.4, 0.8)


def _sides(name, description, *, rings, sides):
    """Name the values of opposite sides ring by ring, from the lowest to the highest."""
    return {
        f"{name}_{ring}_{place}": f"{description}; ring {ring} outwards, {place + 1} of {sides} "
        "by size"
        for ring in range(rings)
        for place in range(sides)
    }


_MEANINGS = {
    "log_area": "logarithm of the area in square micrometres",
    "aspect_ratio": "longer over shorter axis of the ellipse",
    "along_load": "1 where the longer axis lies along the load, 0 where across",
    "across_load": "1 where the longer axis lies across the load, 0 where along",
    "directed_eccentricity": "eccentricity, positive across the load, negative along it",
    "solidity": "area over the area of the convex hull",
    "log_length": "logarithm of the longer axis in micrometres",
    "log_breadth": "logarithm of the shorter axis in micrometres",
    "log_height": "logarithm of the rows of the bounding box in micrometres",
    "log_width": "logarithm of the columns of the bounding box in micrometres",
    "log_height_to_width": "logarithm of height over width",
    "mean_depth": "mean depth below ferrite, over the step from ferrite to martensite",
    "greatest_depth": "greatest depth below ferrite, over the same step",
    **{f"relief_to_{um}um": f"mean relief in the ring up to {um} um" for um in _RELIEF_UM},
    "edge": "mean slope of the grey at the outline, over the step",
    "edge_lower_fifth": "slope that a fifth of the outline stays below, over the step",
    **{f"charged_to_{um}um": f"charged fraction of the ring up to {um} um" for um in _NEAR_UM},
    **{
        f"martensite_to_{um}um": f"fraction of martensite in the ring up to {um} um"
        for um in _NEAR_UM
    },
    **{
        f"spread_to_{um}um": f"standard deviation of the relief in the ring up to {um} um"
        for um in _NEAR_UM
    },
    **{f"dark_within_{um}um": f"fraction of other dark pixels within {um} um" for um in (1, 2, 4)},
    "martensite": "fraction of martensite in the window",
    "dark_pieces": "number of dark pieces within 1.5 um, the site included",
    **{
        f"{name}_to_{um}um": f"{which} thickness in micrometres of the martensite that adjoins the "
        f"site, in the ring up to {um} um"
        for um in _THICKNESS_UM
        for name, which in (("thickest", "greatest"), ("thickness", "mean"))
    },
    "lower_bridge": "height in micrometres of the martensite left and right of the site: lower",
    "higher_bridge": "height in micrometres of the martensite left and right of the site: higher",
    **_sides("load", "mean relief left and right", rings=4, sides=2),
    **_sides("across", "mean relief above and below", rings=4, sides=2),
    **_sides("diagonal", "mean relief on the four diagonals", rings=4, sides=4),
    **_sides("ends", "fraction of martensite at the ends of the longer axis", rings=3, sides=2),
    **_sides("flanks", "fraction of martensite at the flanks", rings=3, sides=2),
    **{
        name: description
        for um in _CIRCUIT_UM
        for name, description in (
            (f"changes_at_{um}um", f"changes of phase on the way round, {um} um outside"),
            *(
                (f"wave_{order}_at_{um}um", f"relief that repeats {order} times on this way")
                for order in (1, 2, 3)
            ),
        )
    },
}

#: Names of the descriptors, in the order in which networks take them.
DESCRIPTOR_NAMES = tuple(_MEANINGS)

_VALUES = {name: number(meaning, single=True) for name, meaning in _MEANINGS.items()}

DESCRIPTORS = contract(
    {
        "panorama": text("name in the sample sheet"),
        "site_id": whole("number of the site, or of the label without one (below 0)", None),
        **_VALUES,
    },
    description="one site",
    key=["panorama", "site_id"],
)

#: Shipped with the library, for classifiers that learn from simulated sites too.
SIMULATED_SITES = contract(
    {"label": text("class that was simulated", among=SITE_CLASSES), **_VALUES},
    description="one simulated site",
)
