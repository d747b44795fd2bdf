"""Files of other tools, or folders of them, as marks."""

from collections.abc import Callable, Iterator
from pathlib import Path

from damascene import InputError
from damascene.exchange import clips, coco, label_studio, qupath
from damascene.exchange.marks import Mark
from damascene.exchange.voc import SUFFIXES as VOC
from damascene.exchange.voc import read_voc
from damascene.files import files_below
from damascene.problems import told_together
from damascene.text_files import require_text_names

#: How files of each format end, and what reads them.
READERS: dict[str, tuple[tuple[str, ...], Callable[..., Iterator[Mark]]]] = {
    "voc": (VOC, read_voc),
    "coco": (coco.SUFFIXES, coco.read_coco),
    "qupath": (qupath.SUFFIXES, qupath.read_qupath),
    "clips": (clips.SUFFIXES, clips.read_clip),
    "label_studio": (label_studio.SUFFIXES, label_studio.read_label_studio),
}


def read_marks(path: Path, *, form: str, **options) -> list[Mark]:
    """Read a file of another tool, or all files of its kind in a folder and the folders in it.

    Parameters
    ----------
    path : pathlib.Path
    form : str
        Key of `READERS`.
    **options
        Of the reader.

    Returns
    -------
    list of Mark
        By the names of the files, and as they stand in each.

    Raises
    ------
    InputError
        For all files and objects that cannot be read.
    """
    suffixes, reader = READERS[form]
    marks = []
    with told_together() as problems:
        for each in _files(path, suffixes):
            file = path.name if each == path else f"{path.name}/{each.relative_to(path).as_posix()}"
            with problems.kept():
                marks += reader(each, file=file, problems=problems, **options)
    return marks


def _files(path, suffixes):
    if not path.exists():
        raise InputError(
            f"{path}: no such file or folder of labels. Correct its path, or put it there."
        )
    if not path.is_dir():
        return [path]
    found = [
        each
        for each in files_below(path)
        if each.suffix.lower() in suffixes and not _is_hidden(each.relative_to(path))
    ]
    if not found:
        raise InputError(
            f"{path}: no file in the folder ends in {' or '.join(suffixes)}. Correct its path, or "
            "the key 'format'."
        )
    require_text_names(found)
    return found


def _is_hidden(path):
    """Tell whether a file, or a folder that it lies in, is hidden: programs keep copies there."""
    return any(part.startswith(".") for part in path.parts)
