"""The tiles of the viewer: a pyramid of pictures, read from that of a panorama."""

import contextlib
import io
import shutil
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import imagecodecs
import numpy as np
from PIL import Image, ImageColor

from damascene.files import written_whole
from damascene.images.pyramid import TILE_PX
from damascene.images.store import TiledImage, Window
from damascene.images.valid_area import VALID
from damascene.viewer.packs import PACK_TILES, pack_path, pack_script

#: Edge of a tile: that of the TIFF, so that each of its tiles is decoded once.
VIEWER_TILE_PX = TILE_PX
#: Quality of the JPEG pictures: at full size, where most bytes are noise, and of all other levels.
FULL_QUALITY, LEVEL_QUALITY = 28, 40
#: Largest edges of the thumbnail, and of the picture of the valid area.
THUMBNAIL_PX, VALID_PX = 240, 1024
# Part of the grey values of a thumbnail that its stretched contrast cuts off on either side, in %.
_CUT_OFF = 0.5


@contextlib.contextmanager
def whole_folder(path: str | Path) -> Iterator[Path]:
    """Hand out a new folder that takes its place when all went well.

    A folder that lies there is removed first, as no folder can take the place of another.
    """
    shutil.rmtree(path, ignore_errors=True)
    with written_whole(path) as (part,):
        part.mkdir()
        yield part


def write_image_tiles(image: Path, folder: Path, *, key: str, threads: int = 1) -> int:
    """Write the pictures of a panorama at all levels, as JPEG.

    Parameters
    ----------
    image : path
        Of a panorama with its pyramid.
    folder : path
        Empty, or it does not exist.
    key : str
        Path of the folder below that of the page.
    threads : int, optional
        Packs that are made at the same time, each from 16 MB of pixels; no effect on the files.

    Returns
    -------
    int
        Bytes of all files.
    """

    def encoded(pixels, level):
        # A tile that no image covers needs no picture; the page draws it black, too.
        if not pixels.any():
            return b""
        quality = LEVEL_QUALITY if level else FULL_QUALITY
        return imagecodecs.jpeg8_encode(pixels, level=quality, optimize=True)

    return _write_levels(image, folder, key=key, encoded=encoded, first=0, threads=threads)


def write_phase_tiles(
    phases: Path, folder: Path, *, key: str, colours: Mapping[int, str], threads: int = 1
) -> int:
    """Write the pictures of a phase map in colours, without loss, from half of its size on.

    Parameters
    ----------
    phases, folder, key, threads
        As for `write_image_tiles`.
    colours : mapping of int to str
        Of the phases, by their value in the map. Any other value is transparent.

    Returns
    -------
    int
        Bytes of all files.
    """
    palette = [0] * 768
    for value, colour in colours.items():
        palette[3 * value : 3 * value + 3] = ImageColor.getrgb(colour)
    opaque = bytes(255 if value in colours else 0 for value in range(max(colours) + 1))

    def encoded(pixels, _):
        if not np.isin(pixels, list(colours)).any():
            return b""
        # What has no colour takes that of the first value, which is transparent.
        picture = Image.fromarray(np.where(pixels < len(opaque), pixels, 0), mode="P")
        picture.putpalette(palette)
        buffer = io.BytesIO()
        picture.save(buffer, format="png", transparency=opaque, bits=_bits(len(opaque)))
        return buffer.getvalue()

    with TiledImage(phases) as image:
        first = min(1, image.level_count - 1)
    return _write_levels(phases, folder, key=key, encoded=encoded, first=first, threads=threads)


def write_overviews(image: Path, valid: Path, folder: Path, *, key: str) -> None:
    """Write a thumbnail of a panorama, and a small picture of its valid area.

    The picture holds, as grey values, which part of the pixels below one of its own is valid; it
    comes as a data script, whose `step` says how many pixels that are along an edge.

    Parameters
    ----------
    image, valid : path
        Of the panorama and of its mask.
    folder : path
    key : str
        Path of the folder below that of the page.
    """
    with TiledImage(image) as whole:
        last = whole.level_count - 1
    with TiledImage(image, level=last) as level:
        small = thumbnail(level.read())
    (folder / "thumbnail.jpg").write_bytes(imagecodecs.jpeg8_encode(small, level=LEVEL_QUALITY))
    with TiledImage(valid) as mask:
        fractions, step = valid_fractions(mask)
    picture = imagecodecs.png_encode(np.round(255 * fractions).astype(np.uint8))
    script = pack_script(f"{key}/valid.js", [picture])
    (folder / "valid.js").write_bytes(script.replace(b'{"at"', b'{"step":%d,"at"' % step, 1))


