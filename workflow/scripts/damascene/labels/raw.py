"""Label files as they are, before anything in them is checked.

Every job plans the study and asks what the files name: contracts are not loaded for it.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path

import pandas as pd

from damascene.config.label_source import LEFT_OUT, TABLES, LabelSource
from damascene.contracts.separated import read_separated_table
from damascene.contracts.text_tables import read_text_table
from damascene.exchange.clips import refuse_two_classes
from damascene.exchange.images import Images
from damascene.exchange.marks import Mark
from damascene.exchange.read import read_marks
from damascene.labels.class_names import ClassNames


def read_label_table(source: LabelSource, path: Path) -> pd.DataFrame:
    """Return the cells of a label file that is a table, with points for decimals; as text."""
    if source.format == "tsv":
        return read_text_table(path, what="label file")
    table = read_separated_table(path, what="label file", delimiter=source.delimiter)
    for ours in ("x_px", "y_px"):
        theirs = source.columns.get(ours, ours)
        if source.decimal == "," and theirs in table:
            table[theirs] = table[theirs].str.replace(",", ".")
    return table


def marks_of(source: LabelSource, path: Path) -> list[Mark]:
    """Return the objects of a label file of another tool."""
    if source.format == "clips":
        options = {"pattern": source.pattern, "first_pixel": source.first_pixel}
        marks = read_marks(path, form="clips", **options)
        refuse_two_classes(marks)
        return marks
    options = {}
    if source.format == "voc":
        options["difficult"] = "" if source.difficult == LEFT_OUT else source.difficult
    return read_marks(path, form=source.format, **options)


def mentioned_in(
    source: LabelSource, *, folder: Path, tiles: Mapping[str, Iterable[str]]
) -> set[str]:
    """Return the panoramas of which a label file names the class of a site, unchecked.

    Parameters
    ----------
    source : LabelSource
    folder : pathlib.Path
        From which its path counts.
    tiles : mapping of str to iterable of str
        Names of the images of every panorama.

    Raises
    ------
    InputError
        If the file cannot be read.
    """
    if source.format in TABLES:
        return _in_table(source, folder / source.path)
    images, found = Images(tiles), set()
    classes = ClassNames(source)
    for mark in marks_of(source, folder / source.path):
        if classes.meant(mark.label, place=mark.place, path=folder / source.path):
            meant = None if source.panorama else images.find(mark)
            found.add(source.panorama or (meant[0] if meant else ""))
    return found


def _in_table(source, path):
    table = read_label_table(source, path)
    told = [source.columns.get("label", "label"), *source.annotators]
    panorama = source.columns.get("panorama", "panorama")
    ours = ClassNames(source).ours
    return {
        source.panorama or row.get(panorama, "")
        for row in table.to_dict("records")
        if any(ours(row.get(name, "")) for name in told)
    }
