"""Label files: positions to which a person gave a class."""

import difflib
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from damascene import InputError
from damascene.classes import OLDER_NAMES, SITE_CLASSES
from damascene.contracts.labels import ANSWER_SEPARATOR, LABELS
from damascene.contracts.stitching import FRAMES
from damascene.contracts.table import check_table, read_tsv
from damascene.contracts.text_tables import numbers, place, read_text_table, require_columns
from damascene.images.grids import with_bare_names
from damascene.images.sources import Source

# What an annotator answers who cannot tell; counts as no answer.
UNCLEAR = "unclear"


def read_labels(
    path: Path,
    *,
    panorama: str | None,
    columns: Mapping[str, str],
    annotators: Sequence[str] = (),
    sizes_px: Mapping[str, tuple[int, int]],
    tile_corners_px: Mapping[str, Mapping[str, tuple[int, int]]],
) -> tuple[pd.DataFrame, int]:
    """Read and check a label file.

    Parameters
    ----------
    path : pathlib.Path
        TSV file, one row per labelled site.
    panorama : str or None
        Panorama of all rows, for a file without that column.
    columns : mapping
        Names in the file for our columns `panorama`, `x_px`, `y_px`, `label`, `annotator`, `tile`.
    annotators : sequence of str, optional
        Columns of the file with the answers of single annotators.
    sizes_px : mapping of str to (width, height)
        Size of every panorama of the study.
    tile_corners_px : mapping of str to mapping of str to (x, y)
        For panoramas made of a grid: the upper left corner of each tile, by file name. Positions
        count from there where the file has a tile column.

    Returns
    -------
    labels : pandas.DataFrame
        `LABELS`, positions in the panorama.
    left_out : int
        Rows without a label.

    Raises
    ------
    InputError
        Naming the row and column of the first cell that cannot be used.
    """
    table = read_text_table(path, what="label file")
    file_names = {ours: columns.get(ours, ours) for ours in ("x_px", "y_px", "label")}
    if panorama is None:
        file_names["panorama"] = columns.get("panorama", "panorama")
    if "tile" in columns:
        file_names["tile"] = columns["tile"]
    annotator = columns.get("annotator", "annotator")
    if "annotator" in columns or annotator in table.columns:
        file_names["annotator"] = annotator
    require_columns(table, [*file_names.values(), *annotators], path=path)

    used = table[table[file_names["label"]] != ""]
    text = pd.DataFrame({ours: used[theirs] for ours, theirs in file_names.items()})
    if panorama is not None:
        text["panorama"] = panorama
    if "annotator" not in text:
        text["annotator"] = ""

    def refuse(index, ours, reason):
        column = file_names.get(ours, ours)
        raise InputError(f"{place(path, index, column)}: {reason}")

    for index, name in text["panorama"].items():
        if name not in sizes_px:
            refuse(index, "panorama", f"there is no panorama '{name}' in the sample sheet.")
    for index, label in text["label"].items():
        if label not in SITE_CLASSES:
            refuse(index, "label", f"unknown class '{label}'. {_class_hint(label)}")
    text["answers"] = _joined_answers(used, annotators, path=path) if annotators else text["label"]
    for ours in ("x_px", "y_px"):
        values = numbers(used[file_names[ours]], path=path)
        if values.isna().any():
            refuse(values.isna().idxmax(), ours, "empty. Enter the position or clear the label.")
        text[ours] = values
    if "tile" in text:
        for index, (name, tile) in text[["panorama", "tile"]].iterrows():
            if tile not in tile_corners_px.get(name, {}):
                refuse(index, "tile", f"'{tile}' is not a tile of panorama '{name}'.")
        corners = [
            tile_corners_px[name][tile]
            for name, tile in zip(text["panorama"], text["tile"], strict=True)
        ]
        text[["x_px", "y_px"]] += np.array(corners).reshape(-1, 2)
    for index, row in text.iterrows():
        width, height = sizes_px[row["panorama"]]
        for ours, size in (("x_px", width), ("y_px", height)):
            if not -0.5 <= row[ours] <= size - 0.5:
                refuse(
                    index,
                    ours,
                    f"{row[ours]:g} px lies outside panorama '{row['panorama']}' "
                    f"({width} x {height} px). x_px is the column, y_px the row, both from 0.",
                )
    return check_table(text, LABELS, source=str(path)), len(table) - len(used)


def _joined_answers(table, annotators, *, path):
    for column in annotators:
        for index, answer in table[column].items():
            if answer and answer not in (*SITE_CLASSES, UNCLEAR):
                raise InputError(
                    f"{place(path, index, column)}: unknown class '{answer}'. {_class_hint(answer)}"
                )
    answers = table[list(annotators)].replace(UNCLEAR, "")
    return [ANSWER_SEPARATOR.join(row) for row in answers.to_numpy()]


def tile_corners(source: Source) -> dict[str, tuple[int, int]]:
    """Return the upper left corner (x, y) in pixels of each tile of a grid, by its names.

    These are the name in the grid file and the bare file name, where no other tile has the same.
    """
    listed = {path: name for name, path in source.files}
    found = Counter(header.path.name for header in source.cells.values())
    corners = {}
    for (row, column), header in source.cells.items():
        names = {listed.get(header.path, header.path.name)}
        names |= {header.path.name} if found[header.path.name] == 1 else set()
        place = (column * source.cell_width_px, row * source.cell_height_px)
        corners |= dict.fromkeys(names, place)
    return corners


def frame_corners(path: str | Path) -> dict[str, tuple[int, int]]:
    """Return the upper left corner (x, y) in pixels of each frame of a stitched panorama.

    Parameters
    ----------
    path : path of the table of frames
        As `stitch_frames` gives it.

    Returns
    -------
    dict of str to (x, y)
        By the name of the frame in its list, and by the file name alone where no two have the same.
    """
    frames = read_tsv(path, FRAMES)
    corners = frames[["placed_x_px", "placed_y_px"]].to_numpy().tolist()
    return with_bare_names(dict(zip(frames["file"], map(tuple, corners), strict=True)))


def _class_hint(label):
    near = OLDER_NAMES.get(label.lower()) or next(
        iter(difflib.get_close_matches(label.lower(), SITE_CLASSES, n=1)), None
    )
    hint = f"Did you mean '{near}'? " if near else ""
    return f"{hint}Classes: {', '.join(SITE_CLASSES)}."


def require_enough(labels: pd.DataFrame, *, folds: int) -> None:
    """Raise `InputError` if a class has fewer labels than folds."""
    counts = labels["label"].value_counts()
    for name in SITE_CLASSES:
        count = int(counts.get(name, 0))
        if count < folds:
            raise InputError(
                f"Class '{name}' has {count} labels; {folds} folds need at least {folds} of each "
                "class. Label more sites of it or lower split.folds."
            )
