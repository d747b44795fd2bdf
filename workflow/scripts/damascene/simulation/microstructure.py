"""Ferrite grains and martensite islands of a rolled dual-phase steel, as fields over the plane.

Large elongated cells (Voronoi cells in coordinates stretched along the rolling direction x) are the
ferrite grains. Smaller cells turn into martensite where they lie near a boundary of the large ones,
more of them inside bands along x: islands on grain boundaries, chains of islands and bands.
"""

from dataclasses import dataclass

import numpy as np
from scipy import ndimage
from scipy.spatial import cKDTree

from damascene.simulation.fields import field_key, resample, smooth_noise, white_noise

#: Distance of the nodes at which the structure is decided.
STEP_UM = 0.2
#: The structure is known this far outside the panorama: sites may lie outside it and reach further.
MARGIN_UM = 12.0

_GRAIN_UM = (4.8, 15.0)  # height and width of a ferrite grain
_CELL_UM = (1.25, 2.7)  # height and width of a cell that may become martensite
_BAND_UM = (8.0, 110.0)
# Mean and spread of half the thickness of a martensite film.
_FILM_UM = (-0.16, 0.22)
# Height and width of the pieces between seams of ferrite.
_SEAM_UM = (0.8, 2.2)
_CHUNK_ROWS = 128


@dataclass(frozen=True)
class Microstructure:
    """The fields of a structure on nodes `STEP_UM` apart, the first at (-MARGIN_UM, -MARGIN_UM).

    Attributes
    ----------
    island_um : numpy.ndarray, float32, shape (rows, columns)
        About the distance to the border of the nearest island: positive in martensite, negative
        in ferrite.
    boundary_um : numpy.ndarray, float32
        Distance to the nearest boundary of a ferrite grain, with a sign that changes there.
    grain : numpy.ndarray, float32
        A normal value for each ferrite grain.
    packet : numpy.ndarray, float32
        A normal value for each cell of martensite.
    seed : int
    """

    island_um: np.ndarray
    boundary_um: np.ndarray
    grain: np.ndarray
    packet: np.ndarray
    seed: int

    def at(self, name: str, y_um: np.ndarray, x_um: np.ndarray) -> np.ndarray:
        """Return one of the fields at the positions of a finer grid, float32 (rows, columns)."""
        return self._resampled(getattr(self, name), y_um, x_um)

    def grain_boundary_um(self, y_um: np.ndarray, x_um: np.ndarray) -> np.ndarray:
        """Return the distance to the nearest boundary of a ferrite grain."""
        distance = np.abs(self.at("boundary_um", y_um, x_um))
        # The sign also changes inside a grain, from one neighbour to the next: there the distance
        # passes zero between two nodes that both are far from it.
        rough = self._resampled(self.boundary_um, y_um, x_um, absolute=True)
        return np.where(rough < 2 * STEP_UM, distance, np.maximum(distance, rough))

    def phase_um(self, y_um: np.ndarray, x_um: np.ndarray) -> np.ndarray:
        """Return about the distance to the nearest phase boundary, positive in martensite.

        Martensite is the islands and films along parts of the grain boundaries of ferrite, which
        often link two islands; in places thin seams of ferrite part an island.
        """
        thickness = smooth_noise(y_um, x_um, cell_um=(1.6, 4.0), key=field_key(self.seed, "films"))
        film = _FILM_UM[0] + _FILM_UM[1] * thickness - self.grain_boundary_um(y_um, x_um)
        # A seam follows the zero line of a smooth surface, whose slope is about 1/_SEAM_UM.
        surface = smooth_noise(y_um, x_um, cell_um=_SEAM_UM, key=field_key(self.seed, "seams"))
        seam = np.abs(surface) * (_SEAM_UM[0] * 0.8) + 0.05 + 0.20 * thickness
        island = self.at("island_um", y_um, x_um)
        # Dense bands are many small islands: the deeper inside, the more seams.
        seam -= 0.10 * np.clip(island - 0.8, 0, 1.5)
        return np.minimum(np.maximum(island, film), seam)

    @staticmethod
    def _resampled(field, y_um, x_um, *, absolute=False):
        first = _first_node()
        rows, columns = np.asarray(y_um) / STEP_UM, np.asarray(x_um) / STEP_UM
        top, left = int(np.floor(rows[0])) - 1, int(np.floor(columns[0])) - 1
        bottom, right = int(np.floor(rows[-1])) + 3, int(np.floor(columns[-1])) + 3
        part = field[top - first : bottom - first, left - first : right - first]
        if absolute:
            part = np.abs(part)
        return resample(part, rows, columns, origin=(top, left), smooth=False)


def _first_node():
    return -round(MARGIN_UM / STEP_UM)


def node_positions(length_um: float) -> np.ndarray:
    """Return the positions of the nodes along an axis of a panorama, with the margins."""
    return np.arange(_first_node(), round((length_um + MARGIN_UM) / STEP_UM) + 3) * STEP_UM


def band_strength(y_um: np.ndarray, x_um: np.ndarray, *, seed: int) -> np.ndarray:
    """Return how much a place belongs to a martensite band: mean 0, about unit variance."""
    return smooth_noise(y_um, x_um, cell_um=_BAND_UM, key=field_key(seed, "bands"))


