"""Sites per area, panorama by panorama and class by class."""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType

import numpy as np
import pandas as pd

from damascene.classes import ALL, DAMAGE, DAMAGE_MECHANISMS, SITE_LABELS
from damascene.contracts.densities import DENSITIES
from damascene.contracts.panorama_record import PanoramaRecord
from damascene.contracts.table import check_table
from damascene.statistics.intervals import median_interval, poisson_interval
from damascene.statistics.panorama_blocks import NOTHING_KNOWN, PanoramaBlocks, block_columns

#: Rows of each panorama in the tables of this package.
ROW_LABELS = (*SITE_LABELS, DAMAGE)
#: Rows of each panorama in the table of densities.
DENSITY_LABELS = (*ROW_LABELS, ALL)


def density_table(
    sites: pd.DataFrame,
    records: Sequence[PanoramaRecord],
    *,
    strains_percent: Sequence[float],
    confidence: float = 0.95,
    withheld: Mapping[str, str] = MappingProxyType({}),
    found: Mapping[str, PanoramaBlocks] = MappingProxyType({}),
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
    found : mapping of panorama to PanoramaBlocks, optional
        Blocks of panoramas; without them there is no interval of the block bootstrap.

    Returns
    -------
    pandas.DataFrame
        `DENSITIES`. A panorama without valid area has no densities, and the reason in
        not_estimated.

    Raises
    ------
    ValueError
        If sites belong to a panorama that is not listed.
    """
    check_listed(sites, [one.panorama for one in records])
    by_panorama = dict(list(sites.groupby("panorama")))
    rows = []
    for record, strain_percent in zip(records, strains_percent, strict=True):
        own = by_panorama.get(record.panorama, sites.iloc[:0])
        area_mm2 = record.valid_area_mm2 if record.valid_area_mm2 > 0 else 0.0
        blocks = {}
        if area_mm2 and record.panorama in found:
            blocks = block_columns(found[record.panorama], confidence=confidence)
        for label, chosen in (*by_class(own), (ALL, own)):
            reason = "" if label == ALL else withheld.get(record.panorama, "")
            row = {
                "panorama": record.panorama,
                "strain_percent": strain_percent,
                "class": label,
                "not_estimated": reason if area_mm2 else "the panorama has no valid area",
                "area_mm2": area_mm2,
                "block_note": "",
                "confidence": confidence,
            }
            if not row["not_estimated"]:
                row |= _density_columns(
                    chosen, area_mm2=area_mm2, site_count=len(own), confidence=confidence
                )
                row |= blocks.get(label, NOTHING_KNOWN)
            rows.append(row)
    table = pd.DataFrame(rows, columns=list(DENSITIES.columns))
    return check_table(table, DENSITIES, source="densities")


def _density_columns(sites, *, area_mm2, site_count, confidence):
    count = len(sites)
    low, high = poisson_interval(count, confidence=confidence)
    areas = sites["area_um2"].to_numpy(float)
    median_low, median_high = median_interval(areas, confidence=confidence)
    return {
        "count": count,
        "labelled": int((sites["label"] != "").sum()),
        "count_cut_off": int((sites["touches_border"] | sites["touches_mask"]).sum()),
        "density_per_mm2": count / area_mm2,
        "density_low_per_mm2": float(low) / area_mm2,
        "density_high_per_mm2": float(high) / area_mm2,
        "share": count / site_count if site_count else math.nan,
        "median_area_um2": float(np.median(areas)) if count else math.nan,
        "median_area_low_um2": median_low,
        "median_area_high_um2": median_high,
        "area_fraction": areas.sum() / (area_mm2 * 1e6),
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
