"""Panoramas as the user gives them: one image, or a grid file whose cells are images."""

from collections import Counter
from dataclasses import dataclass, fields
from pathlib import Path

from damascene import InputError
from damascene.images.formats import parse_header
from damascene.images.grids import is_table, read_grid
from damascene.images.headers import read_header
from damascene.images.image_header import ImageHeader
from damascene.images.microscopes.common import Acquisition
from damascene.images.orientation import TURNS
from damascene.images.pixel_sizes import PixelSize, common_size
from damascene.images.source_files import source_files
from damascene.problems import at, told_together

# Python with its libraries, two rows of tiles, and what finding the valid area takes.
_BASE_MEGABYTES = 1200
# What checking the data of a JPEG takes, measured for grey and for colour.
_JPEG_BYTES = 21


@dataclass(frozen=True, kw_only=True)
class Source:
    """A panorama to import: the header of each image by its cell (row, column) of the grid.

    A single image is a grid of one cell. Cells of the grid without an image are missing. `files`
    are the image, or the grid file and its images, as by `source_files`.
    """

    path: Path
    files: tuple[tuple[str, Path], ...]
    cells: dict[tuple[int, int], ImageHeader]
    rows: int
    columns: int
    cell_width_px: int
    cell_height_px: int

    @property
    def pixel_size(self) -> PixelSize:
        """What the headers say of the pixel size."""
        return common_size([(cell.path.name, cell.pixel_size) for cell in self.cells.values()])

    @property
    def pixel_size_nm(self) -> float | None:
        """Edge of a pixel in nanometres, None where no header names a usable one."""
        return self.pixel_size.nm

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of the panorama in pixels."""
        return self.rows * self.cell_height_px, self.columns * self.cell_width_px

    @property
    def valid_px(self) -> int:
        """Pixels that an image covers."""
        return len(self.cells) * self.cell_height_px * self.cell_width_px


def open_source(
    source: str | Path,
    *,
    tile_folder: Path | None = None,
    **options,
) -> Source:
    """Check that a panorama can be imported, from headers alone.

    Parameters
    ----------
    source : path of an image (TIFF, OME-TIFF, PNG, JPEG) or a grid file (.tsv)
    tile_folder : pathlib.Path, optional
        Where the images of a grid lie; beside the grid file if not given.
    **options
        How each image is read, as for `read_header`: page, data_bar_px, bit_depth, invert.

    Raises
    ------
    InputError
        If a file is missing, truncated or of a type that cannot be imported, or the grid file is
        wrong; the message names file, row and column, and says what to do.
    """
    source = Path(source)
    if not is_table(source):
        header = read_header(source, **options)
        cells = {(0, 0): header}
        return _source(source_files(source), cells)
    if not source.is_file():
        raise InputError(f"{source} does not exist. Correct its path or put the file there.")
    cells = {}
    first = None
    with told_together() as problems:
        for cell in read_grid(source, tile_folder=tile_folder):
            with problems.kept(), at(f"{source}, row {cell.line}, column file"):
                header = read_header(cell.path, **options)
                first = first or header
                _check_alike(header, first)
                cells[cell.row, cell.column] = header
    files = source_files(source, tile_folder=tile_folder)
    return _source(files, cells)


def _source(files, cells):
    any_header = next(iter(cells.values()))
    return Source(
        path=files[0][1],
        files=tuple(files),
        cells=cells,
        rows=max(row for row, _ in cells) + 1,
        columns=max(column for _, column in cells) + 1,
        cell_width_px=any_header.width_px,
        cell_height_px=any_header.height_px,
    )


def _check_alike(header, first):
    if (header.width_px, header.height_px) != (first.width_px, first.height_px):
        bars = header.data_bar_px != first.data_bar_px
        raise InputError(
            f"{header.path.name} has {_size(header)}, {first.path.name} {_size(first)}. "
            "The tiles of a grid have one size; stitch frames of different size before the import"
            + (", or state the rows of the data bar in the column data_bar_px." if bars else ".")
        )
    if header.bits != first.bits:
        raise InputError(
            f"{header.path.name} has {header.bits} bits a pixel, {first.path.name} "
            f"{first.bits}. Save the tiles of a grid with one bit depth."
        )


def _size(header):
    bar = f" without a data bar of {header.data_bar_px} rows" if header.data_bar_px else ""
    return f"{header.width_px} x {header.height_px} pixels{bar}"


def shared_acquisition(headers: list[ImageHeader]) -> tuple[Acquisition, list[str]]:
    """Return how the images of a panorama were taken, as far as their headers agree.

    Returns
    -------
    acquisition : Acquisition
        None where no header says or they differ; of `acquired` the earliest.
    notes : list of str
        Which fields differ.
    """
    shared, notes = {}, []
    for name in (field.name for field in fields(Acquisition)):
        values = {getattr(header.acquisition, name) for header in headers} - {None}
        alike = len(values) == 1 or (values and name == "acquired")
        shared[name] = min(values) if alike else None
        if len(values) > 1 and not alike:
            notes.append(f"{name} differs between images: {min(values)} to {max(values)}")
    return Acquisition(**shared), notes


def data_bar_notes(headers: list[ImageHeader]) -> list[str]:
    """Return what was cut off below the images of a panorama, one sentence a kind."""
    origins = {
        "header": "as the header says",
        "pixels": "found in the pixels",
        "sheet": "as the sample sheet says",
    }
    cut = Counter(
        (header.data_bar_px, header.data_bar_source) for header in headers if header.data_bar_px
    )
    return [
        f"cut off the data bar at the bottom{_share(count, len(headers))}: {rows} rows, "
        f"{origins[source]}"
        for (rows, source), count in sorted(cut.items())
    ]


def picture_notes(headers: list[ImageHeader]) -> list[str]:
    """Return how the images of a panorama were turned, and what in them is no picture."""
    total = len(headers)
    notes = []
    if beside := [header.side_file.name for header in headers if header.side_file]:
        notes.append(f"read what {beside[0]} says{_share(len(beside), total)} of the image")
    turns = Counter(header.orientation for header in headers if header.orientation in TURNS)
    notes += [
        f"{TURNS[orientation]}{_share(count, total)}, as the orientation {orientation} in the "
        "header says"
        for orientation, count in sorted(turns.items())
    ]
    if alpha := sum(header.alpha is not None for header in headers):
        notes.append(
            f"left pixels with an alpha below a half{_share(alpha, total)} out of the valid area"
        )
    if absent := sum(header.absent > 0 for header in headers):
        parts = sum(header.absent for header in headers)
        notes.append(
            "left tiles or strips that were never written out of the valid area: "
            f"{parts}{_share(absent, total)}"
        )
    return notes


def _share(count, total):
    return f" of {count} of {total} images" if total > 1 else ""


def missing_cells_note(source: Source) -> list[str]:
    """Return a sentence on the cells without an image, or nothing if there are none."""
    total = source.rows * source.columns
    missing = total - len(source.cells)
    if not missing:
        return []
    return [f"{missing} of {total} cells of the grid are missing and not part of the valid area"]


def needed_megabytes(
    source: str | Path, *, tile_folder: Path | None = None, page: int | None = None
) -> int:
    """Return the memory that the import of a panorama takes, from the header of its first image.

    PNG and JPEG are decoded whole, and so is a TIFF in one compressed piece; else memory does not
    grow with the image. A grid is put together by whole rows of cells.
    """
    cells, columns = [source], 1
    if is_table(source):
        grid = read_grid(source, tile_folder=tile_folder)
        cells, columns = [cell.path for cell in grid], max(cell.column for cell in grid) + 1
    header = parse_header(cells[0], page=page)
    cell_bytes = header.width_px * header.height_px * (header.bits // 8)
    whole_bytes = 0 if header.in_parts else header.samples * cell_bytes
    row_bytes = columns * cell_bytes if columns > 1 else 0
    checked_bytes = _JPEG_BYTES * header.width_px * header.height_px * (header.kind == "JPEG")
    # Decoded beside encoded; a row of the grid beside the one being compressed.
    return _BASE_MEGABYTES + (2 * (whole_bytes + row_bytes) + checked_bytes) // 10**6
