"""Read tables that people edit, with messages that name the file, the row and the column.

Sample sheets, grid files, lists of frames and label files all come in here. A row is a line: a
quotation mark never joins two of them. Cells are separated by tabs; a cell in quotation marks, as
spreadsheets write one that holds a tab or such a mark, is read as it was meant.
"""

import difflib
import re
from collections.abc import Iterable
from pathlib import Path

import pandas as pd

from damascene import InputError
from damascene.problems import FIRST_ROW, named_rows, place, told_together
from damascene.text_files import in_keyboard_letters, plain_name, read_lines_of

__all__ = ("numbers", "place", "read_rows", "read_text_table", "require_columns")

# Files that may have other formats.
_OR = {"label file": " Or name its format in the configuration: docs/exchange.md has them."}
_SAVE = "Save it as tab-separated UTF-8 text."
# Spaces that nobody sees and that `strip` leaves in place, and the end of a file of DOS.
_INVISIBLE = "\ufeff\u200b\u200c\u200d\u2060\x1a"
_QUOTED = re.compile(r'"((?:[^"]|"")*)"')
_QUOTED_LINE = re.compile(r'(?:"(?:[^"]|"")*"|[^\t]*)(?:\t|$)')
# pandas names a column without a name so.
_UNNAMED = re.compile(r"|Unnamed: \d+(?:_level_\d+)?")
_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)


def read_text_table(path: Path, *, what: str) -> pd.DataFrame:
    """Read a tab-separated table as text, without spaces round the cells.

    Takes what `read_rows` takes.

    Returns
    -------
    pandas.DataFrame
        Of str. The index counts the lines of the file below its first one, from 0, so that
        `place` names the row that an editor shows.

    Raises
    ------
    InputError
        As by `read_rows`, or if there are no rows.
    """
    columns, rows = read_rows(path, what=what)
    if not rows:
        raise InputError(f"{path}: the {what} has no rows. Add one row below the header.")
    index = [number - FIRST_ROW for number, _ in rows]
    return pd.DataFrame([cells for _, cells in rows], index=index, columns=columns, dtype=str)


def read_rows(path: Path, *, what: str) -> tuple[list[str], list[tuple[int, dict[str, str]]]]:
    """Read the rows of a tab-separated table.

    What spreadsheets leave behind is no row or column: empty lines, and columns without a name in
    which nothing stands.

    Parameters
    ----------
    path : pathlib.Path
    what : str
        What the file is for, as in "sample sheet".

    Returns
    -------
    columns : list of str
    rows : list of (int, dict of str to str)
        The number of the line, where the header is in line 1 as a rule, and its cells.

    Raises
    ------
    InputError
        If the file cannot be opened, is of another kind, has a column twice, or rows that do not
        have as many cells as the header. All such rows are named at once.
    """
    lines = [
        (number, line)
        for number, line in enumerate(read_lines_of(path, what=what, save=_SAVE), 1)
        if any(map(_bare, line.split("\t")))
    ]
    if not lines:
        raise InputError(f"{path}: the {what} is empty. It needs a header and one row below it.")
    _refuse_other_kinds(path, lines, what=what)
    _, line = lines.pop(0)
    columns = [plain_name(name) for name in _cells(line)]
    while not columns[-1]:
        columns.pop()
    rows = _rows(path, lines, columns, what=what)
    used = [
        place
        for place, name in enumerate(columns)
        if not _UNNAMED.fullmatch(name) or any(cells[place] for _, cells in rows)
    ]
    _check_header(path, columns, used, rows)
    return (
        [columns[place] for place in used],
        [(number, {columns[place]: cells[place] for place in used}) for number, cells in rows],
    )


def _rows(path, lines, columns, *, what):
    rows, wrong = [], {}
    for number, line in lines:
        cells = _cells(line, expected=len(columns))
        if len(cells) == len(columns):
            rows.append((number, cells))
        else:
            wrong.setdefault(len(cells), []).append(number)
    with told_together() as problems:
        for count, numbers_ in sorted(wrong.items()):
            has = "has" if len(numbers_) == 1 else "have"
            fewer = count < len(columns)
            problems.add(
                f"{path}, {named_rows(numbers_)} {has} {count} "
                f"{'cell' if count == 1 else 'cells'}, the header of the {what} has "
                f"{len(columns)}. "
                + (
                    "A tab is missing: also an empty cell is followed by one, and a line break "
                    "within a cell is not possible."
                    if fewer
                    else "Remove a tab, or name the column in the header."
                )
            )
    return rows


