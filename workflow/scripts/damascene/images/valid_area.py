"""Which pixels of a panorama are valid: the mask, its codes, and how it is found.

Not valid are areas that no image covers, that a stitching program left empty, or that charging has
saturated.
"""

import contextlib
import math
import shutil
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from scipy import ndimage

from damascene.files import temporary_path
from damascene.images.blank import STRIP_ROWS, BlankArea, find_blank_area
from damascene.images.store import TiledImage, Window, write_tiled
from damascene.images.tiles import DEFAULT_TILE_PX
from damascene.images.uniform_areas import BLOCK_PX, SATURATED_GREY, measure_extremes

VALID = 255
#: Missing cell of a grid, or outside of all frames.
NO_IMAGE = 0
#: Margin or empty area inside an image.
BLANK = 64
#: Saturated by charging.
CHARGING = 128

#: Saturated areas that take in a disc of this radius hide what lies below them. The rims of
#: martensite islands and of most inclusions are narrower, also where they are saturated.
CHARGING_RADIUS_UM = 0.75
# At a coarse pixel size it would be too few pixels.
_LEAST_CHARGING_RADIUS_PX = 8


def write_image_and_mask(
    image_path: str | Path,
    valid_path: str | Path,
    strips: Iterable[np.ndarray],
    *,
    covered: Iterable[np.ndarray] | None,
    shape: tuple[int, int],
    pixel_size_nm: float,
    name: str,
    threads: int,
) -> dict[str, float]:
    """Write a panorama, then the mask of its valid pixels.

    Parameters
    ----------
    image_path, valid_path : paths of the files to write
    strips, shape, pixel_size_nm, name, threads
        Of the panorama, see `store.write_tiled`.
    covered
        See `write_valid_area`.

    Returns
    -------
    dict of float
        See `write_valid_area`.
    """
    write_tiled(
        image_path,
        strips,
        shape=shape,
        pixel_size_nm=pixel_size_nm,
        name=name,
        threads=threads,
    )
    with TiledImage(image_path) as image:
        return write_valid_area(
            image, valid_path, name=f"{name} valid", covered=covered, threads=threads
        )


def write_valid_area(
    image: TiledImage,
    path: str | Path,
    *,
    name: str,
    covered: Iterable[np.ndarray] | None = None,
    threads: int = 1,
) -> dict[str, float]:
    """Find which pixels of a panorama are valid and write their mask as tiled OME-TIFF.

    A pixel gets the first of these codes that fits:

    - `NO_IMAGE`: no image covers it;
    - `BLANK`: it belongs to an empty area of one grey (`find_blank_area`);
    - `CHARGING`: it belongs to a saturated area that takes in a disc of `CHARGING_RADIUS_UM` (the
      opening of the saturated pixels by that disc);
    - `VALID`.

    Memory holds a few strips of the panorama and two numbers for each block of 8 x 8 pixels.

    Parameters
    ----------
    image : TiledImage
        The panorama at full size.
    path : path of the mask to write
    name : str
        Name of the mask in the OME metadata.
    covered : iterable of numpy.ndarray of bool, shape (any, width), optional
        Consecutive strips over the full width, True where there is an image; an image everywhere
        if None.
    threads : int, optional
        Strips worked on at the same time; no effect on the result.

    Returns
    -------
    dict of float
        The fractions `valid`, `no_image`, `blank` and `charging` of all pixels.

    Raises
    ------
    ValueError
        If the strips of `covered` do not add up to the image.
    """
    path = Path(path)
    codes = {"valid": VALID, "no_image": NO_IMAGE, "blank": BLANK, "charging": CHARGING}
    counts = dict.fromkeys(codes, 0)
    with contextlib.ExitStack() as stack:
        cover = None
        if covered is not None:
            folder = temporary_path(path.with_name(f"{path.name}.cover"))
            folder.mkdir()
            stack.callback(shutil.rmtree, folder, ignore_errors=True)
            cover = stack.enter_context(_kept_on_disk(covered, image=image, folder=folder))
        extremes = measure_extremes(image, cover, threads=threads)
        blank = find_blank_area(image, cover, extremes, threads=threads)

        def counted():
            for strip in _mask_strips(image, cover, blank, extremes.saturated, threads=threads):
                for reason, code in codes.items():
                    counts[reason] += np.count_nonzero(strip == code)
                yield strip

        write_tiled(
            path,
            counted(),
            shape=image.shape,
            pixel_size_nm=image.pixel_size_nm,
            name=name,
            pyramid=False,
        )
    return {reason: float(count / math.prod(image.shape)) for reason, count in counts.items()}


