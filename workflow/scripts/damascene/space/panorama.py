"""From the files of a panorama to all that is measured of where its sites lie."""

from collections.abc import Sequence

import pandas as pd

from damascene.contracts.phase_descriptors import SQUARE_UM
from damascene.images.store import TiledImage
from damascene.space.area import read_area
from damascene.space.intensity import local_fraction
from damascene.space.measure import Space, measure_space
from damascene.units import length_px


def measure_panorama(
    sites: pd.DataFrame,
    mask: TiledImage,
    *,
    phases: TiledImage | None,
    shapes: pd.DataFrame | None,
    hard_phase: str,
    values: Sequence[int | None],
    merge_distance: str,
    confidence: float,
    seed: int,
    withheld: str = "",
) -> Space:
    """Measure where the sites of a panorama lie, with its phase map where there is one.

    Parameters
    ----------
    sites : pandas.DataFrame
        `SITES` of the panorama.
    mask : TiledImage
        Of its valid pixels.
    phases : TiledImage or None
        Its phase map.
    shapes : pandas.DataFrame or None
        `PHASE_SHAPES`, with the direction of the bands.
    hard_phase : str
        Name of the phase round which sites are described; empty for none.
    values : sequence of (int or None)
        Values of this phase and of damage in the map.
    merge_distance : str
        Distance within which the detection makes one site of two, `0 um` for none.
    confidence, seed, withheld
        See `measure.measure_space`.
    """
    pixel_um = mask.pixel_size_nm / 1000
    area = read_area(mask)
    hard, damage = values
    known = phases is not None and hard is not None
    fraction = direction = None
    if known:
        fraction = local_fraction(
            phases, hard=hard, damage=damage or 0, square_um=SQUARE_UM, area=area
        )
        angle = shapes.loc[shapes["phase"] == hard_phase, "band_angle_deg"].dropna()
        direction = float(angle.iloc[0]) if len(angle) else None
    return measure_space(
        sites,
        area,
        pixel_um=pixel_um,
        hard_core_um=length_px(merge_distance, pixel_size_nm=mask.pixel_size_nm) * pixel_um,
        seed=seed,
        fraction=fraction,
        direction_deg=direction,
        confidence=confidence,
        withheld=withheld,
    )
