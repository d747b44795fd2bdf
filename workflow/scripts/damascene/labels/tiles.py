"""Tiles and frames by their names, for positions that count from the corner of one."""

from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path, PurePosixPath

from damascene import InputError
from damascene.contracts.stitching import FRAMES
from damascene.contracts.table import read_tsv
from damascene.images.sources import Source, open_source
from damascene.images.stitching.frames import FrameSet

#: Left, top, width and height in pixels of the panorama.
Place = tuple[int, int, int, int]


class Tiles:
    """Places of the tiles of a panorama by the name in their list.

    Parameters
    ----------
    places : iterable of (str, Place)
        Names with their folder, as listed.
    """

    def __init__(self, places: Iterable[tuple[str, Place]] = ()) -> None:
        self._named = defaultdict(list)
        for listed, place in places:
            path = PurePosixPath(listed)
            self._named[path.name].append((path, place))

    @property
    def count(self) -> int:
        """Number of tiles."""
        return sum(map(len, self._named.values()))

    @property
    def places(self) -> list[tuple[str, Place]]:
        """Their names with their folders, and their places."""
        return [(str(path), place) for named in self._named.values() for path, place in named]

    @property
    def names(self) -> tuple[str, ...]:
        """Their names with their folders, as listed."""
        return tuple(name for name, _ in self.places)

    def find(self, name: str) -> Place | None:
        """Return the place of the tile that a label file names, None if there is none.

        Folders can be left out as far as one tile alone has the name.

        Raises
        ------
        InputError
            If several tiles have the name.
        """
        path = PurePosixPath(name.replace("\\", "/"))
        found = [
            (listed, place)
            for listed, place in self._named.get(path.name, ())
            if listed.parts[-len(path.parts) :] == path.parts
        ]
        exact = [each for each in found if each[0] == path]
        if len(exact or found) > 1:
            names = " or ".join(str(listed) for listed, _ in found[:3])
            raise InputError(
                f"'{name}' may be {names}. Write the name as it stands in the list of tiles, with "
                "its folder."
            )
        return (exact or found or [(None, None)])[0][1]


def grid_tiles(source: Source) -> Tiles:
    """Return the tiles of a grid by their names in the grid file."""
    listed = {path: name for name, path in source.files}
    width, height = source.cell_width_px, source.cell_height_px
    return Tiles(
        (listed.get(header.path, header.path.name), (column * width, row * height, width, height))
        for (row, column), header in source.cells.items()
    )


def opened_tiles(grid: tuple[str, str | None, dict]) -> Tiles:
    """Return the tiles of a grid by its path, folder of tiles and options of `open_source`."""
    path, folder, options = grid
    return grid_tiles(
        open_source(Path(path), tile_folder=Path(folder) if folder else None, **options)
    )


def nominal_tiles(opened: FrameSet) -> Tiles:
    """Return frames that are still to be stitched, at their nominal places."""
    corners = (opened.nominal_px - opened.nominal_px.min(axis=0)).round().astype(int).tolist()
    size = opened.width_px, opened.height_px
    return Tiles(
        (frame.name, (*corner, *size)) for frame, corner in zip(opened.frames, corners, strict=True)
    )


def placed_tiles(path: str | Path) -> Tiles:
    """Return the frames of a stitched panorama, from the table that `stitch_frames` gives."""
    frames = read_tsv(path, FRAMES)
    places = frames[["placed_x_px", "placed_y_px", "width_px", "height_px"]].to_numpy().tolist()
    return Tiles(zip(frames["file"], map(tuple, places), strict=True))
