"""The files from which a panorama is made, and whether they are still those that were read."""

import hashlib
from collections.abc import Iterable, MutableMapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from damascene.contracts.source_file import SourceFile
from damascene.contracts.text_tables import read_rows
from damascene.files import files_below
from damascene.images.grids import is_table
from damascene.images.microscopes.side_files import side_file


def source_files(
    source: str | Path, *, tile_folder: str | Path | None = None
) -> list[tuple[str, Path]]:
    """Return the files of a panorama: the image; or the grid file or list and what it names.

    A text file that the microscope wrote beside an image follows it. Nothing is opened but these
    and the grid file or list.

    Parameters
    ----------
    source : path of an image, a grid file or a list of frames
    tile_folder : path, optional
        Where the images of a grid or list lie; beside it if not given.

    Returns
    -------
    list of (str, pathlib.Path)
        The name of each file, which stays when the folder moves, and where it lies now: `source`
        itself by its own name, tiles and frames as they are listed and in that order.

    Raises
    ------
    InputError
        If a grid file or list cannot be read.
    """
    source = Path(source)
    if not is_table(source):
        return list(_with_side_file(source.name, source))
    folder = source.parent if tile_folder is None else Path(tile_folder)
    _, lines = read_rows(source, what="grid file")
    listed = [line["file"] for _, line in lines if line.get("file")]
    images = (each for name in listed for each in _with_side_file(_relative(name), folder / name))
    return [(source.name, source), *images]


def _with_side_file(name, path):
    yield name, path
    beside = side_file(path)
    if beside is not None:
        yield Path(name).with_name(beside.name).as_posix(), beside


def source_states(files: Iterable[tuple[str, Path]], *, threads: int = 1) -> list[SourceFile]:
    """Return size, time and checksum of files, as they go into the record of a panorama.

    Parameters
    ----------
    files : iterable of (str, pathlib.Path)
        From `source_files`.
    threads : int, optional
        Files read at the same time.
    """
    with ThreadPoolExecutor(max_workers=threads) as pool:
        return list(pool.map(_state, files))


def changed_files(
    recorded: Sequence[SourceFile],
    files: Iterable[tuple[str, Path]],
    *,
    checksums: MutableMapping[str, list] | None = None,
) -> list[str]:
    """Name the files of a panorama that are new, gone, or have another content than recorded.

    A file of the recorded size and times counts as unchanged. Only where the times alone differ is
    the content compared. So a copy of the data is read once and found to be the same, and a file
    that was replaced by one of the same size and an older time, or the same, is found, too.

    Parameters
    ----------
    recorded : sequence of SourceFile
        `PanoramaRecord.sources`.
    files : iterable of (str, pathlib.Path)
        From `source_files`.
    checksums : mutable mapping, optional
        What earlier calls read, kept by the caller so that they need not read it again: by path,
        the size, the two times and the checksum.

    Returns
    -------
    list of str
        In the order of `files`; files that are no longer listed come last.
    """
    known, found = {one.file: one for one in recorded}, dict(files)
    checksums = {} if checksums is None else checksums
    changed = [
        name for name, path in found.items() if not _unchanged(known.get(name), path, checksums)
    ]
    return changed + [name for name in known if name not in found]


def _unchanged(known, path, checksums):
    if known is None or not path.is_file():
        return False
    about = path.stat()
    if about.st_size != known.size_bytes:
        return False
    if (about.st_mtime_ns, about.st_ctime_ns) == (known.modified_ns, known.changed_ns):
        return True
    state = [about.st_size, about.st_mtime_ns, about.st_ctime_ns]
    place = str(path.resolve())
    if checksums.get(place, [])[:3] != state:
        checksums[place] = [*state, checksum(path)]
    return checksums[place][3] == known.sha256


def _state(file):
    name, path = file
    about = path.stat()
    return SourceFile(
        file=name,
        size_bytes=about.st_size,
        modified_ns=about.st_mtime_ns,
        changed_ns=about.st_ctime_ns,
        sha256=checksum(path),
    )


def checksum(path: Path) -> str:
    """Return the SHA-256 checksum of the content of a file, hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def files_in(path: Path) -> list[Path]:
    """Return a file, or all files in a folder and the folders in it, by name."""
    return files_below(path) if path.is_dir() else [path]


def folder_checksum(path: Path) -> str:
    """Return the checksum of a file, or that of a folder: of all files in it and their names."""
    if not path.is_dir():
        return checksum(path)
    listed = "".join(
        f"{checksum(each)}  {each.relative_to(path).as_posix()}\n" for each in files_in(path)
    )
    return hashlib.sha256(listed.encode()).hexdigest()


def _relative(name):
    """Return a name without the root of the file system, which differs between machines."""
    path = Path(name)
    return path.relative_to(path.anchor).as_posix()
