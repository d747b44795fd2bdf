"""The tiled, pyramidal OME-TIFF in which panoramas, masks and phase maps are kept.

A window or a strip is read without loading the rest, and Fiji, QuPath and napari open the file
with its pixel size.
"""

import contextlib
import functools
import math
import tempfile
import threading
import uuid
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
import tifffile

from damascene import InputError
from damascene.files import written_whole
from damascene.images.pyramid import (
    TILE_PX,
    bands_of,
    encoded_tiles,
    filling_levels,
    level_shapes,
    stored_bands,
)

# Classic TIFF counts bytes in 32 bits; what is left over is for tags and poorly compressed tiles.
BIGTIFF_FROM_BYTES = 3 * 2**30
# Rows of tiles into which a window reaches.
_KEPT_ROWS = 2
# How every image is stored.
_STORED = {
    "tile": (TILE_PX, TILE_PX),
    "compression": "zlib",
    "photometric": "minisblack",
    "dtype": np.uint8,
    "resolutionunit": "CENTIMETER",
}


@dataclass(frozen=True, kw_only=True)
class Window:
    """A rectangle of an image in pixels: rows `top` to `bottom`, columns `left` to `right`.

    The lower and right bounds are exclusive.
    """

    top: int
    left: int
    bottom: int
    right: int

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return self.bottom - self.top, self.right - self.left

    def grown(self, *, margin: int, within: tuple[int, int]) -> "Window":
        """Return the window with a margin on each side, cut at the borders of an image."""
        return Window(
            top=max(self.top - margin, 0),
            left=max(self.left - margin, 0),
            bottom=min(self.bottom + margin, within[0]),
            right=min(self.right + margin, within[1]),
        )

    def slices(self, *, origin: "Window | None" = None) -> tuple[slice, slice]:
        """Return slices that cut this window from an array that begins at `origin`."""
        top, left = (origin.top, origin.left) if origin else (0, 0)
        return (
            slice(self.top - top, self.bottom - top),
            slice(self.left - left, self.right - left),
        )


def write_tiled(
    path: str | Path,
    strips: Iterable[np.ndarray],
    *,
    shape: tuple[int, int],
    pixel_size_nm: float,
    name: str,
    pyramid: bool = True,
    labels: bool = False,
    threads: int = 1,
) -> None:
    """Write an 8-bit image that arrives as strips from top to bottom as tiled OME-TIFF.

    Memory holds two rows of tiles, one being compressed while the next is made; the levels of the
    pyramid wait in temporary files beside the product. The file is written in place: see
    `files.written_whole`.

    Parameters
    ----------
    path : path of the file to write
    strips : iterable of numpy.ndarray, uint8, shape (any, width)
        Consecutive strips over the full width.
    shape : tuple of int
        Rows and columns of the whole image.
    pixel_size_nm : float
        Edge of a pixel in nanometres.
    name : str
        Name of the image in the OME metadata.
    pyramid : bool, optional
        Add levels of half the size each down to about 1,000 pixels.
    labels : bool, optional
        The values are names, as in phase maps: levels hold the commonest of 2 x 2 pixels instead
        of their mean.
    threads : int, optional
        Tiles compressed at the same time; no effect on the file.

    Raises
    ------
    ValueError
        If the strips do not add up to `shape`.
    """
    path = Path(path)
    shapes = level_shapes(shape) if pyramid else []
    # Differences between neighbours say something of grey values only.
    grey = pyramid and not labels
    options = _STORED | {"predictor": grey}
    pixels_per_cm = 1e7 / pixel_size_nm
    with contextlib.ExitStack() as stack:
        pool = stack.enter_context(ThreadPoolExecutor(max_workers=threads))
        levels = [stack.enter_context(tempfile.TemporaryFile(dir=path.parent)) for _ in shapes]
        writer = stack.enter_context(
            tifffile.TiffWriter(path, bigtiff=math.prod(shape) >= BIGTIFF_FROM_BYTES, ome=True)
        )
        bands = filling_levels(bands_of(strips, shape=shape), levels, labels=labels)
        writer.write(
            encoded_tiles(bands, predictor=grey, pool=pool),
            shape=shape,
            subifds=len(levels),
            metadata=_metadata(name, pixel_size_nm) | {"axes": "YX"},
            resolution=(pixels_per_cm, pixels_per_cm),
            **options,
        )
        for index, (level, level_shape) in enumerate(zip(levels, shapes, strict=True)):
            scaled = pixels_per_cm / 2 ** (index + 1)
            writer.write(
                encoded_tiles(stored_bands(level, level_shape), predictor=grey, pool=pool),
                shape=level_shape,
                subfiletype=1,
                resolution=(scaled, scaled),
                **options,
            )


