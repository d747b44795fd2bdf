"""The blocks of one panorama, and the intervals of its densities that rest on them."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from damascene.classes import ALL, DAMAGE, DAMAGE_MECHANISMS, INCLUSION, SITE_LABELS
from damascene.contracts.dispersion import DISPERSION
from damascene.contracts.panorama_record import PanoramaRecord
from damascene.contracts.table import check_table, empty_table
from damascene.statistics.block_bootstrap import dispersed_quantiles
from damascene.statistics.blocks import (
    LEAST_BLOCKS,
    Blocks,
    block_sizes,
    choose_blocks,
    count_in_cells,
    dispersion,
)
from damascene.statistics.dispersion import by_block_size, dispersion_p_value, simes

#: Classes, and sums of classes, that are counted in blocks, in this order.
COUNTED = (*SITE_LABELS, DAMAGE, ALL)
# Written for all sizes of blocks; the other classes stand in the table of densities.
_BY_SIZE = (ALL, DAMAGE, INCLUSION)
_COLUMNS = (
    *("block_low_per_mm2", "block_high_per_mm2", "block_note", "block_um", "block_long_um"),
    *("blocks", "dispersion", "dispersion_p_value"),
)
NOTHING_KNOWN = dict.fromkeys(_COLUMNS) | {"block_note": "blocks of the panorama are not known"}


@dataclass(frozen=True)
class PanoramaBlocks:
    """A panorama in blocks of all sizes, and which of them intervals rest on."""

    sizes: tuple[Blocks, ...]
    chosen: int

    @property
    def blocks(self) -> Blocks:
        """Blocks of the chosen size; columns of their counts in the order of `COUNTED`."""
        return self.sizes[self.chosen]


def class_members(classes: pd.Series) -> np.ndarray:
    """Return which of `COUNTED` each site is counted in, bool (sites, classes)."""
    own = classes.to_numpy(str)[:, None] == np.array(SITE_LABELS)
    damage = np.isin(classes.to_numpy(str), DAMAGE_MECHANISMS)[:, None]
    return np.hstack([own, damage, np.ones_like(damage)])


def blocks_of(
    sites: pd.DataFrame, quality: pd.DataFrame, *, pixel_size_nm: float
) -> PanoramaBlocks:
    """Return a panorama in blocks that are wider than its sites gather.

    Parameters
    ----------
    sites : pandas.DataFrame
        Of one panorama: x_px, y_px, class.
    quality : pandas.DataFrame
        `QUALITY` of the panorama.
    pixel_size_nm : float
    """
    cells = count_in_cells(
        sites, class_members(sites["class"]), quality, pixel_size_nm=pixel_size_nm
    )
    sizes = block_sizes(cells)
    return PanoramaBlocks(tuple(sizes), choose_blocks(sizes, among=COUNTED.index(ALL)))


def block_interval(blocks: Blocks, *, confidence: float) -> tuple[np.ndarray, np.ndarray]:
    """Return the interval of the density of each class from the scatter of blocks.

    Bounds are those of Student's t with one degree of freedom less than there are blocks, carried
    over to few counts by the gamma law, as exact Poisson bounds are; they are never narrower than
    those, which they equal where nothing was counted.

    Parameters
    ----------
    blocks : Blocks
        Two at least.
    confidence : float

    Returns
    -------
    low, high : numpy.ndarray of float, shape (classes,)
        Sites per mm².
    """
    levels = np.array([1 - confidence, 1 + confidence]) / 2
    freedom = len(blocks.areas_mm2) - 1
    # Without a site there is no dispersion.
    scatter = np.nan_to_num(dispersion(blocks))
    low, high = dispersed_quantiles(
        levels[:, None], blocks.counts.sum(axis=0), dispersion=scatter, freedom=freedom
    )
    return low / blocks.areas_mm2.sum(), high / blocks.areas_mm2.sum()


def block_columns(found: PanoramaBlocks, *, confidence: float) -> dict[str, dict]:
    """Return the columns of `DENSITIES` that rest on blocks, for each of `COUNTED`."""
    blocks = found.blocks
    number = len(blocks.areas_mm2)
    if number < 2:
        size = " x ".join(f"{each:.3g}" for each in reversed(blocks.edge_um))
        note = f"the panorama is one block of {size} µm, and the scatter needs two"
        return dict.fromkeys(COUNTED, NOTHING_KNOWN | {"block_note": note})
    low, high = block_interval(blocks, confidence=confidence)
    scatter = dispersion(blocks)
    p_values = simes(np.array([dispersion_p_value(each) for each in found.sizes]))
    rows = {}
    for index, name in enumerate(COUNTED):
        count = int(blocks.counts[:, index].sum())
        rows[name] = {
            "block_low_per_mm2": low[index],
            "block_high_per_mm2": high[index],
            "block_note": _note(number, count),
            "block_um": min(blocks.edge_um),
            "block_long_um": max(blocks.edge_um),
            "blocks": number,
            "dispersion": scatter[index],
            "dispersion_p_value": p_values[index],
        }
    return rows


def _note(number, count):
    if count == 0:
        return "no site: the bounds are those of a Poisson count"
    if number < LEAST_BLOCKS:
        return f"only {number} blocks"
    return ""


def blocks_by_panorama(
    sites: pd.DataFrame, quality: pd.DataFrame, records: Sequence[PanoramaRecord]
) -> dict[str, PanoramaBlocks]:
    """Return the blocks of each panorama that has any valid area.

    Parameters
    ----------
    sites : pandas.DataFrame
        `SITES` of all panoramas.
    quality : pandas.DataFrame
        `QUALITY` of all panoramas.
    records : sequence of PanoramaRecord
    """
    by_panorama = dict(list(sites.groupby("panorama")))
    cells = dict(list(quality.groupby("panorama")))
    return {
        one.panorama: blocks_of(
            by_panorama.get(one.panorama, sites.iloc[:0]),
            cells[one.panorama],
            pixel_size_nm=one.pixel_size_nm,
        )
        for one in records
        if one.panorama in cells and (cells[one.panorama]["valid_fraction"] > 0).any()
    }


def dispersion_table(
    found: Mapping[str, PanoramaBlocks], *, withheld: Collection[str] = ()
) -> pd.DataFrame:
    """Return how much sites scatter from block to block, by the size of the blocks.

    Parameters
    ----------
    found : mapping of panorama to PanoramaBlocks
    withheld : collection of str, optional
        Panoramas whose classes are not to be believed; of them there is `all` alone.

    Returns
    -------
    pandas.DataFrame
        `DISPERSION`.
    """
    rows = [
        {"panorama": panorama, "class": name, **row}
        for panorama, one in found.items()
        for name in _BY_SIZE
        if name == ALL or panorama not in withheld
        for row in by_block_size(list(one.sizes), chosen=one.chosen, index=COUNTED.index(name))
    ]
    if not rows:
        return empty_table(DISPERSION)
    return check_table(pd.DataFrame(rows), DISPERSION, source="dispersion")