def grow_microstructure(
    *, shape_um: tuple[float, float], seed: int, threads: int = 1
) -> Microstructure:
    """Decide phases and grains on nodes `STEP_UM` apart.

    Parameters
    ----------
    shape_um : tuple of float
        Height and width of the panorama.
    seed : int
    threads : int, optional

    Returns
    -------
    Microstructure
        Sixteen bytes a node: 400 MB for a square millimetre.
    """
    y_um, x_um = node_positions(shape_um[0]), node_positions(shape_um[1])
    grains, cells = (
        _scattered(y_um, x_um, cell_um=size, key=field_key(seed, name))
        for size, name in ((_GRAIN_UM, "grains"), (_CELL_UM, "cells"))
    )
    grains = _round(grains, _GRAIN_UM)
    grain_tree = cKDTree(grains)
    is_martensite = _martensite_cells(cells, grain_tree, y_um, x_um, seed=seed)
    cells = _round(cells, _CELL_UM)
    martensite_tree, ferrite_tree = cKDTree(cells[is_martensite]), cKDTree(cells[~is_martensite])
    random = np.random.default_rng([field_key(seed, "greys")])
    grain_values = random.standard_normal(len(grains)).astype(np.float32)
    packet_values = random.standard_normal(is_martensite.sum()).astype(np.float32)

    fields = [np.empty((len(y_um), len(x_um)), np.float32) for _ in range(4)]
    island_um, boundary_um, grain, packet = fields
    for top in range(0, len(y_um), _CHUNK_ROWS):
        chunk = slice(top, top + _CHUNK_ROWS)
        places = _warped(y_um[chunk], x_um, seed=seed)
        distance, nearest = grain_tree.query(_round(places, _GRAIN_UM), k=2, workers=threads)
        boundary_um[chunk] = _to_bisector(distance, nearest, grains)
        grain[chunk] = grain_values[nearest[..., 0]]
        round_places = _round(places, _CELL_UM)
        to_ferrite, _ = ferrite_tree.query(round_places, workers=threads)
        to_martensite, nearest = martensite_tree.query(round_places, workers=threads)
        packet[chunk] = packet_values[nearest]
        island_um[chunk] = to_ferrite - to_martensite
    # Stretched coordinates and oblique boundaries make the slope differ; with unit slope the
    # values are distances near the boundary, where rims and damage need them.
    return Microstructure(_with_unit_slope(island_um), boundary_um, grain, packet, seed)


def _round(places, cell_um):
    """Places in coordinates in which cells are as wide as high."""
    return places * (1, cell_um[0] / cell_um[1])


def _to_bisector(distance, nearest, points):
    """Distance to the line between the two nearest points; the sign tells the side."""
    between = np.linalg.norm(points[nearest[..., 0]] - points[nearest[..., 1]], axis=-1)
    result = (distance[..., 1] ** 2 - distance[..., 0] ** 2) / (2 * between)
    return np.where(nearest[..., 0] < nearest[..., 1], result, -result)


def _scattered(y_um, x_um, *, cell_um, key):
    """One point a cell of a lattice, moved at random; shape (points, 2) as y and x."""
    rows = np.arange(np.floor(y_um[0] / cell_um[0]) - 2, np.ceil(y_um[-1] / cell_um[0]) + 3)
    columns = np.arange(np.floor(x_um[0] / cell_um[1]) - 2, np.ceil(x_um[-1] / cell_um[1]) + 3)
    rows, columns = rows.astype(int), columns.astype(int)
    shift_y = 0.42 * white_noise(rows, columns, key=key)
    shift_x = 0.42 * white_noise(rows, columns, key=key ^ 0x5BD1E995)
    # Every second row is shifted by half a cell, or straight columns would show.
    half = 0.5 * (rows % 2)[:, None]
    y = (rows[:, None] + shift_y) * cell_um[0]
    x = (columns[None, :] + half + shift_x) * cell_um[1]
    return np.stack([y.ravel(), x.ravel()], axis=1).astype(float)


def _martensite_cells(cells, grain_tree, y_um, x_um, *, seed):
    distance, _ = grain_tree.query(_round(cells, _GRAIN_UM), k=2)
    from_boundary_um = (distance[:, 1] - distance[:, 0]) / 2
    band = band_strength(y_um, x_um, seed=seed)
    rows, columns = (
        np.searchsorted(axis, places).clip(0, len(axis) - 1)
        for axis, places in zip((y_um, x_um), cells.T, strict=True)
    )
    random = np.random.default_rng([field_key(seed, "phases")])
    band = band[rows, columns]
    reach_um = 0.29 + 0.30 * band + 1.0 * np.maximum(band - 0.8, 0)
    return from_boundary_um < reach_um + 0.28 * random.standard_normal(len(cells))


def _warped(y_um, x_um, *, seed):
    """Positions moved by smooth noise, so that boundaries are wavy; shape (rows, columns, 2)."""
    shifts = []
    for axis in ("y", "x"):
        shifts.append(
            0.55 * smooth_noise(y_um, x_um, cell_um=(4, 8), key=field_key(seed, f"wave {axis}"))
            + 0.22 * smooth_noise(y_um, x_um, cell_um=(1, 1.6), key=field_key(seed, f"bend {axis}"))
            + 0.10
            * smooth_noise(y_um, x_um, cell_um=(0.45, 0.6), key=field_key(seed, f"kink {axis}"))
        )
    return np.stack([y_um[:, None] + shifts[0], x_um[None, :] + 2 * shifts[1]], axis=-1)


def _with_unit_slope(field):
    slope_y = ndimage.correlate1d(field, [-0.5, 0, 0.5], axis=0)
    slope_x = ndimage.correlate1d(field, [-0.5, 0, 0.5], axis=1)
    slope = ndimage.gaussian_filter(np.hypot(slope_y, slope_x), 1.5) / STEP_UM
    return field / np.maximum(slope, 0.25)
