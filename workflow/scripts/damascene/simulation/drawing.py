"""What each damage site looks like."""

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from damascene.classes import INCLUSION
from damascene.simulation.fields import smooth_noise
from damascene.simulation.sites import Site

_VOID_GREYS = (1.0, 9.0)
_NO_MARTENSITE_UM = -100.0
# Half the width under which the blur closes a cavity.
_NARROW_UM = 0.04


@dataclass(frozen=True, kw_only=True)
class Drawing:
    """What a site does to the picture, float32 arrays over one window.

    Attributes
    ----------
    bridge_um : numpy.ndarray
        Martensite that belongs to the site, as a distance like `Microstructure.phase_um`; very
        negative where there is none.
    glow : numpy.ndarray
        Grey levels that charging and the edge of the void add.
    opacity : numpy.ndarray
        0 where the picture stays, 1 where `grey` replaces it.
    grey : numpy.ndarray
    """

    bridge_um: np.ndarray
    glow: np.ndarray
    opacity: np.ndarray
    grey: np.ndarray


def draw_site(site: Site, *, phase_um: np.ndarray, y_um: np.ndarray, x_um: np.ndarray) -> Drawing:
    """Draw a site over its window.

    Parameters
    ----------
    site : Site
    phase_um : numpy.ndarray, float32, shape (rows, columns)
        The structure in the window (`Microstructure.phase_um`).
    y_um, x_um : numpy.ndarray
        Positions of the rows and columns of the window.

    Returns
    -------
    Drawing
    """
    random = np.random.default_rng(site.seed)
    dy = (y_um - site.y_um).astype(np.float32)[:, None]
    dx = (x_um - site.x_um).astype(np.float32)[None, :]
    cos, sin = np.float32(np.cos(site.angle)), np.float32(np.sin(site.angle))
    along, across = dx * cos + dy * sin, dy * cos - dx * sin
    pixel_um = float(y_um[1] - y_um[0])
    shape = across.shape
    bridge = np.full(shape, _NO_MARTENSITE_UM, np.float32)
    glow = np.zeros(shape, np.float32)
    grey = np.full(shape, random.uniform(*_VOID_GREYS), np.float32)
    if site.label == "shadowing":
        reach = _ellipse(site, along, across) / _wobble(site, along, across, random, amplitude=0.2)
        uneven = smooth_noise(y_um, x_um, cell_um=(0.35, 0.35), key=site.seed)
        # Flat in the middle and soft all round.
        opacity = 0.97 * np.exp(-(((reach + 0.06 * uneven) ** 2).clip(0) ** 1.3))
        return Drawing(bridge_um=bridge, glow=glow, opacity=opacity, grey=grey)
    if site.label == INCLUSION:
        wobble = _wobble(site, along, across, random, amplitude=random.uniform(0.05, 0.3))
        inside = (wobble - _ellipse(site, along, across)) * site.width_um
        particle = _particle(site, along, across, random)
        uneven = smooth_noise(y_um, x_um, cell_um=(0.2, 0.3), key=site.seed)
        lit = random.uniform(60, 170) + 18 * uneven + 70 * np.exp(-np.abs(particle) / 0.08)
        grey += np.clip(particle / pixel_um + 0.5, 0, 1) * (lit - grey)
    elif site.label == "martensite":
        inside = _crack(site, along, across, random)
    elif site.label == "interface":
        inside = _gap(site, phase_um, along, across, random)
    else:
        bridge = _bridge(site, dx, dy, random)
        wobble = _wobble(site, along, across, random, amplitude=0.25)
        inside = (wobble - _ellipse(site, along, across)) * site.width_um
    opacity = np.clip(_in_one_piece(inside) / pixel_um + 0.5, 0, 1)
    low, high = (90, 190) if site.label == INCLUSION else (15, 150)
    strength, reach_um = random.uniform(low, high), random.uniform(0.2, 0.65)
    outside_um = ndimage.distance_transform_edt(opacity < 0.5).astype(np.float32) * pixel_um
    side = 1 + 0.6 * np.cos(np.arctan2(dy, dx) - random.uniform(0, 2 * np.pi))
    # Faded out before the border of the window, which must not show.
    fade = np.clip((site.reach_um - np.maximum(np.abs(dx), np.abs(dy))) / 0.4, 0, 1)
    glow = strength * side * fade * np.exp(-outside_um / reach_um)
    return Drawing(
        bridge_um=bridge,
        glow=glow.astype(np.float32),
        opacity=opacity.astype(np.float32),
        grey=grey.astype(np.float32),
    )


