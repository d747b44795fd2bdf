"""A short hash of the part of the library that a rule uses.

The workflow engine reruns a rule when its script changes but does not look at the modules which the
script imports. With this hash among its parameters, a rule runs again when any module that it
reaches has changed, and only then.
"""

import functools
import hashlib
import re
from pathlib import Path

LIBRARY = Path(__file__).parents[1]
# Parsing the whole library would cost every job a quarter of a second; import lines are enough.
FROM_IMPORT = re.compile(
    r"^\s*from (damascene[\w.]*) import (\([^)]*\)|[^\n]*)", flags=re.MULTILINE
)
NOT_HASHED = {"damascene.jobs.log"}


@functools.cache
def library_fingerprint(script: str) -> str:
    """Return a hash of everything of the library that a rule's script imports.

    How a job writes its log is left out: it changes no product.

    Parameters
    ----------
    script : str
        Name of the script without its ending, as in `find_candidates`.

    Returns
    -------
    str
        Twelve hexadecimal digits.

    Raises
    ------
    FileNotFoundError
        If there is no such script.
    """
    digest = hashlib.sha256()
    for name in sorted(_reached((LIBRARY.parent / f"{script}.py").read_text()) - NOT_HASHED):
        digest.update(name.encode() + b"\0" + _source(name).read_bytes() + b"\0")
    return digest.hexdigest()[:12]


def _reached(text):
    waiting, reached = _imports(text), set()
    while waiting:
        name = waiting.pop()
        if name not in reached:
            reached.add(name)
            waiting |= _imports_of_module(name)
    return reached


@functools.cache
def _imports_of_module(name):
    text = _source(name).read_text()
    if "import_module(" not in text:
        return _imports(text)
    # What imports by name may reach every module of its package.
    folder, package = _source(name).parent, name.rpartition(".")[0]
    return _imports(text) | {f"{package}.{path.stem}" for path in folder.glob("[!_]*.py")}


def _imports(text):
    """Return the modules of the library that a source imports."""
    found = set(re.findall(r"^\s*import (damascene[\w.]*)", text, flags=re.MULTILINE))
    for package, names in FROM_IMPORT.findall(text):
        # `from package import module` reaches the module as well as the package.
        found |= {package, *(f"{package}.{item}" for item in re.findall(r"\w+", names))}
    return {item for item in found if _exists(item)}


def _path(name):
    return LIBRARY.joinpath(*name.split(".")[1:])


def _exists(name):
    return _path(name).with_suffix(".py").is_file() or (_path(name) / "__init__.py").is_file()


def _source(name):
    module = _path(name).with_suffix(".py")
    if name != "damascene" and module.is_file():
        return module
    return _path(name) / "__init__.py"
