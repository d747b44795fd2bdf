"""Descriptors equal a slow reading of their definitions with SciPy and scikit-image."""

import numpy as np
import pytest
from scipy import ndimage
from skimage.measure import label

from damascene.contracts.descriptors import DESCRIPTOR_NAMES
from damascene.descriptors import CLIP_PX, PIXEL_UM
from damascene.descriptors.descriptors import describe_clips
from damascene.descriptors.distances import LARGEST_PX, squared_depths, squared_distances
from damascene.descriptors.shape import SHAPE_NAMES

MEASURED = [name for name in DESCRIPTOR_NAMES if name not in SHAPE_NAMES]


def steel_clip(seed):
    """Two phases, cavities, some charged, and noise; the middle of a cavity is in the middle."""
    random = np.random.default_rng(seed)
    smooth = ndimage.gaussian_filter(random.normal(size=(CLIP_PX, CLIP_PX)), random.uniform(4, 12))
    grey = np.where(smooth > np.quantile(smooth, 0.7), 175.0, 75.0)
    y, x = np.indices(grey.shape)
    places = np.vstack([[[80, 80]], random.integers(0, CLIP_PX, (6, 2))])
    for row, column in places:
        axes = random.uniform(2, 16, 2)
        away = np.hypot((y - row) / axes[0], (x - column) / axes[1])
        grey[(away < 1.3) & (random.uniform() < 0.5)] = 230
        grey = np.where(away < 1, random.uniform(2, 40), grey)
    grey = ndimage.gaussian_filter(grey, 0.7) + random.normal(0, 4, grey.shape)
    return np.clip(grey, 1, 255).astype(np.uint8)


def site_of(clip, kind, random):
    """Draw the pixels of a site: of several kinds, also at the border and in several pieces."""
    mask = np.zeros(clip.shape, bool)
    if kind == "cavity":
        parts = label(clip < 45, connectivity=2)
        return parts == parts[80, 80]
    if kind == "pieces":
        mask[60:64, 70:100] = mask[90:120, 76:79] = True
    elif kind == "corner":
        mask[: random.integers(1, 90), : random.integers(1, 30)] = True
    elif kind == "pixel":
        mask[tuple(random.integers(0, CLIP_PX, 2))] = True
    elif kind == "wide":
        mask[40:130, 1:159] = random.uniform(size=(90, 158)) < 0.4
    return mask