def _in_one_piece(inside):
    """Return the distance inside a cavity without parts connected by less than the blur."""
    parts, count = ndimage.label(inside > _NARROW_UM, np.ones((3, 3)))
    if count < 2:
        return inside
    sizes = np.bincount(parts.ravel())
    sizes[0] = 0
    largest = parts == sizes.argmax()
    # Their narrow rims go with them.
    rest = ndimage.binary_dilation((parts > 0) & ~largest, iterations=4, mask=~largest)
    return np.where(rest, np.minimum(inside, -1), inside)


def _ellipse(site, along, across):
    return np.hypot(along / site.size_um, across / site.width_um)


def _wobble(site, along, across, random, *, amplitude):
    """Return a closed outline as a factor of the ellipse: 1 and a few waves round."""
    direction = np.arctan2(across / site.width_um, along / site.size_um)
    result = np.ones_like(direction)
    for order in range(2, 7):
        size = amplitude * random.uniform(0.4, 1.0) / order**0.8
        result += size * np.cos(order * direction + random.uniform(0, 2 * np.pi))
    return result


def _curve(position_um, random, *, amplitude_um, length_um):
    """Return a wavy line over a position."""
    result = np.zeros_like(position_um)
    for order in (1.0, 2.3, 5.1):
        phase = random.uniform(0, 2 * np.pi)
        wave = np.sin(2 * np.pi * order * position_um / length_um + phase)
        result += random.uniform(0.3, 1) * amplitude_um / order * wave
    return result


def _particle(site, along, across, random):
    """Distance inside what is left of the particle.

    It lies at one side of the hole, which therefore stays in one piece.
    """
    if random.random() < 0.35:
        return np.full(across.shape, -1, np.float32)
    size = random.uniform(0.25, 0.5)
    direction = random.uniform(0, 2 * np.pi)
    offset = random.uniform(0.2, 0.7)
    along = along - offset * np.cos(direction) * site.size_um
    across = across - offset * np.sin(direction) * site.width_um
    wobble = _wobble(site, along, across, random, amplitude=0.35)
    return (size * wobble - _ellipse(site, along, across)) * site.width_um


def _crack(site, along, across, random):
    """Distance inside a crack: one line, opened, so that its faces match."""
    line = _curve(along, random, amplitude_um=0.12, length_um=2.6)
    wedge = 1 + random.uniform(-0.45, 0.45) * along / site.size_um
    blunt = random.choice([2.0, 4.0, 8.0])
    lens = (1 - (np.abs(along) / site.size_um).clip(0, 1) ** blunt) ** (1 / blunt)
    half_um = site.width_um * wedge * lens + _curve(along, random, amplitude_um=0.03, length_um=0.8)
    return np.minimum(half_um - np.abs(across - line), site.size_um - np.abs(along))


def _gap(site, phase_um, along, across, random):
    """Distance inside a gap that opens from the phase boundary into the ferrite."""
    lens = np.sqrt((1 - (along / site.size_um) ** 2).clip(0))
    lean = 1 + random.uniform(-0.4, 0.4) * along / site.size_um
    depth_um = 2 * site.width_um * lens * lean
    depth_um += _curve(along, random, amplitude_um=0.05, length_um=0.9)
    inside = depth_um / 2 - np.abs(phase_um + depth_um / 2 - 0.04)
    # A boundary that curves back does not open on its far side.
    return np.minimum(inside, depth_um + 0.25 - np.abs(across))


def _bridge(site, dx, dy, random):
    """Two martensite tips that meet at the void."""
    tilt = random.normal(0, 0.12)
    narrow = site.width_um * random.uniform(0.5, 1.0)
    widening = random.uniform(0.1, 0.35)
    # Wider away from the void and rounded at its far ends.
    rounding = np.sqrt(np.clip(1 - (dx / random.uniform(1.3, 1.9)) ** 2, 0, 1))
    half_um = (narrow + widening * np.abs(dx)) * rounding
    inside = half_um - np.abs(dy - tilt * dx)
    return np.where(half_um > 0, inside, _NO_MARTENSITE_UM).astype(np.float32)
