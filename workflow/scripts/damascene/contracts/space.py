"""Where sites lie: nearest neighbours, pairs by distance and direction, and pairs of classes."""

import pandera.pandas as pa

from damascene.contracts.columns import (
    FRACTION,
    NOT_NEGATIVE,
    contract,
    number,
    text,
    whole,
)

_CLASS = "class, `damage` for the sum of the classes that deformation makes, or `all` sites"
_NULLS = {
    "random": "random sites that keep the least distance",
    "hard_phase": "such sites, with a density that follows the local fraction of the hard phase",
    "direction": "as many pairs in both directions",
}
_NULL = "what it is held against: " + "; ".join(f"`{key}`: {said}" for key, said in _NULLS.items())
_P = "p value of the test, two-sided; missing where there is none"


def _missing(description, check=None):
    return number(description, check, missing=True)


SPACE_SUMMARY = contract(
    {
        "panorama": text("name in the sample sheet"),
        "class": text(_CLASS),
        "statistic": text(
            "`smallest_distance_um` of two sites; `clark_evans`: mean distance to the nearest site "
            "over that of random sites without borders; below `null_mean` where sites cluster, "
            "which borders and many tiles keep from 1; the whole curve of the "
            "distance to the `nearest` site (G), of `ripley_l` (L less the distance, in um) and of "
            "the `pair_correlation`; `clustering_range_um`: the longest distance at which it is "
            "above its envelope; `along_over_across`: pairs along the bands over those across; and "
            "L and pair correlation once more, `_inhomogeneous`"
        ),
        "null": text(_NULL, among=("", *_NULLS)),
        "value": _missing(
            "the statistic; of a curve its value at `at_um`. Missing where `not_estimated` says why"
        ),
        "low": _missing(
            "lower bound of its confidence interval, from leaving out blocks; missing of curves, "
            "whose scatter is in the next columns, and where too few blocks hold sites"
        ),
        "high": _missing("upper bound of this interval"),
        "at_um": _missing(
            "of a curve: the distance at which it is farthest from the mean of the simulations, "
            "outside of the envelope if it leaves it",
            NOT_NEGATIVE,
        ),
        "null_mean": _missing("mean of the simulations, there"),
        "null_low": _missing("lower bound of what simulations reach; of a curve for all distances"),
        "null_high": _missing("upper bound of this"),
        "p_value": _missing(_P, FRACTION),
        "p_adjusted": _missing(
            "p value corrected for the number of classes of the panorama (Holm)", FRACTION
        ),
        "sites": whole("sites of the class; missing where classes are withheld", missing=True),
        "tested": whole("sites that were compared with simulations, drawn at random", missing=True),
        "simulations": whole(
            "simulated patterns that counted: of `clark_evans` those in which a site is nearer to "
            "its neighbour than to the border",
            missing=True,
        ),
        "from_um": _missing("least distance of two sites, where curves begin", NOT_NEGATIVE),
        "to_um": _missing("distance where curves end", NOT_NEGATIVE),
        "direction_deg": _missing(
            "direction taken for along, counter-clockwise from x, the direction of the load: that "
            "of the bands in the phase map, or 0 where none were found",
            pa.Check.in_range(-90, 90),
        ),
        "not_estimated": text("why there is no value; empty where there is one"),
    },
    description="one statistic of one class in one panorama",
    key=["panorama", "class", "statistic"],
)

SPACE_CURVES = contract(
    {
        "panorama": text("name in the sample sheet"),
        "class": text(_CLASS),
        "function": text(
            "as `statistic` in the summary, and `pair_correlation_along` and `_across` the bands"
        ),
        "null": text(_NULL, among=tuple(_NULLS)),
        "distance_um": number("distance; for pair correlations the middle of a ring", NOT_NEGATIVE),
        "value": number("of the sites"),
        "null_mean": number("mean of the simulations"),
        "null_low": number("lower bound of the global envelope"),
        "null_high": number("upper bound of the global envelope"),
    },
    description="one curve of one class at one distance; there is none where sites are too few",
    key=["panorama", "class", "function", "distance_um"],
)

RANDOM_LABELLING = contract(
    {
        "panorama": text("name in the sample sheet"),
        "class": text("a class"),
        "other_class": text("another class, or the same"),
        "sites": whole(
            "sites of the first class; missing where classes are withheld", missing=True
        ),
        "other_sites": whole("sites of the other class; missing as well", missing=True),
        "near_um": _missing(
            "distance up to which two sites are near: within it a site has five others on average",
            NOT_NEGATIVE,
        ),
        "pairs": whole("near pairs of these classes; missing as well", missing=True),
        "expected": _missing("mean number of such pairs if classes are exchanged at random"),
        "ratio": _missing("pairs over that number: above 1 where the classes lie together"),
        "null_low": _missing("ratio that 2.5 % of the exchanges do not reach"),
        "null_high": _missing("ratio that 2.5 % of the exchanges surpass"),
        "p_value": _missing(_P, FRACTION),
        "p_adjusted": _missing(
            "p value corrected for the number of pairs of classes tested in the panorama (Holm)",
            FRACTION,
        ),
        "not_estimated": text("why there is no ratio; empty where there is one"),
    },
    description="two classes in one panorama",
    key=["panorama", "class", "other_class"],
)
