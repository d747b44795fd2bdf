"""Label files of the folder `config/labels`, whatever became of their panoramas.

What a person labelled stays in the file. An answer that cannot be placed now, as its panorama left
the sample sheet or is another image, is told and left aside, and counts again when that is undone.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from damascene.clips.place_marks import is_mark, is_same_place
from damascene.config.label_source import DroppedLabels, LabelSource
from damascene.contracts.labels import GIVEN_ANSWERS, ORPHANS
from damascene.contracts.table import check_table, empty_table
from damascene.contracts.text_tables import parse_number, read_text_table, require_columns
from damascene.images.store import TiledImage
from damascene.labels.authors import author_named
from damascene.labels.kept import IMAGE, check_image_columns
from damascene.labels.read import answers_in, read_answers
from damascene.labels.tiles import Tiles
from damascene.problems import FIRST_ROW, told_together

# A pixel size that was corrected a little is no other image.
_SAME_PIXELS = 0.05

#: Columns and rows of a panorama, and the edge of its pixels in nanometres.
Image = tuple[int, int, float]


def read_source(
    source: LabelSource,
    *,
    folder: Path = Path(),
    sizes_px: Mapping[str, tuple[int, int]],
    tiles: Mapping[str, Tiles],
    images: Mapping[str, Image],
    pictures: Mapping[str, str | Path] | None = None,
) -> tuple[pd.DataFrame, int, pd.DataFrame]:
    """Read a label file, listed or dropped into the folder of labels.

    Parameters
    ----------
    source : LabelSource
    folder, sizes_px, tiles
        See `read.read_answers`.
    images : mapping of str to Image
        Of the panoramas of which size and pixel size are known exactly.
    pictures : mapping of str to path, optional
        Imported images of panoramas, which labels with a mark of their pixels must show.

    Returns
    -------
    answers : pandas.DataFrame
        `GIVEN_ANSWERS`.
    left_out : int
        Rows without any answer.
    orphans : pandas.DataFrame
        `ORPHANS` of a file in the folder, none of a listed one, whose rows must all have a place.

    Raises
    ------
    InputError
        As by `read.read_answers`, for a listed file also if a panorama is not in the sheet.
    """
    if not isinstance(source, DroppedLabels):
        answers, left_out = read_answers(source, folder=folder, sizes_px=sizes_px, tiles=tiles)
        return answers, left_out, empty_table(ORPHANS)
    path = Path(source.path)
    table = read_text_table(path, what="label file")
    require_columns(table, ["panorama", "x_px", "y_px", "label"], path=path)
    check_image_columns(table, path=path)
    said = table["label"] != ""
    reasons = pd.Series("", table.index)
    reasons[said] = [_misplaced(row, sizes_px, images) for _, row in table[said].iterrows()]
    astray_pixels = _of_other_pixels(table[said & (reasons == "")], pictures or {}, path=path)
    reasons[astray_pixels] = "another image: not the pixels that were round it when it was labelled"
    placed = table[reasons == ""]
    author = author_named(path)
    answers, left_out = empty_table(GIVEN_ANSWERS), int((~said).sum())
    if (placed["label"] != "").any():
        options = {"path": path, "sizes_px": sizes_px, "tiles": tiles, "annotator": author}
        answers, left_out = answers_in(placed, source, **options)
    astray = table[reasons != ""]
    rows = {
        "file": path.name,
        "row": astray.index + FIRST_ROW,
        "panorama": astray["panorama"],
        **{name: astray[name].map(parse_number).astype(float) for name in ("x_px", "y_px")},
        "label": astray["label"],
        "annotator": table["annotator"].replace("", author)[astray.index]
        if "annotator" in table
        else author,
        "time": astray.get("time", ""),
        "reason": reasons[reasons != ""],
        "learned_from": False,
    }
    return answers, left_out, check_table(pd.DataFrame(rows), ORPHANS, source=str(path))


def _misplaced(row, sizes_px, images):
    """Return why a row cannot be placed in a panorama, empty if it can."""
    name = row["panorama"]
    if name not in sizes_px:
        return f"there is no panorama '{name}' in the sample sheet"
    if name not in images:
        return ""
    width, height, pixel_size_nm = images[name]
    told = [parse_number(row.get(column, "")) for column in IMAGE]
    if any(each not in (None, edge) for each, edge in zip(told, (width, height), strict=False)):
        size = " x ".join("?" if each is None else f"{each:g}" for each in told[:2])
        return f"another image: labelled in {size} px, and '{name}' has {width} x {height} px"
    if told[2] and abs(np.log(told[2] / pixel_size_nm)) > _SAME_PIXELS:
        return (
            f"another image: labelled at {told[2]:g} nm a pixel, and '{name}' has "
            f"{pixel_size_nm:g} nm"
        )
    position = [parse_number(row[column]) for column in ("x_px", "y_px")]
    if row.get("tile", "") or None in position:
        return ""
    inside = all(
        -0.5 <= at <= edge - 0.5 for at, edge in zip(position, (width, height), strict=True)
    )
    return "" if inside else f"outside '{name}', which has {width} x {height} px"


def _of_other_pixels(rows, pictures, *, path):
    """Return the index of the rows whose place shows other pixels than when it was labelled."""
    if "image" not in rows:
        return []
    marked = rows[(rows["image"] != "") & (rows.get("tile", pd.Series("", rows.index)) == "")]
    found = []
    with told_together() as problems:
        for index, text in marked["image"].items():
            if not is_mark(text):
                reason = "this is no mark of an image. Leave it as it was written, or clear it."
                problems.at(path, index, "image", reason)
        problems.tell()
        for name, part in marked[marked["panorama"].isin(list(pictures))].groupby("panorama"):
            with TiledImage(pictures[name]) as image:
                for index, row in part.iterrows():
                    x, y = parse_number(row["x_px"]), parse_number(row["y_px"])
                    told = None not in (x, y)
                    if told and not is_same_place(image, x, y, mark=row["image"]):
                        found.append(index)
    return found


def in_order(sources: Sequence[LabelSource], parts: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Join the answers of all label files in the order in which they count.

    First those of files that the configuration lists, in its order, then those of the folder of
    labels by time; among these, answers without a time come first, by file and row. Answers that
    stand in two files of the folder alike are taken once, as a later download of a review holds the
    earlier ones, too.

    Parameters
    ----------
    sources : sequence of LabelSource
    parts : sequence of pandas.DataFrame
        `GIVEN_ANSWERS` of each.

    Returns
    -------
    pandas.DataFrame
        `GIVEN_ANSWERS`.

    Raises
    ------
    InputError
        If two files of the folder say the same, and their names alone make two people of them.
    """
    _refuse_copies(sources, parts)
    dropped = [isinstance(source, DroppedLabels) for source in sources]
    listed = [part for part, later in zip(parts, dropped, strict=True) if not later]
    later = [part for part, later in zip(parts, dropped, strict=True) if later]
    later = pd.concat([empty_table(GIVEN_ANSWERS), *later], ignore_index=True)
    told = [name for name in later.columns if name not in ("file", "row")]
    first = later.groupby(told, dropna=False, sort=False)["file"].transform("first")
    copied = later.duplicated(told) & (first != later["file"])
    # All times are written alike, in UTC.
    later = later[~copied].sort_values("time", kind="stable")
    answers = pd.concat([empty_table(GIVEN_ANSWERS), *listed, later])
    return check_table(answers, GIVEN_ANSWERS, source="label files")


def _refuse_copies(sources, parts):
    """Refuse copies of a file under another name, which would be the votes of another person."""
    first = {}
    with told_together() as problems:
        for source, part in zip(sources, parts, strict=True):
            if not isinstance(source, DroppedLabels) or part.empty:
                continue
            people = set(part["annotator"])
            # In any order, as spreadsheets sort.
            said = part.drop(columns=["annotator", "file", "row"]).astype(str)
            said = tuple(sorted(said.itertuples(index=False, name=None)))
            before, of_before = first.setdefault(said, (source, people))
            paths = [Path(each.path) for each in (before, source)]
            if people != of_before and not all(map(_names_people, paths)):
                problems.add(
                    f"{paths[1]} holds the very answers of {paths[0].name}, and would count as "
                    f"those of another person, '{author_named(paths[1])}'. Remove it if it is a "
                    "copy; if two people did answer alike, name them in a column 'annotator'."
                )


def _names_people(path):
    """Tell whether each answer of a file says who gave it."""
    table = read_text_table(path, what="label file")
    return "annotator" in table and bool((table["annotator"][table["label"] != ""] != "").all())
