"""Clips in a folder for each class, whose names say where they were cut.

Clips are not looked for in the panorama by their pixels: one that was scaled, filtered or turned
fits nowhere, and one of plain ferrite fits in many places.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

from PIL import Image, UnidentifiedImageError

from damascene import InputError
from damascene.config.clip_names import name_pattern
from damascene.exchange import CORNER
from damascene.exchange.marks import Mark, point_edges
from damascene.problems import Problems, told_together

SUFFIXES = (".png", ".tif", ".tiff", ".jpg", ".jpeg", ".bmp")


def read_clip(
    path: Path, *, file: str, problems: Problems, pattern: str, first_pixel: float
) -> Iterator[Mark]:
    """Yield what a clip says by its folder, which is its class, and by its name.

    Parameters
    ----------
    path : pathlib.Path
    file : str
        Its name in tables.
    problems : Problems
        Takes clips whose names say no place.
    pattern : str
        See `name_pattern`.
    first_pixel : float
        What the names give to the first pixel.
    """
    found = name_pattern(pattern).fullmatch(path.stem)
    if found is None:
        problems.add(
            f"{path}: the name is not as '{pattern}'. Rename the clip, or correct the key "
            "'pattern' in the configuration. Clips are not looked for by their pixels."
        )
        return
    said = found.groupdict()
    if "x" in said:
        edges = point_edges(*(float(said[axis]) - first_pixel + CORNER for axis in "xy"))
    else:
        width, height = _size(path)
        left, top = (float(said[edge]) - int(first_pixel) for edge in ("left", "top"))
        edges = {"left": left, "top": top, "right": left + width, "bottom": top + height}
    image = said.get("tile") or said.get("panorama")
    yield Mark(
        **edges,
        label=path.parent.name,
        images=(image,) if image else (),
        file=file,
        row=1,
        place=str(path),
    )


def refuse_two_classes(marks: Sequence[Mark]) -> None:
    """Raise `InputError` for clips of one place that lie in the folders of two classes."""
    first: dict[tuple, Mark] = {}
    with told_together() as problems:
        for mark in marks:
            key = (mark.images, mark.left, mark.top, mark.right, mark.bottom)
            before = first.setdefault(key, mark)
            if before.label != mark.label:
                problems.add(
                    f"{mark.place}: {before.place} was cut at the same place and lies in the "
                    "folder of another class. Remove one of the two."
                )


def _size(path):
    try:
        with Image.open(path) as opened:
            return opened.size
    except (UnidentifiedImageError, OSError, Image.DecompressionBombError) as error:
        raise InputError(
            f"{path}: no image, so that its size is not known. Remove it, or save the clip again."
        ) from error
