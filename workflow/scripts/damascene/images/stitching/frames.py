"""Lists of overlapping frames: which images, and where the stage said they were."""

import math
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from damascene import InputError
from damascene.contracts.text_tables import parse_number, read_rows
from damascene.images.decoding import grey_strips
from damascene.images.grids import (
    image_path,
    is_table,
    named_before,
    read_grid,
)
from damascene.images.headers import ImageHeader, read_header
from damascene.images.pixel_sizes import AgreedSize, agree_on_pixel_size, common_size
from damascene.images.source_files import source_files
from damascene.problems import at, told_together

_PIXELS = ("x_px", "y_px")
_MICROMETRES = ("x_um", "y_um")
# Frames that have less in common than these parts of a frame are not neighbours. The corners of
# diagonal neighbours in a grid say little and cost as much as an edge.
_LEAST_COMMON_AREA = 0.02
_LEAST_COMMON_EDGE = 1 / 3


@dataclass(frozen=True, kw_only=True)
class Frame:
    """One frame: its name in the list, its header, its nominal upper left corner, its line."""

    name: str
    header: ImageHeader
    x_px: float
    y_px: float
    line: int


@dataclass(frozen=True, kw_only=True)
class FrameSet:
    """The frames of a panorama, in the order of the list; all have one size and bit depth.

    `files` are the list and the frames, as by `source_files`.
    """

    path: Path
    files: tuple[tuple[str, Path], ...]
    frames: tuple[Frame, ...]
    size: AgreedSize

    @property
    def pixel_size_nm(self) -> float:
        """Edge of a pixel in nanometres."""
        return self.size.nm

    @property
    def width_px(self) -> int:
        """Columns of a frame."""
        return self.frames[0].header.width_px

    @property
    def height_px(self) -> int:
        """Rows of a frame."""
        return self.frames[0].header.height_px

    @property
    def headers(self) -> list[ImageHeader]:
        """Headers of the frames."""
        return [frame.header for frame in self.frames]

    @property
    def nominal_px(self) -> np.ndarray:
        """Nominal upper left corners (x, y), float64, shape (frames, 2)."""
        return np.array([(frame.x_px, frame.y_px) for frame in self.frames], float)

    @property
    def largest_shape(self) -> tuple[int, int]:
        """Rows and columns that the panorama has at most, a frame's size for errors included."""
        width, height = np.ceil(np.ptp(self.nominal_px, axis=0)).astype(int)
        return int(height) + 2 * self.height_px, int(width) + 2 * self.width_px


def with_headers(opened: FrameSet, headers: list[ImageHeader]) -> FrameSet:
    """Return the same frames with other headers, in their order."""
    pairs = zip(opened.frames, headers, strict=True)
    frames = tuple(replace(frame, header=header) for frame, header in pairs)
    return replace(opened, frames=frames)


def is_stitched(source: str | Path, overlap_percent: float | None = None) -> bool:
    """Say whether a source is overlapping frames, from the header line of its table alone.

    Parameters
    ----------
    source : path of an image, a grid file or a list of frames; need not exist
    overlap_percent : float, optional
        That of the sample sheet, NaN or None where it is empty.
    """
    if not is_table(source):
        return False
    if overlap_percent is not None and not math.isnan(overlap_percent):
        return True
    try:
        columns, _ = read_rows(source, what="grid file")
    except InputError:
        return False
    return bool({*columns} & {*_PIXELS, *_MICROMETRES})


