"""Descriptors of the phases round the candidates of a panorama."""

import itertools
from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd

from damascene.clustering.runs import Runs
from damascene.contracts.phase_descriptors import (
    APART,
    BESIDE,
    BETWEEN,
    ENCLOSED,
    PHASE_DESCRIPTOR_NAMES,
    PHASE_DESCRIPTORS,
    REACH_UM,
    RING_UM,
    SQUARE_UM,
    UNKNOWN,
)
from damascene.descriptors.phase_counts import (
    DIRECTIONS,
    HARD,
    KINDS,
    NEITHER,
    OTHER,
    SiteCounts,
    count_round_site,
    longer_axis,
    ring_table,
)
from damascene.images.store import TiledImage, Window
from damascene.images.tiles import DEFAULT_TILE_PX

#: A fraction is not given where fewer of the pixels than this have a phase.
LEAST_KNOWN = 0.25
# Pixels of a phase from which on its mean grey says something.
_LEAST_GREY_PX = 20
# Fractions up to `RING_UM[1]`: of all pixels, to be enclosed; of a side, to have hard phase there,
# more than the half that the ends of a site on a straight boundary have; of all, to be beside.
_ENCLOSED, _SIDE, _BESIDE = 0.85, 2 / 3, 0.05
_GREY_RINGS = slice(1, 4)


def describe_phases(
    phases: TiledImage,
    image: TiledImage,
    sites: pd.DataFrame,
    *,
    runs: pd.DataFrame,
    hard: int,
    damage: int | None,
    tile_px: int = DEFAULT_TILE_PX,
) -> pd.DataFrame:
    """Describe the phases round the candidates of a panorama.

    Parameters
    ----------
    phases : TiledImage
        Phase map: 0 outside, else the number of the phase.
    image : TiledImage
        Grey values; same shape.
    sites : pandas.DataFrame
        `CANDIDATES`, or some of them.
    runs : pandas.DataFrame
        `CANDIDATE_RUNS` of the panorama.
    hard : int
        Number of the hard phase.
    damage : int or None
        Number of the phase that is damage, if there is one.
    tile_px : int, optional
        Sites whose bounding box begins in one tile are read together; no effect on the result.

    Returns
    -------
    pandas.DataFrame
        `PHASE_DESCRIPTORS`, in the row order of `sites`.
    """
    pixel_um = phases.pixel_size_nm / 1000
    rings = ring_table(np.array(RING_UM) / pixel_um)
    # A pixel more than the rings, for the direction of the outermost.
    reach_px = int(RING_UM[-1] / pixel_um + 0.5) + 2
    half_px = square_half_px(phases.pixel_size_nm)
    kinds_of = kind_table(hard=hard, damage=damage)
    first = np.searchsorted(runs["site_id"], sites["site_id"])
    last = np.searchsorted(runs["site_id"], sites["site_id"], side="right")
    lines = Runs(
        **{
            to: runs[name].to_numpy()
            for to, name in (("row", "y_px"), ("first", "left_px"), ("last", "right_px"))
        }
    )
    boxes = sites[["top_px", "left_px", "height_px", "width_px"]].to_numpy()
    # Pixels whose middle lies in the square, so that a mirror image has the same.
    half = SQUARE_UM / pixel_um / 2
    centres = sites[["y_px", "x_px"]].to_numpy(float)
    squares = np.ceil(centres - half).astype(int), np.floor(centres + half).astype(int) + 1
    table = np.full((len(sites), len(PHASE_DESCRIPTOR_NAMES)), np.nan)
    places = np.full(len(sites), UNKNOWN, dtype=object)
    for some in _by_tile(boxes, tile_px=tile_px):
        outer = _window(boxes[some], margin=max(reach_px, half_px + 2))
        codes, greys = read_padded(phases, outer), read_padded(image, outer)
        counted, by_value = [], []
        for site in some:
            rows, columns = lines[first[site] : last[site]].pixels()
            window = _window(boxes[site : site + 1], margin=reach_px)
            cut = window.slices(origin=outer)
            mask = np.zeros(window.shape, bool)
            mask[rows - window.top, columns - window.left] = True
            axis = longer_axis(rows, columns)
            kinds = kinds_of[codes[cut]]
            counted.append(count_round_site(kinds, greys[cut], mask, axis=axis, rings=rings))
            (top, left), (bottom, right) = (
                each[site] - (outer.top, outer.left) for each in squares
            )
            of_place = codes[cut][mask], codes[top:bottom, left:right].ravel()
            by_value.append([np.bincount(values, minlength=256) for values in of_place])
        of_map = _of_map(np.array(by_value), kinds_of, hard=hard, damage=damage)
        table[some], places[some] = _described(counted, of_map, pixel_um=pixel_um)
    described = sites[["panorama", "site_id"]].reset_index(drop=True)
    described[list(PHASE_DESCRIPTOR_NAMES)] = table
    return described.assign(place=places.astype(str))[list(PHASE_DESCRIPTORS.columns)]


def square_half_px(pixel_size_nm: float) -> int:
    """Return how far the square of the local fraction reaches from its middle pixel."""
    return int(SQUARE_UM * 1000 / pixel_size_nm / 2)


def kind_table(*, hard: int, damage: int | None) -> np.ndarray:
    """Return the kind of pixel, uint8 (256,), by its value in the phase map."""
    kinds = np.full(256, OTHER, np.uint8)
    kinds[0], kinds[hard] = NEITHER, HARD
    if damage is not None:
        kinds[damage] = NEITHER
    return kinds


