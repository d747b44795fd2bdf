"""Turn the image or the tiles of a panorama into the tiled file that all stages read."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np

from damascene import InputError
from damascene.contracts.panorama_record import PanoramaRecord
from damascene.files import file_states, require_unchanged, written_whole
from damascene.images.decoding import grey_strips
from damascene.images.grey_scale import grey_conversion
from damascene.images.pixel_sizes import agree_on_pixel_size
from damascene.images.record import describe_panorama
from damascene.images.source_files import source_states
from damascene.images.sources import (
    Source,
    data_bar_notes,
    missing_cells_note,
    open_source,
    picture_notes,
    shared_acquisition,
)
from damascene.images.valid_area import write_image_and_mask


def import_panorama(
    *,
    panorama: str,
    source: str | Path,
    tile_folder: Path | None,
    pixel_size_nm: float | None,
    pixel_size_overrides_header: bool = False,
    image_path: str | Path,
    valid_path: str | Path,
    threads: int = 1,
    **options,
) -> PanoramaRecord:
    """Write a panorama and the mask of its valid pixels as tiled 8-bit OME-TIFF.

    Memory holds one row of the grid, or one row of tiles or strips of a TIFF; only PNG and JPEG
    are decoded whole. Data bars are cut off. Cells of the grid without an image are 0.

    16-bit values become 8-bit by the line from 0 to the full scale of their bit depth, see
    `grey_conversion`; record and notes say which.

    Parameters
    ----------
    panorama : str
        Name in the sample sheet.
    source : path of an image or a grid file
    tile_folder : pathlib.Path or None
        Where the images of a grid lie; beside the grid file if None.
    pixel_size_nm : float or None
        Pixel size of the sample sheet; None to take that of the header.
    pixel_size_overrides_header : bool, optional
        Whether that of the sample sheet counts whatever the header says.
    image_path, valid_path : paths of the files to write
        The mask has the codes of `valid_area`.
    threads : int, optional
        Tiles decoded at the same time.
    **options
        How each image is read, as for `read_header`: page, data_bar_px, bit_depth, invert.

    Returns
    -------
    PanoramaRecord

    Raises
    ------
    InputError
        As `open_source` and `agree_on_pixel_size`, and if pixels cannot be decoded or an image
        changes meanwhile. Then neither file is left behind.
    """
    opened = open_source(source, tile_folder=tile_folder, **options)
    size = agree_on_pixel_size(
        panorama=panorama,
        source=source,
        sheet_nm=pixel_size_nm,
        stated=opened.pixel_size,
        overrides=pixel_size_overrides_header,
    )
    headers = list(opened.cells.values())
    acquisition, differences = shared_acquisition(headers)
    states = file_states(path for _, path in opened.files)
    conversion = grey_conversion(headers, panorama=panorama, threads=threads)
    lookup = conversion.lookup
    opened = replace(opened, cells=dict(zip(opened.cells, conversion.headers, strict=True)))
    strips = _panorama_strips(opened, threads=threads)
    with written_whole(image_path, valid_path) as (image_part, valid_part):
        fractions = write_image_and_mask(
            image_part,
            valid_part,
            strips if lookup is None else (lookup[strip] for strip in strips),
            covered=_covered_strips(opened),
            shape=opened.shape,
            pixel_size_nm=size.nm,
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
        pixel_size_nm=size.nm,
        pixel_size_source=size.origin,
        fractions=fractions,
        source=str(source),
        sources=sources,
        acquisition=acquisition,
        grey_scale=conversion.scale,
        notes=[
            *size.notes,
            *picture_notes(headers),
            *data_bar_notes(headers),
            *missing_cells_note(opened),
            *conversion.notes,
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
