"""The four tables of one phase map."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from damascene.contracts.phase_damage import PHASE_DAMAGE
from damascene.contracts.table import empty_table
from damascene.images.store import TiledImage
from damascene.statistics.phases.damage import damage_row
from damascene.statistics.phases.fractions import (
    LIMITS_POINTS,
    converged_edge_um,
    convergence,
    fraction_row,
)
from damascene.statistics.phases.reading import MapContent, read_map
from damascene.statistics.phases.shapes import band_row, chord_row, island_row, without_bands
from damascene.units import area_px


@dataclass(frozen=True, kw_only=True)
class PhaseTables:
    """What phase maps say, by the contracts `PHASES`, `PHASE_CONVERGENCE` and so on."""

    phases: pd.DataFrame
    convergence: pd.DataFrame
    shapes: pd.DataFrame
    damage: pd.DataFrame


def measure_phases(
    image: TiledImage,
    runs: pd.DataFrame,
    *,
    panorama: str,
    strain_percent: float,
    phases: Sequence[str],
    hard_phase: str,
    damage_phase: str,
    minimum_area: str,
    confidence: float,
) -> PhaseTables:
    """Measure a phase map: fractions, their convergence, shapes, and damage against candidates.

    Parameters
    ----------
    image : TiledImage
        0 outside, then the phases from 1.
    runs : pandas.DataFrame
        `CANDIDATE_RUNS` of the same panorama.
    panorama : str
    strain_percent : float
        NaN where it is not known.
    phases : sequence of str
        Names in the order of the map.
    hard_phase, damage_phase : str
        Whose bands are measured, and what is compared with candidates; empty for none.
    minimum_area : str
        Of the detection, with a unit.
    confidence : float

    Returns
    -------
    PhaseTables
        Without a row of damage where no phase is damage.

    Raises
    ------
    InputError
        As `read_map`.
    """
    names = list(phases)
    damage = names.index(damage_phase) + 1 if damage_phase else 0
    content = read_map(image, runs, phases=len(names), damage=damage)
    key = {"panorama": panorama, "strain_percent": strain_percent}
    fractions, windows, shapes = [], [], []
    for number, name in enumerate(names, start=1):
        windows.append(convergence(content.cells, number).assign(panorama=panorama, phase=name))
        edges = {
            f"edge_for_{points}_point{'s' if points > 1 else ''}_um": converged_edge_um(
                windows[-1], points=points
            )
            for points in LIMITS_POINTS
        }
        row = fraction_row(content.cells, number, confidence=confidence)
        fractions.append(key | {"phase": name} | row | edges | {"confidence": confidence})
        shapes.append(
            key | {"phase": name} | _shape_row(content, number, banded=name == hard_phase)
        )
    compared = []
    if damage:
        smallest = area_px(minimum_area, pixel_size_nm=image.pixel_size_nm)
        compared.append(key | {"phase": damage_phase} | damage_row(content, smallest_px=smallest))
    return PhaseTables(
        phases=pd.DataFrame(fractions),
        convergence=pd.concat(windows, ignore_index=True),
        shapes=pd.DataFrame(shapes),
        damage=pd.DataFrame(compared) if compared else empty_table(PHASE_DAMAGE),
    )


def _shape_row(content: MapContent, number: int, *, banded: bool) -> Mapping[str, float | str]:
    cells, islands = content.cells, content.islands
    return {
        **chord_row(cells, content.borders, number),
        **island_row(islands[islands.phase == number], pixel_um=cells.pixel_um),
        **(band_row(cells, number) if banded else without_bands()),
    }
