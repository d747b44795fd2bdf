"""Check the configuration as a text, before the workflow engine reads it.

The engine says that a file is not valid and names no line; of a key that is given twice it takes
the last one without a word, and of `20:30` and `010` it makes 1230 and 8.
"""

import contextlib
import re
import time
from pathlib import Path

import yaml

from damascene import InputError
from damascene.problems import told_together
from damascene.text_files import read_lines_of

_SAVE = "Save it as UTF-8 text."
# A folder that the engine made because it was named by mistake is not older.
_JUST_NOW_S = 20
_TEXT, _MERGE = "tag:yaml.org,2002:str", "tag:yaml.org,2002:merge"
# Numbers as everybody writes them; what YAML 1.1 reads beside them has other values than it shows.
_DECIMAL = re.compile(r"[-+]?(?:0|[1-9][0-9]*)(?:\.[0-9]*)?(?:[eE][-+]?[0-9]+)?|[-+]?\.[0-9]+")
# Told with the key that it is for.
_NO_NUMBER = re.compile(r"[-+]?\.(?:inf|nan)", re.IGNORECASE)


def check_config_file(path: Path) -> None:
    """Check a text in YAML: nothing in it is lost, or read as something else than it looks.

    Parameters
    ----------
    path : pathlib.Path

    Raises
    ------
    InputError
        Naming the line.
    """
    lines = read_lines_of(path, what="configuration", save=_SAVE)
    try:
        path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: the configuration is not in UTF-8. {_SAVE}") from error
    with _told_by_line(path, lines):
        loader = yaml.SafeLoader("\n".join(lines))
        node = loader.get_single_node()
    if not isinstance(node, yaml.MappingNode):
        raise InputError(
            f"{path}: a configuration has keys and values, at least one, as in 'study: my_steel'."
        )
    with told_together() as problems:
        for part, reason in _faults(node):
            problems.add(f"{path}, line {_line(part)}: {reason}")
    with _told_by_line(path, lines):
        loader.construct_document(node)


@contextlib.contextmanager
def _told_by_line(path, lines):
    try:
        yield
    except yaml.constructor.ConstructorError as error:
        line = (error.problem_mark or error.context_mark).line + 1
        raise InputError(
            f"{path}, line {line}: {error.problem}. Write keys, texts, numbers and lists without "
            "tags, as config/README.md shows them."
        ) from error
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise InputError(
            f"{path}, line {mark.line + 1}: {_reason(error, lines[mark.line : mark.line + 1])}"
        ) from error
    except yaml.YAMLError as error:
        raise InputError(f"{path} is not YAML: {error}") from error
    except RecursionError as error:
        raise InputError(
            f"{path}: brackets or lines are nested too deeply for a configuration."
        ) from error


def _reason(error, line):
    if "\t" in "".join(line)[: _indent(line)]:
        return "there is a tab in front of the key. Indent by spaces."
    where = f" ({error.context})" if error.context else ""
    if error.context and error.context_mark:
        where = f" ({error.context} that begins in line {error.context_mark.line + 1})"
    return (
        f"{error.problem}{where}. The line or the one above is not YAML: check its indent, colon, "
        "brackets and quotation marks."
    )


def _indent(line):
    text = "".join(line)
    return len(text) - len(text.lstrip())


def _line(node):
    return node.start_mark.line + 1


def _faults(root):
    """Yield the parts of a text that would be lost or read as another thing, and why."""
    waiting, met = [root], set()
    while waiting:
        node = waiting.pop()
        # A part with a name may stand in several places, even within itself.
        if id(node) in met:
            continue
        met.add(id(node))
        if isinstance(node, yaml.MappingNode):
            yield from _faults_of_keys(node)
            waiting += [value for _, value in node.value]
        elif isinstance(node, yaml.SequenceNode):
            waiting += node.value
        elif reason := _misread(node):
            yield node, reason


def _faults_of_keys(mapping):
    first = {}
    for key, _ in mapping.value:
        if key.tag == _MERGE:
            continue
        if key.tag != _TEXT:
            name = f"'{key.value}'" if isinstance(key, yaml.ScalarNode) else "a list or a mapping"
            yield key, f"{name} is no key: YAML does not read it as a name. Correct or remove it."
        elif key.value in first:
            yield (
                key,
                f"'{key.value}' is given in line {_line(first[key.value])} already, and one of the "
                "two would be lost. Put both parts under one.",
            )
        else:
            first[key.value] = key


def _misread(node):
    """Return why a value is not what it looks like to most people, empty if it is."""
    kind, text = node.tag.rpartition(":")[2], node.value
    if kind == "timestamp":
        return f"YAML reads {text} as a date. Put a text in quotation marks."
    if kind in ("int", "float") and not (_DECIMAL.fullmatch(text) or _NO_NUMBER.fullmatch(text)):
        return (
            f"YAML does not read {text} as it looks: colons, underscores, a 0 in front and letters "
            "have a meaning of their own. Write a number with digits and a point, a text in "
            "quotation marks."
        )
    return ""


def refuse_missing_study(folder: Path) -> None:
    """Say that there is no study in a folder, and remove it if the engine has just made it.

    Raises
    ------
    InputError
        Always.
    """
    made = folder
    while not any(made.iterdir()) and time.time() - made.stat().st_mtime < _JUST_NOW_S:
        # Removes nothing but empty folders.
        made.rmdir()
        made = made.parent
    raise InputError(
        f"There is no study in {folder}: it has no config/config.yaml. Correct the folder after "
        "--directory, or set up a study there as config/README.md says."
    )
