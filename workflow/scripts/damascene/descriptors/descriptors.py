"""Descriptors: what a metallographer reads off a site and its surroundings, as numbers.

A few hundred labels are too few for a network to learn what matters about a site. That is known,
though: how large and how slit-like the cavity is, how steep its edge, whether martensite stands at
its ends or at its flanks, on one side or on both, how thick that martensite is, whether the rim
is charged. The descriptors measure this, and a classifier only has to weigh it.
"""

from itertools import pairwise

import numpy as np
from scipy import ndimage

from damascene.clustering.runs import runs_of
from damascene.contracts.descriptors import DESCRIPTOR_NAMES
from damascene.descriptors import CLIP_PX, PIXEL_UM
from damascene.descriptors.distances import squared_depths, squared_distances
from damascene.descriptors.outwards import Outwards, mean, means_by, ring_means, sector_means
from damascene.descriptors.shape import SHAPE_NAMES, shapes_of

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
# Half the width in um of such a way.
_CIRCUIT_HALF = 0.08
# Pixels up to this distance in um have the grey slope of the outline.
_EDGE = 0.11
# Reach of a Gaussian of one pixel.
_KERNEL_PX = 4

_EIGHT_NEIGHBOURS = np.ones((3, 3), bool)


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
    return np.nan_to_num(table, copy=False)


def describe_clip(clip: np.ndarray, site: np.ndarray, shape: np.ndarray) -> dict[str, float]:
    """Describe the site in one clip by name; parameters as one entry of `describe_clips`."""
    steel = ~_without_image(clip)
    ferrite, martensite = _phase_levels(clip[steel])
    # Windows in one phase alone have no step of their own.
    step = max(martensite - ferrite, 60)
    grey = np.where(steel, clip, np.float32(ferrite))
    dark = grey < max(ferrite + _DARK * step, min(20, ferrite / 2))
    if site.any():
        dark = dark | site
    else:
        site, dark = _central_site(grey, dark)
    box = _box(site)
    rows, columns = np.nonzero(site[box])
    rows, columns = rows + box[0].start, columns + box[1].start
    if np.isnan(shape).any():
        runs = runs_of(rows, columns)
        shape = shapes_of(runs, np.zeros(len(runs.row), np.int64), pixel_um=PIXEL_UM)[0]
    shape = dict(zip(SHAPE_NAMES, shape.tolist(), strict=True))
    axis = shape.pop("axis")
    relief = (ndimage.gaussian_filter(grey, 1) - ferrite) / step
    bright = relief > _MARTENSITE
    squared = squared_distances(site)
    around = Outwards.from_squares(squared, centre=(rows.mean(), columns.mean()))
    # What has no image is left out by taking it for a part of the site.
    in_steel = around
    if not steel.all():
        in_steel = Outwards.from_squares(np.where(steel, squared, 0), centre=around.centre)
    return {
        **shape,
        **_depths(grey[box][site[box]], ferrite=ferrite, step=step),
        **_profile(relief, in_steel),
        **_edge(grey, around, box, step=step),
        **_near(relief, bright, in_steel),
        **_other_dark(dark, in_steel),
        "martensite": np.count_nonzero(bright & steel) / max(np.count_nonzero(steel), 1),
        "dark_pieces": _pieces(dark, squared, box),
        **_thickness(bright, site, around, box),
        **_sides(relief, bright, in_steel, axis=axis),
        **_circuits(relief, around),
    }


def _without_image(clip):
    """Return rows and columns that are black throughout: no image there, not a cavity."""
    black = clip == 0
    return black.all(axis=0)[None, :] | black.all(axis=1)[:, None]


def _phase_levels(greys):
    """Return the levels of ferrite and martensite: the 25th and the 90th percentile."""
    count = np.bincount(greys, minlength=256)
    count[: _BLACK + 1] = 0
    reached = np.cumsum(count)
    if not reached[-1]:
        return 0.0, 0.0
    # Between two pixels in the order of their greys, as numpy.percentile takes it.
    rank = (reached[-1] - 1) * np.array([0.25, 0.9])
    lower, upper = (np.searchsorted(reached, at(rank), side="right") for at in (np.floor, np.ceil))
    return tuple((lower + (upper - lower) * (rank % 1)).tolist())