def read_padded(image: TiledImage, window: Window) -> np.ndarray:
    """Return the pixels of a window that may leave the image, 0 outside."""
    rows, columns = image.shape
    inside = Window(
        top=min(max(window.top, 0), rows),
        left=min(max(window.left, 0), columns),
        bottom=max(min(window.bottom, rows), 0),
        right=max(min(window.right, columns), 0),
    )
    pixels = np.zeros(window.shape, np.uint8)
    pixels[inside.slices(origin=window)] = image.read(inside)
    return pixels


def _by_tile(boxes: np.ndarray, *, tile_px: int) -> Iterator[np.ndarray]:
    """Yield the rows of the sites that begin in each tile."""
    if not len(boxes):
        return
    tiles = boxes[:, :2] // tile_px
    order = np.lexsort((tiles[:, 1], tiles[:, 0]))
    changes = np.flatnonzero((np.diff(tiles[order], axis=0) != 0).any(axis=1)) + 1
    yield from np.split(order, changes)


def _window(boxes, *, margin):
    (top, left), (bottom, right) = (
        boxes[:, :2].min(axis=0),
        (boxes[:, :2] + boxes[:, 2:]).max(axis=0),
    )
    return Window(
        top=int(top) - margin,
        left=int(left) - margin,
        bottom=int(bottom) + margin,
        right=int(right) + margin,
    )


def _of_map(by_value, kinds_of, *, hard, damage):
    """Return what a map says of sites alone: fraction in the square, hard phase and damage.

    `by_value` has the pixels of each value, in the site and in its square: (sites, 2, 256).
    """
    own, square = by_value[:, 0] / by_value[:, 0].sum(axis=1, keepdims=True), by_value[:, 1]
    of_kind = np.stack([square[:, kinds_of == kind].sum(axis=1) for kind in range(KINDS)], axis=1)
    no_phase = np.full(len(own), np.nan)
    return _fraction(of_kind), own[:, hard], no_phase if damage is None else own[:, damage]


def _shares():
    """Return the part of each direction that counts for right, left, lower and upper side."""
    shares = np.zeros((DIRECTIONS, 4))
    for number, (x, y) in enumerate(itertools.product((-1, 0, 1), repeat=2)):
        to = np.array([x > 0, x < 0, y > 0, y < 0], float)
        # Between opposite sides, a pixel lies on each of the four by a quarter.
        shares[number] = to / to.sum() if to.any() else 0.25
    return shares


def _fraction(pixels: np.ndarray) -> np.ndarray:
    """Return the fraction of hard phase among the phases, by the last axis; NaN without enough."""
    pixels = np.asarray(pixels, float)
    known = pixels[..., HARD] + pixels[..., OTHER]
    enough = (known > 0) & (known >= LEAST_KNOWN * pixels.sum(axis=-1))
    return np.divide(pixels[..., HARD], known, out=np.full(known.shape, np.nan), where=enough)


def _described(
    counted: Sequence[SiteCounts], of_map: Sequence[np.ndarray], *, pixel_um: float
) -> tuple[np.ndarray, np.ndarray]:
    """Turn the counts of sites into descriptors, float64 (sites, names), and their places."""
    pixels = np.stack([one.pixels for one in counted])
    by_ring, shares = pixels.sum(axis=(2, 3)), _shares()
    in_square, own_hard, own_damage = of_map
    # Sites, rings, sides, kinds: right, left, lower, upper; then ends and flanks.
    of_picture = np.einsum("nrabk,as->nrsk", pixels, shares)
    of_site = np.einsum("nrabk,bs->nrsk", pixels, shares)
    sides = np.concatenate([of_picture, of_site], axis=2)
    opposite = np.sort(_fraction(sides).reshape(*sides.shape[:2], 4, 2), axis=-1)
    outline = np.stack([one.outline for one in counted])
    grey = np.stack([one.grey_sums for one in counted])[:, _GREY_RINGS].sum(axis=1)
    number = by_ring[:, _GREY_RINGS].sum(axis=1)
    means = np.where(number >= _LEAST_GREY_PX, grey / np.maximum(number, 1), np.nan)
    islands = [one.islands_px for one in counted]
    nearest_um = np.array([one.nearest_px for one in counted]) * pixel_um
    known = (by_ring[..., HARD] + by_ring[..., OTHER]).sum(axis=1) > 0
    table = np.column_stack(
        [
            np.where(known, np.minimum(nearest_um, REACH_UM), np.nan),
            _fraction(by_ring),
            in_square,
            # Names run over sides, then rings, then low and high.
            opposite.transpose(0, 2, 1, 3).reshape(len(counted), -1),
            outline[:, [HARD, OTHER]] / outline.sum(axis=1, keepdims=True),
            [len(each) for each in islands],
            [each.max(initial=0) * pixel_um**2 for each in islands],
            [each.sum() * pixel_um**2 for each in islands],
            means[:, HARD] - means[:, OTHER],
            own_hard,
            own_damage,
        ]
    )
    close = slice(2)
    return table, _places(_fraction(by_ring[:, close].sum(axis=1)), sides[:, close].sum(axis=1))


def _places(fraction, sides):
    """Say what sites are to the hard phase, by what stands close to them.

    Parameters
    ----------
    fraction : numpy.ndarray, float, shape (sites,)
        Of hard phase close by.
    sides : numpy.ndarray, float, shape (sites, 8, KINDS)
        Pixels on each side; opposite sides follow on each other.
    """
    on_side = (_fraction(sides) >= _SIDE).reshape(len(sides), 4, 2)
    between = on_side.all(axis=-1).any(axis=-1)
    return np.select(
        [np.isnan(fraction), fraction >= _ENCLOSED, between, fraction >= _BESIDE],
        [UNKNOWN, ENCLOSED, BETWEEN, BESIDE],
        APART,
    )
