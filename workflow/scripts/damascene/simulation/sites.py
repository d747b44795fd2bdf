"""Damage sites: how many, where the structure suits them, and of which size.

The number of sites is drawn, as it is in steel. Inclusions and shadows follow a Poisson process of
one density at every strain. Damage follows a Cox process: its density is multiplied by a
log-Gaussian field, large in martensite bands and small between them, so that counts scatter more
than Poisson counts do and damage gathers in bands. At 12 % strain the variance of the count of one
class is 2.2 times its mean between panoramas of 80 µm x 120 µm, 2.8 times between those of 160 µm x
240 µm; that of all damage in blocks of 20 µm x 40 µm 2.0 times.

References
----------
Møller, Syversveen & Waagepetersen, Log Gaussian Cox processes, 10.1111/1467-9469.00115.
"""

from dataclasses import dataclass

import numpy as np

from damascene.classes import DAMAGE_MECHANISMS, INCLUSION
from damascene.simulation.fields import field_key
from damascene.simulation.microstructure import (
    MARGIN_UM,
    STEP_UM,
    Microstructure,
    band_strength,
    node_positions,
)

#: Sites per mm² to expect at 0 % strain (left by rolling and polishing), and their increase per
#: percent.
DENSITY_PER_MM2 = {
    INCLUSION: (925.0, 0.0),
    "martensite": (700.0, 140.0),
    "interface": (680.0, 135.0),
    "notch": (690.0, 138.0),
    "shadowing": (1120.0, 0.0),
}
#: Free space between the reaches of two sites.
GAP_UM = 1.2
#: Damage concentrates in martensite bands: weight of a place exp(BAND_PULL * band strength).
BAND_PULL = 0.5
#: Sites are placed this far outside the panorama too, so that its border cuts some of them.
EDGE_UM = 4.2
# Distance of the positions at which the band strength is averaged, in y and in x.
_BAND_STEP_UM = (1.0, 10.0)
# Distance from a node within which the structure is examined.
_LOOK_UM = 2.0
_CHUNK_ROWS = 256


@dataclass(frozen=True, kw_only=True)
class Site:
    """A site before it is drawn.

    Attributes
    ----------
    label : str
    y_um, x_um : float
        Its place.
    size_um : float
        Half the length of its longer axis.
    width_um : float
        Half the length of its shorter axis.
    angle : float
        Angle of the longer axis against x in radians, from x towards y.
    seed : int
        Of the details of its shape.
    """

    label: str
    y_um: float
    x_um: float
    size_um: float
    width_um: float
    angle: float
    seed: int

    @property
    def extent_um(self) -> float:
        """Radius of a circle that contains its dark region."""
        return max(self.size_um, self.width_um) * 1.25 + 0.1

    @property
    def reach_um(self) -> float:
        """Half the edge of the square that holds all that the site changes."""
        return self.extent_um + 1.6


def place_sites(
    structure: Microstructure,
    *,
    shape_um: tuple[float, float],
    strain_percent: float,
    seed: int,
) -> list[Site]:
    """Choose sites of all classes at places that suit them, without overlap.

    As many sites of a class as `draw_counts` says; fewer where the structure has too few suitable
    places. Inclusions are placed first, so that nothing else changes their number.

    Parameters
    ----------
    structure : Microstructure
    shape_um : tuple of float
        Height and width of the panorama.
    strain_percent : float
    seed : int

    Returns
    -------
    list of Site
        Those whose dark region may reach into the panorama.
    """
    counts = draw_counts(shape_um=shape_um, strain_percent=strain_percent, seed=seed)
    candidates = _find_candidates(structure, shape_um=shape_um, seed=seed)
    taken = {}
    sites = []
    for label, wanted in counts.items():
        random = np.random.default_rng([field_key(seed, f"sites {label}")])
        for index in random.permutation(len(candidates[label])):
            if wanted == 0:
                break
            site = _choose_shape(
                label, candidates[label][index], strain_percent=strain_percent, random=random
            )
            if _fits(site, taken):
                taken.setdefault(_bucket(site), []).append(site)
                sites.append(site)
                wanted -= 1
    return [site for site in sites if _is_seen(site, shape_um)]