def slowly_described(clip, site, axis):
    """Measure each descriptor by itself on the whole clip."""
    black = clip == 0
    steel = ~(black.all(axis=0)[None, :] | black.all(axis=1)[:, None])
    phases = clip[steel & (clip > 12)].astype(float)
    ferrite, martensite = np.percentile(phases, (25, 90)) if len(phases) else (0, 0)
    step = max(martensite - ferrite, 60)
    grey = np.where(steel, clip, ferrite).astype(np.float32)
    dark = (grey < max(ferrite - 0.46 * step, min(20, ferrite / 2))) | site
    relief = (ndimage.gaussian_filter(grey, 1) - ferrite) / step
    bright = relief > 0.5
    away = ndimage.distance_transform_edt(~site) * PIXEL_UM
    rows, columns = np.nonzero(site)
    y, x = np.indices(site.shape, dtype=np.float32)
    angle = np.arctan2(y - rows.mean(), x - columns.mean())

    def mean(values, where):
        return values[where].mean(dtype=float) if where.any() else 0.0

    def ring(inner, outer):
        return (away > inner) & (away <= outer)

    values = {
        "mean_depth": (ferrite - mean(grey, site)) / step,
        "greatest_depth": (ferrite - grey[site].min()) / step,
        "martensite": mean(bright, steel),
        "dark_pieces": label(dark & (away < 1.5), connectivity=2).max(),
    }
    slopes = ndimage.gaussian_gradient_magnitude(grey, 1)[(away > 0) & (away < 0.11)] / step
    values["edge"] = slopes.mean() if len(slopes) else 0
    values["edge_lower_fifth"] = np.percentile(slopes, 20) if len(slopes) else 0
    inner = 0
    for outer in (0.06, 0.11, 0.21, 0.35, 0.6, 1.0, 2.0, 4.0):
        values[f"relief_to_{outer}um"] = mean(relief, ring(inner, outer) & steel)
        inner = outer
    inner = 0
    for outer in (0.2, 0.5, 1.0):
        here = ring(inner, outer) & steel
        values[f"charged_to_{outer}um"] = mean(relief > 1.1, here)
        values[f"martensite_to_{outer}um"] = mean(bright, here)
        values[f"spread_to_{outer}um"] = relief[here].std() if here.any() else 0
        inner = outer
    for radius in (1, 2, 4):
        here = (away > 0) & (away < radius) & steel
        values[f"dark_within_{radius}um"] = mean(dark, here)
    joined = ndimage.binary_closing(bright | site, iterations=2)
    thickness = ndimage.distance_transform_edt(joined) * PIXEL_UM
    inner = 0
    for outer in (0.3, 0.8, 1.6):
        here = ring(inner, outer)
        values[f"thickest_to_{outer}um"] = thickness[here].max(initial=0)
        values[f"thickness_to_{outer}um"] = mean(thickness, here)
        inner = outer
    middle, heights = (rows.min() + rows.max()) // 2, []
    for column in (columns.min() - 4, columns.max() + 4):
        line = joined[:, np.clip(column, 0, CLIP_PX - 1)]
        runs = label(line.astype(np.uint8))
        near = [row for row in np.flatnonzero(line) if abs(row - middle) <= 8]
        nearest = min(near, key=lambda row: abs(row - middle), default=None)
        heights.append(0 if nearest is None else (runs == runs[nearest]).sum() * PIXEL_UM)
    values["lower_bridge"], values["higher_bridge"] = sorted(heights)

    def sector(image, number, width, turned, here):
        """Return the mean in a sector; sector 0 is centred on the direction `turned`."""
        own = np.floor((angle - turned) / width + 0.5) % round(2 * np.pi / width) == number
        return mean(image, here & own & steel)

    inner = 0.05
    for number, outer in enumerate((0.25, 0.6, 1.2, 2.5)):
        for name, sides in (("load", (0, 4)), ("across", (2, 6)), ("diagonal", (1, 3, 5, 7))):
            means = [sector(relief, side, np.pi / 4, 0, ring(inner, outer)) for side in sides]
            for place, one in enumerate(sorted(means)):
                values[f"{name}_{number}_{place}"] = one
        for name, sides in (("ends", (0, 2)), ("flanks", (1, 3))) if number < 3 else ():
            means = [sector(bright, side, np.pi / 2, axis, ring(inner, outer)) for side in sides]
            for place, one in enumerate(sorted(means)):
                values[f"{name}_{number}_{place}"] = one
        inner = outer
    turn = ((angle + np.pi) // (2 * np.pi / 24)) % 24
    for radius in (0.15, 0.4, 0.8):
        on_way = abs(away - radius) < 0.08
        way = np.array([mean(relief, on_way & (turn == number)) for number in range(24)])
        bright_way = way > 0.5
        values[f"changes_at_{radius}um"] = sum(bright_way != np.roll(bright_way, 1))
        for order in (1, 2, 3):
            turning = np.exp(-2j * np.pi * order * np.arange(24) / 24)
            values[f"wave_{order}_at_{radius}um"] = abs(way @ turning) / 24
    return values


@pytest.mark.parametrize("kind", ["cavity", "pieces", "corner", "pixel", "wide"])
@pytest.mark.parametrize("missing", [False, True])
def test_descriptors_are_those_of_their_definitions(kind, missing):
    random = np.random.default_rng(7)
    for seed in range(4):
        clip, axis = steel_clip(seed), random.uniform(-np.pi / 2, np.pi / 2)
        site = site_of(clip, kind, random)
        if missing:
            clip[: random.integers(1, 60)] = 0
            clip[:, random.integers(100, 159) :] = 0
        shape = np.zeros(len(SHAPE_NAMES))
        shape[SHAPE_NAMES.index("axis")] = axis
        found = describe_clips(clip[None], site[None], shape[None])[0]
        found = dict(zip(DESCRIPTOR_NAMES, found.tolist(), strict=True))
        expected = slowly_described(clip, site, axis)
        assert expected.keys() == set(MEASURED)
        # Sums in another order, and single precision of the table.
        assert {name: found[name] for name in MEASURED} == pytest.approx(
            expected, rel=2e-6, abs=2e-6
        )


def test_clips_do_not_depend_on_the_others_beside_them():
    random = np.random.default_rng(0)
    clips = np.stack([steel_clip(seed) for seed in range(7)])
    sites = np.stack([site_of(clip, "cavity", random) for clip in clips])
    sites[2] = False
    shapes = random.normal(size=(7, len(SHAPE_NAMES)))
    shapes[2] = np.nan
    together = describe_clips(clips, sites, shapes)
    for order in (slice(3, 4), slice(2, 7), slice(None, None, -1)):
        alone = describe_clips(clips[order], sites[order], shapes[order])
        np.testing.assert_array_equal(alone, together[order])


@pytest.mark.parametrize("seed", range(6))
def test_a_site_that_was_not_counted_is_the_dark_part_nearest_to_the_middle(seed):
    clip = steel_clip(seed)
    # A hole in the part, and another that is open to the side by a corner alone.
    clip[70:100, 84:110] = 5
    clip[76:82, 90:96] = clip[86:92, 98:104] = 75
    clip[100, 110] = clip[69, 83] = 5
    if seed % 2:
        clip[70:100, :84] = clip[:70, 60:110] = 75
    levels = np.percentile(clip[clip > 12].astype(float), (25, 90))
    dark = clip < max(levels[0] - 0.46 * max(np.diff(levels)[0], 60), min(20, levels[0] / 2))
    parts = label(dark, connectivity=2)
    places = np.argwhere(dark)
    row, column = places[np.argmin(((places - CLIP_PX // 2) ** 2).sum(axis=1))]
    site = ndimage.binary_fill_holes(parts == parts[row, column])
    unknown = np.full((1, len(SHAPE_NAMES)), np.nan)
    found = describe_clips(clip[None], np.zeros((1, *clip.shape), bool), unknown)
    np.testing.assert_array_equal(found, describe_clips(clip[None], site[None], unknown))


@pytest.mark.parametrize("share", [1e-4, 0.01, 0.3, 0.9])
def test_distances_and_depths_are_exact(share):
    random = np.random.default_rng(1)
    for shape in ((CLIP_PX, CLIP_PX), (3, LARGEST_PX), (LARGEST_PX, 7), (LARGEST_PX, LARGEST_PX)):
        mask = random.uniform(size=shape) < share
        mask[tuple(random.integers(0, shape))] = True
        # In blobs, so that some pixels are far from the outline.
        blobs = ndimage.binary_dilation(mask, iterations=4)
        for one in (mask, blobs):
            expected = ndimage.distance_transform_edt(~one) ** 2
            np.testing.assert_array_equal(squared_distances(one), np.rint(expected))
        blobs[[0, -1]] = blobs[:, [0, -1]] = False
        depths = np.rint(ndimage.distance_transform_edt(blobs) ** 2)
        rows, columns = (np.sort(random.integers(0, edge + 1, 2)).tolist() for edge in shape)
        for part in ((slice(*rows), slice(*columns)), tuple(slice(0, edge) for edge in shape)):
            np.testing.assert_array_equal(squared_depths(blobs, part), depths[part])