def _kept_on_disk(covered, *, image, folder):
    """Write strips that can be read only once to where windows of them can be read."""
    path = folder / "covered.tif"
    strips = (np.where(strip, np.uint8(VALID), np.uint8(NO_IMAGE)) for strip in covered)
    write_tiled(
        path,
        strips,
        shape=image.shape,
        pixel_size_nm=image.pixel_size_nm,
        name="covered",
        pyramid=False,
    )
    return TiledImage(path)


def _mask_strips(
    image: TiledImage,
    cover: TiledImage | None,
    blank: BlankArea,
    saturated: np.ndarray,
    *,
    threads: int,
) -> Iterator[np.ndarray]:
    """Yield the mask; `saturated` counts the saturated pixels of each block."""
    radius_px = max(CHARGING_RADIUS_UM * 1000 / image.pixel_size_nm, _LEAST_CHARGING_RADIUS_PX)
    least = _least_saturated(radius_px)
    rows, columns = image.shape

    def work(top):
        window = Window(top=top, left=0, bottom=min(top + STRIP_ROWS, rows), right=columns)
        mask = np.full(window.shape, VALID, np.uint8)
        for left in range(0, columns, DEFAULT_TILE_PX):
            right = min(left + DEFAULT_TILE_PX, columns)
            part = Window(top=top, left=left, bottom=window.bottom, right=right)
            if _may_charge(saturated, part, radius_px=radius_px, least=least):
                charging = _charging(image, part, radius_px=radius_px)
                mask[part.slices(origin=window)][charging] = CHARGING
        inside = None if cover is None else cover.read(window) == VALID
        # Most strips need no second look.
        if blank.reaches(top):
            mask[blank.in_strip(image.read(window), inside, top=top)] = BLANK
        if inside is not None:
            mask[~inside] = NO_IMAGE
        return mask

    tops = range(0, rows, STRIP_ROWS)
    with ThreadPoolExecutor(max_workers=threads) as pool:
        # One strip for each thread at a time, so that no more than these are in memory.
        for first in range(0, len(tops), threads):
            yield from pool.map(work, tops[first : first + threads])


def _least_saturated(radius_px):
    """Return how many pixels of 3 x 3 blocks lie in a disc centred in the middle one, at least."""
    place = np.arange(3 * BLOCK_PX)
    # The worst place is a corner of the middle block.
    return np.count_nonzero(np.hypot(*np.meshgrid(*[place - BLOCK_PX] * 2)) <= radius_px)


def _may_charge(saturated, window, *, radius_px, least):
    """Say whether blocks in and around a window have pixels enough for a saturated disc."""
    reach = math.ceil(radius_px / BLOCK_PX) + 1
    rows, columns = (
        np.arange(start // BLOCK_PX - reach, -(-stop // BLOCK_PX) + reach)
        for start, stop in ((window.top, window.bottom), (window.left, window.right))
    )
    # Beyond the panorama the blocks on its border go on.
    clipped = (
        axis.clip(0, size - 1) for axis, size in zip((rows, columns), saturated.shape, strict=True)
    )
    counts = saturated[np.ix_(*clipped)].astype(np.uint16)
    counts = counts[:-2] + counts[1:-1] + counts[2:]
    return (counts[:, :-2] + counts[:, 1:-1] + counts[:, 2:]).max() >= least


def _charging(image, window, *, radius_px):
    """Return where in a window saturated discs lie; beyond the panorama all counts as saturated."""
    # A disc through a pixel reaches twice its radius.
    outer = window.grown(margin=math.ceil(2 * radius_px) + 1, within=image.shape)
    centres = _distance(image.read(outer) >= SATURATED_GREY) > radius_px
    return (_distance(~centres) <= radius_px)[window.slices(origin=outer)]


def _distance(mask):
    """Return the distance to the nearest False, infinite without any."""
    return np.full(mask.shape, np.inf) if mask.all() else ndimage.distance_transform_edt(mask)