def draw_counts(
    *, shape_um: tuple[float, float], strain_percent: float, seed: int
) -> dict[str, int]:
    """Draw the number of sites of each class in a panorama and `EDGE_UM` around it.

    Parameters
    ----------
    shape_um : tuple of float
        Height and width of the panorama.
    strain_percent : float
    seed : int

    Returns
    -------
    dict
        Class and number: Poisson counts whose mean is the expected density times the area, for
        damage also times the mean of exp(BAND_PULL * band strength) over this area, relative to
        its expectation.
    """
    area_mm2 = np.prod([length + 2 * EDGE_UM for length in shape_um]) / 1e6
    y_um, x_um = (
        np.arange(-EDGE_UM, length + EDGE_UM, step)
        for length, step in zip(shape_um, _BAND_STEP_UM, strict=True)
    )
    band = band_strength(y_um, x_um, seed=seed)
    banded = float(np.exp(BAND_PULL * band - BAND_PULL**2 / 2).mean())
    counts = {}
    for label, density in expected_density(strain_percent).items():
        random = np.random.default_rng([field_key(seed, f"count {label}")])
        factor = banded if label in DAMAGE_MECHANISMS else 1.0
        counts[label] = int(random.poisson(density * area_mm2 * factor))
    return counts


def expected_density(strain_percent: float) -> dict[str, float]:
    """Return the expected number of sites per mm² of each class at a strain."""
    return {
        label: base + slope * strain_percent for label, (base, slope) in DENSITY_PER_MM2.items()
    }


def _find_candidates(structure, *, shape_um, seed):
    """Places that suit each class, as rows of y_um, x_um, direction of the boundary, phase_um.

    Places in bands are offered more often; of the many places for inclusions and shadows, which
    bands do not attract, a part is enough.
    """
    rim = round((MARGIN_UM - _LOOK_UM - EDGE_UM) / STEP_UM)
    y_um, x_um = (node_positions(length)[rim:-rim] for length in shape_um)
    look = round(_LOOK_UM / STEP_UM)
    found = {label: [] for label in DENSITY_PER_MM2}
    random = np.random.default_rng([field_key(seed, "places")])
    for top in range(look, len(y_um) - look, _CHUNK_ROWS):
        y_part = y_um[top - look : top + _CHUNK_ROWS + look]
        phase_um = structure.phase_um(y_part, x_um)
        offered = np.exp(BAND_PULL * (band_strength(y_part, x_um, seed=seed) - 2.5))
        for label, places in found.items():
            rows, columns, along = _suitable(phase_um, label)
            chance = offered[rows, columns] if label in DAMAGE_MECHANISMS else 0.1
            kept = random.random(len(rows)) < chance
            rows, columns = rows[kept], columns[kept]
            places.append(
                np.stack(
                    [y_part[rows], x_um[columns], along[kept], phase_um[rows, columns]], axis=1
                )
            )
    return {label: np.concatenate(places) for label, places in found.items()}


