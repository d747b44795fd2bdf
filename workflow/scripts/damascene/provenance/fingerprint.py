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


@functools.cache
def library_fingerprint(*modules: str) -> str:
    """Return a hash of the sources of modules and of everything of the library they import.

    Parameters
    ----------
    *modules : str
        Dotted names below `damascene`, as in `detection.candidates` or `detection`.

    Returns
    -------
    str
        Twelve hexadecimal digits.

    Raises
    ------
    ModuleNotFoundError
        If there is no such module.
    """
    reached = _reached({f"damascene.{name}" for name in modules})
    digest = hashlib.sha256()
    for name in sorted(reached):
        digest.update(name.encode() + b"\0" + _source(name).read_bytes() + b"\0")
    return digest.hexdigest()[:12]


def _reached(names):
    waiting, reached = list(names), set()
    while waiting:
        name = waiting.pop()
        if name not in reached:
            reached.add(name)
            waiting += _imports(name)
    return reached


@functools.cache
def _imports(name):
    source = _source(name).read_text()
    found = set(re.findall(r"^\s*import (damascene[\w.]*)", source, flags=re.MULTILINE))
    for package, names in FROM_IMPORT.findall(source):
        # `from package import module` reaches the module as well as the package.
        found |= {package, *(f"{package}.{item}" for item in re.findall(r"\w+", names))}
    return [item for item in found if _exists(item)]


def _path(name):
    return LIBRARY.joinpath(*name.split(".")[1:])


def _exists(name):
    return _path(name).with_suffix(".py").is_file() or (_path(name) / "__init__.py").is_file()


def _source(name):
    module, package = _path(name).with_suffix(".py"), _path(name) / "__init__.py"
    if name != "damascene" and module.is_file():
        return module
    if package.is_file():
        return package
    raise ModuleNotFoundError(name)
