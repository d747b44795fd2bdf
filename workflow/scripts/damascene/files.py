"""Write files so that a product is either whole or absent, and notice inputs that still change."""

import contextlib
import errno
import glob
import json
import os
import platform
import re
import secrets
import shutil
import time
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np

from damascene import InputError

#: Numbers of the errors that mean that there is no room left, on the disk or for this user.
NO_ROOM = (errno.ENOSPC, errno.EDQUOT)
#: What to do then.
MAKE_ROOM = "Free some space and run again; finished products are kept."
# Less than a block of any file system: there some libraries say only that writing failed.
_NOTHING_LEFT = 4096
_HOST = re.sub(r"[^A-Za-z0-9-]", "-", platform.node())[:40] or "host"
_WRITER = re.compile(r"\.partial\.(?P<host>[A-Za-z0-9-]+)~(?P<process>\d+)~[0-9a-f]+\.")
# Writers on other machines cannot be asked whether they live.
_FORGOTTEN_S = 24 * 3600
# Archives carry times, which would differ in every run.
_NO_TIME = (1980, 1, 1, 0, 0, 0)
_COMPRESSED = (".zip", ".xlsx", ".tif", ".keras", ".npz")


@contextlib.contextmanager
def written_whole(*paths: str | Path) -> Iterator[list[Path]]:
    """Hand out temporary paths beside the products and rename them when all went well.

    After an error nothing is left of what was written, and products of an earlier run stay as
    they were. After a kill, what was written has a hidden name that no later stage reads and that
    the next writer of the product removes. Two writers of one product, such as a job that was
    queued again beside its predecessor, share no file: the product is that of the last one, whole.

    Parameters
    ----------
    *paths : paths of the products

    Yields
    ------
    list of pathlib.Path
        Where to write instead, in the same order, with the same suffixes.

    Raises
    ------
    InputError
        If the disk is full.
    """
    products = [Path(path) for path in paths]
    temporary = [temporary_path(path) for path in products]
    try:
        yield temporary
        for part, product in zip(temporary, products, strict=True):
            part.replace(product)
    except OSError as error:
        if _is_full(error, products[0].parent):
            names = " and ".join(map(str, products))
            raise InputError(f"{names}: the disk is full. {MAKE_ROOM}") from error
        raise
    finally:
        for part in temporary:
            _remove(part)


def temporary_path(product: Path) -> Path:
    """Return a hidden path beside a product that no other writer has, and remove leftovers.

    It names host and process, so that what a killed writer left is known as such.
    """
    # Also of a path that is temporary itself.
    name = _WRITER.sub("", product.name, count=1)
    for path in product.parent.glob(f".partial.*.{glob.escape(name)}"):
        if _is_left_over(path):
            _remove(path)
    token = f"{_HOST}~{os.getpid()}~{secrets.token_hex(4)}"
    return product.with_name(f".partial.{token}.{name}")


def _is_left_over(path):
    """Say whether the writer of a temporary file is gone, or has done nothing for a day."""
    writer = _WRITER.match(path.name)
    if writer is None:
        return False
    if writer["host"] == _HOST:
        try:
            os.kill(int(writer["process"]), 0)
        except ProcessLookupError:
            return True
        except OSError:
            pass
    with contextlib.suppress(OSError):
        return time.time() - path.stat().st_mtime > _FORGOTTEN_S
    return False


def _remove(path):
    # A folder that cannot be written must not hide the error that was first.
    with contextlib.suppress(OSError):
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()


def _is_full(error, folder):
    return error.errno in NO_ROOM or shutil.disk_usage(folder).free < _NOTHING_LEFT


def add_to_archive(archive: zipfile.ZipFile, name: str, content: bytes | str | Path) -> None:
    """Add a member to a ZIP archive; a file is copied as it is read, however large.

    Members carry no time and the same rights, so that the same content gives the same bytes. What
    is compressed already is only stored.

    Parameters
    ----------
    archive : zipfile.ZipFile
    name : str
        In the archive.
    content : bytes, str, or path of a file
    """
    about = zipfile.ZipInfo(name, _NO_TIME)
    about.external_attr = 0o644 << 16
    stored = name.endswith(_COMPRESSED)
    about.compress_type = zipfile.ZIP_STORED if stored else zipfile.ZIP_DEFLATED
    if not isinstance(content, Path):
        archive.writestr(about, content)
        return
    with content.open("rb") as file, archive.open(about, "w", force_zip64=True) as member:
        shutil.copyfileobj(file, member)


def read_texts(paths: Iterable[str | Path]) -> list[str]:
    """Read texts that `write_text` wrote."""
    return [Path(path).read_text(encoding="utf-8") for path in paths]


def write_text(path: str | Path, text: str) -> None:
    """Write a text whole."""
    with written_whole(path) as (part,):
        part.write_text(text, encoding="utf-8")


def write_json(path: str | Path, content: dict) -> None:
    """Write what can be JSON whole, for people to read: each entry of a list takes one line."""
    fields = ",\n".join(
        f"  {json.dumps(name)}: {_indented(each)}" for name, each in content.items()
    )
    write_text(path, f"{{\n{fields}\n}}\n")


def _indented(value):
    if isinstance(value, list | tuple) and value:
        entries = ",\n".join(f"    {json.dumps(entry)}" for entry in value)
        return f"[\n{entries}\n  ]"
    return json.dumps(value, indent=2).replace("\n", "\n  ")


def write_array(path: str | Path, array: np.ndarray) -> None:
    """Write an array as `.npy`, whole."""
    with written_whole(path) as (part,):
        np.save(part, array)


def files_below(folder: str | Path) -> list[Path]:
    """Return all files in a folder and the folders in it, by name; links to folders are followed.

    Raises
    ------
    InputError
        If a folder cannot be opened: what lies in it would be passed over.
    """

    def refuse(error):
        raise InputError(
            f"{error.filename} cannot be opened: {error.strerror}. Make it readable, or move it "
            "elsewhere."
        ) from error

    found, known = [], set()
    for place, folders, names in os.walk(folder, followlinks=True, onerror=refuse):
        real = os.path.realpath(place)
        if real in known:
            # A link to a folder above leads round in a circle.
            folders.clear()
            continue
        known.add(real)
        folders.sort()
        found += [Path(place, name) for name in names]
    return sorted(path for path in found if path.is_file())


def file_states(paths: Iterable[Path]) -> dict[Path, tuple[int, int, int]]:
    """Return size and times of files, to be handed to `require_unchanged` after reading them."""
    return {path: _state(path) for path in paths}


def require_unchanged(states: dict[Path, tuple[int, int, int]]) -> None:
    """Check that files are as they were.

    Raises
    ------
    InputError
        If one is not: what was read is a mixture of the old and the new.
    """
    for path, state in states.items():
        if not path.exists() or _state(path) != state:
            raise InputError(
                f"{path} changed while it was read; it may still be copied. Run again when the "
                "copy is complete."
            )


def _state(path):
    about = path.stat()
    # A copy may keep the time of change, but no copy keeps the time since which the file is there.
    return about.st_size, about.st_mtime_ns, about.st_ctime_ns
