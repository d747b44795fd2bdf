"""Descriptors: what a metallographer reads off a site and its surroundings, as numbers.

A few hundred labels are too few for a network to learn what matters about a site. That is known,
though: how large and how slit-like the cavity is, how steep its edge, whether martensite stands at
its ends or at its flanks, on one side or on both, how thick that martensite is, whether the rim
is charged. The descriptors measure this, and a classifier only has to weigh it.
"""

import numpy as np
from scipy import ndimage
from skimage.measure import label

from damascene.clustering.runs import runs_of
from damascene.contracts.descriptors import DESCRIPTOR_NAMES
from damascene.descriptors.shape import SHAPE_NAMES, shapes_of

# Clips for the descriptors are resampled to one scale, at any pixel size of the panorama.
CLIP_PX = 160
PIXEL_UM = 0.05

# Part of the step from ferrite to martensite below ferrite at which a pixel is dark, as in the
# detection of candidates, and above ferrite at which it is martensite or charged.
_DARK, _MARTENSITE, _CHARGED = -0.46, 0.5, 1.1
# Grey values below this hold no phase: cavities, and cells that are missing from the panorama.
_BLACK = 12
# Outer radii in um of the rings round the outline of the site.
_PROFILE = (0.06, 0.11, 0.21, 0.35, 0.6, 1.0, 2.0, 4.0)
_NEAR = (0.2, 0.5, 1.0)
_THICKNESS = (0.3, 0.8, 1.6)
_OCTANTS = (0.05, 0.25, 0.6, 1.2, 2.5)
_QUADRANTS = (0.05, 0.25, 0.6, 1.2)
# Distances in um from the outline at which changes of phase are counted on the way round.
_CIRCUITS = (0.15, 0.4, 0.8)
_CIRCUIT_STEPS = 24


def describe_clips(clips: np.ndarray, sites: np.ndarray, shapes: np.ndarray) -> np.ndarray:
    """Describe sites whose pixels are known.

    The x axis is taken as the direction of the load. Mirrored clips have the same descriptors:
    opposite sides are listed by size, not by place.

    Parameters
    ----------
    clips : numpy.ndarray, uint8, shape (n, CLIP_PX, CLIP_PX)
        Windows of `DESCRIPTOR_WINDOW`, from `clips.cut_clips`.
    sites : numpy.ndarray, bool, shape (n, CLIP_PX, CLIP_PX)
        The pixels of each site in its clip; none where it has not been counted: then the dark part
        nearest to the middle is described.
    shapes : numpy.ndarray, float, shape (n, len(SHAPE_NAMES))
        From `shape.shapes_of`; NaN where a site has not been counted: then the shape is that of
        the dark part.

    Returns
    -------
    numpy.ndarray, float32, shape (n, len(DESCRIPTOR_NAMES))
        In the order of `DESCRIPTOR_NAMES`; always finite.
    """
    table = np.empty((len(clips), len(DESCRIPTOR_NAMES)), np.float32)
    for row, clip, site, shape in zip(table, clips, sites, shapes, strict=True):
        values = describe_clip(clip, site, shape)
        row[:] = [values[name] for name in DESCRIPTOR_NAMES]
    return table


