"""The text files that some microscopes write beside an image."""

from pathlib import Path

from damascene import InputError
from damascene.images.microscopes import hitachi, jeol, tescan
from damascene.images.microscopes.common import VendorHeader

# By their endings behind the name of the image: a.tif has a.txt, or a-tif.hdr or a.hdr.
_MAKERS = (
    (".txt", jeol.SIGN, jeol.parse_jeol),
    (".txt", hitachi.SIGN, hitachi.parse_hitachi),
    ("-{kind}.hdr", tescan.SIGN, tescan.parse_tescan),
    (".hdr", tescan.SIGN, tescan.parse_tescan),
)
_LARGEST_BYTES = 1_000_000
# What a micrometre looks like where Windows writes Japanese, Chinese or Korean.
_MICROMETRE = {b"\x83\xcam": "cp932", b"\xa6\xccm": "gbk", b"\xa5\xecm": "cp949"}


def side_file(image: Path) -> Path | None:
    """Return the file beside an image in which a microscope wrote how it was taken, if any."""
    found = _found(image)
    return found and found[0]


def read_side_file(
    image: Path, *, width_px: int, height_px: int
) -> tuple[Path, VendorHeader] | None:
    """Return the file beside an image and what it says, None if there is none.

    Parameters
    ----------
    image : pathlib.Path
    width_px, height_px : int
        Columns and rows of the image as it is stored.

    Raises
    ------
    InputError
        If there are two that differ.
    """
    found = _found(image)
    if found is None:
        return None
    path, text, parse = found
    return path, parse(text, width_px=width_px, height_px=height_px)


def _found(image):
    found = []
    for ending, sign, parse in _MAKERS:
        ending = ending.format(kind=image.suffix.removeprefix("."))
        # On Windows, where microscopes write, capital letters do not matter.
        for written in dict.fromkeys((ending, ending.lower(), ending.upper())):
            path = image.with_name(f"{image.stem}{written}")
            if path != image and path.is_file() and path.stat().st_size <= _LARGEST_BYTES:
                text = _text(path.read_bytes())
                if sign.search(text):
                    found.append((path, text, parse))
    # Where the file system knows no capital letters, one file is found several times.
    for path, text, _ in found[1:]:
        if text != found[0][1]:
            raise InputError(
                f"{image} has two files beside it in which a microscope wrote how it was taken, "
                f"and they differ: {found[0][0].name} and {path.name}. Remove the one that is not "
                "of this image."
            )
    return found[0] if found else None


def _text(content):
    if content[:2] in (b"\xff\xfe", b"\xfe\xff") or content[1:2] == b"\0":
        text = content.decode("utf-16", "replace")
    else:
        try:
            text = content.decode()
        except UnicodeDecodeError:
            found = [name for unit, name in _MICROMETRE.items() if unit in content]
            text = content.decode(found[0] if found else "cp1252", "replace")
    return text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
