"""Which files of public pictures lie in which folders, so that scores follow them."""

import csv
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from damascene.files import write_text

#: Their files, by checksum. `content`: that of what a compressed file holds, as distributions pack
#: the same data anew.
REGISTRY = Path(__file__).parents[4] / "resources/public_digits.tsv"


def named_file(folder: str | Path, name: str) -> Path | None:
    """Return a file of a folder, which may have been unpacked by hand, or None."""
    paths = [Path(folder, name), Path(folder, name.removesuffix(".gz"))]
    return next((path for path in paths if path.is_file()), None)


def files_seen(
    dataset: str, *, folders: Sequence[str | Path], registry: Path = REGISTRY
) -> list[str]:
    """Return what tells the files of a set of pictures from others of the same names.

    Parameters
    ----------
    dataset : str
        As in `resources/public_digits.tsv`.
    folders : sequence of path
        Where its files are sought, in turn.
    registry : pathlib.Path, optional
        Files that are known by their checksum.

    Returns
    -------
    list of str
        Number of the folder, name, size in bytes and time of change in ns of each file that is
        there. Paths are left out, as data may move.
    """
    with registry.open(newline="") as file:
        rows = csv.DictReader(file, delimiter="\t")
        names = [row["file"] for row in rows if row["dataset"] == dataset]
    seen = []
    for number, folder in enumerate(folders):
        for path in filter(None, (named_file(folder, name) for name in names)):
            about = path.stat()
            seen.append(f"{number} {path.name} {about.st_size} {about.st_mtime_ns}")
    return seen


def note_vain_fetch(note: str | Path) -> None:
    """Note that files could not be fetched now, so that the next run tries again.

    The note stays when a later run has fetched them. The run that follows then sees what that run
    saw, and repeats nothing.
    """
    write_text(note, datetime.now(UTC).isoformat(timespec="microseconds") + "\n")


def vain_fetch(note: str | Path) -> str:
    """Return when files were last sought in vain, as `note_vain_fetch` wrote it; empty if never."""
    note = Path(note)
    return note.read_text().strip() if note.is_file() else ""