def _metadata(name, pixel_size_nm):
    return {
        "Name": name,
        # Fixed, so that the same image gives the same bytes.
        "UUID": f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, name)}",
        "PhysicalSizeX": pixel_size_nm / 1000,
        "PhysicalSizeXUnit": "µm",
        "PhysicalSizeY": pixel_size_nm / 1000,
        "PhysicalSizeYUnit": "µm",
    }


def write_planes(
    path: str | Path,
    planes: Sequence[BinaryIO],
    *,
    names: Sequence[str],
    shape: tuple[int, int],
    pixel_size_nm: float,
    name: str,
) -> None:
    """Write 8-bit images of one size as the planes of a tiled OME-TIFF, without a pyramid.

    Parameters
    ----------
    path : path of the file to write, in place: see `files.written_whole`
    planes : sequence of file
        Each holds the bytes of one image, row by row.
    names : sequence of str
        Of the planes, as channels in the OME metadata.
    shape : tuple of int
        Rows and columns.
    pixel_size_nm : float
    name : str
        Name of the image in the OME metadata.
    """
    pixels_per_cm = 1e7 / pixel_size_nm
    total = len(planes) * math.prod(shape)
    with (
        ThreadPoolExecutor(max_workers=1) as pool,
        tifffile.TiffWriter(path, bigtiff=total >= BIGTIFF_FROM_BYTES, ome=True) as writer,
    ):
        writer.write(
            (
                tile
                for plane in planes
                for tile in encoded_tiles(stored_bands(plane, shape), predictor=True, pool=pool)
            ),
            shape=(len(planes), *shape),
            metadata=_metadata(name, pixel_size_nm)
            | {"axes": "CYX", "Channel": {"Name": list(names)}},
            resolution=(pixels_per_cm, pixels_per_cm),
            **_STORED,
            predictor=True,
        )


def write_all_valid(
    path: str | Path, *, shape: tuple[int, int], pixel_size_nm: float, name: str
) -> None:
    """Write the mask (255) of a panorama that is valid everywhere; arguments as `write_tiled`."""
    band = np.full((TILE_PX, shape[1]), 255, np.uint8)
    strips = (band[: shape[0] - top] for top in range(0, shape[0], TILE_PX))
    with written_whole(path) as (part,):
        write_tiled(
            part, strips, shape=shape, pixel_size_nm=pixel_size_nm, name=name, pyramid=False
        )