def _suitable(phase_um, label):
    """Rows and columns of nodes where a class can be, and the direction of the boundary there."""
    ranges = {
        INCLUSION: (-np.inf, np.inf),
        "martensite": (0.3, 1.3),
        "interface": (-0.15, 0.15),
        "notch": (-0.6, 0.25),
        "shadowing": (-1.6, -0.5),
    }
    low, high = ranges[label]
    look = round(_LOOK_UM / STEP_UM)
    inner = phase_um[look:-look, look:-look]
    rows, columns = np.nonzero((inner > low) & (inner < high))
    rows, columns = rows + look, columns + look

    def beside(direction, distance_um):
        steps = distance_um / STEP_UM
        return phase_um[
            rows + np.rint(steps * np.sin(direction)).astype(int),
            columns + np.rint(steps * np.cos(direction)).astype(int),
        ]

    down, right = np.pi / 2, 0.0
    slope_y = beside(down, 0.4) - beside(down, -0.4)
    slope_x = beside(right, 0.4) - beside(right, -0.4)
    normal = np.arctan2(slope_y, slope_x)
    if label == "martensite":
        # In the middle of an island that goes on to both sides.
        here = phase_um[rows, columns]
        good = (here >= beside(down, 0.2)) & (here >= beside(down, -0.2))
        for distance in (-1.2, -0.8, 0.8, 1.2):
            good &= beside(right, distance) > 0.2
    elif label == "interface":
        # A smooth boundary between enough martensite and enough ferrite.
        good = (beside(normal, 1.0) > 0.5) & (beside(normal, -1.0) < -0.6)
        for distance in (-0.8, 0.8):
            good &= np.abs(beside(normal + np.pi / 2, distance)) < 0.3
    elif label == "notch":
        # Two pieces of martensite with a thin neck or a small gap of ferrite between them.
        good = (beside(down, 0.8) < -0.1) & (beside(down, -0.8) < -0.1)
        for side in (-1, 1):
            good &= np.maximum(beside(right, side), beside(right, 1.4 * side)) > 0.15
    else:
        good = np.ones(len(rows), bool)
    return rows[good], columns[good], normal[good] + np.pi / 2


def _choose_shape(label, place, *, strain_percent, random):
    y_um, x_um, along, half_height_um = place
    spread = np.exp(0.3 * random.standard_normal())
    if label == INCLUSION:
        size = np.clip(1.1 * np.exp(0.45 * random.standard_normal()), 0.6, 3.2)
        width = size * random.uniform(0.5, 1.0)
        angle = random.normal(0, 0.35)
    elif label == "martensite":
        # A crack runs across its island, mostly perpendicular to the load.
        size = half_height_um + 0.15
        width = np.clip((0.13 + 0.012 * strain_percent) * spread, 0.11, 0.5 * size)
        angle = np.pi / 2 + random.normal(0, 0.4)
    elif label == "interface":
        size = np.clip((0.75 + 0.03 * strain_percent) * spread, 0.6, 1.8)
        width = np.clip((0.22 + 0.008 * strain_percent) * spread, 0.18, 0.5)
        angle = along
    elif label == "notch":
        size = np.clip((0.36 + 0.006 * strain_percent) * spread, 0.26, 0.7)
        width = size * random.uniform(0.5, 0.95)
        angle = random.uniform(-np.pi / 2, np.pi / 2)
    else:
        size = np.clip(0.9 * spread, 0.6, 1.7)
        width = size * random.uniform(0.5, 0.9)
        angle = along + random.normal(0, 0.2)
    return Site(
        label=label,
        y_um=float(y_um + random.uniform(-0.5, 0.5) * STEP_UM),
        x_um=float(x_um + random.uniform(-0.5, 0.5) * STEP_UM),
        size_um=float(size),
        width_um=float(width),
        angle=float(angle),
        seed=int(random.integers(2**32)),
    )


_BUCKET_UM = 16.0


def _bucket(site):
    return int(site.y_um // _BUCKET_UM), int(site.x_um // _BUCKET_UM)


def _fits(site, taken):
    row, column = _bucket(site)
    return all(
        np.hypot(site.y_um - other.y_um, site.x_um - other.x_um)
        > site.extent_um + other.extent_um + GAP_UM
        for dy in (-1, 0, 1)
        for dx in (-1, 0, 1)
        for other in taken.get((row + dy, column + dx), ())
    )


def _is_seen(site, shape_um):
    return all(
        -site.extent_um < place < length + site.extent_um
        for place, length in zip((site.y_um, site.x_um), shape_um, strict=True)
    )
