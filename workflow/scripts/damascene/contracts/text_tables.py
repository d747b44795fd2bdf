"""Read tables that people edit, with messages that name the file, the row and the column."""

import difflib
from collections.abc import Iterable
from pathlib import Path

import pandas as pd

from damascene import InputError

# Row 1 is the header, as an editor or a spreadsheet shows it.
FIRST_ROW = 2


def read_text_table(path: Path, *, what: str) -> pd.DataFrame:
    """Read a TSV file as text, without spaces round the cells.

    Parameters
    ----------
    path : pathlib.Path
    what : str
        What the file is for, as in "sample sheet".

    Raises
    ------
    InputError
        If there is no such file, it is no table of tab-separated text, or it has no rows.
    """
    try:
        table = pd.read_csv(path, sep="\t", dtype=str, keep_default_na=False, encoding="utf-8-sig")
    except FileNotFoundError as error:
        raise InputError(f"{path}: no such {what}. Check the path in the configuration.") from error
    except (pd.errors.ParserError, pd.errors.EmptyDataError, UnicodeDecodeError) as error:
        raise InputError(
            f"{path} cannot be read as a {what} ({error}). Save it as tab-separated UTF-8 text."
        ) from error
    table.columns = table.columns.str.strip()
    for name in table:
        broken = table[name].fillna("").str.contains("[\r\n]")
        if broken.any():
            raise InputError(
                f"{place(path, broken.idxmax(), name)}: the cell goes on in further rows, which "
                'are lost. Close or remove the quotation mark (") that opens it.'
            )
    if table.empty:
        raise InputError(f"{path}: the {what} has no rows. Add one row below the header.")
    repeated = table.columns[table.columns.duplicated()]
    if len(repeated):
        raise InputError(f"{path}: column '{repeated[0]}' is in the header twice.")
    return table.apply(lambda column: column.fillna("").str.strip())


def require_columns(table: pd.DataFrame, names: Iterable[str], *, path: Path) -> None:
    """Raise `InputError` for the first missing column, with the nearest name in the file."""
    for name in names:
        if name not in table.columns:
            near = difflib.get_close_matches(name, table.columns, n=1)
            hint = (
                f"is '{near[0]}' meant for it?" if near else f"found: {', '.join(table.columns)}."
            )
            raise InputError(f"{path}: column '{name}' is missing; {hint}")


def numbers(column: pd.Series, *, path: Path) -> pd.Series:
    """Return a column of text as numbers, NaN where a cell is empty.

    Raises
    ------
    InputError
        With the row and the text of the first cell that is not a number.
    """
    values = pd.to_numeric(column.where(column != ""), errors="coerce")
    wrong = column[(column != "") & ~values.abs().lt(float("inf"))]
    if len(wrong):
        raise InputError(
            f"{place(path, wrong.index[0], column.name)}: '{wrong.iloc[0]}' is not a number. "
            "Use a point for decimals and no unit."
        )
    return values


def place(path: Path, index: int, column: str) -> str:
    """Name a cell for a message: file, row as an editor shows it, column."""
    return f"{path}, row {index + FIRST_ROW}, column '{column}'"
