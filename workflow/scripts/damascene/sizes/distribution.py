"""Sizes of sites."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from damascene.statistics.density import by_class, check_listed, rows_by_panorama

_QUANTILES = {
    "percentile_10_um2": 0.1,
    "quartile_1_um2": 0.25,
    "median_um2": 0.5,
    "quartile_3_um2": 0.75,
    "percentile_90_um2": 0.9,
}


def size_distribution(sites: pd.DataFrame, *, panoramas: Sequence[str]) -> pd.DataFrame:
    """Describe the distribution of site areas by panorama and class.

    Areas are those in the plane of the image. The smallest are missing, as the detection leaves out
    what is below its limit, and sites cut by the border count with the area that is seen.

    Parameters
    ----------
    sites : pandas.DataFrame
        `SITES` of one or more panoramas.
    panoramas : sequence of str
        Names of all panoramas, in the order of the result.

    Returns
    -------
    pandas.DataFrame
        panorama, class (each of `density.ROW_LABELS`), count, labelled, percentile_10_um2,
        quartile_1_um2, median_um2, quartile_3_um2, percentile_90_um2 (linear between order
        statistics), geometric_mean_um2 and geometric_standard_deviation (a factor, from two sites
        on).
        NaN where the sites are too few.

    Raises
    ------
    ValueError
        If sites belong to a panorama that is not listed.
    """
    check_listed(sites, panoramas)
    of = rows_by_panorama(sites)
    return pd.DataFrame(
        [
            {"panorama": panorama, "class": label, **_summary(chosen)}
            for panorama in panoramas
            for label, chosen in by_class(of(panorama))
        ]
    )


def _summary(sites):
    areas_um2 = sites["area_um2"]
    logarithms = np.log(areas_um2)
    return {
        "count": len(areas_um2),
        "labelled": int((sites["label"] != "").sum()),
        **{name: areas_um2.quantile(level) for name, level in _QUANTILES.items()},
        "geometric_mean_um2": np.exp(logarithms.mean()),
        "geometric_standard_deviation": np.exp(logarithms.std(ddof=1)),
    }
