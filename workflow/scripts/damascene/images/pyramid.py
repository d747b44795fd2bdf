"""Bands of an image, the levels of its pyramid, and the compressed tiles of both."""

from collections.abc import Iterable, Iterator
from concurrent.futures import Executor
from typing import BinaryIO

import imagecodecs
import numpy as np

TILE_PX = 512
# The smallest pyramid level still shows structure on a screen.
SMALLEST_LEVEL_PX = 1024


def level_shapes(shape: tuple[int, int]) -> list[tuple[int, int]]:
    """Return rows and columns of the levels of a pyramid below the full size."""
    shapes = []
    rows, columns = shape
    while max(rows, columns) > SMALLEST_LEVEL_PX:
        rows, columns = (rows + 1) // 2, (columns + 1) // 2
        shapes.append((rows, columns))
    return shapes


def bands_of(strips: Iterable[np.ndarray], *, shape: tuple[int, int]) -> Iterator[np.ndarray]:
    """Cut and join strips so that each, but the last, is as high as a tile.

    Raises
    ------
    ValueError
        If the strips do not add up to an 8-bit image of this shape.
    """
    rows = filled = 0
    band = np.empty((TILE_PX, shape[1]), np.uint8)
    for strip in strips:
        if strip.ndim != 2 or strip.shape[1] != shape[1] or strip.dtype != np.uint8:
            raise ValueError(f"strip {strip.shape} {strip.dtype} does not fit an image {shape}")
        rows += len(strip)
        taken = 0
        while taken < len(strip):
            more = min(TILE_PX - filled, len(strip) - taken)
            band[filled : filled + more] = strip[taken : taken + more]
            filled, taken = filled + more, taken + more
            if filled == TILE_PX:
                yield band
                # A new one: the last is still being compressed.
                band, filled = np.empty_like(band), 0
    if rows != shape[0]:
        raise ValueError(f"strips have {rows} rows, the image {shape[0]}")
    if filled:
        yield band[:filled]


def filling_levels(
    bands: Iterable[np.ndarray], levels: Iterable[BinaryIO], *, labels: bool = False
) -> Iterator[np.ndarray]:
    """Pass bands on and write them, halved again and again, into the files of the levels.

    `labels`: the values are names, of which the commonest of 2 x 2 pixels stays.
    """
    halved = _commonest if labels else _halved
    # A band of 512 rows can be halved nine times into whole rows; a pyramid has fewer levels for
    # every image under half a million pixels across.
    for band in bands:
        scaled = band
        for level in levels:
            scaled = halved(scaled)
            level.write(scaled)
        # The writer stops asking after its last tile: nothing may be left to do behind the yield.
        yield band


def _even(image):
    rows, columns = image.shape
    if rows % 2 or columns % 2:
        return np.pad(image, ((0, rows % 2), (0, columns % 2)), mode="edge")
    return image


def _commonest(image):
    """Return the commonest value of each 2 x 2 pixels, of two alike that further up and left."""
    image = _even(image)
    a, b, c, d = (image[row::2, column::2] for row in (0, 1) for column in (0, 1))
    # The first has a partner or no other pair is there.
    result = np.where((b == c) | (b == d), b, np.where(c == d, c, a))
    return np.where((a == b) | (a == c) | (a == d), a, result)


def _halved(image):
    image = _even(image)
    total = np.add(image[::2], image[1::2], dtype=np.uint16)
    total = total[:, ::2] + total[:, 1::2]
    total += 2
    total >>= 2
    return total.astype(np.uint8)


def stored_bands(file: BinaryIO, shape: tuple[int, int]) -> Iterator[np.ndarray]:
    """Read back the level of a pyramid, band by band."""
    file.seek(0)
    for top in range(0, shape[0], TILE_PX):
        rows = min(TILE_PX, shape[0] - top)
        yield np.frombuffer(file.read(rows * shape[1]), np.uint8).reshape(rows, shape[1])


def encoded_tiles(
    bands: Iterable[np.ndarray], *, predictor: bool, pool: Executor
) -> Iterator[bytes]:
    """Compress bands tile by tile, one band while the next is being made.

    `predictor`: differences between neighbours are compressed, as TIFF's horizontal predictor.
    """
    waiting = []
    for band in bands:
        tiles = (band[:, left : left + TILE_PX] for left in range(0, band.shape[1], TILE_PX))
        encoded = [pool.submit(_encode, tile, predictor=predictor) for tile in tiles]
        yield from (future.result() for future in waiting)
        waiting = encoded
    yield from (future.result() for future in waiting)


def _encode(tile, *, predictor):
    missing = (TILE_PX - tile.shape[0], TILE_PX - tile.shape[1])
    tile = np.pad(tile, ((0, missing[0]), (0, missing[1])), mode="edge")
    if not predictor:
        return imagecodecs.deflate_encode(tile)
    # Where neighbours differ by noise, more effort makes the file no smaller.
    return imagecodecs.deflate_encode(imagecodecs.delta_encode(tile, axis=-1), level=1)
