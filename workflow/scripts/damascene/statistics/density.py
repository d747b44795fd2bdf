"""Sites per area, panorama by panorama and class by class."""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType

import pandas as pd

from damascene import InputError
from damascene.classes import ALL, DAMAGE, DAMAGE_MECHANISMS, SITE_LABELS
from damascene.contracts.densities import DENSITIES
from damascene.contracts.panorama_record import PanoramaRecord
from damascene.contracts.table import check_table
from damascene.statistics.intervals import median_interval, poisson_interval

#: Rows of each panorama in the tables of this package.
ROW_LABELS = (*SITE_LABELS, DAMAGE)
#: Rows of each panorama in the table of densities.
DENSITY_LABELS = (*ROW_LABELS, ALL)
# Columns of the table that need no class of a site.
_OF_PANORAMA = ("class", "not_estimated", "area_mm2", "confidence")


def density_table(
    sites: pd.DataFrame,
    records: Sequence[PanoramaRecord],
    *,
    strains_percent: Sequence[float],
    confidence: float = 0.95,
    withheld: Mapping[str, str] = MappingProxyType({}),
) -> pd.DataFrame:
    """Count sites by panorama and class and relate them to the valid area.

    The class is that of the label where a person gave one, else that of the networks.

    Every panorama has a row for each class, also where there is no such site, and one named
    "damage" for the sum of `DAMAGE_MECHANISMS`. The row "all" counts every site whatever its class.

    Sites that touch the border of the image or of its valid area are counted like the others, with
    the part of their area that is seen. A density is therefore too high by about
    d (w + h) / (w h), for sites of mean diameter d in an image of width w and height h: 2 % for
    sites of 1 µm in 120 µm x 80 µm, 0.2 % in 1 mm x 1 mm. The area fraction is not affected.

    Parameters
    ----------
    sites : pandas.DataFrame
        `SITES` of one or more panoramas.
    records : sequence of PanoramaRecord
        Of these panoramas, in the order of the result.
    strains_percent : sequence of float
        Strain of each, NaN where unknown.
    confidence : float, optional
        Coverage of all intervals.
    withheld : mapping of panorama to str, optional
        Why the classes of a panorama are not to be believed. Its rows have this reason in place of
        numbers, except "all", which no class enters.

    Returns
    -------
    pandas.DataFrame
        panorama, strain_percent, class, not_estimated (reason or empty), count, labelled (by a
        person),
        count_cut_off (at the border or beside the mask),
        area_mm2 (valid area), density_per_mm2 with its exact Poisson bounds density_low_per_mm2 and
        density_high_per_mm2, share (of all sites of the panorama, those not classified included;
        NaN without sites), median_area_um2 with the distribution-free bounds
        median_area_low_um2 and median_area_high_um2 (NaN where the sites are too few),
        area_fraction (of the valid area), confidence.

    Raises
    ------
    InputError
        If a panorama has no valid area.
    ValueError
        If sites belong to a panorama that is not listed.
    """
    empty = [one.panorama for one in records if not one.valid_area_mm2 > 0]
    if empty:
        raise InputError(
            f"No valid area in panorama {', '.join(empty)}: a density cannot be given. "
            "Remove it from the sample sheet or correct its mask."
        )
    check_listed(sites, [one.panorama for one in records])
    rows = []
    for record, strain_percent in zip(records, strains_percent, strict=True):
        own = sites[sites["panorama"] == record.panorama]
        for label, chosen in (*by_class(own), (ALL, own)):
            row = _density_row(
                chosen,
                label=label,
                area_mm2=record.valid_area_mm2,
                site_count=len(own),
                confidence=confidence,
            )
            if label != ALL and (reason := withheld.get(record.panorama)):
                row = {name: row[name] if name in _OF_PANORAMA else None for name in row}
                row["not_estimated"] = reason
            rows.append({"panorama": record.panorama, "strain_percent": strain_percent, **row})
    return check_table(pd.DataFrame(rows), DENSITIES, source="densities")


def _density_row(sites, *, label, area_mm2, site_count, confidence):
    count = len(sites)
    low, high = poisson_interval(count, confidence=confidence)
    areas = sites["area_um2"].to_numpy(float)
    median_low, median_high = median_interval(areas, confidence=confidence)
    return {
        "class": label,
        "not_estimated": "",
        "count": count,
        "labelled": int((sites["label"] != "").sum()),
        "count_cut_off": int((sites["touches_border"] | sites["touches_mask"]).sum()),
        "area_mm2": area_mm2,
        "density_per_mm2": count / area_mm2,
        "density_low_per_mm2": float(low) / area_mm2,
        "density_high_per_mm2": float(high) / area_mm2,
        "share": count / site_count if site_count else math.nan,
        "median_area_um2": sites["area_um2"].median(),
        "median_area_low_um2": median_low,
        "median_area_high_um2": median_high,
        "area_fraction": areas.sum() / (area_mm2 * 1e6),
        "confidence": confidence,
    }


def by_class(sites: pd.DataFrame) -> Iterator[tuple[str, pd.DataFrame]]:
    """Yield each of `ROW_LABELS` with its sites."""
    for label in SITE_LABELS:
        yield label, sites[sites["class"] == label]
    yield DAMAGE, sites[sites["class"].isin(DAMAGE_MECHANISMS)]


def check_listed(sites: pd.DataFrame, panoramas: Iterable[str]) -> None:
    """Raise ValueError if sites belong to a panorama that is not listed."""
    unlisted = sorted(set(sites["panorama"]) - set(panoramas))
    if unlisted:
        raise ValueError(f"sites of panoramas that are not listed: {', '.join(unlisted)}")