def describe_clip(clip: np.ndarray, site: np.ndarray, shape: np.ndarray) -> dict[str, float]:
    """Describe the site in one clip by name; parameters as one entry of `describe_clips`."""
    grey = clip.astype(np.float32)
    steel = ~_without_image(grey)
    phases = grey[steel & (grey > _BLACK)]
    ferrite, martensite = np.percentile(phases, (25, 90)) if len(phases) else (0, 0)
    # Windows in one phase alone have no step of their own.
    step = max(martensite - ferrite, 60)
    grey = np.where(steel, grey, ferrite)
    dark = grey < max(ferrite + _DARK * step, min(20, ferrite / 2))
    if site.any():
        dark = dark | site
    else:
        site, dark = _central_site(grey, dark)
    rows, columns = np.nonzero(site)
    if np.isnan(shape).any():
        runs = runs_of(rows, columns)
        shape = shapes_of(runs, np.zeros(len(runs.row), np.int64), pixel_um=PIXEL_UM)[0]
    relief = (ndimage.gaussian_filter(grey, 1) - ferrite) / step
    distance = ndimage.distance_transform_edt(~site) * PIXEL_UM
    bright = relief > _MARTENSITE
    y, x = np.indices(site.shape, dtype=np.float32)
    angle = np.arctan2(y - rows.mean(), x - columns.mean())
    box = rows.min(), columns.min(), rows.max() + 1, columns.max() + 1
    shape = dict(zip(SHAPE_NAMES, shape.tolist(), strict=True))
    axis = shape.pop("axis")
    values = {
        **shape,
        **_greys(grey, site, relief, distance, steel, ferrite=ferrite, step=step),
        **_surroundings(relief, bright, dark, distance, steel),
        **_thickness(bright, site, distance, box),
        **_sides(relief, bright, distance, angle, steel, axis=axis),
        **_circuits(relief, distance, angle),
    }
    return {name: float(np.nan_to_num(value)) for name, value in values.items()}


def _without_image(grey):
    """Return rows and columns that are black throughout: no image there, not a cavity."""
    black = grey == 0
    return black.all(axis=0)[None, :] | black.all(axis=1)[:, None]


def _central_site(grey, dark):
    """Return the dark part nearest to the middle, its holes filled, and all dark pixels."""
    middle = grey.shape[0] // 2
    parts, count = label(dark, connectivity=2, return_num=True)
    if not count:
        # A shadow may be less deep than the threshold: its darkest pixels stand for it.
        centre = grey[middle - 10 : middle + 10, middle - 10 : middle + 10]
        dark = np.zeros_like(dark)
        dark[middle - 10 : middle + 10, middle - 10 : middle + 10] = centre <= np.percentile(
            centre, 20
        )
        parts = label(dark, connectivity=2)
    _, (rows, columns) = ndimage.distance_transform_edt(parts == 0, return_indices=True)
    part = parts[rows[middle, middle], columns[middle, middle]]
    return ndimage.binary_fill_holes(parts == part), dark


def _greys(grey, site, relief, distance, steel, *, ferrite, step):
    gradient = ndimage.gaussian_gradient_magnitude(grey, 1)[(distance > 0) & (distance < 0.11)]
    profile = _ring_means(relief, distance, (0, *_PROFILE), steel)
    return {
        "mean_depth": (ferrite - grey[site].mean()) / step,
        "greatest_depth": (ferrite - grey[site].min()) / step,
        **{f"relief_to_{outer}um": one for outer, one in zip(_PROFILE, profile, strict=True)},
        "edge": gradient.mean() / step if len(gradient) else 0,
        "edge_lower_fifth": np.percentile(gradient, 20) / step if len(gradient) else 0,
    }


def _surroundings(relief, bright, dark, distance, steel):
    rings = (0, *_NEAR)
    mean = _ring_means(relief, distance, rings, steel)
    square = _ring_means(relief**2, distance, rings, steel)
    shares = {
        "charged": _ring_means(relief > _CHARGED, distance, rings, steel),
        "martensite": _ring_means(bright, distance, rings, steel),
        "spread": np.sqrt(np.maximum(square - mean**2, 0)),
    }
    near = {
        f"{name}_to_{outer}um": one
        for name, ring in shares.items()
        for outer, one in zip(_NEAR, ring, strict=True)
    }
    others = {
        f"dark_within_{radius}um": _mean(dark[(distance > 0) & (distance < radius) & steel])
        for radius in (1, 2, 4)
    }
    pieces = label(dark & (distance < 1.5), connectivity=2, return_num=True)[1]
    return {**near, **others, "martensite": _mean(bright[steel]), "dark_pieces": pieces}


