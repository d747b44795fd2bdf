"""Pixels of each phase in small square cells: all that fractions and bands are made from."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, kw_only=True)
class Cells:
    """Pixels by phase in the cells of a panorama.

    The cells at the lower and the right border are smaller where the edge of a cell does not
    divide the panorama.

    Attributes
    ----------
    pixels : numpy.ndarray, int32, shape (phases, rows, columns)
        Pixels of each phase, in the order of the phases; those outside count nowhere.
    edge_px : int
    pixel_um : float
    damage : int
        Number of the phase that is damage, from 1; 0 without any.
    """

    pixels: np.ndarray
    edge_px: int
    pixel_um: float
    damage: int = 0

    @property
    def mapped(self) -> np.ndarray:
        """Pixels of any phase, int64 (rows, columns)."""
        return self.pixels.sum(axis=0, dtype=np.int64)

    def whole_of(self, phase: int, pixels: np.ndarray | None = None) -> np.ndarray:
        """Return of how many pixels the fraction of a phase is taken.

        That of damage is taken of all phases; that of any other phase of the steel without damage.

        Parameters
        ----------
        phase : int
            From 1.
        pixels : numpy.ndarray, int, shape (phases, ...), optional
            Those of the cells if not given.

        Returns
        -------
        numpy.ndarray, int64, shape (...)
        """
        pixels = self.pixels if pixels is None else pixels
        whole = pixels.sum(axis=0, dtype=np.int64)
        return whole - pixels[self.damage - 1] if self.damage not in (0, phase) else whole

    @property
    def edge_um(self) -> float:
        """Edge of a cell in micrometres."""
        return self.edge_px * self.pixel_um

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of cells."""
        return self.pixels.shape[1:]

    def summed(self, *, rows: int, columns: int) -> np.ndarray:
        """Return the pixels by phase in blocks of whole cells, int64 (phases, blocks, blocks).

        Cells below and right of the last whole block are left out.
        """
        down, across = self.shape[0] // rows, self.shape[1] // columns
        whole = self.pixels[:, : down * rows, : across * columns].astype(np.int64)
        return whole.reshape(len(self.pixels), down, rows, across, columns).sum(axis=(2, 4))


def count_cells(strip: np.ndarray, *, phases: int, cell_px: int) -> np.ndarray:
    """Return the pixels of each phase in each cell, int32 (phases, rows, columns).

    Parameters
    ----------
    strip : numpy.ndarray, uint8, shape (rows, width)
        Whole rows of cells; the last strip of a map may end within a cell.
    phases : int
        Values 1 to this number are phases.
    cell_px : int
    """
    tops, lefts = (np.arange(0, length, cell_px) for length in strip.shape)
    counted = np.empty((phases, len(tops), len(lefts)), np.int32)
    for phase in range(1, phases + 1):
        # Columns first, in the narrowest type: most of the work is on whole pixels.
        sums = np.add.reduceat((strip == phase).view(np.uint8), tops, axis=0, dtype=np.uint16)
        counted[phase - 1] = np.add.reduceat(sums, lefts, axis=1, dtype=np.int32)
    return counted
