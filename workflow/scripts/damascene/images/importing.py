"""Turn the image or the tiles of a panorama into the tiled file that all stages read."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from damascene import InputError
from damascene.contracts.panorama_record import PanoramaRecord
from damascene.files import file_states, require_unchanged, written_whole
from damascene.images.decoding import grey_strips
from damascene.images.image_header import ImageHeader
from damascene.images.record import describe_panorama
from damascene.images.source_files import source_states
from damascene.images.sources import (
    Source,
    agree_on_pixel_size,
    data_bar_notes,
    missing_cells_note,
    open_source,
    picture_notes,
    shared_acquisition,
)
from damascene.images.valid_area import write_image_and_mask

_FULL_16_BIT = 65535
# Voids are the darkest and rarest pixels, and a cut at the dark end would join ferrite to them:
# the lower limit leaves out defective pixels only. At the bright end the charging rims of
# inclusions may be cut.
_LOW_PERCENT = 0.001
_HIGH_PERCENT = 99.9


def import_panorama(
    *,
    panorama: str,
    source: str | Path,
    tile_folder: Path | None,
    pixel_size_nm: float | None,
    image_path: str | Path,
    valid_path: str | Path,
    page: int | None = None,
    data_bar_px: int | None = None,
    threads: int = 1,
) -> PanoramaRecord:
    """Write a panorama and the mask of its valid pixels as tiled 8-bit OME-TIFF.

    Memory holds one row of the grid, or one row of tiles or strips of a TIFF; only PNG and JPEG
    are decoded whole. Data bars are cut off. Cells of the grid without an image are 0.

    16-bit values become 8-bit by one straight line for the whole panorama. Where they spread over
    at least half of the 16-bit range, it is that of the type (0 to 65535), so that the grey values
    of a series stay comparable. Otherwise, too few of the 256 levels would be left, and the line
    runs from the 0.001 to the 99.9 percentile of all pixels above 0. The notes say which.

    Parameters
    ----------
    panorama : str
        Name in the sample sheet.
    source : path of an image or a grid file
    tile_folder : pathlib.Path or None
        Where the images of a grid lie; beside the grid file if None.
    pixel_size_nm : float or None
        Pixel size of the sample sheet; None to take that of the header.
    image_path, valid_path : paths of the files to write
        The mask has the codes of `valid_area`.
    page : int, optional
        Page of TIFFs that hold several images, from 1.
    data_bar_px : int, optional
        Rows of the data bar at the bottom of each image; found out if not given.
    threads : int, optional
        Tiles decoded at the same time.

    Returns
    -------
    PanoramaRecord

    Raises
    ------
    InputError
        As `open_source` and `agree_on_pixel_size`, and if pixels cannot be decoded or an image
        changes meanwhile. Then neither file is left behind.
    """
    opened = open_source(source, tile_folder=tile_folder, page=page, data_bar_px=data_bar_px)
    size_nm, origin = agree_on_pixel_size(
        panorama=panorama,
        source=source,
        sheet_nm=pixel_size_nm,
        header_nm=opened.pixel_size_nm,
    )
    headers = list(opened.cells.values())
    acquisition, differences = shared_acquisition(headers)
    states = file_states(path for _, path in opened.files)
    lookup, conversions = grey_conversion(headers, threads=threads)
    strips = _panorama_strips(opened, threads=threads)
    with written_whole(image_path, valid_path) as (image_part, valid_part):
        fractions = write_image_and_mask(
            image_part,
            valid_part,
            strips if lookup is None else (lookup[strip] for strip in strips),
            covered=_covered_strips(opened),
            shape=opened.shape,
            pixel_size_nm=size_nm,
            name=panorama,
            threads=threads,
        )
        if fractions["no_image"] == 1:
            raise InputError(
                f"{source} is transparent everywhere: its alpha channel is 0, or was never filled. "
                "Save the image without an alpha channel."
            )
        sources = source_states(opened.files, threads=threads)
        require_unchanged(states)
    return describe_panorama(
        panorama=panorama,
        shape=opened.shape,
        pixel_size_nm=size_nm,
        pixel_size_source=origin,
        fractions=fractions,
        source=str(source),
        sources=sources,
        acquisition=acquisition,
        notes=[
            *picture_notes(headers),
            *data_bar_notes(headers),
            *missing_cells_note(opened),
            *conversions,
            *differences,
        ],
    )


def _panorama_strips(source: Source, *, threads: int) -> Iterator[np.ndarray]:
    if source.rows == source.columns == 1:
        for strip in grey_strips(source.cells[0, 0], threads=threads):
            yield strip.grey
        return
    any_header = next(iter(source.cells.values()))
    dtype = np.uint16 if any_header.bits == 16 else np.uint8
    with ThreadPoolExecutor(max_workers=threads) as pool:
        for row in range(source.rows):
            strip = np.zeros((source.cell_height_px, source.shape[1]), dtype)

            def fill(column, row=row, strip=strip):
                if (row, column) in source.cells:
                    left, top = column * source.cell_width_px, 0
                    for grey, _, _ in grey_strips(source.cells[row, column]):
                        strip[top : top + len(grey), left : left + source.cell_width_px] = grey
                        top += len(grey)

            list(pool.map(fill, range(source.columns)))
            yield strip


def _covered_strips(source: Source) -> Iterator[np.ndarray] | None:
    """Return strips over the full width that tell where an image is, None for everywhere."""
    if len(source.cells) == source.rows * source.columns and not _has_holes(source):
        return None
    return _cover(source)


def _has_holes(source):
    return any(header.has_holes for header in source.cells.values())


def _cover(source):
    if source.rows == source.columns == 1:
        yield from (_where_covered(strip) for strip in grey_strips(source.cells[0, 0]))
        return
    for row in range(source.rows):
        strip = np.zeros((source.cell_height_px, source.shape[1]), bool)
        for column in range(source.columns):
            header = source.cells.get((row, column))
            left, top = column * source.cell_width_px, 0
            columns = slice(left, left + source.cell_width_px)
            if header is not None and header.has_holes:
                for part in map(_where_covered, grey_strips(header)):
                    strip[top : top + len(part), columns] = part
                    top += len(part)
            else:
                strip[:, columns] = header is not None
        yield strip


def _where_covered(strip):
    return np.ones(strip.grey.shape, bool) if strip.covered is None else strip.covered


def grey_conversion(
    headers: list[ImageHeader], *, threads: int
) -> tuple[np.ndarray | None, list[str]]:
    """Decide how the grey values of all images of a panorama become 8-bit.

    Parameters
    ----------
    headers : list of ImageHeader
        Of images of one bit depth.
    threads : int
        Segments of a TIFF decoded at the same time.

    Returns
    -------
    lookup : numpy.ndarray of uint8, shape (65536,), or None
        The new value of each; None if the images have 8 bits.
    notes : list of str
        What was done to depth and colour.
    """
    deep = headers[0].bits == 16
    colour = any(header.samples >= 3 for header in headers)
    notes = []
    if not (deep or colour):
        return None, notes
    # One look at all pixels before the first is written: both answers hold for the whole panorama.
    counts, coloured = _survey(headers, threads=threads)
    pixels = sum(header.width_px * header.height_px for header in headers)
    if colour and coloured:
        notes.append(
            "converted from colour to grey by the luminance of ITU-R BT.601 "
            f"(0.299 R + 0.587 G + 0.114 B); {100 * coloured / pixels:.3g} % of the "
            "pixels are coloured"
        )
    elif colour:
        notes.append("converted from colour to grey; the three channels are equal")
    if not deep:
        return None, notes
    lookup, note = _scaling(counts)
    return lookup, [*notes, note]


def _survey(headers, *, threads):
    """Count the grey values of all images together, and the pixels that are coloured."""
    counts = np.zeros(_FULL_16_BIT + 1, np.int64)
    coloured_total = 0
    for header in headers:
        for grey, coloured, _ in grey_strips(header, threads=threads):
            counts += np.bincount(grey.ravel(), minlength=len(counts))
            coloured_total += coloured
    return counts, coloured_total


def _scaling(counts):
    # Zero also fills what a stitching program left empty.
    cumulated = np.cumsum(counts[1:])
    low, high = (
        1 + int(np.searchsorted(cumulated, percent / 100 * cumulated[-1]))
        for percent in (_LOW_PERCENT, _HIGH_PERCENT)
    )
    values = np.arange(_FULL_16_BIT + 1)
    if high - low >= _FULL_16_BIT // 2 or high <= low:
        lookup = (values * 255 + _FULL_16_BIT // 2) // _FULL_16_BIT
        note = f"converted from 16-bit to 8-bit by scaling the full range 0 to {_FULL_16_BIT}"
    else:
        lookup = np.rint(np.clip((values - low) / (high - low), 0, 1) * 255)
        note = (
            f"converted from 16-bit to 8-bit by scaling the range {low} to {high} "
            f"({_LOW_PERCENT} and {_HIGH_PERCENT} percentile); grey values cannot be compared with "
            "those of other panoramas"
        )
    return lookup.astype(np.uint8), note
