"""Label files that lie in a folder beside the configuration and are used without a word in it."""

from pathlib import Path

from damascene import InputError
from damascene.config.label_source import DroppedLabels
from damascene.config.study import Study
from damascene.problems import MARK
from damascene.text_files import require_text_names

#: Folder of label files, in the folder of a study.
LABEL_FOLDER = "config/labels"
_SUFFIX = ".tsv"
# What editors and spreadsheets leave beside a file.
_BACKUPS = ("~", ".bak", ".swp", ".tmp")
_SHOWN = 3


def with_dropped_labels(study: Study, *, folder: Path = Path(LABEL_FOLDER)) -> Study:
    """Add the label files of the folder to those that a study lists.

    A file that the configuration lists, too, is read once, as the configuration says. Hidden files
    are left out, as programs write such beside others.

    Parameters
    ----------
    study : Study
    folder : pathlib.Path, optional

    Returns
    -------
    Study
        With a `DroppedLabels` for each further file, by name.

    Raises
    ------
    InputError
        If the folder is none or cannot be read, or the name of a file is no text.
    """
    known = {(Path(study.data_folder) / source.path).resolve() for source in study.labels}
    dropped = []
    label_files = [path for path in _entries(folder, known) if path.suffix.lower() == _SUFFIX]
    require_text_names(label_files)
    for path in label_files:
        place = path.resolve()
        if place not in known:
            known.add(place)
            dropped.append(DroppedLabels(path=str(path.absolute())))
    return study.model_copy(update={"labels": [*study.labels, *dropped]})


def unread_notes(study: Study, *, folder: Path = Path(LABEL_FOLDER)) -> list[str]:
    """Return what is said of files and folders in the folder of labels that are not read.

    Parameters
    ----------
    study : Study
        As `with_dropped_labels` returns it.
    folder : pathlib.Path, optional
    """
    listed = [(Path(study.data_folder) / source.path).resolve() for source in study.labels]
    unread = []
    for path in _entries(folder, listed):
        place = path.resolve()
        used = any(
            place == each or place in each.parents or each in place.parents for each in listed
        )
        if not used and (path.is_dir() or path.suffix.lower() != _SUFFIX):
            unread.append(f"{path.name}/" if path.is_dir() else path.name)
    if not unread:
        return []
    # Names are shown on terminals, which some letters would confuse.
    names = ", ".join(repr(name) for name in unread[:_SHOWN])
    more = f" and {len(unread) - _SHOWN} more" if len(unread) > _SHOWN else ""
    return [
        f"{MARK}Not read in {folder}: {names}{more}. Only files that end in {_SUFFIX} and lie in "
        "the folder itself are label files; list others under `labels` with their format."
    ]


def _entries(folder, listed):
    """Return what lies in the folder but hidden files and backups, by name."""
    absent = not folder.exists() and not folder.is_symlink()
    if absent or (folder.is_file() and folder.resolve() in listed):
        return []
    if not folder.is_dir():
        raise InputError(
            f"{folder} is no folder. Make it one and put label files into it, or list the file "
            "under `labels` and call it otherwise."
        )
    try:
        found = sorted(folder.iterdir())
    except OSError as error:
        raise InputError(f"{folder} cannot be opened: {error.strerror}.") from error
    return [
        path
        for path in found
        if not path.name.startswith((".", "~$")) and not path.name.endswith(_BACKUPS)
    ]
