"""What files hold, by size and checksum."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from damascene.images.source_files import checksum

# Larger files are images that can be made again; a thousand of them would take hours to read.
_MOST_BYTES = 2_000_000_000


@dataclass(frozen=True)
class Content:
    """A file.

    Attributes
    ----------
    path : str
    size_bytes : int
    sha256 : str
        Empty where the file is too large to be read only for this.
    """

    path: str
    size_bytes: int
    sha256: str


def content_of(path: str | Path) -> Content:
    """Return size and SHA-256 checksum of a file."""
    size = Path(path).stat().st_size
    return Content(str(path), size, "" if size > _MOST_BYTES else checksum(Path(path)))


def contents_of(paths: Iterable[str | Path]) -> list[Content]:
    """Return those of files that are there, each once, in the order of their paths.

    A folder stands for all files in it.
    """
    return [content_of(path) for path in files_of(paths)]


def files_of(paths: Iterable[str | Path]) -> list[str]:
    """Return the files that are there, and those in folders, each once and in order."""
    found = set()
    for path in map(Path, paths):
        within = path.rglob("*") if path.is_dir() else [path]
        found.update(str(each) for each in within if each.is_file())
    return sorted(found)
