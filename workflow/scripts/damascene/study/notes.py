"""Notes that planning writes below the folder of results, and what jobs read of them."""

import contextlib
import json
from pathlib import Path

from damascene import InputError
from damascene.files import write_json


def write_note(path: Path, content: dict) -> None:
    """Write a note.

    Raises
    ------
    InputError
        If it cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_json(path, content)
    except OSError as error:
        raise InputError(
            f"{path} cannot be written ({error.strerror}). Planning notes there which of your "
            "files it has seen: make the folder writable, or remove what lies in the way."
        ) from error


def read_note(path: Path) -> dict | None:
    """Return what a note holds; None where there is none, or it is damaged."""
    with contextlib.suppress(OSError, ValueError):
        content = json.loads(path.read_text(encoding="utf-8"))
        return content if isinstance(content, dict) else None
    return None