def _cells(line, *, expected=None):
    """Return the cells of a line; where marks of quotation allow two readings, the one that fits.

    A mark that stands alone, for "the same" or for inches, is text.
    """
    cells = _trimmed(line.split("\t"), expected)
    if expected is not None and len(cells) > expected:
        # The last match is the empty one behind the line.
        parts = [found[0].removesuffix("\t") for found in _QUOTED_LINE.finditer(line)]
        joined = _trimmed(parts if line.endswith("\t") else parts[:-1], expected)
        if len(joined) == expected:
            cells = joined
    return [_bare(cell) for cell in cells]


def _trimmed(cells, expected):
    """Return cells without empty ones behind those that the header has."""
    while expected is not None and len(cells) > expected and not _bare(cells[-1]):
        cells = cells[:-1]
    return cells


def _bare(cell):
    """Return a cell without spaces round it, and without the marks that a spreadsheet put there."""
    cell = _stripped(cell)
    quoted = _QUOTED.fullmatch(cell)
    return _stripped(quoted[1].replace('""', '"')) if quoted else cell


def _stripped(text):
    while (less := text.strip().strip(_INVISIBLE)) != text:
        text = less
    return text


def _refuse_other_kinds(path, lines, *, what):
    """Say of text that is no table of tab-separated cells what it is and what to give instead."""
    text = "\n".join(line for _, line in lines[:50])
    header = _stripped(lines[0][1])
    found = None
    if header.startswith("<"):
        voc = "<annotation" in text
        found = "XML (of Pascal VOC, as labelImg writes it)" if voc else "XML or HTML"
    elif header[0] in "{[" and "\t" not in header:
        found = "JSON"
    if found:
        raise InputError(
            f"{path} is {found} and no {what}. Give a table of tab-separated text: a header with "
            f"the names of the columns and one row for each entry.{_OR.get(what, '')}"
        )
    if re.search(r"^\s*dim\s*=\s*\d|^\s*#\s*Define the number of dim", text, flags=re.MULTILINE):
        raise InputError(
            f"{path} is a tile configuration of Fiji and no {what}. Name the frames in a table of "
            "tab-separated text with the columns file, x_px, y_px: one row for each of its lines "
            "'name; ; (x, y)'."
        )
    if "\t" in header:
        return
    for mark, name in ((";", "semicolons"), (",", "commas"), ("|", "bars")):
        if mark in header:
            raise InputError(
                f"{path}, row {lines[0][0]}: the {what} is separated by {name} ('{header[:60]}'). "
                "Separate its cells by tabs: save it as tab-separated text, or replace each "
                f"'{mark}' between cells by a tab.{_OR.get(what, '')}"
            )
    if len(header.split()) > 1:
        raise InputError(
            f"{path}, row {lines[0][0]}: there is no tab in the header of the {what} "
            f"('{header[:60]}'). Separate cells by tabs, not by spaces."
        )


def _check_header(path, columns, used, rows):
    names = [columns[place] for place in used]
    with told_together() as problems:
        for name in dict.fromkeys(name for name in names if names.count(name) > 1 and name):
            problems.add(f"{path}: column '{name}' is in the header twice.")
        for place_ in used:
            if not columns[place_]:
                filled = [number for number, cells in rows if cells[place_]]
                problems.add(
                    f"{path}, {named_rows(filled)}: cell {place_ + 1} stands in a column without a "
                    "name. Name the column in the header, or remove a tab."
                )


def require_columns(table: pd.DataFrame, names: Iterable[str], *, path: Path) -> None:
    """Raise `InputError` for all missing columns, with the nearest names in the file."""
    with told_together() as problems:
        for name in names:
            if name not in table.columns:
                near = difflib.get_close_matches(name, table.columns, n=1)
                hint = (
                    f"is '{near[0]}' meant for it?"
                    if near
                    else f"found: {', '.join(table.columns)}."
                )
                problems.add(f"{path}: column '{name}' is missing; {hint}")


def numbers(column: pd.Series, *, path: Path) -> pd.Series:
    """Return a column of text as numbers, NaN where a cell is empty.

    Digits of full width and minus signs of typography are read; commas, units, raised and ringed
    digits are not guessed at.

    Raises
    ------
    InputError
        With the rows and the text of all cells that are not numbers.
    """
    values = pd.Series(float("nan"), index=column.index, name=column.name)
    with told_together() as problems:
        for index, cell in column.items():
            if not cell:
                continue
            value = parse_number(cell)
            if value is None:
                problems.at(
                    path,
                    index,
                    column.name,
                    f"'{cell}' is not a number. Use a point for decimals and no unit.",
                )
            else:
                values[index] = value
    return values


def parse_number(text: str) -> float | None:
    """Return the number that a cell holds, None if it holds another text or one without end."""
    plain = in_keyboard_letters(text)
    value = float(plain) if _NUMBER.fullmatch(plain) else float("inf")
    return value if abs(value) < float("inf") else None
