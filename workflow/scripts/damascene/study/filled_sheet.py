"""A label sheet that somebody filled in where it lies: the next one would take its place."""

import contextlib
import hashlib
from pathlib import Path

from damascene import InputError
from damascene.contracts.text_tables import read_text_table
from damascene.files import written_whole
from damascene.problems import MARK
from damascene.study.dropped import LABEL_FOLDER

#: Below the folder of results.
_SHEET = "review/sheet.tsv"
_KEPT = "review/kept"


def keep_filled_sheet(
    *, results: Path = Path("results"), labels: Path = Path(LABEL_FOLDER)
) -> list[str]:
    """Keep a copy of a label sheet that holds answers and lies where the workflow writes.

    The sheet is made anew with the queue, and the engine removes the old one first.

    Parameters
    ----------
    results, labels : pathlib.Path, optional
        Folders of results and of label files. A sheet that lies among these, too, is safe.

    Returns
    -------
    list of str
        For the terminal: where the answers are, and what to do.
    """
    sheet = results / _SHEET
    if not sheet.is_file() or not _filled(sheet):
        return []
    content = sheet.read_bytes()
    if any(each.read_bytes() == content for each in labels.glob("*.tsv")):
        return []
    name = hashlib.sha256(content).hexdigest()[:8]
    kept = results / _KEPT / f"sheet_{name}.tsv"
    if not kept.exists():
        kept.parent.mkdir(parents=True, exist_ok=True)
        with written_whole(kept) as (part,):
            part.write_bytes(content)
    return [
        f"{MARK}{sheet} has been filled in. No run reads it there, and the next sheet takes its "
        f"place: your answers are kept as {kept}. Put this file into {labels}, with your name in "
        "its own (sheet_jane.tsv)."
    ]


def _filled(sheet):
    """Tell whether a sheet has answers; one that a spreadsheet has changed beyond reading may."""
    with contextlib.suppress(InputError):
        table = read_text_table(sheet, what="label sheet")
        return "label" not in table or bool((table["label"] != "").any())
    return True
