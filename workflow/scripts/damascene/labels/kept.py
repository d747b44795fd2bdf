"""What a review keeps of an answer beside class and position: when, of which box, why, ..."""

from pathlib import Path

import numpy as np
import pandas as pd
import pandera.pandas as pa
from pandera.dtypes import is_bool, is_string

from damascene.config.label_source import DroppedLabels, LabelSource
from damascene.contracts.labels import KEPT
from damascene.contracts.review_labels import DECIDES, REVIEW_LABELS
from damascene.contracts.text_tables import numbers
from damascene.problems import told_together

#: Columns of the box of a reviewed site.
BOX = ["left_px", "top_px", "width_px", "height_px"]
#: Columns that say which image was labelled.
IMAGE = ["image_width_px", "image_height_px", "pixel_size_nm"]
# Numbers of sites that are exact as decimals, too.
_LARGEST_NUMBER = 2**53
# Positions may be rounded to whole pixels.
_ROUNDED_PX = 1
_DAY = r"\d{4}-?\d\d-?\d\d(?!\d)"
# The one column that is called otherwise in the files.
_IN_FILES = {"given_site_id": "site_id"}


def is_review(source: LabelSource, table: pd.DataFrame) -> bool:
    """Tell whether the columns of a label file mean what those of a review mean.

    Those of a file in the folder of labels do, and of one that has all of them, wherever it lies.
    In another file that the configuration lists, a column `note` or `time` may be anything.
    """
    needed = [name for name, column in REVIEW_LABELS.columns.items() if column.required]
    return isinstance(source, DroppedLabels) or set(needed) <= set(table.columns)


def kept_columns(used: pd.DataFrame, *, path: Path) -> dict[str, pd.Series]:
    """Return what the rows of a review say beside class and position.

    Parameters
    ----------
    used : pandas.DataFrame
        Rows of a review as text, indexed as by `text_tables.read_text_table`.
    path : pathlib.Path

    Returns
    -------
    dict of str to pandas.Series
        Columns of `KEPT` that the file has, except `time`.

    Raises
    ------
    InputError
        For cells that are no numbers, boxes without area, and another word than `yes` in `decides`.
    """
    found = {}
    with told_together() as problems:
        for name, column in KEPT.items():
            theirs = _IN_FILES.get(name, name)
            if theirs not in used or name == "time":
                continue
            if is_bool(column.dtype):
                said = used[theirs].str.lower()
                for index in said.index[~said.isin(["", DECIDES])]:
                    reason = f"'{used[theirs][index]}' is not '{DECIDES}'. Write it, or nothing."
                    problems.at(path, index, theirs, reason)
                found[name] = said == DECIDES
            elif is_string(column.dtype):
                found[name] = used[theirs]
            else:
                with problems.kept():
                    found[name] = _checked(used[theirs], name, path=path)
    return found


def _checked(cells, name, *, path):
    """Return numbers of a column, edges of boxes above 0 and site numbers whole."""
    read = numbers(cells, path=path)
    with told_together() as problems:
        if name in ("width_px", "height_px"):
            for index in read.index[read <= 0]:
                problems.at(path, index, cells.name, f"'{cells[index]}' is no size of a box.")
        if name == "given_site_id":
            whole = (read % 1 == 0) & read.between(0, _LARGEST_NUMBER)
            for index in read.index[~whole & read.notna()]:
                reason = f"'{cells[index]}' is no whole number of a site."
                problems.at(path, index, cells.name, reason)
    return read


def check_image_columns(table: pd.DataFrame, *, path: Path) -> None:
    """Raise `InputError` for cells that should say of which image a label is, and do not.

    Passed over, they would let labels of another image through.
    """
    with told_together() as problems:
        for name in IMAGE:
            if name in table:
                with problems.kept():
                    read = numbers(table[name], path=path)
                    for index in read.index[read <= 0]:
                        problems.at(path, index, name, f"'{table[name][index]}' is not above 0.")


def check_boxes(answers: pd.DataFrame, *, path: Path) -> None:
    """Raise `InputError` for positions outside the box of their own site.

    One of the two was changed by hand. The site is sought by the box, so that a position that was
    corrected would be passed over.
    """
    with told_together() as problems:
        boxes = answers.loc[has_box(answers), ["x_px", "y_px", *BOX]]
        for index, x, y, left, top, width, height in boxes.itertuples():
            across = max(left - x, x - (left + width - 1))
            along = max(top - y, y - (top + height - 1))
            if max(across, along) > _ROUNDED_PX:
                reason = (
                    f"{x:g}, {y:g} lies outside the box of its site, left_px {left:g} to height_px "
                    f"{height:g}. Correct it, or clear the four cells of the box."
                )
                problems.at(path, index, "x_px", reason)


def read_times(cells: pd.Series) -> pd.Series:
    """Return times of UTC, NaT for a cell that holds none: a day at least, in ISO 8601.

    pandas would also read words that mean another time in each run, such as `now`.
    """
    return pd.to_datetime(
        cells.where(cells.str.match(_DAY), ""), format="ISO8601", utc=True, errors="coerce"
    )


def iso_time(time: pd.Timestamp) -> str:
    """Return a time of UTC as all answers have it, empty for none."""
    return "" if pd.isna(time) else time.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def complete(answers: pd.DataFrame) -> pd.DataFrame:
    """Add the columns of `KEPT` that a table of answers lacks, empty."""
    lacking = {name: _empty(column) for name, column in KEPT.items() if name not in answers}
    return answers.assign(**lacking)


def _empty(column: pa.Column):
    if is_bool(column.dtype):
        return False
    return "" if is_string(column.dtype) else np.nan


def has_box(answers: pd.DataFrame) -> pd.Series:
    """Tell for which answers the box of the reviewed site is known."""
    return answers[BOX].notna().all(axis=1)