class TiledImage:
    """A tiled 8-bit TIFF read window by window; safe to share between threads.

    Parameters
    ----------
    path : path of a file written by `write_tiled`
    level : int, optional
        Level of the pyramid, 0 for full size.
    by_windows : bool, optional
        Keep the tiles of the latest two rows decoded, 1 kB for each column of the image: for small
        windows that follow on each other from top to bottom, as those of candidates do. No effect
        on what is read.

    Attributes
    ----------
    shape : tuple of int
        Rows and columns of this level.
    pixel_size_nm : float
        Edge of a pixel of this level in nanometres.
    level_count : int
        Levels in the file.

    Raises
    ------
    InputError
        If the file is not a tiled 8-bit grey TIFF or its header cannot be read.
    """

    def __init__(self, path: str | Path, *, level: int = 0, by_windows: bool = False):
        self.path = Path(path)
        try:
            self._file = tifffile.TiffFile(path)
            levels = self._file.series[0].levels
            self._page = levels[level].keyframe
        except (tifffile.TiffFileError, IndexError, OSError) as error:
            raise InputError(
                f"{path} cannot be read as a panorama: {error}. Delete it and run again."
            ) from error
        if not self._page.is_tiled or self._page.dtype != np.uint8 or self._page.ndim != 2:
            self._file.close()
            raise InputError(f"{path} is not a tiled 8-bit grey TIFF. Import it as a panorama.")
        self.level_count = len(levels)
        self.shape = self._page.shape
        scale = levels[0].shape[1] / self.shape[1]
        self.pixel_size_nm = 1e7 / _ratio(levels[0].keyframe.tags["XResolution"].value) * scale
        self._lock = threading.Lock()
        self._latest = (b"", None)
        self._tiles_per_row = -(-self.shape[1] // self._page.tilewidth)
        kept = _KEPT_ROWS * self._tiles_per_row if by_windows else 0
        self._tile = functools.lru_cache(maxsize=kept)(self._decoded)
        self._lone_value = functools.cache(self._value_of)

    def __enter__(self) -> "TiledImage":  # noqa: D105
        return self

    def __exit__(self, *_) -> None:  # noqa: D105
        self.close()

    def close(self) -> None:
        """Close the file."""
        self._file.close()
        self._tile.cache_clear()

    @property
    def whole(self) -> Window:
        """The window of the whole image."""
        return Window(top=0, left=0, bottom=self.shape[0], right=self.shape[1])

    def read(self, window: Window | None = None) -> np.ndarray:
        """Return the pixels of a window (the whole image without one) as uint8 (rows, columns).

        Raises
        ------
        ValueError
            If the window leaves the image.
        """
        window = window or self.whole
        pixels = np.empty(window.shape, np.uint8)
        for index, top, left in self._tiles_under(window):
            tile = self._tile(index)
            place = Window(
                top=top, left=left, bottom=top + tile.shape[0], right=left + tile.shape[1]
            )
            common = Window(
                top=max(place.top, window.top),
                left=max(place.left, window.left),
                bottom=min(place.bottom, window.bottom),
                right=min(place.right, window.right),
            )
            pixels[common.slices(origin=window)] = tile[common.slices(origin=place)]
        return pixels

    def holds_only(self, window: Window, value: int) -> bool:
        """Tell whether all stored tiles under a window hold one value alone.

        For masks, which are the same nearly everywhere: much faster than reading them, as each tile
        is looked at once. False does not mean that the window holds another value.
        """
        return all(self._lone_value(index) == value for index, _, _ in self._tiles_under(window))

    def _value_of(self, index):
        """Return the only value of a tile, None where it has several."""
        tile = self._tile(index)
        return int(tile[0, 0]) if (tile == tile[0, 0]).all() else None

    def _tiles_under(self, window):
        """Yield number, top row and left column of the tiles under a window."""
        rows, columns = self.shape
        if window.top < 0 or window.left < 0 or window.bottom > rows or window.right > columns:
            raise ValueError(f"{window} leaves an image of {self.shape}")
        high, wide = self._page.tilelength, self._page.tilewidth
        for tile_row in range(window.top // high, -(-window.bottom // high)):
            for tile_column in range(window.left // wide, -(-window.right // wide)):
                index = tile_row * self._tiles_per_row + tile_column
                yield index, tile_row * high, tile_column * wide

    def _decoded(self, index):
        with self._lock:
            handle = self._file.filehandle
            handle.seek(self._page.dataoffsets[index])
            encoded = handle.read(self._page.databytecounts[index])
        # Nearly all tiles of a mask are the same bytes: decoding one serves them all.
        latest, tile = self._latest
        if encoded == latest:
            return tile
        try:
            decoded, _, shape = self._page.decode(encoded, index)
        except Exception as error:
            raise InputError(
                f"{self.path}: tile {index} is damaged ({error}). Delete the file and run again."
            ) from error
        tile = decoded[0, : shape[1], : shape[2], 0]
        self._latest = (encoded, tile)
        return tile


def _ratio(value):
    return value[0] / value[1]


@contextlib.contextmanager
def open_pair(
    image_path: str | Path, valid_path: str | Path, *, by_windows: bool = False
) -> Iterator[tuple[TiledImage, TiledImage]]:
    """Open a panorama and the mask of its valid pixels (255 valid, 0 not); see `TiledImage`."""
    options = {"by_windows": by_windows}
    with TiledImage(image_path, **options) as image, TiledImage(valid_path, **options) as valid:
        if image.shape != valid.shape:
            raise InputError(f"{image_path} {image.shape} and {valid_path} {valid.shape} differ.")
        yield image, valid
