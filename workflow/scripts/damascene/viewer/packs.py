"""Pictures of tiles, many in one file, in a form that a page from disk may read.

A page that was opened from disk may neither fetch files nor read the pixels of pictures beside it.
It may run scripts. So the bytes of tiles stand in scripts, as a text that a browser reads as
windows-1252, in which every byte is one character; `data.js` has the way back. Base64 would take a
third more.
"""

import json
from collections.abc import Sequence

#: Tiles along an edge of a pack.
PACK_TILES = 8
# What would end the text, or begin an escape.
_ESCAPED = ((b"\\", b"\\\\"), (b'"', b'\\"'), (b"\n", b"\\n"), (b"\r", b"\\r"))


def pack_path(*, level: int, row: int, column: int) -> str:
    """Return the path of a pack within the folder of its panorama."""
    return f"{level}/{row}_{column}.js"


def pack_script(key: str, tiles: Sequence[bytes]) -> bytes:
    """Return the script that hands tiles to the page.

    Parameters
    ----------
    key : str
        Path of the script below the folder of the page.
    tiles : sequence of bytes
        Pictures, row by row; an empty one stands for a tile without any picture.

    Returns
    -------
    bytes
        To be read as windows-1252. `at` holds the place of the first byte of each tile, and the
        end of the last; places count bytes, which are characters of the text.
    """
    at = [0]
    for tile in tiles:
        at.append(at[-1] + len(tile))
    head = f'damascene.data.receive({json.dumps(key)},{{"at":{json.dumps(at)},"text":"'
    return head.encode("ascii") + in_text(b"".join(tiles)) + b'"});\n'


def in_text(content: bytes) -> bytes:
    """Return bytes as they stand between the quotes of a text in a script."""
    for plain, escaped in _ESCAPED:
        content = content.replace(plain, escaped)
    return content
