"""The files of published numbers: one a publication, read and checked before anything is run."""

from pathlib import Path

import pandas as pd

from damascene import InputError
from damascene.config.presets import PRESETS
from damascene.contracts.ledger import PUBLISHED
from damascene.contracts.table import check_table
from damascene.contracts.text_tables import parse_number, read_text_table, require_columns
from damascene.ledger import SHIPPED
from damascene.ledger.quantities import hint, needed_for
from damascene.problems import told_together


def read_publications(folder: str | Path = SHIPPED) -> pd.DataFrame:
    """Read all files of published numbers in a folder.

    Parameters
    ----------
    folder : path, optional
        With a `.tsv` file a publication.

    Returns
    -------
    pandas.DataFrame
        `PUBLISHED`, by file name and row.

    Raises
    ------
    InputError
        With file, row, column and what to do, for all that is wrong at once.
    """
    paths = sorted(Path(folder).glob("*.tsv"))
    if not paths:
        raise InputError(f"{folder} holds no .tsv file of published numbers.")
    tables = []
    with told_together() as problems:
        for path in paths:
            with problems.kept():
                tables.append(_read(path))
    return check_table(pd.concat(tables), PUBLISHED, source=str(folder))


def _read(path):
    table = read_text_table(path, what="table of published numbers")
    names = [name for name in PUBLISHED.columns if name != "publication"]
    require_columns(table, names, path=path)
    with told_together() as problems:
        for index, row in table.iterrows():
            for column, reason in _faults(row):
                problems.at(path, index, column, reason)
        for index in table.index[table["quantity"].duplicated()]:
            problems.at(path, index, "quantity", "given twice. Keep one of the rows.")
    numbers = {
        name: [parse_number(cell) if cell else None for cell in table[name]]
        for name in ("value", "tolerance")
    }
    return table.assign(publication=path.stem, **numbers)[["publication", *names]]


def _faults(row):
    quantity = row["quantity"]
    if needed_for(quantity) is None:
        yield "quantity", f"nobody knows how to measure '{quantity}'. {hint(quantity)}"
    if not row["source"]:
        yield "source", "empty. Say in which table or figure the number stands."
    if not row["doi"].startswith("10."):
        yield "doi", "no digital object identifier. Give it as in 10.1371/journal.pone.0216493."
    for name in ("value", "tolerance"):
        if row[name] and parse_number(row[name]) is None:
            yield name, f"'{row[name]}' is not a number. Use a point for decimals and no unit."
    if row["value"] and not row["tolerance"]:
        yield "tolerance", "empty. Say how far a right number may lie from the value; 0 for counts."
    if (parse_number(row["tolerance"]) or 0) < 0:
        yield "tolerance", "below 0. Give the largest distance that still passes."
    if not row["value"] and not row["note"]:
        yield "note", "empty beside an empty value. Say why the value was not read."
    if row["preset"] and row["preset"] not in PRESETS:
        yield "preset", f"no parameter set. Choose one of {', '.join(PRESETS)}."
    if bool(row["preset"]) != bool(row["image"]):
        yield "image", "image and preset belong together: give both, or neither."
