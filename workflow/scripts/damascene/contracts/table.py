"""Check tables against their contracts, read and write them.

Every table is checked when it is written and when it is read, so that a stage never works on a
column that is missing, of the wrong type or out of range.
"""

import csv
import io
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pandas as pd
import pandera.pandas as pa
from pandera.dtypes import is_bool, is_string
from pyarrow import ArrowInvalid

from damascene import InputError
from damascene.files import written_whole


def empty_table(contract: pa.DataFrameSchema) -> pd.DataFrame:
    """Return a table without rows that has the columns and types of a contract."""
    return contract.validate(
        pd.DataFrame({name: pd.Series(dtype="object") for name in contract.columns})
    )


def check_table(table: pd.DataFrame, contract: pa.DataFrameSchema, *, source: str) -> pd.DataFrame:
    """Return the table with the contract's types, columns in order and a fresh index.

    Columns of which the contract does not know are left out.

    Parameters
    ----------
    table : pandas.DataFrame
    contract : pandera.DataFrameSchema
        From a module of this package.
    source : str
        File or stage the table comes from, for the message.

    Raises
    ------
    InputError
        If a column is missing, of a wrong type or out of range; the message names the first ten.
    """
    missing = [
        name
        for name, column in contract.columns.items()
        if column.required and name not in table.columns
    ]
    if missing:
        raise InputError(f"{source}: columns missing: {', '.join(missing)}.")
    known = [name for name in contract.columns if name in table.columns]
    try:
        return contract.validate(table[known].reset_index(drop=True), lazy=True)
    except pa.errors.SchemaErrors as error:
        cases = error.failure_cases.head(10)
        rows = "; ".join(
            f"row {case['index']}, column {case['column']}: {case['failure_case']!r} "
            f"fails {case['check']}"
            for _, case in cases.iterrows()
        )
        raise InputError(f"{source}: {rows}.") from error


def write_table(table: pd.DataFrame, path: str | Path, contract: pa.DataFrameSchema) -> None:
    """Check a table and write it as Parquet."""
    checked = check_table(table, contract, source=str(path))
    with written_whole(path) as (part,):
        checked.to_parquet(part, index=False)


def read_table(path: str | Path, contract: pa.DataFrameSchema) -> pd.DataFrame:
    """Read a Parquet table and check it.

    Raises
    ------
    InputError
        As `check_table`, and if the file is damaged.
    """
    try:
        table = pd.read_parquet(path)
    except (ArrowInvalid, OSError) as error:
        raise _unreadable(path, error) from error
    return check_table(table, contract, source=str(path))


def read_tables(paths: Iterable[str | Path], contract: pa.DataFrameSchema) -> pd.DataFrame:
    """Read Parquet tables of one contract and return them below each other.

    Raises
    ------
    InputError
        As `read_table`, and if two tables have rows of one key: one is a copy of the other, and
        its rows would be counted twice.
    """
    paths = list(paths)
    return _below_each_other([read_table(path, contract) for path in paths], contract, paths)


def _below_each_other(tables, contract, paths):
    if not any(len(each) for each in tables):
        return empty_table(contract)
    joined = pd.concat([each for each in tables if len(each)], ignore_index=True)
    repeated = joined.duplicated(contract.unique) if contract.unique else pd.Series(dtype=bool)
    if repeated.any():
        number = np.repeat(np.arange(len(tables)), [len(each) for each in tables])
        path = paths[number[repeated.idxmax()]]
        raise InputError(
            f"{path} holds rows that another table has, too: it is not the table of its panorama. "
            "Delete it and run again."
        )
    return joined


def write_tsv(table: pd.DataFrame, path: str | Path, contract: pa.DataFrameSchema) -> None:
    """Check a table and write it for people: tabs, a header, nine significant digits."""
    checked = check_table(table, contract, source=str(path))
    with written_whole(path) as (part,):
        checked.to_csv(part, sep="\t", index=False, float_format="%.9g")


def read_tsv(path: str | Path, contract: pa.DataFrameSchema) -> pd.DataFrame:
    """Read a table that `write_tsv` wrote, and check it.

    Text stays text, whatever it looks like: a panorama may be called `06`, `NA` or `1e3`. Only
    numbers can be missing.

    Raises
    ------
    InputError
        As `check_table`, and if the file is damaged.
    """
    names = {name: is_string(column.dtype) for name, column in contract.columns.items()}
    flags = [name for name, column in contract.columns.items() if is_bool(column.dtype)]
    try:
        _refuse_cut_off(path)
        table = pd.read_csv(
            path,
            sep="\t",
            dtype={name: str for name, is_text in names.items() if is_text},
            keep_default_na=False,
            na_values={name: [""] for name, is_text in names.items() if not is_text},
        )
    except (
        pd.errors.ParserError,
        pd.errors.EmptyDataError,
        csv.Error,
        UnicodeDecodeError,
        OSError,
    ) as error:
        raise _unreadable(path, error) from error
    for name in flags:
        # Any other word would count as yes, such as those that a spreadsheet writes in German.
        words = table[name].astype(str).str.lower() if name in table else pd.Series(dtype=str)
        if (wrong := ~words.isin(["true", "false"])).any():
            raise InputError(
                f"{path}, row {wrong.idxmax() + 2}, column '{name}': "
                f"'{table[name][wrong.idxmax()]}' is neither True nor False. The file was changed "
                "by another program. Delete it and run again."
            )
        if name in table:
            table[name] = words == "true"
    return check_table(table, contract, source=str(path))


def _refuse_cut_off(path):
    """Raise `ParserError` where a file ends within a row, whose last number may be cut, too."""
    text = Path(path).read_text(encoding="utf-8-sig")
    if text and not text.endswith(("\n", "\r")):
        raise pd.errors.ParserError("it ends within a row")
    rows = csv.reader(io.StringIO(text), delimiter="\t")
    cells = len(next(rows, ()))
    for row in rows:
        if row and len(row) != cells:
            raise pd.errors.ParserError(
                f"row {rows.line_num} has {len(row)} cells, and the header has {cells}"
            )


def read_tsvs(paths: Iterable[str | Path], contract: pa.DataFrameSchema) -> pd.DataFrame:
    """Read tables that `write_tsv` wrote and return them below each other; as `read_tables`."""
    paths = list(paths)
    return _below_each_other([read_tsv(path, contract) for path in paths], contract, paths)


def _unreadable(path, error):
    return InputError(f"{path} cannot be read as a table: {error}. Delete it and run again.")
