"""Phases round sites: what stands round each one, and how much of a panorama has such surroundings.

"Hard" is the phase that the study names as the hard one, "other" is every other phase but damage.
Distances count from the outline of the site, and the x axis is the direction of the load. Pixels of
the site are no phase, and neither are those of other damage or without an image: a fraction is that
of the hard phase among the pixels of a phase, and is missing where less than a quarter of the
pixels has one.
"""

import pandera.pandas as pa

from damascene.contracts.columns import (
    FRACTION,
    NOT_NEGATIVE,
    contract,
    number,
    text,
    whole,
)

#: Outer radii in um of the rings round the outline; the last is how far is looked at all.
RING_UM = (0.1, 0.25, 0.5, 1.0, 2.0)
REACH_UM = RING_UM[-1]
#: Edge in um of the square in which the local fraction of the hard phase is measured.
SQUARE_UM = 5.0
#: What a site is to the hard phase.
ENCLOSED, BETWEEN, BESIDE, APART, UNKNOWN = PLACES = (
    "enclosed",
    "between",
    "beside",
    "apart",
    "unknown",
)
_SIDES = {
    "along": "left or right, along the load",
    "across": "above or below, across the load",
    "ends": "at an end of the longer axis",
    "flanks": "at a flank, beside the longer axis",
}

_INNER = dict(zip(RING_UM, (0.0, *RING_UM), strict=False))

_MEANINGS = {
    "distance_um": f"from the outline to the nearest hard phase; {REACH_UM:g} stands for any more",
    **{
        f"hard_{um:g}um": f"fraction of hard phase {_INNER[um]:g} to {um:g} um out"
        for um in RING_UM
    },
    "hard_square": f"fraction of hard phase in the square of {SQUARE_UM:g} um round the centroid; "
    "pixels of the site are what the phase map takes them for",
    **{
        f"{side}_{um:g}um_{which}": f"fraction of hard phase {place}, {_INNER[um]:g} to {um:g} um "
        f"out: the {which}er of both"
        for side, place in _SIDES.items()
        for um in RING_UM
        for which in ("low", "high")
    },
    "contact_hard": "part of the length of the outline that lies on hard phase",
    "contact_other": "part of the length of the outline that lies on another phase",
    "islands": f"islands of hard phase nearer than {RING_UM[0]:g} um, or beside the outline",
    "largest_island_um2": f"area of the largest of these, up to {REACH_UM:g} um from the outline",
    "islands_um2": "area of all of these, as far",
    "grey_step": "grey of the hard phase above that of the others, "
    f"{RING_UM[0]:g} to {RING_UM[3]:g} um out; missing where either is hardly there",
    "own_hard": "part of the site that the phase map takes for hard phase",
    "own_damage": "part of the site that the phase map takes for damage",
}

#: Names of the numbers in the order of the table.
PHASE_DESCRIPTOR_NAMES = tuple(_MEANINGS)

PHASE_DESCRIPTORS = contract(
    {
        "panorama": text("name in the sample sheet"),
        "site_id": whole("number of the site within its panorama"),
        **{name: number(meaning, missing=True) for name, meaning in _MEANINGS.items()},
        "place": text(
            f"what the site is to the hard phase up to {RING_UM[1]:g} um out: `enclosed`, "
            "`between` two parts of it on opposite sides, `beside` it, `apart` from it, or "
            "`unknown`",
            among=PLACES,
        ),
    },
    description="one candidate and the phases round it",
    key=["panorama", "site_id"],
)

PHASE_AREAS = contract(
    {
        "panorama": text("name in the sample sheet"),
        "measure": text(
            "`steel`: of any phase but damage; `inside` the hard phase; by `distance` from it in "
            f"um; by local `fraction` of it in a square of {SQUARE_UM:g} um",
            among=("steel", "inside", "distance", "fraction"),
        ),
        "low": number("lower bound, inclusive for fractions only"),
        "high": number("upper bound, inclusive"),
        "area_mm2": number("area of such places", NOT_NEGATIVE),
    },
    description="how much of a panorama lies so",
    key=["panorama", "measure", "low"],
)

#: Rows of all sites of a study; no panorama has a blank in its name.
ALL_PANORAMAS = "all panoramas"
_WHICH = f"name in the sample sheet, or `{ALL_PANORAMAS}` where there are several"

DENSITY_BY_PHASE = contract(
    {
        "panorama": text(_WHICH),
        "class": text("class, or `damage` for the sum of the classes that deformation makes"),
        "measure": text(
            "`distance` from outline to hard phase in um, or local `fraction` of the hard phase",
            among=("distance", "fraction"),
        ),
        "low": number("lower bound; 0 includes sites that touch"),
        "high": number("upper bound; missing where there is none", missing=True),
        "count": whole("number of sites"),
        "area_mm2": number(
            "by distance: area in which a disc as large as the site would be as near, mean over "
            "the sites; by fraction: area with this local fraction",
            NOT_NEGATIVE,
        ),
        "density_per_mm2": number("sites over this area; missing without area", missing=True),
        "density_low_per_mm2": number("lower bound of its exact Poisson interval", missing=True),
        "density_high_per_mm2": number("upper bound of its interval", missing=True),
        "confidence": number("confidence level of the intervals", FRACTION),
    },
    description="sites of one class in surroundings of one kind",
    key=["panorama", "class", "measure", "low"],
)

PHASE_PROFILES = contract(
    {
        "panorama": text(_WHICH),
        "class": text("class, or `damage` for the sum of the classes that deformation makes"),
        "low_um": number("inner radius of the ring round the outline", NOT_NEGATIVE),
        "high_um": number("outer radius", pa.Check.gt(0)),
        "sites": whole("sites whose ring shows enough of the phases"),
        "hard_fraction": number(
            "mean of their fractions of the hard phase", FRACTION, missing=True
        ),
        "low": number("lower bound of its interval from the scatter of the sites", missing=True),
        "high": number("upper bound", missing=True),
        "panorama_fraction": number(
            "fraction of the hard phase in the panorama; empty where nothing is mapped",
            FRACTION,
            missing=True,
        ),
    },
    description="one ring round the sites of one class",
    key=["panorama", "class", "high_um"],
)
