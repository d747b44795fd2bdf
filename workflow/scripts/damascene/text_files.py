"""Read text that people edit, in whatever encoding says of itself what it is."""

import codecs
import re
import unicodedata
from collections.abc import Iterable
from pathlib import Path

from damascene import InputError

#: Marks at the start of a file that name its encoding; the longer ones first.
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
#: What other files begin with.
_KINDS = (
    (b"PK\x03\x04", "a spreadsheet or another zipped file (.xlsx, .ods, .zip)"),
    (b"\xd0\xcf\x11\xe0", "a spreadsheet of Excel (.xls)"),
    (b"PAR1", "a Parquet table"),
    (b"\x1f\x8b", "a compressed file (.gz)"),
    (b"%PDF", "a PDF"),
    (b"{\\rtf", "formatted text (.rtf)"),
    (b"\x89PNG", "an image (PNG)"),
    (b"\xff\xd8\xff", "an image (JPEG)"),
    (b"II*\x00", "an image (TIFF)"),
    (b"MM\x00*", "an image (TIFF)"),
    (b"II+\x00", "an image (TIFF)"),
    (b"MM\x00+", "an image (TIFF)"),
    (b"\x89HDF", "an HDF5 file"),
    (b"SQLite format", "a database"),
)
# Letters of full width and minus signs of typography, to those of the keyboard. Raised and ringed
# digits are not among them: they mean a power or a note.
_KEYBOARD = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)} | str.maketrans(
    dict.fromkeys("\u2010\u2011\u2012\u2013\u2212\ufe63\uff0d", "-")
)
_LINE_ENDS = re.compile("\r\n|\r|\n")


def read_lines_of(path: Path, *, what: str, save: str) -> list[str]:
    """Return the lines of a text file: UTF-8, or UTF-16 or UTF-32 with its mark.

    Parameters
    ----------
    path : pathlib.Path
    what : str
        What the file is for, as in "sample sheet".
    save : str
        What to do with a file of another kind, as in "Save it as tab-separated UTF-8 text."

    Returns
    -------
    list of str
        Without line ends, whichever kind they are of (of Unix, Windows, or old Macintosh).

    Raises
    ------
    InputError
        If there is no such file, it cannot be opened, or it is no text in one of the encodings.
    """
    path = Path(path)
    if path.is_dir():
        raise InputError(f"{path}: a folder is no {what}. Name a file in it.")
    try:
        content = path.read_bytes()
    except FileNotFoundError as error:
        raise InputError(
            f"{path}: no such {what}. Correct its path, or put the file there."
        ) from error
    except OSError as error:
        raise InputError(f"{path} cannot be opened: {error.strerror}.") from error
    for start, kind in _KINDS:
        if content.startswith(start):
            raise InputError(f"{path} is {kind} and no {what}. {save}")
    encoding = next((name for mark, name in _MARKS if content.startswith(mark)), "utf-8")
    try:
        lines = _LINE_ENDS.split(content.decode(encoding))
    except UnicodeDecodeError as error:
        raise InputError(_undecoded(path, content, error, what=what, save=save)) from error
    for number, line in enumerate(lines, 1):
        if "\0" in line:
            raise InputError(
                f"{path}, row {number} has a character of code 0: the {what} is damaged, or text "
                f"in UTF-16 without its mark. {save}"
            )
    return lines


def require_text_names(paths: Iterable[Path]) -> None:
    """Raise `InputError` for names of files that are no text, and stand in no table therefore."""
    for path in paths:
        try:
            str(path).encode()
        except UnicodeEncodeError as error:
            shown = str(path).encode(errors="replace").decode()
            raise InputError(
                f"{shown}: the name of the file is no text in UTF-8 (at the mark '?'). Rename it."
            ) from error


def in_keyboard_letters(text: str) -> str:
    """Return a text with digits, letters and minus signs as a keyboard writes them."""
    return text.translate(_KEYBOARD)


def plain_name(text: str) -> str:
    """Return a name in the one spelling of all that look like it.

    Letters with accents are one character, spaces of any kind and number one space; characters
    that nobody sees are left out.
    """
    composed = unicodedata.normalize("NFC", text)
    return " ".join("".join(one for one in composed if unicodedata.category(one) != "Cf").split())


def alike_names(names: Iterable[str]) -> dict[str, str]:
    """Return the names that differ from an earlier one by capital letters only, with that one."""
    first, found = {}, {}
    for name in names:
        before = first.setdefault(unicodedata.normalize("NFKC", name).casefold(), name)
        if before != name:
            found[name] = before
    return found


def _undecoded(path, content, error, *, what, save):
    if error.encoding != "utf-8":
        return f"{path} is cut off or damaged: it is not text in {error.encoding}. {save}"
    row = len(_LINE_ENDS.split(content[: error.start].decode()))
    # The word around what cannot be read, as the most frequent other encoding would show it.
    shown = content.decode("cp1252", errors="replace")
    before = re.search(r"\S*\Z", shown[: error.start])[0][-20:]
    word = before + re.match(r"\S*", shown[error.start :])[0][:20]
    return (
        f"{path}, row {row}: the {what} is not a text in UTF-8. As Windows-1252 (ANSI, Latin-1), "
        f"the word would be '{word}'. {save}"
    )
