"""Panoramas as the user gives them: one image, or a grid file whose cells are images."""

import math
from dataclasses import dataclass
from pathlib import Path

from damascene import InputError
from damascene.images.grids import read_grid
from damascene.images.headers import ImageHeader, read_header

# Two statements of one pixel size may differ by rounding; more than this changes densities.
_PIXEL_SIZE_WITHIN = 0.01


@dataclass(frozen=True, kw_only=True)
class Source:
    """A panorama to import: the header of each image by its cell (row, column) of the grid.

    A single image is a grid of one cell. Cells of the grid without an image are missing.
    """

    path: Path
    cells: dict[tuple[int, int], ImageHeader]
    rows: int
    columns: int
    cell_width_px: int
    cell_height_px: int
    pixel_size_nm: float | None

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of the panorama in pixels."""
        return self.rows * self.cell_height_px, self.columns * self.cell_width_px

    @property
    def valid_px(self) -> int:
        """Pixels that an image covers."""
        return len(self.cells) * self.cell_height_px * self.cell_width_px


def open_source(source: str | Path, *, tile_folder: Path | None = None) -> Source:
    """Check that a panorama can be imported, from headers alone.

    Parameters
    ----------
    source : path of an image (TIFF, OME-TIFF, PNG, JPEG) or a grid file (.tsv)
    tile_folder : pathlib.Path, optional
        Where the images of a grid lie; beside the grid file if not given.

    Raises
    ------
    InputError
        If a file is missing, truncated or of a type that cannot be imported, or the grid file is
        wrong; the message names file, row and column, and says what to do.
    """
    source = Path(source)
    if source.suffix.lower() != ".tsv":
        header = read_header(source)
        return _source(source, {(0, 0): header}, pixel_size_nm=header.pixel_size_nm)
    if not source.is_file():
        raise InputError(f"{source} does not exist. Correct its path or put the file there.")
    cells = {}
    stated = None
    first = None
    for cell in read_grid(source, tile_folder=tile_folder):
        place = f"{source}, row {cell.line}, column file"
        try:
            header = read_header(cell.path)
        except InputError as error:
            raise InputError(f"{place}: {error}") from error
        first = first or header
        _check_alike(header, first, place=place)
        if header.pixel_size_nm is not None:
            stated = stated or header
            if not _agree(header.pixel_size_nm, stated.pixel_size_nm):
                raise InputError(
                    f"{place}: {header.path.name} has a pixel size of {header.pixel_size_nm:g} nm, "
                    f"{stated.path.name} of {stated.pixel_size_nm:g} nm. The tiles of a panorama "
                    "have one magnification; correct the grid file."
                )
        cells[cell.row, cell.column] = header
    return _source(source, cells, pixel_size_nm=stated.pixel_size_nm if stated else None)


def _source(path, cells, *, pixel_size_nm):
    any_header = next(iter(cells.values()))
    return Source(
        path=path,
        cells=cells,
        rows=max(row for row, _ in cells) + 1,
        columns=max(column for _, column in cells) + 1,
        cell_width_px=any_header.width_px,
        cell_height_px=any_header.height_px,
        pixel_size_nm=pixel_size_nm,
    )


def _check_alike(header, first, *, place):
    if (header.width_px, header.height_px) != (first.width_px, first.height_px):
        raise InputError(
            f"{place}: {header.path.name} has {header.width_px} x {header.height_px} pixels, "
            f"{first.path.name} {first.width_px} x {first.height_px}. The tiles of a grid have "
            "one size; stitch frames of different size before the import."
        )
    if header.bits != first.bits:
        raise InputError(
            f"{place}: {header.path.name} has {header.bits} bits a pixel, {first.path.name} "
            f"{first.bits}. Save the tiles of a grid with one bit depth."
        )


def missing_cells_note(source: Source) -> list[str]:
    """Return a sentence on the cells without an image, or nothing if there are none."""
    total = source.rows * source.columns
    missing = total - len(source.cells)
    if not missing:
        return []
    return [f"{missing} of {total} cells of the grid are missing and not part of the valid area"]


def agree_on_pixel_size(
    *, panorama: str, source: str | Path, sheet_nm: float | None, header_nm: float | None
) -> tuple[float, str]:
    """Decide on the pixel size from what the sample sheet and the header of the image state.

    Parameters
    ----------
    panorama : str
        Name of the row of the sample sheet.
    source : path of the image or grid file, for the message
    sheet_nm, header_nm : float or None
        Edge of a pixel in nanometres; None or NaN where nothing is stated.

    Returns
    -------
    pixel_size_nm : float
        That of the sheet if it is given.
    origin : str
        "sheet" or "header".

    Raises
    ------
    InputError
        If neither states one, if that of the sheet is not positive, or if they differ by more
        than 1 %.
    """
    if sheet_nm is None or math.isnan(sheet_nm):
        if header_nm is None:
            raise InputError(
                f"Panorama {panorama}: no pixel size. The header of {source} states none; enter "
                f"it in nanometres in the sample sheet, row {panorama}, column pixel_size_nm."
            )
        return float(header_nm), "header"
    if not 0 < sheet_nm < math.inf:
        raise InputError(
            f"Sample sheet, row {panorama}, column pixel_size_nm: {sheet_nm:g} is not a size. "
            "Enter the edge of a pixel in nanometres, above 0."
        )
    if header_nm is not None and not _agree(sheet_nm, header_nm):
        raise InputError(
            f"Sample sheet, row {panorama}, column pixel_size_nm: the sheet says {sheet_nm:g} nm, "
            f"the header of {source} {header_nm:g} nm. Correct the sheet, or leave the cell empty "
            "to take the header's."
        )
    return float(sheet_nm), "sheet"


def _agree(one_nm, other_nm):
    return abs(one_nm - other_nm) <= _PIXEL_SIZE_WITHIN * other_nm