def _thickness(bright, site, distance, box):
    """Measure how thick the martensite is that adjoins the site: a thin bridge, or an island."""
    joined = ndimage.binary_closing(bright | site, iterations=2)
    depth = ndimage.distance_transform_edt(joined) * PIXEL_UM
    values = {}
    for inner, outer in zip((0, *_THICKNESS), _THICKNESS, strict=False):
        ring = depth[(distance > inner) & (distance <= outer)]
        values[f"thickest_to_{outer}um"] = ring.max(initial=0)
        values[f"thickness_to_{outer}um"] = _mean(ring)
    _, left, _, right = box
    row = (box[0] + box[2] - 1) // 2
    heights = [
        _run_through(joined[:, min(max(column, 0), joined.shape[1] - 1)], row)
        for column in (left - 4, right + 3)
    ]
    values["lower_bridge"], values["higher_bridge"] = sorted(heights)
    return values


def _run_through(column, row, reach=8):
    """Return the length in um of the run of True that passes nearest to a row within reach."""
    near = np.flatnonzero(column[max(row - reach, 0) : row + reach + 1]) + max(row - reach, 0)
    if not len(near):
        return 0.0
    runs = label(column.astype(np.uint8))
    return np.sum(runs == runs[near[np.argmin(np.abs(near - row))]]) * PIXEL_UM


def _sides(relief, bright, distance, angle, steel, *, axis):
    """Measure the relief in eight directions, and the martensite at the ends and the flanks."""
    octants = _sector_means(relief, distance, angle, _OCTANTS, steel, sectors=8)
    opposite = {
        "load": np.sort(octants[:, [0, 4]]),
        "across": np.sort(octants[:, [2, 6]]),
        "diagonal": np.sort(octants[:, [1, 3, 5, 7]]),
    }
    # The first sector lies at one end of the site, the second at a flank.
    own = _sector_means(bright, distance, angle - axis, _QUADRANTS, steel, sectors=4)
    opposite["ends"], opposite["flanks"] = np.sort(own[:, [0, 2]]), np.sort(own[:, [1, 3]])
    return {
        f"{name}_{ring}_{place}": one
        for name, rings in opposite.items()
        for ring, places in enumerate(rings)
        for place, one in enumerate(places)
    }


def _circuits(relief, distance, angle):
    """Go round the site and count the changes of phase, and how often they repeat."""
    step = ((angle + np.pi) // (2 * np.pi / _CIRCUIT_STEPS)).astype(int) % _CIRCUIT_STEPS
    values = {}
    for radius in _CIRCUITS:
        on_way = np.abs(distance - radius) < 0.08
        way = _means_by(step[on_way], relief[on_way], _CIRCUIT_STEPS)
        martensite = way > _MARTENSITE
        waves = np.abs(np.fft.rfft(way))[1:4] / _CIRCUIT_STEPS
        values[f"changes_at_{radius}um"] = np.sum(martensite != np.roll(martensite, 1))
        for order, wave in enumerate(waves, start=1):
            values[f"wave_{order}_at_{radius}um"] = wave
    return values


def _ring_means(values, distance, edges, steel):
    """Return means between each two distances from the outline; 0 where a ring is empty."""
    inside = steel & (distance > edges[0]) & (distance <= edges[-1])
    ring = np.searchsorted(edges, distance[inside], side="left") - 1
    return _means_by(ring, values[inside], len(edges) - 1)


def _sector_means(values, distance, angle, edges, steel, *, sectors):
    """Return means (rings, sectors); the first sector is centred on angle 0."""
    inside = steel & (distance > edges[0]) & (distance <= edges[-1])
    ring = np.searchsorted(edges, distance[inside], side="left") - 1
    width = 2 * np.pi / sectors
    sector = np.floor(angle[inside] / width + 0.5).astype(int) % sectors
    rings = len(edges) - 1
    return _means_by(ring * sectors + sector, values[inside], rings * sectors).reshape(rings, -1)


def _means_by(index, values, count):
    sums = np.bincount(index, weights=values, minlength=count)
    return sums / np.maximum(np.bincount(index, minlength=count), 1)


def _mean(values):
    return values.mean() if values.size else 0.0