def open_frames(
    source: str | Path,
    *,
    panorama: str,
    tile_folder: Path | None = None,
    overlap_percent: float | None = None,
    pixel_size_nm: float | None = None,
    pixel_size_overrides_header: bool = False,
    **options,
) -> FrameSet:
    """Check that frames can be stitched, from their list and their headers alone.

    Parameters
    ----------
    source : path
        Tab-separated text with the columns file, x_px and y_px, or file, x_um and y_um: the
        nominal upper left corners, x to the right and y downwards from any origin. Or, with
        `overlap_percent`, a grid file (file, column, row).
    panorama : str
        Name in the sample sheet.
    tile_folder : pathlib.Path, optional
        Where the images lie; beside the list if not given.
    overlap_percent : float, optional
        By how much of their width and height neighbouring cells of a grid overlap.
    pixel_size_nm : float, optional
        That of the sample sheet; None or NaN to take the header's.
    pixel_size_overrides_header : bool, optional
        Whether that of the sample sheet counts whatever the header says.
    **options
        As for `open_source`.

    Raises
    ------
    InputError
        With file, row and column: for a list that is wrong, a frame that is missing, of another
        size or bit depth than the first or far from all others, and if no two frames overlap.
    """
    source = Path(source)
    # A list needs no overlap: its positions say it.
    as_grid = not (is_stitched(source) or overlap_percent is None or math.isnan(overlap_percent))
    rows = list(
        _cells(source, tile_folder, overlap_percent) if as_grid else _listed(source, tile_folder)
    )
    headers = []
    with told_together() as problems:
        for _, path, _, line in rows:
            with problems.kept(), at(f"{source}, row {line}, column file"):
                headers.append(read_header(path, **options))
                _check_alike(headers[-1], headers[0])
    size = agree_on_pixel_size(
        panorama=panorama,
        source=source,
        sheet_nm=pixel_size_nm,
        stated=common_size([(header.path.name, header.pixel_size) for header in headers]),
        overrides=pixel_size_overrides_header,
    )
    width, height = headers[0].width_px, headers[0].height_px
    frames = tuple(
        Frame(name=name, header=header, x_px=x, y_px=y, line=line)
        for (name, _, place, line), header in zip(rows, headers, strict=True)
        for x, y in [place(width, height, size.nm)]
    )
    opened = FrameSet(
        path=source,
        files=tuple(source_files(source, tile_folder=tile_folder)),
        frames=frames,
        size=size,
    )
    _check_places(opened)
    return opened


def decode(header: ImageHeader) -> np.ndarray:
    """Return a frame as grey values, uint8 or uint16, shape (rows, columns).

    Raises
    ------
    InputError
        If parts of the frame are transparent or were never written.
    """
    greys, _, covers = zip(*grey_strips(header), strict=True)
    if any(cover is not None for cover in covers):
        raise InputError(
            f"{header.path} is transparent or empty in parts. Frames that are stitched are whole: "
            "save the frame as the microscope took it, without an alpha channel."
        )
    return np.concatenate(greys)


def neighbours(nominal_px: np.ndarray, *, width_px: int, height_px: int) -> np.ndarray:
    """Return the pairs of frames that overlap by a fiftieth of their area and lie side by side.

    Parameters
    ----------
    nominal_px : numpy.ndarray, shape (frames, 2)
        Upper left corners (x, y).
    width_px, height_px : int
        Size of a frame.

    Returns
    -------
    numpy.ndarray, int64, shape (pairs, 2)
        Indices of frames, the smaller first, sorted.
    """
    size = np.array([width_px, height_px])
    found = []
    for index, corner in enumerate(nominal_px):
        common = np.clip(size - np.abs(nominal_px[index + 1 :] - corner), 0, None)
        parts = common / size
        near = parts.prod(axis=1) >= _LEAST_COMMON_AREA
        near &= parts.max(axis=1) >= _LEAST_COMMON_EDGE
        found += [(index, index + 1 + other) for other in np.flatnonzero(near)]
    return np.array(found, np.int64).reshape(-1, 2)


