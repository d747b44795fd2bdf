"""One pass over a map of phases: everything that is measured of it, strip by strip."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from damascene import InputError
from damascene.clustering.runs import Runs
from damascene.images.pyramid import TILE_PX
from damascene.images.store import TiledImage
from damascene.statistics.phases.cells import Cells, count_cells
from damascene.statistics.phases.islands import IslandFinder, Islands
from damascene.statistics.phases.strips import cell_edge_px, stored_strips, whole_cells


@dataclass(frozen=True, kw_only=True)
class MapContent:
    """What a map holds.

    Attributes
    ----------
    cells : Cells
    islands : Islands
        Marked are the pixels of candidates.
    borders : numpy.ndarray, int64, shape (2, phases + 1)
        See `IslandFinder`.
    site_px, site_damage_px : numpy.ndarray, int64, shape (candidates,)
        Pixels of each candidate, and those of them that the map shows as damage.
    """

    cells: Cells
    islands: Islands
    borders: np.ndarray
    site_px: np.ndarray
    site_damage_px: np.ndarray


def read_map(
    image: TiledImage,
    runs: pd.DataFrame,
    *,
    phases: int,
    damage: int = 0,
    strip_rows: int = TILE_PX,
) -> MapContent:
    """Read a map of phases once, from top to bottom.

    Memory holds one strip, the regions that cross its last row, and the counts of cells; it does
    not depend on how high the panorama is except for those counts.

    Parameters
    ----------
    image : TiledImage
        The map: 0 outside, then phases from 1.
    runs : pandas.DataFrame
        `CANDIDATE_RUNS` of the same panorama; empty where nothing is to be compared.
    phases : int
        Number of phases.
    damage : int, optional
        Number of the phase that is damage, 0 without any.
    strip_rows : int, optional
        Rows read at a time; no effect on the result.

    Raises
    ------
    InputError
        If the map holds a value that is no phase, or candidates lie outside of it.
    """
    candidates = _CandidatePixels(runs, image)
    edge_px = cell_edge_px(image.pixel_size_nm)
    finder, counts, top = IslandFinder(phases), [], 0
    for strip in whole_cells(stored_strips(image, rows=strip_rows), cell_px=edge_px):
        largest = strip.max(initial=0)
        if largest > phases:
            raise InputError(
                f"{image.path}: value {largest} is none of the {phases} phases of the "
                "configuration. Delete the file and run again."
            )
        counts.append(count_cells(strip, phases=phases, cell_px=edge_px))
        finder.take(strip, candidates.mark(strip, top=top, damage=damage))
        top += len(strip)
    return MapContent(
        cells=Cells(
            pixels=np.concatenate(counts, axis=1),
            edge_px=edge_px,
            pixel_um=image.pixel_size_nm / 1000,
            damage=damage,
        ),
        islands=finder.finish(),
        borders=finder.borders,
        site_px=candidates.px,
        site_damage_px=candidates.damage_px,
    )


class _CandidatePixels:
    """Pixels of candidates on a map, and how many of each the map shows as damage."""

    def __init__(self, runs, image):
        y, left, right = (runs[name].to_numpy() for name in ("y_px", "left_px", "right_px"))
        if len(runs) and (y.max() >= image.shape[0] or right.max() >= image.shape[1]):
            raise InputError(
                f"{image.path} has {image.shape[1]} x {image.shape[0]} pixels, and candidates lie "
                "outside of it: it is not the map of their panorama. Delete it and run again."
            )
        _, site = np.unique(runs["site_id"].to_numpy(), return_inverse=True)
        order = np.argsort(y, kind="stable")
        self._runs = Runs(row=y, first=left, last=right)[order]
        self._site = site[order]
        count = int(site.max(initial=-1)) + 1
        self.px = np.bincount(self._site, weights=self._runs.length, minlength=count).astype(int)
        self.damage_px = np.zeros(count, np.int64)

    def mark(self, strip, *, top, damage):
        """Return the pixels of candidates in a strip, and count those that are damage."""
        begin, end = np.searchsorted(self._runs.row, (top, top + len(strip)))
        if begin == end:
            return None
        runs = self._runs[begin:end]
        rows, columns = runs.pixels()
        rows = rows - top
        site = np.repeat(self._site[begin:end], runs.length)
        if damage:
            hit = site[strip[rows, columns] == damage]
            self.damage_px += np.bincount(hit, minlength=len(self.px))
        marks = np.zeros(strip.shape, bool)
        marks[rows, columns] = True
        return marks
