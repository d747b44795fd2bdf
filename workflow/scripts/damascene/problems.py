"""Tell all that is wrong with what the user gave at once, not one thing in each try."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

from damascene import InputError

#: Begins each line that warns of a number, so that it is seen and found.
MARK = "! "
#: Row 1 of a table is its header, as an editor or a spreadsheet shows it.
FIRST_ROW = 2
_ROWS_SHOWN = 5
_LINES_SHOWN = 20


class Problems:
    """What was found so far; cells that are wrong for the same reason are told together."""

    def __init__(self):
        self._found: dict[tuple, list[int]] = {}

    def __bool__(self) -> bool:
        """Say whether there is any."""
        return bool(self._found)

    def add(self, message: str) -> None:
        """Add a whole message."""
        self._found[(message,)] = []

    def at(self, path: Path, index: int, column: str, reason: str) -> None:
        """Add what is wrong with a cell, which is named by its index in a table as read."""
        self._found.setdefault((path, column, reason), []).append(index + FIRST_ROW)

    @contextlib.contextmanager
    def kept(self) -> Iterator[None]:
        """Keep an `InputError` of the block and go on behind it."""
        try:
            yield
        except InputError as error:
            self.add(str(error))

    def tell(self) -> None:
        """Raise one `InputError` with all that was found, if anything was."""
        if not self:
            return
        lines = [_line(*key, rows=rows) for key, rows in self._found.items()]
        more = len(lines) - _LINES_SHOWN
        if more > 0:
            lines[_LINES_SHOWN:] = [f"... and {more} more."]
        # A block that keeps this error tells it once.
        self._found.clear()
        raise InputError("\n".join(lines))


@contextlib.contextmanager
def told_together() -> Iterator[Problems]:
    """Collect problems in a block and raise them at its end, or when one of them ends it.

    As in `with told_together() as problems: problems.at(path, index, "label", "empty.")`.

    Raises
    ------
    InputError
        With a line for each problem.
    """
    problems = Problems()
    with problems.kept():
        yield problems
    problems.tell()


@contextlib.contextmanager
def at(where: str) -> Iterator[None]:
    """Put the place in front of an `InputError` of the block."""
    try:
        yield
    except InputError as error:
        raise InputError(f"{where}: {error}") from error


def place(path: Path, index: int, column: str) -> str:
    """Name a cell for a message: file, row as an editor shows it, column."""
    return f"{path}, row {index + FIRST_ROW}, column '{column}'"


def named_rows(rows: list[int]) -> str:
    """Name rows for a message, the first of them if there are many."""
    if len(rows) == 1:
        return f"row {rows[0]}"
    shown, more = rows[:_ROWS_SHOWN], len(rows) - _ROWS_SHOWN
    if more > 0:
        return f"rows {', '.join(map(str, shown))} and {more} more"
    return f"rows {', '.join(map(str, shown[:-1]))} and {shown[-1]}"


def _line(*key, rows):
    if len(key) == 1:
        return key[0]
    path, column, reason = key
    return f"{path}, {named_rows(rows)}, column '{column}': {reason}"
