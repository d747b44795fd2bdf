"""The sample sheet: one row per panorama."""

import difflib
import re
import unicodedata
from pathlib import Path

import pandas as pd

from damascene.config.simulation import SIMULATED
from damascene.contracts.text_tables import numbers, read_text_table, require_columns
from damascene.images.grids import is_table
from damascene.problems import FIRST_ROW, told_together
from damascene.text_files import plain_name

REQUIRED = ("panorama", "path", "pixel_size_nm", "strain_percent")
#: Of the table, in the order of `PANORAMAS`. That contract is not imported here: every job
#: reads the sheet, and what checks contracts takes a quarter of a second to import.
COLUMNS = (
    *("panorama", "path", "tile_folder", "page", "data_bar_px", "bit_depth", "invert"),
    *(
        "overlap_percent",
        "pixel_size_nm",
        "pixel_size_overrides_header",
        "strain_percent",
        "triaxiality",
        "paired_scan",
        "noise_condition",
        "phase_labels",
        "specimen",
        "steel",
        "condition",
        "notes",
    ),
)
_IMAGE = ("page", "data_bar_px", "bit_depth")
_TABLE = ("tile_folder", "overlap_percent")
_YES, _NO = ("yes", "true", "1"), ("no", "false", "0")
_OVERRIDES = "pixel_size_overrides_header"
_NAMES = ("noise_condition", "specimen", "steel", "condition")
_NUMBERS = (*_IMAGE, "overlap_percent", "pixel_size_nm", "strain_percent", "triaxiality")
# The distance of two atoms; a cavity would be less than a pixel; steel breaks long before.
_LEAST_PIXEL_NM = 0.1
_LARGEST_PIXEL_NM, _LARGEST_STRAIN_PERCENT = 1e5, 1000
# What two spellings of one name may differ in.
_BETWEEN = re.compile(r"(?<=\w)[\s_-]+(?=\w)|[\s_]+")
_DASHES = re.compile(r"[\u2010-\u2015\u2212]")
# Mean stress over equivalent stress: a third in a tensile test, two thirds in equibiaxial tension,
# some three before the sharpest crack.
_LARGEST_TRIAXIALITY = 5
# The name becomes part of file names.
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,79}")


