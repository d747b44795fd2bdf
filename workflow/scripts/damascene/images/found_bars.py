"""Data bars found in pixels, kept so that no file is decoded for them at every start."""

import contextlib
import json
from collections.abc import Iterator
from pathlib import Path

from damascene.files import write_json
from damascene.images.image_header import ImageHeader


@contextlib.contextmanager
def kept_bars(path: Path) -> Iterator[dict[str, list]]:
    """Give what was found in earlier starts, for `read_header`, and keep what is found now.

    A file of this name that is missing, damaged or not writable does no harm: bars are looked for
    again.
    """
    bars, known = {}, None
    with contextlib.suppress(OSError, ValueError):
        known = json.loads(path.read_text(encoding="utf-8"))
        bars = {
            place: found
            for place, found in (known.items() if isinstance(known, dict) else ())
            if isinstance(found, list) and len(found) == 4
        }
    whole = False
    try:
        yield bars
        whole = True
    finally:
        # A study that is refused at its first start gets no folder of results.
        if bars != (known or {}) and (whole or path.parent.parent.is_dir()):
            with contextlib.suppress(OSError):
                path.parent.mkdir(parents=True, exist_ok=True)
                write_json(path, bars)


def place_and_state(header: ImageHeader) -> tuple[str, list[int]]:
    """Return under which name an image is kept, and what changes when its file does."""
    about = header.path.stat()
    place = f"{header.path.resolve()} page {header.page or 1}"
    return place, [about.st_size, about.st_mtime_ns, about.st_ctime_ns]
