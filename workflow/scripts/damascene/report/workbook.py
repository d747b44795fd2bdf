"""Tables as sheets of one workbook."""

import io
import math
import re
from collections.abc import Iterable

import openpyxl
import pandas as pd
from openpyxl.styles import Font
from openpyxl.utils import get_column_letter

from damascene.report.units import unit_of

# What a sheet can hold, and what names of sheets can.
_MOST_ROWS, _MOST_LETTERS = 1_000_000, 31
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_COLUMNS = "columns"


def write_workbook(tables: Iterable[tuple[str, pd.DataFrame]], *, explained: pd.DataFrame) -> bytes:
    """Return a workbook: a sheet that explains the columns, then a sheet for each table.

    Text is text whatever it looks like, also where it begins as a formula does. A number that is
    missing is an empty cell, and one without end is the word ∞.

    Parameters
    ----------
    tables : iterable of pairs
        Path below results/ and table.
    explained : pandas.DataFrame
        Of `bundle.dictionary`.
    """
    book = openpyxl.Workbook(write_only=True)
    index = explained.copy()
    tables = list(tables)
    names = sheet_names([path for path, _ in tables])
    index.insert(0, "sheet", index["table"].map(names).fillna("(sites.csv)"))
    _fill(book.create_sheet(_COLUMNS), index, headings=list(index))
    for path, table in tables:
        headings = [
            f"{name} ({unit})" if (unit := unit_of(name)) else name for name in table.columns
        ]
        _fill(book.create_sheet(names[path]), table.head(_MOST_ROWS), headings=headings)
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def sheet_names(paths: Iterable[str]) -> dict[str, str]:
    """Return a name of at most 31 letters for each table, no two of them alike."""
    names = {}
    for path in paths:
        stem = path.removesuffix(".tsv").replace("{panorama}", "each").replace("/", " ")
        stem = re.sub(r"[\[\]:*?\\{}.]", " ", stem).removeprefix("statistics ")
        name, number = stem[:_MOST_LETTERS], 2
        while name.lower() in {each.lower() for each in names.values()} | {_COLUMNS}:
            name = f"{stem[: _MOST_LETTERS - 3]} {number}"
            number += 1
        names[path] = name
    return names


def _fill(sheet, table, *, headings):
    sheet.freeze_panes = "A2"
    for place, name in enumerate(headings, start=1):
        sheet.column_dimensions[get_column_letter(place)].width = min(60, max(10, len(name) + 2))
    head = [openpyxl.cell.WriteOnlyCell(sheet, value=name) for name in headings]
    for cell in head:
        cell.font = Font(bold=True)
    sheet.append(head)
    for row in table.itertuples(index=False, name=None):
        sheet.append([_cell(sheet, value) for value in row])


def _cell(sheet, value):
    if isinstance(value, str):
        cell = openpyxl.cell.WriteOnlyCell(sheet, value=_CONTROL.sub(" ", value))
        # Not a formula.
        cell.data_type = "s"
        return cell
    if value is None or pd.isna(value):
        return None
    if value in (math.inf, -math.inf):
        # A cell cannot hold it, and a workbook with one is said to be damaged.
        return "∞" if value > 0 else "−∞"
    return value.item() if hasattr(value, "item") else value