def read_sheet(path: Path) -> pd.DataFrame:
    """Read and check the sample sheet.

    Parameters
    ----------
    path : pathlib.Path
        TSV file with the columns `panorama`, `path`, `pixel_size_nm` and `strain_percent`, and
        optionally `tile_folder`, `page`, `data_bar_px`, `bit_depth`, `invert`,
        `overlap_percent`, `pixel_size_overrides_header`, `triaxiality`, `paired_scan`,
        `noise_condition`,
        `phase_labels`, `specimen`, `steel`, `condition`, `notes`.

    Returns
    -------
    pandas.DataFrame
        `PANORAMAS`; `pixel_size_nm` is NaN where it is to be read from the image's header,
        `strain_percent` and `triaxiality` NaN where they are not known, `page`, `data_bar_px`,
        `bit_depth` and
        `overlap_percent` where they are empty.

    Raises
    ------
    InputError
        With a line for every cell that cannot be used, naming its row and column.
    """
    sheet = read_text_table(path, what="sample sheet")
    with told_together() as problems:
        with problems.kept():
            require_columns(sheet, REQUIRED, path=path)
        for name in sheet.columns:
            if name not in COLUMNS:
                near = difflib.get_close_matches(name, COLUMNS, n=1)
                hint = f" Did you mean '{near[0]}'?" if near else ""
                problems.add(f"{path}: unknown column '{name}'.{hint} Remarks go into 'notes'.")
    for name in COLUMNS:
        if name not in sheet.columns:
            sheet[name] = ""
    for name in _NAMES:
        sheet[name] = sheet[name].map(plain_name)
    with told_together() as problems:
        _check_names(sheet["panorama"], path=path, problems=problems)
        for index in sheet.index[sheet["path"] == ""]:
            problems.at(
                path,
                index,
                "path",
                f"empty. Enter the image, the grid file, or '{SIMULATED}'.",
            )
        for column, meaning in (
            ("invert", "voids are bright"),
            (_OVERRIDES, "the header states a wrong pixel size"),
        ):
            for index, cell in sheet[column].items():
                if cell.lower() not in ("", *_YES, *_NO):
                    problems.at(
                        path,
                        index,
                        column,
                        f"'{cell}' is neither yes nor no. Enter 'yes' where {meaning}, and leave "
                        "the cell empty elsewhere.",
                    )
        simulated = sheet["path"] == SIMULATED
        for column in (*_IMAGE, "invert", _OVERRIDES, *_TABLE):
            for index in sheet.index[simulated & (sheet[column] != "")]:
                problems.at(
                    path,
                    index,
                    column,
                    "tells how an image is read, but this panorama is simulated. Leave it empty.",
                )
        for index in sheet.index[simulated & (sheet["phase_labels"] != "")]:
            problems.at(
                path,
                index,
                "phase_labels",
                "names a label image, but the phases of a simulated panorama are known. Leave it "
                "empty.",
            )
        one_image = ~simulated & (sheet["path"] != "") & ~sheet["path"].map(is_table)
        for column in _TABLE:
            for index in sheet.index[one_image & (sheet[column] != "")]:
                problems.at(
                    path,
                    index,
                    column,
                    "is about the tiles that a grid file or a list of frames names, but the column "
                    "'path' names one image. Leave it empty, or name the table in 'path'.",
                )
        _check_pairs(sheet, path=path, problems=problems)
        _check_conditions(sheet["noise_condition"], path=path, problems=problems)
        _check_spelling(sheet["condition"], path=path, problems=problems)
        _check_numbers(sheet, path=path, problems=problems)
        sheet[_OVERRIDES] = sheet[_OVERRIDES].str.lower().isin(_YES)
        for index in sheet.index[sheet[_OVERRIDES] & sheet["pixel_size_nm"].isna()]:
            problems.at(
                path,
                index,
                _OVERRIDES,
                "yes, but the column pixel_size_nm is empty. Enter the size that is to count.",
            )
    return sheet[list(COLUMNS)]


def _check_names(names, *, path, problems):
    rows = {}
    for index, name in names.items():
        if not NAME.fullmatch(name):
            problems.at(
                path,
                index,
                "panorama",
                f"'{name}' cannot be part of file names. Use letters, digits, '-' and '_', 80 at "
                "most.",
            )
            continue
        first_name, first = rows.setdefault(name.lower(), (name, index))
        if first != index and name == first_name:
            problems.at(
                path,
                index,
                "panorama",
                f"'{name}' is already in row {first + FIRST_ROW}. Give each panorama a name of "
                "its own.",
            )
        elif first != index:
            problems.at(
                path,
                index,
                "panorama",
                f"'{name}' differs from '{first_name}' by capital letters only, and some disks "
                "take both for one file. Rename it.",
            )


def _check_pairs(sheet, *, path, problems):
    for index, row in sheet[sheet["paired_scan"] != ""].iterrows():
        simulated = row["path"] == SIMULATED
        if simulated and row["paired_scan"] != SIMULATED:
            reason = (
                "a file shows no simulated panorama a second time. Enter 'simulated' for the same "
                "steel scanned slowly, or leave the cell empty."
            )
        elif not simulated and row["paired_scan"] == SIMULATED:
            reason = (
                "'simulated' is the second scan of a simulated panorama, but the column 'path' "
                "names a file. Name the file of another scan, or leave the cell empty."
            )
        elif not simulated and row["paired_scan"] == row["path"]:
            reason = (
                "names the panorama itself, whose noise is then no second noise. Name another scan "
                "of the same place, or leave the cell empty."
            )
        else:
            continue
        problems.at(path, index, "paired_scan", reason)


