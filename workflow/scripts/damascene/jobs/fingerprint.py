"""A short hash of the part of the library that a rule uses.

The workflow engine knows nothing of the modules that a script imports. With this hash among its
parameters, a rule runs again when the meaning of its script or of any module that it reaches has
changed, and only then: comments, docstrings, help texts and messages are left out.
"""

import ast
import functools
import hashlib
import json
from pathlib import Path

from damascene import InputError

LIBRARY = Path(__file__).parents[1]
#: How a job writes its log, and what it says of other versions, change no product.
NOT_HASHED = {"damascene.jobs.log"}
#: Methods of a logger; a line that calls one changes no product.
_LOGGING = {"debug", "info", "warning", "error", "exception"}


@functools.cache
def library_fingerprint(script: str) -> str:
    """Return a hash of a rule's script and of everything of the library that it imports.

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
    return _fingerprint((LIBRARY.parent / f"{script}.py").read_text(encoding="utf-8"))


def notebook_fingerprint(path: str | Path) -> str:
    """Return a hash of the code of a notebook and of everything of the library that it imports."""
    cells = json.loads(Path(path).read_text(encoding="utf-8"))["cells"]
    code = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    return _fingerprint("\n".join(code))


def _fingerprint(source):
    names, computed = _read(source)
    digest = hashlib.sha256(computed.encode())
    for name in sorted(_reached(names) - NOT_HASHED):
        digest.update(f"\0{name}\0{_module(name)[1]}".encode())
    return digest.hexdigest()[:12]


def content_digest(*paths: str | Path) -> str:
    """Return a short hash of what files hold, wherever they lie; empty without files.

    Raises
    ------
    InputError
        If one of them is missing.
    """
    digest = hashlib.sha256()
    for path in paths:
        if not Path(path).is_file():
            raise InputError(
                f"There is no file {path}, which the study needs. Restore it; what comes with the "
                "workflow is in a fresh copy of it."
            )
        with Path(path).open("rb") as file:
            digest.update(hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()[:12] if paths else ""


def reached_modules(source: str) -> set[str]:
    """Return the modules of the library that a source imports, and those which these import."""
    return _reached(_read(source)[0])


def _reached(names):
    waiting, reached = set(names), set()
    while waiting:
        name = waiting.pop()
        if name not in reached:
            reached.add(name)
            waiting |= _module(name)[0]
    return reached


@functools.cache
def _module(name):
    """Return what a module imports of the library, and the digest of what it computes."""
    text = module_path(name).read_text(encoding="utf-8")
    imported, computed = _read(text)
    if "import_module(" in text:
        # What imports by name may reach every module of its package.
        package = name.rpartition(".")[0]
        imported |= {f"{package}.{path.stem}" for path in module_path(name).parent.glob("[!_]*.py")}
    return frozenset(imported), hashlib.sha256(computed.encode()).hexdigest()


def _read(source):
    """Return the modules of the library that a source imports, and what it computes, as text.

    In one pass over the syntax tree, as every start of the workflow reads the whole library.
    """
    names, words = set(), []
    _tell(ast.parse(source), names, words)
    return {name for name in names if _is_of_library(name)}, " ".join(words)


def _tell(node, names, words):
    """Add what a node imports and what it computes, without what only people read."""
    kind = type(node)
    if kind is ast.Import:
        names.update(alias.name for alias in node.names)
    elif kind is ast.ImportFrom and node.module:
        # `from package import module` reaches the module as well as the package.
        names.add(node.module)
        names.update(f"{node.module}.{alias.name}" for alias in node.names)
    words.append(kind.__name__)
    for field in kind._fields:
        value = getattr(node, field, None)
        if kind is ast.Raise and field == "exc" and isinstance(value, ast.Call):
            value = value.func
        if isinstance(value, ast.AST):
            words.append(field)
            _tell(value, names, words)
        elif isinstance(value, list):
            words.append(f"{field}[")
            for each in value:
                if not isinstance(each, ast.AST):
                    words.append(repr(each))
                elif not _is_for_people(each):
                    _tell(each, names, words)
            words.append("]")
        elif value is not None:
            words.append(f"{field}={value!r}")


def _is_for_people(node):
    """Tell docstrings, log lines, and help texts of the configuration."""
    if isinstance(node, ast.keyword):
        return node.arg == "description"
    if not isinstance(node, ast.Expr):
        return False
    value = node.value
    return (isinstance(value, ast.Constant) and isinstance(value.value, str)) or (
        isinstance(value, ast.Call)
        and isinstance(value.func, ast.Attribute)
        and value.func.attr in _LOGGING
        and isinstance(value.func.value, ast.Name)
        and value.func.value.id == "logger"
    )


def _is_of_library(name):
    return name.split(".")[0] == "damascene" and module_path(name) is not None


@functools.cache
def module_path(name: str) -> Path | None:
    """Return the file of a module of the library, None if there is no such module."""
    place = LIBRARY.joinpath(*name.split(".")[1:])
    package = place / "__init__.py"
    if package.is_file():
        return package
    module = place.with_suffix(".py")
    return module if name != "damascene" and module.is_file() else None
