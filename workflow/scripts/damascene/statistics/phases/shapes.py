"""Shapes in a map of phases: islands, chords and bands, one row a phase."""

from collections.abc import Mapping

import numpy as np

from damascene.statistics.phases.bands import measure_bands
from damascene.statistics.phases.cells import Cells
from damascene.statistics.phases.islands import Islands

#: Islands with fewer pixels, or of a smaller equivalent diameter, are not counted.
LEAST_ISLAND_PX = 12
LEAST_DIAMETER_UM = 0.25


def detection_limit_px(pixel_um: float) -> float:
    """Return the area in pixels from which on an island is counted."""
    return max(LEAST_ISLAND_PX, np.pi / 4 * (LEAST_DIAMETER_UM / pixel_um) ** 2)


def chord_row(cells: Cells, borders: np.ndarray, phase: int) -> dict[str, float]:
    """Return the mean chords of a phase: its length on test lines over the chords on them.

    Each chord has two ends, so that the borders with other phases count them (Underwood,
    Quantitative Stereology, 1970); the border of the map is none. The anisotropy index is that of
    ASTM E1268 (10.1520/E1268-19) for lines along x and y: features met on a line along y over
    those on one along x.

    Parameters
    ----------
    cells : Cells
    borders : numpy.ndarray, int64, shape (2, phases + 1)
        From `IslandFinder`.
    phase : int

    Returns
    -------
    dict
        mean_chord_um, mean_chord_x_um, mean_chord_y_um, anisotropy_index; NaN without borders.
    """
    area = int(cells.pixels[phase - 1].sum())
    along_y, along_x = (int(each[phase]) for each in borders)

    def chord(length, ends):
        return 2 * length * cells.pixel_um / ends if ends else np.nan

    return {
        "mean_chord_um": chord(2 * area, along_x + along_y),
        "mean_chord_x_um": chord(area, along_x),
        "mean_chord_y_um": chord(area, along_y),
        "anisotropy_index": along_y / along_x if along_x else np.nan,
    }


def island_row(islands: Islands, *, pixel_um: float) -> dict[str, float]:
    """Return how many islands of a phase there are, and how large they are.

    Parameters
    ----------
    islands : Islands
        Of one phase.
    pixel_um : float

    Returns
    -------
    dict
        islands and islands_cut (from the detection limit on), limit_um2, below_limit_share and
        cut_share (parts of the area of the phase); quartiles of the equivalent diameters of those
        that are not cut; the diameter that half of the area reaches, cut islands included;
        largest_share.
    """
    limit = detection_limit_px(pixel_um)
    total = islands.area_px.sum()
    counted = islands[islands.area_px >= limit]
    whole = np.sqrt(4 / np.pi * counted.area_px[~counted.cut]) * pixel_um
    quartiles = np.quantile(whole, (0.25, 0.5, 0.75)) if len(whole) else np.full(3, np.nan)

    def share(area):
        return area.sum() / total if total else np.nan

    return {
        "islands": len(counted),
        "islands_cut": int(counted.cut.sum()),
        "limit_um2": limit * pixel_um**2,
        "below_limit_share": share(islands.area_px[islands.area_px < limit]),
        "cut_share": share(counted.area_px[counted.cut]),
        "diameter_quartile_1_um": quartiles[0],
        "diameter_median_um": quartiles[1],
        "diameter_quartile_3_um": quartiles[2],
        "diameter_median_by_area_um": _median_by_area(counted.area_px, pixel_um=pixel_um),
        "largest_share": share(counted.area_px[counted.area_px == counted.area_px.max()][:1])
        if len(counted)
        else np.nan,
    }


def _median_by_area(area_px, *, pixel_um):
    if not len(area_px):
        return np.nan
    ordered = np.sort(area_px)
    half = np.searchsorted(np.cumsum(ordered), ordered.sum() / 2)
    return float(np.sqrt(4 / np.pi * ordered[half]) * pixel_um)


def band_row(cells: Cells, phase: int) -> dict[str, float | str]:
    """Return the bands of a phase under the names of the table."""
    bands = measure_bands(cells, phase)
    return {
        "bands": bands.found,
        "band_strength": bands.strength,
        "band_angle_deg": bands.angle_deg,
        "band_spacing_um": bands.spacing_um,
        "band_width_um": bands.width_um,
        "bands_across": bands.across,
    }


def without_bands() -> Mapping[str, float | str]:
    """Return the columns of bands of a phase in which none are sought."""
    columns = ("strength", "angle_deg", "spacing_um", "width_um")
    return {"bands": "", **{f"band_{name}": np.nan for name in columns}, "bands_across": np.nan}
