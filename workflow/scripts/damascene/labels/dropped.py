"""Label files, listed or in the folder `config/labels`, whatever became of their panoramas.

What a person labelled stays in the file. An answer that cannot be placed now, as its panorama is
another image or, in the folder, left the sample sheet, is told and left aside, and counts again
when that is undone.
"""

import contextlib
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from damascene import InputError
from damascene.clips.place_marks import begins_as_mark, is_mark, is_same_place
from damascene.config.label_source import TABLES, DroppedLabels, LabelSource
from damascene.contracts.labels import GIVEN_ANSWERS, ORPHANS
from damascene.contracts.table import check_table, empty_table
from damascene.contracts.text_tables import parse_number, read_text_table, require_columns
from damascene.images.store import TiledImage
from damascene.labels.authors import author_named
from damascene.labels.class_names import ClassNames
from damascene.labels.foreign import read_foreign
from damascene.labels.kept import IMAGE, check_image_columns, is_review
from damascene.labels.raw import read_label_table
from damascene.labels.read import answers_in
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
        `ORPHANS`: of a listed file only those on another image, as its other rows must have a
        place.

    Raises
    ------
    InputError
        As by `read.read_answers`, for a listed file also if a panorama is not in the sheet.
    """
    path = folder / source.path
    options = {"sizes_px": sizes_px, "tiles": tiles}
    if source.format not in TABLES:
        answers, left_out = read_foreign(source, folder=folder, **options)
        return answers, left_out, empty_table(ORPHANS)
    table, author = read_label_table(source, path), ""
    dropped = isinstance(source, DroppedLabels)
    if dropped:
        require_columns(table, ["panorama", "x_px", "y_px", "label"], path=path)
        author = author_named(path)
    rows, said = _places(table, source), _said(table, source, author)
    check_image_columns(rows, path=path)
    reasons = pd.Series("", table.index)
    answered = said.index.unique()
    reasons[answered] = [
        _of_other_size(row, images, tiles)
        or (_without_place(row, sizes_px, images) if dropped else "")
        for _, row in rows.loc[answered].iterrows()
    ]
    astray_pixels = _of_other_pixels(
        rows.loc[answered[reasons[answered] == ""]], pictures or {}, path=path
    )
    reasons[astray_pixels] = "another image: not the pixels that were round it when it was labelled"
    placed, astray = table[reasons == ""], said[said.index.isin(reasons.index[reasons != ""])]
    answers, left_out = empty_table(GIVEN_ANSWERS), len(table) - len(answered)
    if placed.index.isin(answered).any() or not (dropped or len(astray)):
        answers, left_out = answers_in(placed, source, path=path, annotator=author, **options)
    found = astray.join(rows[["panorama", "x_px", "y_px", "time"]])
    for name in ("x_px", "y_px"):
        found[name] = found[name].map(parse_number).astype(float) - source.first_pixel
    found = found.assign(
        file=path.name,
        row=found.index + FIRST_ROW,
        reason=reasons[found.index],
        learned_from=False,
    )
    return answers, left_out, check_table(found, ORPHANS, source=str(path))


def _places(table, source):
    """Return what the rows of a table say of their places and images, as text; empty for nothing.

    What a column is called may differ; one that the configuration gives another meaning has none
    of its own.
    """
    names = {ours: source.columns.get(ours, ours) for ours in ("panorama", "x_px", "y_px")}
    reviewed = is_review(source, table)
    for ours in ("tile", "time"):
        names[ours] = source.columns.get(ours, ours if reviewed else None)
    taken = {*source.columns.values(), *source.annotators}
    names |= {name: name for name in (*IMAGE, "image") if name not in taken}
    text = {ours: table[theirs] for ours, theirs in names.items() if theirs in table}
    every = (*names, *IMAGE, "image")
    rows = pd.DataFrame({ours: text.get(ours, "") for ours in every}, index=table.index)
    if source.panorama is not None:
        rows["panorama"] = source.panorama
    if source.format == "csv" and source.decimal == ",":
        for name in IMAGE:
            rows[name] = rows[name].str.replace(",", ".")
    # Elsewhere the column may hold names of images.
    if not (reviewed or rows["image"].map(begins_as_mark).any()):
        rows["image"] = ""
    return rows


def _said(table, source, author):
    """Return label and annotator of each answer, indexed by its row of the table."""
    ours, empty = ClassNames(source).ours, pd.Series("", table.index)
    label, people = (
        table.get(source.columns.get(name, name), empty) for name in ("label", "annotator")
    )
    people = people.replace("", source.annotator or author)
    given = [
        pd.DataFrame({"label": table[name].map(ours), "annotator": name})
        for name in source.annotators
        if name in table
    ]
    given = [each[each["label"] != ""] for each in given]
    alone = ~table.index.isin([index for each in given for index in each.index])
    given.append(pd.DataFrame({"label": label.map(ours), "annotator": people})[alone])
    said = pd.concat(given).sort_index(kind="stable")
    return said[said["label"] != ""]


def _of_other_size(row, images, tiles):
    """Return why the size or the pixel size of a row are those of another image, empty if not."""
    name = row["panorama"]
    if name not in images:
        return ""
    width, height, pixel_size_nm = images[name]
    told = [parse_number(row[column]) for column in IMAGE]
    sizes = [(width, height)]
    if row["tile"]:
        # Such a row may well tell the size of its tile.
        with contextlib.suppress(InputError):
            place = tiles.get(name, Tiles()).find(row["tile"])
            sizes += [place[2:]] if place else []
    if not any(
        all(each in (None, edge) for each, edge in zip(told, size, strict=False)) for size in sizes
    ):
        size = " x ".join("?" if each is None else f"{each:g}" for each in told[:2])
        return f"another image: labelled in {size} px, and '{name}' has {width} x {height} px"
    if told[2] and abs(np.log(told[2] / pixel_size_nm)) > _SAME_PIXELS:
        return (
            f"another image: labelled at {told[2]:g} nm a pixel, and '{name}' has "
            f"{pixel_size_nm:g} nm"
        )
    return ""


def _without_place(row, sizes_px, images):
    """Return why a row has no place in any panorama, empty if it has."""
    name = row["panorama"]
    if name not in sizes_px:
        return f"there is no panorama '{name}' in the sample sheet"
    position = [parse_number(row[column]) for column in ("x_px", "y_px")]
    if name not in images or row["tile"] or None in position:
        return ""
    width, height, _ = images[name]
    inside = all(
        -0.5 <= at <= edge - 0.5 for at, edge in zip(position, (width, height), strict=True)
    )
    return "" if inside else f"outside '{name}', which has {width} x {height} px"


def _of_other_pixels(rows, pictures, *, path):
    """Return the index of the rows whose place shows other pixels than when it was labelled."""
    marked, found = rows[rows["image"] != ""], []
    with told_together() as problems:
        for index, text in marked["image"].items():
            if not is_mark(text):
                reason = "this is no mark of an image. Leave it as it was written, or clear it."
                problems.at(path, index, "image", reason)
        problems.tell()
        # Positions in tiles are no places of the panorama yet.
        marked = marked[marked["tile"] == ""]
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