def _box(site):
    """Return the rows and columns that hold a site, as slices."""
    return tuple(
        slice(lines[0], lines[-1] + 1)
        for lines in (np.flatnonzero(site.any(axis=axis)).tolist() for axis in (1, 0))
    )


def _grown(box, margin):
    """Return a box with a margin in pixels, cut at the border of the clip."""
    return tuple(
        slice(max(each.start - margin, 0), min(each.stop + margin, CLIP_PX)) for each in box
    )


def _central_site(grey, dark):
    """Return the dark part nearest to the middle, its holes filled, and all dark pixels."""
    middle = grey.shape[0] // 2
    if not dark.any():
        # A shadow may be less deep than the threshold: its darkest pixels stand for it.
        centre = grey[middle - 10 : middle + 10, middle - 10 : middle + 10]
        dark = np.zeros_like(dark)
        dark[middle - 10 : middle + 10, middle - 10 : middle + 10] = centre <= np.percentile(
            centre, 20
        )
    rows, columns = np.nonzero(dark)
    nearest = np.argmin((rows - middle) ** 2 + (columns - middle) ** 2)
    parts, _ = ndimage.label(dark, _EIGHT_NEIGHBOURS)
    part = parts == parts[rows[nearest], columns[nearest]]
    # What is not joined to the surroundings of the part is a hole in it.
    outside, _ = ndimage.label(np.pad(~part[_box(part)], 1, constant_values=True))
    part[_box(part)] = outside[1:-1, 1:-1] != outside[0, 0]
    return part, dark


def _depths(greys, *, ferrite, step):
    return {
        "mean_depth": (ferrite - greys.mean()) / step,
        "greatest_depth": (ferrite - greys.min()) / step,
    }


def _profile(relief, around):
    means = ring_means(around.of(relief), around.rings((0, *_PROFILE)))
    return {f"relief_to_{outer}um": one for outer, one in zip(_PROFILE, means, strict=True)}


def _edge(grey, around, box, *, step):
    outline = around.within(_EDGE)
    gradient = np.zeros_like(grey)
    part = _grown(box, _KERNEL_PX + int(_EDGE / PIXEL_UM))
    gradient[part] = ndimage.gaussian_gradient_magnitude(grey[part], 1)
    slopes = outline.of(gradient) / step
    return {
        "edge": mean(slopes),
        "edge_lower_fifth": np.percentile(slopes, 20) if len(slopes) else 0,
    }


def _near(relief, bright, around):
    bounds = around.rings((0, *_NEAR))
    near = around.first(bounds[-1])
    relief = near.of(relief)
    mean, square = ring_means(relief, bounds), ring_means(relief**2, bounds)
    shares = {
        "charged": ring_means(relief > _CHARGED, bounds),
        "martensite": ring_means(near.of(bright), bounds),
        "spread": np.sqrt(np.maximum(square - mean**2, 0)),
    }
    return {
        f"{name}_to_{outer}um": one
        for name, ring in shares.items()
        for outer, one in zip(_NEAR, ring, strict=True)
    }


def _other_dark(dark, around):
    return {f"dark_within_{radius}um": mean(around.within(radius).of(dark)) for radius in (1, 2, 4)}


def _pieces(dark, squared, box):
    """Count the dark pieces within 1.5 um, the site among them."""
    part = _grown(box, int(1.5 / PIXEL_UM))
    near = np.sqrt(squared[part], dtype=float) * PIXEL_UM < 1.5
    return ndimage.label(dark[part] & near, _EIGHT_NEIGHBOURS)[1]


