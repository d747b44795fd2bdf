"""Where sites lie with respect to the hard phase: how dense, and in how much of it.

A density "near martensite" divides by the area that is near martensite, or it says no more than how
common martensite is.
"""

from collections.abc import Iterator

import numpy as np
import pandas as pd
from scipy import stats

from damascene import InputError
from damascene.contracts.phase_descriptors import (
    ALL_PANORAMAS,
    DENSITY_BY_PHASE,
    PHASE_PROFILES,
    REACH_UM,
    RING_UM,
)
from damascene.statistics.density import by_class
from damascene.statistics.intervals import poisson_interval

# Sites from which on their scatter gives an interval.
_LEAST_SITES = 3


def with_phases(sites: pd.DataFrame, described: pd.DataFrame) -> pd.DataFrame:
    """Set what is round each site beside its class.

    Parameters
    ----------
    sites : pandas.DataFrame
        `SITES`.
    described : pandas.DataFrame
        `PHASE_DESCRIPTORS` of the same sites.

    Raises
    ------
    InputError
        If one table has sites that the other lacks.
    """
    key = ["panorama", "site_id"]
    joined = sites.merge(described, on=key, how="outer", indicator=True)
    single = joined[joined["_merge"] != "both"]
    if len(single):
        first = single.iloc[0]
        raise InputError(
            f"The candidates of panorama '{first['panorama']}' and the phases round them are of "
            f"different runs: only one table has site {first['site_id']}. Delete "
            f"results/candidates/{first['panorama']}.phases.parquet and run again."
        )
    return joined.drop(columns="_merge")


def density_by_phase(
    sites: pd.DataFrame, areas: pd.DataFrame, *, confidence: float = 0.95
) -> pd.DataFrame:
    """Count sites by their distance from the hard phase and by its local fraction.

    A large site touches hard phase more easily than a small one, wherever it lies. By distance,
    each site is therefore related to the area in which a disc of its own area would be as near:
    without any tie to the hard phase, the densities of all bands would be alike. Cut-off sites
    count like the others; sites of which the surroundings are unknown are in no row.

    Parameters
    ----------
    sites : pandas.DataFrame
        panorama, class, equivalent_diameter_um, distance_um, hard_square: `SITES` joined with
        `PHASE_DESCRIPTORS`.
    areas : pandas.DataFrame
        `PHASE_AREAS` of all panoramas, in the order of the result.
    confidence : float, optional
        Coverage of the intervals.

    Returns
    -------
    pandas.DataFrame
        `DENSITY_BY_PHASE`.
    """
    rows = []
    for panorama, own_sites, own_areas in _panoramas(sites, areas):
        fractions = own_areas[own_areas["measure"] == "fraction"]
        for label, chosen in by_class(own_sites):
            known = chosen[chosen["distance_um"].notna()]
            # Without a site of the class, the area is that for those of all classes.
            sizes = known if len(known) else own_sites
            radii_um = sizes["equivalent_diameter_um"].to_numpy(float) / 2
            bands = _band_areas(own_areas, radii_um if len(radii_um) else np.zeros(1))
            place = np.searchsorted(RING_UM, known["distance_um"], side="left")
            # The reach stands for what lies beyond it.
            place[known["distance_um"] >= REACH_UM] = len(RING_UM)
            counts = np.bincount(place, minlength=len(RING_UM) + 1)
            edges = zip((0.0, *RING_UM), (*RING_UM, np.nan), counts, bands, strict=True)
            rows += [(panorama, label, "distance", *row) for row in edges]
            inside = chosen["hard_square"].dropna()
            bins = [*fractions["low"], 1.0]
            counts = np.histogram(np.clip(inside, 0, 1), bins=bins)[0]
            edges = zip(bins, fractions["high"], counts, fractions["area_mm2"], strict=False)
            rows += [(panorama, label, "fraction", *row) for row in edges]
    columns = ("panorama", "class", "measure", "low", "high", "count", "area_mm2")
    table = pd.DataFrame(rows, columns=columns)
    low, high = poisson_interval(table["count"], confidence=confidence)
    area = table["area_mm2"].where(table["area_mm2"] > 0)
    table = table.assign(
        density_per_mm2=table["count"] / area,
        density_low_per_mm2=low / area,
        density_high_per_mm2=high / area,
        confidence=confidence,
    )
    return table[list(DENSITY_BY_PHASE.columns)]


def phase_profiles(
    sites: pd.DataFrame, areas: pd.DataFrame, *, confidence: float = 0.95
) -> pd.DataFrame:
    """Return the mean fraction of hard phase in rings round the sites of each class.

    Parameters
    ----------
    sites : pandas.DataFrame
        panorama, class and `hard_..um` of `PHASE_DESCRIPTORS`.
    areas, confidence
        See `density_by_phase`. The interval is Student's, of sites that are independent.

    Returns
    -------
    pandas.DataFrame
        `PHASE_PROFILES`.
    """
    rows = []
    for panorama, own_sites, own_areas in _panoramas(sites, areas):
        total = own_areas.groupby("measure")["area_mm2"].sum()
        mean = total["inside"] / total["steel"] if total["steel"] else np.nan
        for label, chosen in by_class(own_sites):
            for low_um, high_um in zip((0.0, *RING_UM), RING_UM, strict=False):
                values = chosen[f"hard_{high_um:g}um"].dropna().to_numpy(float)
                interval = _mean_interval(values, confidence=confidence)
                rows.append((panorama, label, low_um, high_um, len(values), *interval, mean))
    return pd.DataFrame(rows, columns=list(PHASE_PROFILES.columns))


def _panoramas(sites, areas) -> Iterator[tuple[str, pd.DataFrame, pd.DataFrame]]:
    """Yield each panorama with its sites and areas, then all together where there are several."""
    names = areas["panorama"].drop_duplicates().tolist()
    for name in names:
        yield name, sites[sites["panorama"] == name], areas[areas["panorama"] == name]
    if len(names) > 1:
        together = areas.groupby(["measure", "low", "high"], sort=False)["area_mm2"].sum()
        yield ALL_PANORAMAS, sites, together.reset_index()


def _band_areas(areas, radii_um):
    """Return the area in which discs come as near to the hard phase as each band says, in mm².

    The middle of a disc lies its radius farther away than its outline.
    """
    of_distance = areas[areas["measure"] == "distance"]
    inside = areas.loc[areas["measure"] == "inside", "area_mm2"].sum()
    within = of_distance[np.isfinite(of_distance["high"])]
    distances = np.array([0.0, *within["high"]])
    total = inside + of_distance["area_mm2"].sum()
    cumulated = inside + np.cumsum([0.0, *within["area_mm2"]])
    up_to = np.array([np.interp(um + radii_um, distances, cumulated).mean() for um in RING_UM])
    return np.diff([0.0, *up_to, total])


def _mean_interval(values, *, confidence):
    if not len(values):
        return np.nan, np.nan, np.nan
    mean, spread = values.mean(), values.std(ddof=1) if len(values) >= _LEAST_SITES else np.nan
    half = stats.t.ppf((1 + confidence) / 2, len(values) - 1) * spread / np.sqrt(len(values))
    return mean, max(mean - half, 0), min(mean + half, 1)
