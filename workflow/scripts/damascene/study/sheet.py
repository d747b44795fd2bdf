"""The sample sheet: one row per panorama."""

import difflib
import re
from pathlib import Path

import pandas as pd

from damascene import InputError
from damascene.config.simulation import SIMULATED
from damascene.contracts.text_tables import numbers, place, read_text_table, require_columns

REQUIRED = ("panorama", "path", "pixel_size_nm", "strain_percent")
#: Of the table, in the order of `PANORAMAS`. That contract is not imported here: every job
#: reads the sheet, and what checks contracts takes a quarter of a second to import.
COLUMNS = (
    *("panorama", "path", "tile_folder", "page", "data_bar_px", "overlap_percent"),
    *("pixel_size_nm", "strain_percent", "specimen", "steel", "condition", "notes"),
)
_IMAGE = ("page", "data_bar_px")
_NUMBERS = (*_IMAGE, "overlap_percent", "pixel_size_nm", "strain_percent")
# The name becomes part of file names.
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,79}")


def read_sheet(path: Path) -> pd.DataFrame:
    """Read and check the sample sheet.

    Parameters
    ----------
    path : pathlib.Path
        TSV file with the columns `panorama`, `path`, `pixel_size_nm` and `strain_percent`, and
        optionally `tile_folder`, `page`, `data_bar_px`, `overlap_percent`, `specimen`,
        `steel`, `condition`, `notes`.

    Returns
    -------
    pandas.DataFrame
        `PANORAMAS`; `pixel_size_nm` is NaN where it is to be read from the image's header,
        `strain_percent` NaN where it is not known, `page`, `data_bar_px` and `overlap_percent`
        where they are empty.

    Raises
    ------
    InputError
        Naming the row and column of the first cell that cannot be used.
    """
    sheet = read_text_table(path, what="sample sheet")
    require_columns(sheet, REQUIRED, path=path)
    for name in sheet.columns:
        if name not in COLUMNS:
            near = difflib.get_close_matches(name, COLUMNS, n=1)
            hint = f" Did you mean '{near[0]}'?" if near else ""
            raise InputError(f"{path}: unknown column '{name}'.{hint} Remarks go into 'notes'.")
    for index, name in sheet["panorama"].items():
        if not NAME.fullmatch(name):
            raise InputError(
                f"{place(path, index, 'panorama')}: '{name}' cannot be part of file names. "
                "Use letters, digits, '-' and '_', 80 at most."
            )
    repeated = sheet["panorama"][sheet["panorama"].duplicated()]
    if len(repeated):
        first = sheet.index[sheet["panorama"] == repeated.iloc[0]][0]
        raise InputError(
            f"{place(path, repeated.index[0], 'panorama')}: '{repeated.iloc[0]}' is already "
            f"in row {first + 2}. Give each panorama a name of its own."
        )
    alike = sheet["panorama"][sheet["panorama"].str.lower().duplicated()]
    if len(alike):
        raise InputError(
            f"{place(path, alike.index[0], 'panorama')}: '{alike.iloc[0]}' differs from another "
            "name by capital letters only, and some disks take both for one file. Rename it."
        )
    for index, cell in sheet["path"].items():
        if not cell:
            raise InputError(
                f"{place(path, index, 'path')}: empty. Enter the image, the grid file, or "
                f"'{SIMULATED}'."
            )
    for name in COLUMNS:
        if name not in sheet.columns:
            sheet[name] = ""
    for name in _NUMBERS:
        sheet[name] = numbers(sheet[name], path=path).astype(float)
    _refuse(sheet, sheet["pixel_size_nm"] <= 0, "pixel_size_nm", "must be above 0", path=path)
    _refuse(sheet, sheet["strain_percent"] < 0, "strain_percent", "must not be negative", path=path)
    unsized = (sheet["path"] == SIMULATED) & sheet["pixel_size_nm"].isna()
    _refuse(sheet, unsized, "pixel_size_nm", "is needed for a simulated panorama", path=path)
    for name, least in (("page", 1), ("data_bar_px", 0)):
        wrong = (sheet[name] < least) | (sheet[name] % 1 > 0)
        _refuse(sheet, wrong, name, f"must be a whole number from {least}", path=path)
    overlap = sheet["overlap_percent"]
    _refuse(
        sheet,
        (overlap <= 0) | (overlap >= 90),
        "overlap_percent",
        "must be above 0 and below 90, or empty where the tiles only touch",
        path=path,
    )
    return sheet[list(COLUMNS)]


def image_options(row: pd.Series) -> dict[str, int | None]:
    """Return what a row of the sheet says about its image files, as options of `open_source`."""
    return {name: None if pd.isna(row[name]) else int(row[name]) for name in _IMAGE}


def _refuse(sheet, wrong, column, reason, *, path):
    if wrong.any():
        index = wrong.idxmax()
        raise InputError(
            f"{place(path, index, column)}: {reason} (found: {sheet.loc[index, column]:g})."
        )
