"""Read tables whose cells are separated by commas, semicolons or bars, as other programs do."""

import csv
import json
from pathlib import Path

import pandas as pd

from damascene import InputError
from damascene.problems import FIRST_ROW, named_rows, told_together
from damascene.text_files import plain_name, read_lines_of

# A note may be long; a mark of quotation that is missing is told at the end of the file.
csv.field_size_limit(2**30)
_NAMES = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}


def read_separated_table(path: Path, *, what: str, delimiter: str) -> pd.DataFrame:
    """Read a table as text, without spaces round the cells.

    Cells in quotation marks may hold the delimiter and line breaks, as RFC 4180 has it. Empty
    lines, and columns without a name in which nothing stands, are left out.

    Parameters
    ----------
    path : pathlib.Path
    what : str
        What the file is for, as in "label file".
    delimiter : str
        `,`, `;`, `|` or a tab.

    Returns
    -------
    pandas.DataFrame
        Of str. The index counts the lines of the file below its first one, from 0; a row that takes
        several lines is at its last.

    Raises
    ------
    InputError
        If the file cannot be opened, is of another kind or has no rows, a column stands in the
        header twice, or rows have more or fewer cells than the header.
    """
    save = f"Save it as a table with {_NAMES[delimiter]}, in UTF-8."
    lines = read_lines_of(path, what=what, save=save)
    rows, read = [], 0
    try:
        reader = csv.reader((f"{line}\n" for line in lines), delimiter=delimiter, strict=True)
        for cells in reader:
            read = reader.line_num
            plain = [cell.strip().strip("\ufeff") for cell in cells]
            if any(plain):
                rows.append((read, plain))
    except csv.Error as error:
        raise InputError(
            f"{path}, row {read + 1}: {error}. A quotation mark is missing there or one too many. "
            f"{save}"
        ) from error
    if len(rows) < 2:
        raise InputError(f"{path}: the {what} is empty. It needs a header and one row below it.")
    first, columns = rows.pop(0)
    columns = [plain_name(name) for name in columns]
    while not columns[-1]:
        columns.pop()
    _refuse_other_delimiter(path, first, columns, what=what, delimiter=delimiter)
    named = [name for name in columns if name]
    with told_together() as problems:
        for name in dict.fromkeys(name for name in named if named.count(name) > 1):
            problems.add(f"{path}: column '{name}' is in the header twice.")
        for count, numbers in _of_wrong_length(rows, columns).items():
            problems.add(
                f"{path}, {named_rows(numbers)}: {count} cells, and the header has {len(columns)}. "
                f"Put quotation marks round cells that hold one of the {_NAMES[delimiter]}."
            )
    table = pd.DataFrame(
        [cells[: len(columns)] for _, cells in rows],
        index=[number - FIRST_ROW for number, _ in rows],
        columns=columns,
        dtype=str,
    )
    return table[[name for name in columns if name]]


def _of_wrong_length(rows, columns):
    wrong = {}
    for number, cells in rows:
        if len(cells) < len(columns) or any(cells[len(columns) :]):
            wrong.setdefault(len(cells), []).append(number)
    return wrong


def _refuse_other_delimiter(path, row, columns, *, what, delimiter):
    if len(columns) > 1:
        return
    for mark, name in _NAMES.items():
        if mark in columns[0] and mark != delimiter:
            raise InputError(
                f"{path}, row {row}: the {what} is separated by {name}, not by "
                f"{_NAMES[delimiter]}. Write delimiter: {json.dumps(mark)} beside its path in the "
                "configuration."
            )