def _check_conditions(words, *, path, problems):
    """Refuse words that cannot tell files apart; networks are named by them."""
    rows = {}
    for index, word in words[words != ""].items():
        if not NAME.fullmatch(word):
            problems.at(
                path,
                index,
                "noise_condition",
                f"'{word}' cannot be part of file names. Use letters, digits, '-' and '_', 80 at "
                "most.",
            )
            continue
        first_word, first = rows.setdefault(word.lower(), (word, index))
        if word != first_word:
            problems.at(
                path,
                index,
                "noise_condition",
                f"'{word}' differs from '{first_word}' in row {first + FIRST_ROW} by capital "
                "letters only. Write both alike, or use another word.",
            )


def _check_spelling(words, *, path, problems):
    """Refuse two spellings of one condition, which would be compared with itself."""
    rows = {}
    for index, word in words[words != ""].items():
        # Not at the start, where a hyphen is a sign.
        plain = _DASHES.sub("-", unicodedata.normalize("NFKC", word).casefold())
        key = _BETWEEN.sub("", plain)
        first_word, first = rows.setdefault(key, (word, index))
        if word != first_word:
            problems.at(
                path,
                index,
                "condition",
                f"'{word}' and '{first_word}' in row {first + FIRST_ROW} look like two names of "
                "one condition, which would be compared with itself. Write both alike, or use "
                "names that differ by more than capitals, blanks and hyphens.",
            )


def _check_numbers(sheet, *, path, problems):
    """Turn the columns of numbers into numbers, and refuse those that are out of range."""
    for name in ("pixel_size_nm", "strain_percent"):
        for index in sheet.index[(sheet["path"] == SIMULATED) & (sheet[name] == "")]:
            problems.at(path, index, name, "empty, but a simulated panorama needs it.")
    for name in _NUMBERS:
        column, sheet[name] = sheet[name], float("nan")
        with problems.kept():
            sheet[name] = numbers(column, path=path)

    def refuse(wrong, column, reason):
        for index, value in sheet[column][wrong].items():
            problems.at(path, index, column, f"{reason} (found: {value:g}).")

    size = sheet["pixel_size_nm"]
    refuse(size <= 0, "pixel_size_nm", "must be above 0")
    refuse(
        (size > 0) & (size < _LEAST_PIXEL_NM),
        "pixel_size_nm",
        f"must not be below {_LEAST_PIXEL_NM}; is it in micrometres? Multiply it by 1000",
    )
    refuse(
        size > _LARGEST_PIXEL_NM,
        "pixel_size_nm",
        f"must not be above {_LARGEST_PIXEL_NM:g}; it is the edge of a pixel in nanometres",
    )
    refuse(sheet["strain_percent"] < 0, "strain_percent", "must not be negative")
    refuse(
        sheet["strain_percent"] > _LARGEST_STRAIN_PERCENT,
        "strain_percent",
        f"must not be above {_LARGEST_STRAIN_PERCENT:g}; no steel is strained that far",
    )
    refuse(
        sheet["triaxiality"].abs() > _LARGEST_TRIAXIALITY,
        "triaxiality",
        f"must lie between -{_LARGEST_TRIAXIALITY} and {_LARGEST_TRIAXIALITY}: it is the mean "
        "stress over the equivalent stress, a third in a tensile test",
    )
    for name, least in (("page", 1), ("data_bar_px", 0), ("bit_depth", 8)):
        wrong = (sheet[name] < least) | (sheet[name] % 1 > 0)
        refuse(wrong, name, f"must be a whole number from {least}")
    refuse(sheet["bit_depth"] > 16, "bit_depth", "must not be above 16")
    overlap = sheet["overlap_percent"]
    refuse(
        (overlap <= 0) | (overlap >= 90),
        "overlap_percent",
        "must be above 0 and below 90, or empty where the tiles only touch",
    )


def row_of(panorama: str, path: Path) -> int:
    """Return the row of the sheet that a panorama is in, for a message."""
    names = read_text_table(path, what="sample sheet")["panorama"]
    return int(names.index[names == panorama][0]) + FIRST_ROW


def image_options(row: pd.Series) -> dict[str, int | bool | None]:
    """Return what a row of the sheet says about its image files, as options of `open_source`."""
    options = {name: None if pd.isna(row[name]) else int(row[name]) for name in _IMAGE}
    return options | {"invert": row["invert"].lower() in _YES}
