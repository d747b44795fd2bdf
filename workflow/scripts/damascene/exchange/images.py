"""Which image of a study a file of another tool means, by names that may be wrong."""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import PurePosixPath

from damascene import InputError
from damascene.exchange.marks import Mark, base_name

_ENDING = re.compile(r"(\.ome)?\.(tiff?|png|jpe?g|jp2|bmp|gif|btf)$|\.ome$", re.IGNORECASE)
# Label Studio puts eight random letters in front of the name of a file that was uploaded.
_UPLOADED = re.compile(r"^[0-9a-f]{8}-(?=.)")
_SHOWN = 3


class Images:
    """The images of a study by their names without endings.

    Parameters
    ----------
    tiles : mapping of str to iterable of str
        Names of the tiles or frames of each panorama, as listed; that of its image, if it is one.
    """

    def __init__(self, tiles: Mapping[str, Iterable[str]]) -> None:
        self._tiles = {panorama: tuple(names) for panorama, names in tiles.items()}
        self._found = defaultdict(list)
        self._answers: dict[tuple, list[tuple[str, str]]] = {}
        for panorama, names in self._tiles.items():
            self._found[panorama].append((panorama, ""))
            for name in names:
                meant = (panorama, name if len(names) > 1 else "")
                if meant not in self._found[_stem(name)]:
                    self._found[_stem(name)].append(meant)

    def count(self, panorama: str) -> int:
        """Return the number of tiles of a panorama."""
        return len(self._tiles.get(panorama, ()))

    def find(self, mark: Mark, *, panorama: str | None = None) -> tuple[str, str] | None:
        """Return the panorama that a mark lies in and the tile from whose corner it counts.

        Parameters
        ----------
        mark : Mark
        panorama : str, optional
            That of all marks.

        Returns
        -------
        panorama, tile : str
            `tile` is empty where positions count from the corner of the panorama. None if none of
            the names is known.

        Raises
        ------
        InputError
            If a name means several images.
        """
        for name in mark.images or (mark.file,):
            key = (name, panorama, bool(mark.images))
            if key not in self._answers:
                # Without names of images a file is called after its image.
                called = name if mark.images else PurePosixPath(name).stem
                self._answers[key] = self._named(called, panorama)
            found = self._answers[key]
            if len(found) > 1:
                shown = " or ".join(
                    f"'{tile or of}' of panorama '{of}'" for of, tile in found[:_SHOWN]
                )
                raise InputError(
                    f"'{name}' may be {shown}. Name the image with its folder, or the panorama in "
                    "the configuration (panorama)."
                )
            if found:
                return found[0]
        return None

    def _named(self, name, panorama):
        stem = _stem(name)
        found = self._found.get(stem) or self._found.get(_UPLOADED.sub("", stem), [])
        found = [each for each in found if panorama in (None, each[0])]
        # The whole panorama before a tile of the same name; a folder tells tiles apart.
        whole = [each for each in found if not each[1]]
        parts = PurePosixPath(name.replace("\\", "/")).parts
        exact = [each for each in found if PurePosixPath(each[1]).parts == parts[-_depth(each) :]]
        return whole or exact or found


def _depth(found):
    return len(PurePosixPath(found[1]).parts)


def _stem(name):
    return _ENDING.sub("", base_name(name))
