"""Sites per area, panorama by panorama and class by class."""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType

import numpy as np
import pandas as pd

from damascene.classes import ALL, DAMAGE, DAMAGE_MECHANISMS, SITE_LABELS
from damascene.contracts.densities import DENSITIES
from damascene.contracts.panorama_record import PanoramaRecord
from damascene.contracts.table import check_table
from damascene.statistics.intervals import median_interval, poisson_interval
from damascene.statistics.panorama_blocks import (
    COUNTED,
    NOTHING_KNOWN,
    PanoramaBlocks,
    block_columns,
    class_members,
)

#: Rows of each panorama in the tables of this package.
ROW_LABELS = (*SITE_LABELS, DAMAGE)


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
    sites_of = rows_by_panorama(sites)
    rows = []
    for record, strain_percent in zip(records, strains_percent, strict=True):
        area_mm2 = record.valid_area_mm2 if record.valid_area_mm2 > 0 else 0.0
        counted, blocks = {}, {}
        if area_mm2:
            counted = _counted(sites_of(record.panorama), area_mm2=area_mm2, confidence=confidence)
            if record.panorama in found:
                blocks = block_columns(found[record.panorama], confidence=confidence)
        for label in COUNTED:
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
                row |= counted[label] | blocks.get(label, NOTHING_KNOWN)
            rows.append(row)
    table = pd.DataFrame(rows, columns=list(DENSITIES.columns))
    return check_table(table, DENSITIES, source="densities")


def _counted(sites, *, area_mm2, confidence):
    """Return the columns that counts give, for each of `COUNTED`."""
    members = class_members(sites["class"])
    counts = members.sum(axis=0)
    lows, highs = (each / area_mm2 for each in poisson_interval(counts, confidence=confidence))
    areas = sites["area_um2"].to_numpy(float)
    labelled = (sites["label"] != "").to_numpy()
    cut_off = (sites["touches_border"] | sites["touches_mask"]).to_numpy(bool)
    columns = {}
    for index, label in enumerate(COUNTED):
        chosen = members[:, index]
        own, count = areas[chosen], int(counts[index])
        median_low, median_high = median_interval(own, confidence=confidence)
        columns[label] = {
            "count": count,
            "labelled": int(labelled[chosen].sum()),
            "count_cut_off": int(cut_off[chosen].sum()),
            "density_per_mm2": count / area_mm2,
            "density_low_per_mm2": lows[index],
            "density_high_per_mm2": highs[index],
            "share": count / len(areas) if len(areas) else math.nan,
            "median_area_um2": float(np.median(own)) if count else math.nan,
            "median_area_low_um2": median_low,
            "median_area_high_um2": median_high,
            "area_fraction": own.sum() / (area_mm2 * 1e6),
        }
    return columns


def by_class(sites: pd.DataFrame) -> Iterator[tuple[str, pd.DataFrame]]:
    """Yield each of `ROW_LABELS` with its sites."""
    for label in SITE_LABELS:
        yield label, sites[sites["class"] == label]
    yield DAMAGE, sites[sites["class"].isin(DAMAGE_MECHANISMS)]


def rows_by_panorama(table: pd.DataFrame) -> Callable[[str], pd.DataFrame]:
    """Return a function: the rows of one panorama, none where it has none.

    All are parted at once: a search through the table for each of a thousand panoramas would take
    time that grows with the square of their number.
    """
    parts = dict(list(table.groupby("panorama")))
    return lambda name: parts.get(name, table.iloc[:0])


def check_listed(sites: pd.DataFrame, panoramas: Iterable[str]) -> None:
    """Raise ValueError if sites belong to a panorama that is not listed."""
    unlisted = sorted(set(sites["panorama"]) - set(panoramas))
    if unlisted:
        raise ValueError(f"sites of panoramas that are not listed: {', '.join(unlisted)}")
