"""Grid files: the cells of a panorama that touch without overlap, and the image of each."""

import unicodedata
from dataclasses import dataclass
from pathlib import Path

from damascene import InputError
from damascene.contracts.text_tables import read_rows
from damascene.problems import told_together

_COLUMNS = ("file", "column", "row")
#: Endings of text tables; a file with another one is an image.
_TABLES = (".tsv", ".tab", ".txt", ".csv")


@dataclass(frozen=True, kw_only=True)
class Cell:
    """One cell of a grid: its image, as listed and on disk, and its place from the upper left."""

    name: str
    path: Path
    column: int
    row: int
    line: int


def is_table(source: str | Path) -> bool:
    """Say whether a source is a grid file or a list of frames, by its name."""
    return Path(source).suffix.lower() in _TABLES


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
        For every row in which a place is not a whole number from 0 up, an image or a place comes
        twice, or an image does not exist; or if a column is missing. Lines are counted from 1, the
        header included.
    """
    source = Path(source)
    folder = source.parent if tile_folder is None else Path(tile_folder)
    found, lines = read_rows(source, what="grid file")
    missing = [name for name in _COLUMNS if name not in found]
    if missing:
        raise InputError(
            f"{source}, row 1: column {', '.join(missing)} missing. A grid file is separated by "
            f"tabs and has the columns {', '.join(_COLUMNS)}; found: {', '.join(found)}."
        )
    if not lines:
        raise InputError(f"{source} names no cell. Add one row for each tile of the panorama.")
    cells = []
    with told_together() as problems:
        for number, line in lines:
            with problems.kept():
                cells.append(_cell(line, number, source=source, folder=folder))
        _check_unique(cells, source=source, problems=problems)
    return sorted(cells, key=lambda cell: (cell.row, cell.column))


def image_path(name: str, *, folder: Path, place: str) -> Path:
    """Return the path of an image that a table names.

    Raises
    ------
    InputError
        If nothing is named, or there is no such file. `place` is where it is named.
    """
    if not name:
        raise InputError(f"{place}: empty. Name the image.")
    path = folder / name
    if not path.is_file():
        slashes = " Folders are separated by '/', not by '\\'." if "\\" in name else ""
        raise InputError(
            f"{place}: {path} does not exist. Correct the name, or delete the row if the image is "
            f"missing from the panorama.{slashes}"
        )
    return path


def named_before(path: Path, line: int, *, seen: dict[str, tuple[Path, int]]) -> int | None:
    """Return the line that named a file already, and keep in `seen` that this one does.

    One file has several names: with './', by a link, and in other letters on some disks.
    """
    key = unicodedata.normalize("NFC", str(path.resolve())).casefold()
    before, its_line = seen.setdefault(key, (path, line))
    return its_line if its_line != line and before.samefile(path) else None


def _cell(line, number, *, source, folder):
    path = image_path(line["file"], folder=folder, place=f"{source}, row {number}, column file")
    place = {}
    for column in ("column", "row"):
        text = line[column]
        # str.isdecimal alone would take digits of other scripts.
        if not (text.isascii() and text.isdecimal()):
            raise InputError(
                f"{source}, row {number}, column {column}: {text!r} is not a whole number from 0 "
                "up. Count the cells of the grid from the upper left, beginning with 0."
            )
        place[column] = int(text)
    return Cell(name=line["file"], path=path, line=number, **place)


def _check_unique(cells, *, source, problems):
    files, places = {}, {}
    for cell in cells:
        before = named_before(cell.path, cell.line, seen=files)
        if before:
            problems.add(
                f"{source}, row {cell.line}, column file: {cell.path.name} was named in row "
                f"{before} already. An image belongs to one cell."
            )
        before = places.setdefault((cell.column, cell.row), cell.line)
        if before != cell.line:
            problems.add(
                f"{source}, row {cell.line}, columns column and row: the cell at column "
                f"{cell.column}, row {cell.row} was given in row {before} already. "
                "Delete one of the two."
            )
