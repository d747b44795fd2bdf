"""Names that other people and tools have for the classes."""

import difflib
from pathlib import Path

from damascene import InputError
from damascene.classes import ANSWER_LETTERS, OLDER_NAMES, SITE_CLASSES, UNCLEAR, class_named
from damascene.config.label_source import LEFT_OUT, LabelSource
from damascene.text_files import plain_name

_SHOWN = 10


class ClassNames:
    """What a label file calls the classes.

    Parameters
    ----------
    source : LabelSource
        With the names in `classes`.
    """

    def __init__(self, source: LabelSource) -> None:
        self._ours = {plain_name(theirs): ours for theirs, ours in source.classes.items()}
        self._unknown: dict[tuple[Path, str], list[str]] = {}

    def ours(self, label: str) -> str:
        """Return the class that a name means; the name itself if the configuration has none."""
        answer = self._ours.get(plain_name(label), class_named(label))
        return "" if answer == LEFT_OUT else answer

    def meant(self, label: str, *, place: str, path: Path) -> str:
        """Return the same, empty for a name that is no class; its place is remembered."""
        answer = self.ours(label)
        if answer in ("", UNCLEAR, *SITE_CLASSES):
            return answer
        self._unknown.setdefault((path, plain_name(label)), []).append(place)
        return ""

    def refuse_unknown(self) -> None:
        """Raise `InputError` with the names that are no class, each with its first place."""
        lines = []
        for (_, label), places in list(self._unknown.items())[:_SHOWN]:
            more = f" and {len(places) - 1} more" if len(places) > 1 else ""
            lines.append(f"{places[0]}{more}: {unknown_class(label)}")
        if len(self._unknown) > _SHOWN:
            lines.append(f"... and {len(self._unknown) - _SHOWN} more names.")
        if lines:
            raise InputError("\n".join(lines))


def unknown_class(label: str) -> str:
    """Return what to say of a name that is no class."""
    near = OLDER_NAMES.get(label.lower()) or next(
        iter(difflib.get_close_matches(label.lower(), SITE_CLASSES, n=1)), None
    )
    hint = f"Did you mean '{near}'? " if near else ""
    name = label if label.replace("_", "").isalnum() else f"'{label}'"
    letters = ", ".join(f"{name} ({letter})" for letter, name in ANSWER_LETTERS.items())
    return (
        f"unknown class '{label}'. {hint}Classes and their letters: {letters}. For a file that the "
        f"configuration lists, 'classes: {{{name}: {near or SITE_CLASSES[0]}}}' beside its path "
        f"says which class another name means; {LEFT_OUT} instead of a class means none."
    )