def thumbnail(pixels: np.ndarray) -> np.ndarray:
    """Return a small picture of an image, with its contrast stretched.

    Parameters
    ----------
    pixels : numpy.ndarray, uint8, shape (rows, columns)

    Returns
    -------
    numpy.ndarray, uint8
        At most `THUMBNAIL_PX` along an edge.
    """
    step = -(-max(pixels.shape) // THUMBNAIL_PX)
    means = _block_means(pixels, step)
    seen = pixels[pixels > 0]
    low, high = np.percentile(seen, (_CUT_OFF, 100 - _CUT_OFF)) if seen.size else (0, 255)
    return np.clip((means - low) / max(high - low, 1) * 255, 0, 255).astype(np.uint8)


def valid_fractions(mask: TiledImage) -> tuple[np.ndarray, int]:
    """Return which part of an image is valid, block by block.

    Parameters
    ----------
    mask : TiledImage
        Of a panorama.

    Returns
    -------
    numpy.ndarray, float, shape (rows, columns)
        At most `VALID_PX` along an edge. Blocks at the lower and right border count only the
        pixels that there are.
    int
        Edge of a block in pixels, a power of 2.
    """
    step = 1
    while max(mask.shape) > step * VALID_PX:
        step *= 2
    rows, columns = (-(-edge // step) for edge in mask.shape)
    fractions = np.empty((rows, columns))
    # Whole tiles, which are nearly all the same, are looked at once.
    span = max(TILE_PX, step)
    for top in range(0, mask.shape[0], span):
        for left in range(0, mask.shape[1], span):
            window = Window(
                top=top,
                left=left,
                bottom=min(top + span, mask.shape[0]),
                right=min(left + span, mask.shape[1]),
            )
            place = np.s_[
                top // step : -(-window.bottom // step), left // step : -(-window.right // step)
            ]
            if mask.holds_only(window, VALID):
                fractions[place] = 1
            else:
                fractions[place] = _block_means(mask.read(window) == VALID, step)
    return fractions, step


def _write_levels(path, folder, *, key, encoded: Callable, first, threads):
    with TiledImage(path) as image:
        levels = range(first, image.level_count)
    size = 0
    with ThreadPoolExecutor(max_workers=threads) as pool:
        for level in levels:
            (folder / str(level)).mkdir(parents=True, exist_ok=True)
            with TiledImage(path, level=level) as image:
                jobs = [
                    pool.submit(_write_pack, image, folder, key, level, row, column, encoded)
                    for row in range(_packs(image.shape[0]))
                    for column in range(_packs(image.shape[1]))
                ]
                size += sum(job.result() for job in jobs)
    return size


def _write_pack(image, folder, key, level, row, column, encoded):
    span = PACK_TILES * VIEWER_TILE_PX
    window = Window(
        top=row * span,
        left=column * span,
        bottom=min((row + 1) * span, image.shape[0]),
        right=min((column + 1) * span, image.shape[1]),
    )
    pixels = image.read(window)
    edge = VIEWER_TILE_PX
    tiles = [
        encoded(np.ascontiguousarray(pixels[top : top + edge, left : left + edge]), level)
        for top in range(0, pixels.shape[0], edge)
        for left in range(0, pixels.shape[1], edge)
    ]
    path = pack_path(level=level, row=row, column=column)
    return (folder / path).write_bytes(pack_script(f"{key}/{path}", tiles))


def _packs(edge_px):
    return -(-edge_px // (PACK_TILES * VIEWER_TILE_PX))


def _block_means(pixels, step):
    """Return means over blocks; those at the border count only the pixels that there are."""
    starts = [np.arange(0, edge, step) for edge in pixels.shape]
    sums = np.add.reduceat(pixels.astype(np.float64), starts[0], axis=0)
    sums = np.add.reduceat(sums, starts[1], axis=1)
    counts = [np.diff([*start, edge]) for start, edge in zip(starts, pixels.shape, strict=True)]
    return sums / np.outer(*counts)


def _bits(values):
    """Return the bits of a pixel in a PNG with so many colours."""
    return next(bits for bits in (1, 2, 4, 8) if 2**bits >= values)
