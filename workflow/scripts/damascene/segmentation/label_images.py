"""Label images: which phase a person gave each pixel of a panorama.

A phase map has the number of a phase at each pixel, from 1 in the order of the configuration, and 0
where there is none. A label image has the grey values of the study's legend instead.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from damascene import InputError
from damascene.files import file_states, require_unchanged, written_whole
from damascene.images.decoding import grey_strips
from damascene.images.formats import parse_header
from damascene.images.image_header import ImageHeader
from damascene.images.store import TiledImage, write_tiled
from damascene.images.tiles import map_tiles

_SAVE = "Save it as PNG or TIFF with one grey value a phase, without colours and without loss."
#: Edge of the cells in which labelled pixels are counted; parts of a division are made of them.
CELL_PX = 64


@dataclass(frozen=True, kw_only=True)
class LabelCounts:
    """What a label image holds.

    Attributes
    ----------
    shape : tuple of int
        Rows and columns.
    greys : dict of int to tuple of int
        Grey values, each with its pixels and the row and the column of the first of them.
    """

    shape: tuple[int, int]
    greys: dict[int, tuple[int, int, int]]


def label_header(path: str | Path) -> ImageHeader:
    """Return the header of a label image.

    Raises
    ------
    InputError
        If the file cannot be read as an image, or its kind loses grey values.
    """
    header = parse_header(path)
    if header.kind == "JPEG":
        raise InputError(
            f"{path} is a JPEG, whose grey values are not those that were saved. {_SAVE}"
        )
    return header


def count_labels(path: str | Path) -> LabelCounts:
    """Read a label image and count its values; memory holds a few rows, of a PNG the whole image.

    Raises
    ------
    InputError
        If its pixels cannot be decoded or are coloured.
    """
    header, found, row = label_header(path), {}, 0
    for strip in _label_strips(header):
        for value, pixels in zip(*np.unique(strip, return_counts=True), strict=True):
            before, *first = found.get(int(value), (0,))
            if not first:
                y, x = np.argwhere(strip == value)[0]
                first = (row + int(y), int(x))
            found[int(value)] = (before + int(pixels), *first)
        row += len(strip)
    return LabelCounts(shape=(header.height_px, header.width_px), greys=dict(sorted(found.items())))


def _label_strips(header) -> Iterator[np.ndarray]:
    for strip in grey_strips(header):
        if strip.coloured:
            raise InputError(
                f"{header.path} is a colour image, and a colour is no grey value of a phase. "
                f"{_SAVE}"
            )
        yield strip.grey


def require_legend(
    counts: LabelCounts, legend: Mapping[str, int], *, unlabelled: int | None, path: str | Path
) -> None:
    """Check that every grey value of a label image is that of a phase.

    Parameters
    ----------
    counts : LabelCounts
    legend : mapping of str to int
        Grey values of the phases.
    unlabelled : int or None
        Grey value of pixels without a phase.
    path : path of the label image, for messages

    Raises
    ------
    InputError
        Naming each value, how many pixels have it, and where the first of them is.
    """
    known = {*legend.values(), unlabelled}
    strange = {value: found for value, found in counts.greys.items() if value not in known}
    if not strange:
        return
    shown = "; ".join(
        f"{value} in {pixels} pixels, the first at row {row}, column {column}"
        for value, (pixels, row, column) in list(strange.items())[:_SHOWN]
    )
    more = f"; and {len(strange) - _SHOWN} more values" if len(strange) > _SHOWN else ""
    named = ", ".join(f"{name} {value}" for name, value in legend.items())
    raise InputError(
        f"{path} has grey values that 'segmentation: phases' does not name: {shown}{more}. The "
        f"phases have {named}. Correct the label image or the labels of the phases, or name the "
        "value of pixels without a phase in 'segmentation: unlabelled'."
    )


_SHOWN = 5


def import_labels(
    source: str | Path,
    *,
    panorama: str,
    shape: tuple[int, int],
    pixel_size_nm: float,
    legend: Mapping[str, int],
    unlabelled: int | None,
    path: str | Path,
) -> dict[str, int]:
    """Write the phase map that a label image means.

    Parameters
    ----------
    source : path of a PNG or TIFF
    panorama : str
    shape : tuple of int
        Rows and columns of the panorama.
    pixel_size_nm : float
    legend : mapping of str to int
        Grey values of the phases, in the order of their numbers in phase maps.
    unlabelled : int or None
        Grey value of pixels without a phase, which become 0.
    path : path of the phase map to write

    Returns
    -------
    dict of str to int
        Pixels of each phase.

    Raises
    ------
    InputError
        As `label_header`, `require_size` and `require_legend`.
    """
    header = label_header(source)
    require_size((header.height_px, header.width_px), shape, panorama=panorama, path=source)
    states = file_states([Path(source)])
    require_legend(count_labels(source), legend, unlabelled=unlabelled, path=source)
    lookup = np.zeros(256, np.uint8)
    for number, value in enumerate(legend.values(), 1):
        lookup[value] = number
    counts = _written(
        (lookup[strip] for strip in _label_strips(header)),
        panorama=panorama,
        shape=shape,
        pixel_size_nm=pixel_size_nm,
        path=path,
    )
    require_unchanged(states)
    return dict(zip(legend, counts[1 : len(legend) + 1].tolist(), strict=True))


def require_size(
    found: tuple[int, int], wanted: tuple[int, int], *, panorama: str, path: str | Path
) -> None:
    """Check that a label image is as large as its panorama; both as rows and columns.

    Raises
    ------
    InputError
    """
    if tuple(found) != tuple(wanted):
        raise InputError(
            f"{path} has {found[1]} x {found[0]} pixels, but panorama '{panorama}' has "
            f"{wanted[1]} x {wanted[0]}: which pixel is which cannot be told. Save the label image "
            "in the size of the panorama, without a data bar."
        )


def import_true_phases(
    truth: TiledImage, *, panorama: str, values: Mapping[str, int], phases: tuple[str, ...], path
) -> dict[str, int]:
    """Write the phases of simulated steel in the order of a study.

    Parameters
    ----------
    truth : TiledImage
        Phase map of the simulator.
    panorama : str
    values : mapping of str to int
        Its values by phase.
    phases : tuple of str
        Phases of the study; all of them are among the values.
    path : path of the phase map to write

    Returns
    -------
    dict of str to int
        Pixels of each phase.
    """
    lookup = np.zeros(256, np.uint8)
    for number, name in enumerate(phases, 1):
        lookup[values[name]] = number
    counts = _written(
        map_tiles(lambda pixels: lookup[pixels], truth, halo_px=0),
        panorama=panorama,
        shape=truth.shape,
        pixel_size_nm=truth.pixel_size_nm,
        path=path,
    )
    return dict(zip(phases, counts[1 : len(phases) + 1].tolist(), strict=True))


def _written(strips, *, panorama, shape, pixel_size_nm, path):
    counts = np.zeros(256, np.int64)

    def counted():
        for strip in strips:
            counts[:] += np.bincount(strip.ravel(), minlength=256)
            yield strip

    with written_whole(path) as (part,):
        write_tiled(
            part,
            counted(),
            shape=shape,
            pixel_size_nm=pixel_size_nm,
            name=f"{panorama} phase labels",
            labels=True,
        )
    return counts
