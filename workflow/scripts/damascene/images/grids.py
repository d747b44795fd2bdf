"""Grid files: the cells of a panorama that touch without overlap, and the image of each."""

import csv
from dataclasses import dataclass
from pathlib import Path

from damascene import InputError

_COLUMNS = ("file", "column", "row")


@dataclass(frozen=True, kw_only=True)
class Cell:
    """One cell of a grid: its image, and its place counted from the upper left, from 0."""

    path: Path
    column: int
    row: int
    line: int


def read_grid(source: str | Path, *, tile_folder: Path | None = None) -> list[Cell]:
    """Read a grid file: tab-separated, one row per cell, with the columns file, column and row.

    Further columns are ignored. Cells that are not named are missing from the panorama.

    Parameters
    ----------
    source : path of the grid file
    tile_folder : pathlib.Path, optional
        Where the images lie; beside the grid file if not given.

    Returns
    -------
    list of Cell
        Sorted by row, then column.

    Raises
    ------
    InputError
        If a column is missing, a place is not a whole number from 0 up, an image or a place comes
        twice, or an image does not exist. Lines are counted from 1, the header included.
    """
    source = Path(source)
    folder = source.parent if tile_folder is None else Path(tile_folder)
    found, lines = read_lines(source)
    missing = [name for name in _COLUMNS if name not in found]
    if missing:
        raise InputError(
            f"{source}, row 1: column {', '.join(missing)} missing. A grid file is separated by "
            f"tabs and has the columns {', '.join(_COLUMNS)}; found: {', '.join(found) or 'none'}."
        )
    if not lines:
        raise InputError(f"{source} names no cell. Add one row for each tile of the panorama.")
    cells = [_cell(line, number, source=source, folder=folder) for number, line in lines]
    _check_unique(cells, source=source)
    return sorted(cells, key=lambda cell: (cell.row, cell.column))


def read_lines(source: Path) -> tuple[list[str], list[tuple[int, dict[str, str]]]]:
    """Read a tab-separated text file: the names of its columns, and its numbered lines.

    Raises
    ------
    InputError
        If the file cannot be opened or is not text.
    """
    try:
        with source.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file, delimiter="\t")
            reader.fieldnames = [name.strip() for name in reader.fieldnames or []]
            lines = [(reader.line_num, line) for line in reader]
    except OSError as error:
        raise InputError(f"{source} cannot be opened: {error.strerror}.") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{source} is not a text table in UTF-8 ({error}).") from error
    for number, line in lines:
        if any("\n" in cell for cell in line.values() if isinstance(cell, str)):
            raise InputError(
                f"{source}, row {number}: a cell goes on in further rows, which are lost. Close or "
                'remove the quotation mark (") that opens it.'
            )
    return reader.fieldnames, lines


def _cell(line, number, *, source, folder):
    name = (line["file"] or "").strip()
    if not name:
        raise InputError(f"{source}, row {number}, column file: empty. Name the image of the cell.")
    path = folder / name
    if not path.is_file():
        raise InputError(
            f"{source}, row {number}, column file: {path} does not exist. Correct the name, or "
            "delete the row if the cell is missing from the panorama."
        )
    place = {}
    for column in ("column", "row"):
        text = (line[column] or "").strip()
        # str.isdecimal alone would take digits of other scripts.
        if not (text.isascii() and text.isdecimal()):
            raise InputError(
                f"{source}, row {number}, column {column}: {text!r} is not a whole number from 0 "
                "up. Count the cells of the grid from the upper left, beginning with 0."
            )
        place[column] = int(text)
    return Cell(path=path, line=number, **place)


def _check_unique(cells, *, source):
    paths, places = {}, {}
    for cell in cells:
        if cell.path in paths:
            raise InputError(
                f"{source}, row {cell.line}, column file: {cell.path.name} was named in row "
                f"{paths[cell.path]} already. An image belongs to one cell."
            )
        place = (cell.column, cell.row)
        if place in places:
            raise InputError(
                f"{source}, row {cell.line}, columns column and row: the cell at column "
                f"{cell.column}, row {cell.row} was given in row {places[place]} already. "
                "Delete one of the two."
            )
        paths[cell.path] = places[place] = cell.line