def _listed(source, tile_folder):
    folder = source.parent if tile_folder is None else Path(tile_folder)
    columns, lines = read_rows(source, what="list of frames")
    if {*columns} & {*_PIXELS} and {*columns} & {*_MICROMETRES}:
        raise InputError(
            f"{source}, row 1: the list of frames has columns of positions in pixels and in "
            "micrometres. Keep x_px and y_px, or x_um and y_um, and give the others another name."
        )
    unit = _PIXELS if set(_PIXELS) <= set(columns) else _MICROMETRES
    missing = [name for name in ("file", *unit) if name not in columns]
    if missing:
        raise InputError(
            f"{source}, row 1: column {', '.join(missing)} missing. A list of frames is separated "
            "by tabs and has the columns file, x_px, y_px or file, x_um, y_um; found: "
            f"{', '.join(columns)}."
        )
    if not lines:
        raise InputError(f"{source} names no frame. Add one row for each.")
    seen, frames = {}, []
    with told_together() as problems:
        for number, line in lines:
            with problems.kept():
                name = line["file"]
                place = f"{source}, row {number}, column file"
                path = image_path(name, folder=folder, place=place)
                before = named_before(path, number, seen=seen)
                if before:
                    raise InputError(
                        f"{place}: {name} was named in row {before} already. Delete one of the two."
                    )
                x, y = (_number(line[column], source, number, column) for column in unit)
                corner = _corner(x, y, in_um=unit is _MICROMETRES)
                frames.append((name, path, corner, number))
    return frames


def _cells(source, tile_folder, overlap_percent):
    if not 0 < overlap_percent < 100:
        raise InputError(
            f"{source}: an overlap of {overlap_percent:g} % is not possible. Enter in the sample "
            "sheet, column overlap_percent, a number between 0 and 100, or nothing if the cells "
            "touch."
        )
    step = 1 - overlap_percent / 100
    for cell in read_grid(source, tile_folder=tile_folder):

        def corner(width, height, _, cell=cell):
            return cell.column * step * width, cell.row * step * height

        yield cell.name, cell.path, corner, cell.line


def _corner(x, y, *, in_um):
    def corner(width, height, pixel_size_nm):
        scale = 1000 / pixel_size_nm if in_um else 1.0
        return x * scale, y * scale

    return corner


def _number(text, source, number, column) -> float:
    value = parse_number(text)
    if value is None:
        raise InputError(
            f"{source}, row {number}, column {column}: {text!r} is not a number. Enter the nominal "
            "position of the frame's upper left corner, with a point for decimals and no unit."
        )
    return value


def _check_alike(header, first):
    for what, one, other in (
        ("size", (header.width_px, header.height_px), (first.width_px, first.height_px)),
        ("bit depth", (header.bits,), (first.bits,)),
    ):
        if one != other:
            raise InputError(
                f"{header.path.name} has another {what} ({' x '.join(map(str, one))}) "
                f"than {first.path.name} ({' x '.join(map(str, other))}). Frames that are stitched "
                "are alike; remove the row or save the frame like the others."
            )


def _check_places(opened) -> None:
    corners, frames = opened.nominal_px, opened.frames
    size = np.array([opened.width_px, opened.height_px])
    if len(frames) == 1:
        return
    if not len(neighbours(corners, width_px=size[0], height_px=size[1])):
        first, second = frames[0], frames[1]
        raise InputError(
            f"{opened.path}: no two frames overlap. {first.name} and {second.name} (rows "
            f"{first.line} and {second.line}) are {abs(second.x_px - first.x_px):.0f} px and "
            f"{abs(second.y_px - first.y_px):.0f} px apart in x and y, and have "
            f"{size[0]} x {size[1]} px. Check the unit of the positions and the pixel size; tiles "
            "that touch need a grid file and no overlap."
        )
    for index, frame in enumerate(frames):
        # Corners two sizes apart leave room for one missing frame in between.
        near = (np.abs(corners - corners[index]) <= 2 * size).all(axis=1)
        if near.sum() < 2:
            raise InputError(
                f"{opened.path}, row {frame.line}: {frame.name} is more than a frame away from all "
                f"others (x {frame.x_px:.0f} px, y {frame.y_px:.0f} px). Correct its position."
            )
