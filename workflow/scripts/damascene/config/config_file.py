"""Check the configuration as a text, before the workflow engine reads it.

The engine says that a file is not valid and names no line; of a key that is given twice it takes
the last one without a word.
"""

import time
from pathlib import Path

import yaml

from damascene import InputError
from damascene.problems import told_together
from damascene.text_files import read_lines_of

_SAVE = "Save it as UTF-8 text."
# A folder that the engine made because it was named by mistake is not older.
_JUST_NOW_S = 20


def check_config_file(path: Path) -> None:
    """Check that a configuration is YAML in UTF-8 in which no key is given twice.

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
    try:
        node = yaml.compose("\n".join(lines), Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise InputError(
            f"{path}, line {mark.line + 1}: {_reason(error, lines[mark.line : mark.line + 1])}"
        ) from error
    except yaml.YAMLError as error:
        raise InputError(f"{path} is not YAML: {error}") from error
    if not isinstance(node, yaml.MappingNode):
        raise InputError(
            f"{path}: a configuration has keys and values, at least one, as in 'study: my_steel'."
        )
    with told_together() as problems:
        for key, first, again in _given_twice(node):
            problems.add(
                f"{path}, line {again}: '{key}' is given in line {first} already, and one of the "
                "two would be lost. Put both parts under one."
            )


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


def _given_twice(node):
    """Yield key, line of the first and line of the second, of keys that a mapping has twice."""
    if isinstance(node, yaml.MappingNode):
        seen = {}
        for key, value in node.value:
            line = key.start_mark.line + 1
            if seen.setdefault(key.value, line) != line:
                yield key.value, seen[key.value], line
            yield from _given_twice(value)
    elif isinstance(node, yaml.SequenceNode):
        for value in node.value:
            yield from _given_twice(value)


def refuse_missing_study(folder: Path) -> None:
    """Say that there is no study in a folder, and remove it if the engine has just made it.

    Raises
    ------
    InputError
        Always.
    """
    empty = not any(folder.iterdir())
    if empty and time.time() - folder.stat().st_mtime < _JUST_NOW_S:
        # Removes nothing but an empty folder.
        folder.rmdir()
    raise InputError(
        f"There is no study in {folder}: it has no config/config.yaml. Correct the folder after "
        "--directory, or set up a study there as config/README.md says."
    )
