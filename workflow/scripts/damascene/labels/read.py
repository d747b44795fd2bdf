"""Label files: positions to which people gave a class."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from damascene import InputError
from damascene.classes import SITE_CLASSES, UNCLEAR
from damascene.config.label_source import TABLES, LabelSource
from damascene.contracts.labels import GIVEN_ANSWERS
from damascene.contracts.table import check_table
from damascene.contracts.text_tables import numbers, require_columns
from damascene.labels.class_names import ClassNames, unknown_class
from damascene.labels.foreign import read_foreign
from damascene.labels.kept import (
    check_boxes,
    complete,
    is_review,
    iso_time,
    kept_columns,
    read_times,
)
from damascene.labels.raw import read_label_table
from damascene.labels.tiles import Tiles
from damascene.problems import FIRST_ROW, told_together
from damascene.text_files import plain_name

# Columns that are used wherever they are, and those that a review has, too.
_USUAL = ("label", "annotator")
_TOLD_BY_REVIEWS = ("tile", "time")
# What moves with the corner from which positions count, along rows and columns.
_EDGES = ((0, ("x_px", "left_px")), (1, ("y_px", "top_px")))


def read_answers(
    source: LabelSource,
    *,
    folder: Path = Path(),
    sizes_px: Mapping[str, tuple[int, int]],
    tiles: Mapping[str, Tiles],
) -> tuple[pd.DataFrame, int]:
    """Read and check a label file, of this project or of another tool.

    A file with one row per answer and a column of annotators, and one with a row per site and a
    column for each annotator, give the same answers.

    Parameters
    ----------
    source : LabelSource
    folder : pathlib.Path, optional
        From which its path counts.
    sizes_px : mapping of str to (width, height)
        Size of every panorama of the study.
    tiles : mapping of str to Tiles
        Of panoramas made of a grid or of frames. Positions count from the corner of a tile where
        the file has a tile column.

    Returns
    -------
    answers : pandas.DataFrame
        `GIVEN_ANSWERS` in the order in which they were given, positions in the panorama.
    left_out : int
        Rows without any answer.

    Raises
    ------
    InputError
        Naming row and column of the cells that cannot be used.
    """
    if source.format not in TABLES:
        return read_foreign(source, folder=folder, sizes_px=sizes_px, tiles=tiles)
    path = folder / source.path
    table = read_label_table(source, path)
    return answers_in(table, source, path=path, sizes_px=sizes_px, tiles=tiles)


def answers_in(
    table: pd.DataFrame,
    source: LabelSource,
    *,
    path: Path,
    sizes_px: Mapping[str, tuple[int, int]],
    tiles: Mapping[str, Tiles],
    annotator: str = "",
) -> tuple[pd.DataFrame, int]:
    """Check a table of labels and return its answers; see `read_answers`.

    Parameters
    ----------
    table : pandas.DataFrame
        Of str, indexed as by `text_tables.read_text_table`.
    source : LabelSource
        How it is read.
    path : pathlib.Path
        Where it comes from, for messages.
    sizes_px, tiles
        See `read_answers`.
    annotator : str, optional
        Who answered in rows that do not say.
    """
    reviewed = is_review(source, table)
    names = {ours: source.columns.get(ours, ours) for ours in ("x_px", "y_px")}
    if source.panorama is None:
        names["panorama"] = source.columns.get("panorama", "panorama")
    for ours in ("label", "annotator", "tile", "time"):
        theirs = source.columns.get(ours, ours)
        known = (*_USUAL, *_TOLD_BY_REVIEWS) if reviewed else _USUAL
        usual = ours in known and theirs in table.columns
        if ours in source.columns or usual or (ours == "label" and not source.annotators):
            names[ours] = theirs
    require_columns(table, [*names.values(), *source.annotators], path=path)
    said = list(source.annotators) or [names["label"]]
    given = list(dict.fromkeys([*said, *([names["label"]] if "label" in names else [])]))
    table = table.assign(**{name: table[name].map(ClassNames(source).ours) for name in given})
    used = table[(table[given] != "").any(axis=1)]
    text = pd.DataFrame({ours: used[theirs] for ours, theirs in names.items()})
    if source.panorama is not None:
        text["panorama"] = source.panorama
    if source.annotator is not None:
        text["annotator"] = source.annotator
    if "annotator" in text:
        text["annotator"] = text["annotator"].map(plain_name).replace("", annotator)
    elif not source.annotators:
        text["annotator"] = annotator
    with told_together() as problems:
        for index, name in text["panorama"].items():
            if name not in sizes_px:
                # One wrong name in the configuration is told once, not for each row.
                problems.at(
                    path,
                    index,
                    names.get("panorama", "panorama"),
                    f"there is no panorama '{name}' in the sample sheet.",
                )
        for column in given:
            for index, answer in used[column].items():
                if answer and answer not in (*SITE_CLASSES, UNCLEAR):
                    problems.at(path, index, column, unknown_class(answer))
        for ours in ("x_px", "y_px"):
            with problems.kept():
                text[ours] = numbers(used[names[ours]], path=path) - source.first_pixel
                for index in text.index[text[ours].isna()]:
                    problems.at(
                        path, index, names[ours], "empty. Enter the position or clear the label."
                    )
        if reviewed:
            with problems.kept():
                text = text.assign(**kept_columns(used, path=path))
        problems.tell()
        if "time" in names:
            text = _in_time(
                text, path=path, column=names["time"], problems=problems, may_lack=reviewed
            )
        if "tile" in names:
            text = _from_tiles(text, tiles, path=path, names=names, problems=problems)
        else:
            outside = False
            for index, row in text.iterrows():
                size, where = sizes_px[row["panorama"]], f"panorama '{row['panorama']}'"
                for ours, reason in _outside(row, size, where=where):
                    outside = True
                    problems.at(path, index, names[ours], reason)
            if outside and _inside_exchanged(text, sizes_px):
                problems.add(f"{path}: all positions lie inside with x and y exchanged.")
    if "tile" not in names:
        _ask_for_tile(text, used, tiles, names, path=path)
    answers = _answers(text, used, source.annotators, path=path, label=names.get("label"))
    answers = complete(answers.assign(file=path.name, tile=answers.get("tile", "")))
    check_boxes(answers, path=path)
    return check_table(answers, GIVEN_ANSWERS, source=str(path)), len(table) - len(used)


def _in_time(text, *, path, column, problems, may_lack):
    """Sort the rows by time; rows of one time, or of none, stay in their order."""
    times = read_times(text["time"])
    for index in times.index[times.isna()]:
        cell = text["time"][index]
        if cell or not may_lack:
            reason = f"'{cell}' is no time. Write it as 2026-01-31 or 2026-01-31 14:05."
            problems.at(path, index, column, reason)
    text = text.assign(time=times.map(iso_time))
    return text.loc[times.sort_values(kind="stable", na_position="first").index]


def _from_tiles(text, tiles, *, path, names, problems):
    """Return the rows with positions that count from the corner of the panorama."""
    corners = np.zeros((len(text), 2))
    for row, index in enumerate(text.index):
        panorama, tile = text.loc[index, ["panorama", "tile"]]
        try:
            found = tiles.get(panorama, Tiles()).find(tile)
        except InputError as error:
            problems.at(path, index, names["tile"], str(error))
            continue
        if found is None:
            reason = f"'{tile}' is not a tile of panorama '{panorama}'."
            problems.at(path, index, names["tile"], reason)
            continue
        corners[row] = found[:2]
        for ours, reason in _outside(text.loc[index], found[2:], where=f"tile '{tile}'"):
            problems.at(path, index, names[ours], reason)
    # A box counts from the same corner as the position.
    moved = {name: corners[:, axis] for axis, edge in _EDGES for name in edge if name in text}
    return text.assign(**{name: text[name] + by for name, by in moved.items()})


def _outside(row, size, *, where):
    """Yield the columns of a position that does not lie in an image, and why."""
    for ours, extent in zip(("x_px", "y_px"), size, strict=True):
        if not -0.5 <= row[ours] <= extent - 0.5:
            yield (
                ours,
                f"{row[ours]:g} px lies outside {where} ({size[0]} x {size[1]} px). x_px is the "
                "column, y_px the row, both from 0.",
            )


def _inside_exchanged(text, sizes_px):
    sizes = np.array([sizes_px[name] for name in text["panorama"]])
    exchanged = text[["y_px", "x_px"]].to_numpy()
    return bool(((exchanged >= -0.5) & (exchanged <= sizes - 0.5)).all())


def _ask_for_tile(text, used, tiles, names, *, path):
    """Refuse positions that count from tiles, which a column names, where nobody said so."""
    for panorama, rows in text.groupby("panorama"):
        known = tiles.get(panorama, Tiles())
        for column in used.columns.difference(names.values()) if known.count > 1 else ():
            found = _all_tiles(used.loc[rows.index, column], known)
            if not found:
                continue
            left, top, width, height = np.array(found, float).T
            x, y = rows["x_px"].to_numpy(), rows["y_px"].to_numpy()
            # Frames may move a little when they are stitched.
            outside = (np.abs(x - left - width / 2) > 0.6 * width) | (
                np.abs(y - top - height / 2) > 0.6 * height
            )
            if outside.mean() > 0.5:
                raise InputError(
                    f"{path}: {outside.sum()} of {len(rows)} labels of panorama '{panorama}' do "
                    f"not lie in the tile that column '{column}' names. Do positions count from "
                    f"the corner of the tile? Then `tile` is missing from `columns`: write "
                    f"columns: {{tile: {column}}} in the configuration."
                )


def _all_tiles(column, tiles):
    """Return the places of the tiles that a column names, nothing if a cell names none or two."""
    found = []
    for name in column:
        try:
            found.append(tiles.find(name))
        except InputError:
            return []
        if found[-1] is None:
            return []
    return found


def _answers(text, used, annotators, *, path, label):
    """Return one row per answer, in the order of the rows and then of the columns."""
    text = text.assign(row=text.index + FIRST_ROW, agreed="")
    agreed = text["label"] if "label" in text else pd.Series("", text.index)
    if not annotators:
        named = text if "annotator" in text else text.assign(annotator="")
        return named.assign(answer=agreed)
    cells = used.loc[text.index, list(annotators)]
    with told_together() as problems:
        for index, given in agreed[agreed != ""].items():
            votes = cells.loc[index][lambda said: ~said.isin(["", UNCLEAR])]
            if len(votes) and given not in set(votes.mode()):
                said = ", ".join(f"{name} {answer}" for name, answer in votes.items())
                problems.at(
                    path,
                    index,
                    label,
                    f"'{given}' is not what most annotators say ({said}). Correct the row, or give "
                    "the column another name: the label is then the answer of the majority.",
                )
    decided = agreed.where(agreed != UNCLEAR, "")
    parts = [text.assign(annotator=name, answer=cells[name], agreed=decided) for name in annotators]
    # A label beside which no annotator gave a class is somebody's answer, too.
    alone = cells.isin(["", UNCLEAR]).all(axis=1)
    parts.append(text.assign(annotator="", answer=agreed.where(alone, "")))
    ranked = pd.concat([part.assign(rank=np.arange(len(part))) for part in parts])
    ranked = ranked.sort_values("rank", kind="stable")
    return ranked[ranked["answer"] != ""]
