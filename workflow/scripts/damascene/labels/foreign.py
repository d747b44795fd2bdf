"""Labels that were made with other tools, as the answers of people."""

from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from damascene import InputError
from damascene.config.label_source import LabelSource
from damascene.contracts.labels import GIVEN_ANSWERS
from damascene.contracts.table import check_table, empty_table
from damascene.exchange.images import Images
from damascene.labels.class_names import ClassNames
from damascene.labels.kept import complete, iso_time, read_times
from damascene.labels.raw import marks_of
from damascene.labels.tiles import Tiles
from damascene.problems import told_together
from damascene.text_files import plain_name

# The size of a panorama that is still to be stitched is known to a few percent; an image that was
# made smaller to be labelled differs by far more.
_RESIZED = 0.1


def read_foreign(
    source: LabelSource,
    *,
    folder: Path,
    sizes_px: Mapping[str, tuple[int, int]],
    tiles: Mapping[str, Tiles],
) -> tuple[pd.DataFrame, int]:
    """Read labels of another tool; arguments, returns and errors as of `read.read_answers`."""
    path = folder / source.path
    marks = marks_of(source, path)
    images = Images({name: tiles.get(name, Tiles()).names for name in sizes_px})
    classes = ClassNames(source)
    rows = []
    with told_together() as problems:
        for mark in marks:
            answer = classes.meant(mark.label, place=mark.place, path=path)
            if not answer:
                continue
            with problems.kept():
                rows.append(_row(mark, answer, source, images, sizes_px, tiles))
        with problems.kept():
            classes.refuse_unknown()
    if not rows:
        return empty_table(GIVEN_ANSWERS), len(marks)
    answers = complete(_in_time(pd.DataFrame(rows)))
    return check_table(answers, GIVEN_ANSWERS, source=str(path)), len(marks) - len(rows)


def _row(mark, answer, source, images, sizes_px, tiles):
    panorama, tile, (left, top, *size) = _place(mark, source, images, sizes_px, tiles)
    where = f"tile '{tile}'" if tile else f"panorama '{panorama}'"
    _refuse_resized(mark, size, where, exact=bool(tile))
    x, y = mark.centre_px(size)
    for name, value, extent in (("column", x, size[0]), ("row", y, size[1])):
        if not -0.5 <= value <= extent - 0.5:
            raise InputError(
                f"{mark.place}: {name} {value:g} px lies outside {where} ({size[0]} x {size[1]} "
                "px). Correct the object, or the name of its image."
            )
    return {
        "panorama": panorama,
        "x_px": x + left,
        "y_px": y + top,
        "annotator": plain_name(mark.annotator or source.annotator or ""),
        "answer": answer,
        "agreed": "",
        "tile": tile,
        "file": mark.file,
        "row": mark.row,
        "time": mark.time,
        "place": mark.place,
    }


def _place(mark, source, images, sizes_px, tiles):
    """Return panorama, tile and the frame from whose corner a mark counts."""
    try:
        meant = images.find(mark, panorama=source.panorama)
    except InputError as error:
        raise InputError(f"{mark.place}: {error}") from error
    if meant is None and source.panorama in sizes_px:
        whole = (0, 0, *sizes_px[source.panorama])
        of_whole = not mark.images or mark.size_px == whole[2:]
        if of_whole or images.count(source.panorama) <= 1:
            return source.panorama, "", whole
    if meant is None or meant[0] not in sizes_px:
        named = " or ".join(f"'{name}'" for name in mark.images) or f"'{mark.file}'"
        known = f"'{source.panorama}'" if source.panorama else ", ".join(map(repr, sizes_px))
        raise InputError(
            f"{mark.file}: its image is called {named}, and there is no such image, tile or frame "
            f"of panorama {known}. Rename the file after its image, or name the panorama in the "
            "configuration (panorama)."
        )
    panorama, tile = meant
    if not tile:
        return panorama, "", (0, 0, *sizes_px[panorama])
    return panorama, tile, tiles[panorama].find(tile)


def _refuse_resized(mark, size, where, *, exact):
    """Refuse positions that count in another size of the image; a data bar may lie below it."""
    if mark.size_px is None:
        return
    width, height = mark.size_px
    tolerance = 0 if exact else _RESIZED * size[0]
    if abs(width - size[0]) > tolerance or height < size[1] * (1 if exact else 1 - _RESIZED):
        raise InputError(
            f"{mark.file}: it was made on an image of {width} x {height} px, and {where} has "
            f"{size[0]} x {size[1]} px. Positions in an image of another size mean nothing: name "
            "the image that was labelled, or label the image itself."
        )


def _in_time(answers):
    """Write times alike; sort answers by them where all have one, those of one time as they are."""
    times = read_times(answers["time"])
    with told_together() as problems:
        for index in times.index[times.isna() & (answers["time"] != "")]:
            problems.add(
                f"{answers['place'][index]}: '{answers['time'][index]}' is no time. Correct it, or "
                "export the file again."
            )
    answers = answers.assign(time=times.map(iso_time))
    if times.isna().any():
        return answers
    return answers.loc[times.sort_values(kind="stable").index]