def _thickness(bright, site, around, box):
    """Measure how thick the martensite is that adjoins the site: a thin bridge, or an island."""
    joined = _closed(bright | site)
    bounds = around.rings((0, *_THICKNESS))
    near = around.first(bounds[-1])
    depth = np.zeros(site.shape, np.uint16)
    part = _grown(box, int(np.ceil(_THICKNESS[-1] / PIXEL_UM)) + 1)
    depth[part] = squared_depths(joined, part)
    depth = np.sqrt(near.of(depth), dtype=float) * PIXEL_UM
    values = {}
    for outer, (first, last) in zip(_THICKNESS, pairwise(bounds), strict=True):
        ring = depth[first:last]
        values[f"thickest_to_{outer}um"] = ring.max(initial=0)
        values[f"thickness_to_{outer}um"] = mean(ring)
    rows, columns = box
    middle = (rows.start + rows.stop - 1) // 2
    heights = [
        _run_through(joined[:, min(max(column, 0), CLIP_PX - 1)], middle)
        for column in (columns.start - 4, columns.stop + 3)
    ]
    values["lower_bridge"], values["higher_bridge"] = sorted(heights)
    return values


def _closed(mask):
    """Close gaps of up to four pixels; what is beyond the border does not belong to the mask.

    The same as `scipy.ndimage.binary_closing` with two iterations, in a tenth of the time.
    """
    for _ in range(2):
        mask = _dilated(mask)
    for _ in range(2):
        mask = ~_dilated(~mask)
        mask[[0, -1]] = mask[:, [0, -1]] = False
    return mask


def _dilated(mask):
    """Add the four neighbours of each pixel."""
    dilated = mask.copy()
    dilated[1:] |= mask[:-1]
    dilated[:-1] |= mask[1:]
    dilated[:, 1:] |= mask[:, :-1]
    dilated[:, :-1] |= mask[:, 1:]
    return dilated


def _run_through(column, row, reach=8):
    """Return the length in um of the run of True that passes nearest to a row within reach."""
    top = max(row - reach, 0)
    near = np.flatnonzero(column[top : row + reach + 1]) + top
    if not len(near):
        return 0.0
    row = near[np.argmin(np.abs(near - row))]
    # The border is never in the closed mask: each run has an end on both sides.
    ends = np.flatnonzero(~column)
    after = np.searchsorted(ends, row)
    return (ends[after] - ends[after - 1] - 1) * PIXEL_UM


def _sides(relief, bright, around, *, axis):
    """Measure the relief in eight directions, and the martensite at the ends and the flanks."""
    bounds = around.rings(_OCTANTS)
    around = around.first(bounds[-1])
    angles = around.angles()
    octants = sector_means(around.of(relief), angles, bounds, sectors=8)
    opposite = {
        "load": np.sort(octants[:, [0, 4]]),
        "across": np.sort(octants[:, [2, 6]]),
        "diagonal": np.sort(octants[:, [1, 3, 5, 7]]),
    }
    # The first sector lies at one end of the site, the second at a flank.
    own = sector_means(around.of(bright), angles - axis, around.rings(_QUADRANTS), sectors=4)
    opposite["ends"], opposite["flanks"] = np.sort(own[:, [0, 2]]), np.sort(own[:, [1, 3]])
    return {
        f"{name}_{ring}_{place}": one
        for name, rings in opposite.items()
        for ring, places in enumerate(rings)
        for place, one in enumerate(places)
    }


def _circuits(relief, around):
    """Go round the site and count the changes of phase, and how often they repeat."""
    around = around.within(_CIRCUITS[-1] + _CIRCUIT_HALF)
    relief = around.of(relief)
    step = ((around.angles() + np.pi) // (2 * np.pi / _CIRCUIT_STEPS)).astype(int) % _CIRCUIT_STEPS
    ways = []
    for radius in _CIRCUITS:
        on_way = np.abs(around.distance - radius) < _CIRCUIT_HALF
        ways.append(means_by(step[on_way], relief[on_way], _CIRCUIT_STEPS))
    martensite = np.array(ways) > _MARTENSITE
    changes = np.sum(martensite != np.roll(martensite, 1, axis=1), axis=1)
    waves = np.abs(np.fft.rfft(ways))[:, 1:4] / _CIRCUIT_STEPS
    values = {}
    for radius, count, of_way in zip(_CIRCUITS, changes, waves, strict=True):
        values[f"changes_at_{radius}um"] = count
        for order, wave in enumerate(of_way, start=1):
            values[f"wave_{order}_at_{radius}um"] = wave
    return values
