"""What headers say of the pixel size of an image, and what follows from it and the sample sheet."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from damascene import InputError

# Two statements of one pixel size may differ by rounding; more than this changes densities.
_WITHIN = 0.01
_OVERRULE = "pixel_size_overrides_header"


@dataclass(frozen=True, kw_only=True)
class Statement:
    """One statement of a pixel size.

    `origin` says whose it is. `size_nm` is the width and height of a pixel, None if the statement
    cannot be used, and then `doubt` says why. `width_px` is the width of the image it was written
    for, where it says so.
    """

    origin: str
    size_nm: tuple[float, float] | None
    width_px: int | None = None
    doubt: str | None = None


@dataclass(frozen=True, kw_only=True)
class PixelSize:
    """The pixel size of an image or a panorama, as far as headers say it.

    `nm` and `origin` are None where nothing usable is stated. `contradiction` says why what is
    stated cannot be true, `doubts` why statements were not used. `outdated` are those among them
    that were written for an image of another width.
    """

    nm: float | None = None
    origin: str | None = None
    contradiction: str | None = None
    doubts: tuple[str, ...] = ()
    outdated: tuple[Statement, ...] = ()


@dataclass(frozen=True, kw_only=True)
class AgreedSize:
    """The pixel size that counts, who states it ("sheet" or "header"), and notes for the record."""

    nm: float
    origin: str
    notes: tuple[str, ...] = ()


def stated_size(statements: Iterable[Statement], *, width_px: int) -> PixelSize:
    """Return the pixel size of an image from all that its header states.

    Parameters
    ----------
    statements : iterable of Statement
    width_px : int
        Columns of the image as it is stored.

    Returns
    -------
    PixelSize
        A statement that was written for an image of another width is not used: the image was
        scaled or cut since. Two that differ contradict each other, and so do a width and a height.
    """
    usable, outdated, doubts = [], [], []
    for one in statements:
        if one.doubt:
            doubts.append(one.doubt)
        elif not one.size_nm or not all(0 < edge < math.inf for edge in one.size_nm):
            continue
        elif one.width_px not in (None, width_px):
            outdated.append(one)
            doubts.append(
                f"{one.origin} states {one.size_nm[0]:g} nm for an image of {one.width_px} "
                f"columns, but this one has {width_px}: it was scaled or cut"
            )
        else:
            usable.append(one)
    if not usable:
        return PixelSize(doubts=tuple(doubts), outdated=tuple(outdated))
    first = usable[0]
    width, height = first.size_nm
    contradiction = None
    if not agree(height, width):
        contradiction = f"{first.origin} states pixels of {width:g} nm x {height:g} nm"
    for other in usable[1:]:
        if not agree(other.size_nm[0], width):
            contradiction = (
                f"{first.origin} states {width:g} nm, but {other.origin} {other.size_nm[0]:g} nm"
            )
    return PixelSize(
        nm=None if contradiction else float(width),
        origin=first.origin,
        contradiction=contradiction,
        doubts=tuple(doubts),
        outdated=tuple(outdated),
    )


def common_size(sizes: Sequence[tuple[str, PixelSize]]) -> PixelSize:
    """Return the pixel size that the images of one panorama share.

    Parameters
    ----------
    sizes : sequence of (str, PixelSize)
        With the name of each image. Where an image states none, others speak for it.
    """
    stated = [(name, size) for name, size in sizes if size.nm or size.contradiction]
    if len(sizes) == 1:
        return sizes[0][1]
    if not stated:
        # Images of one panorama mostly share their doubts.
        doubts = dict.fromkeys(doubt for _, size in sizes for doubt in size.doubts)
        outdated = dict.fromkeys(one for _, size in sizes for one in size.outdated)
        return PixelSize(doubts=tuple(doubts), outdated=tuple(outdated))
    first_name, first = stated[0]
    for name, size in stated:
        if size.contradiction:
            return PixelSize(contradiction=f"{name}: {size.contradiction}")
        if not agree(size.nm, first.nm):
            return PixelSize(
                contradiction=f"{name} has a pixel size of {size.nm:g} nm, {first_name} of "
                f"{first.nm:g} nm, but the images of a panorama have one magnification"
            )
    return first


def agree_on_pixel_size(
    *,
    panorama: str,
    source: str | Path,
    sheet_nm: float | None,
    stated: PixelSize,
    overrides: bool = False,
) -> AgreedSize:
    """Decide on the pixel size from what the sample sheet and the header of the image state.

    Parameters
    ----------
    panorama : str
        Name of the row of the sample sheet.
    source : path of the image or grid file, for the message
    sheet_nm : float or None
        Edge of a pixel in nanometres; None or NaN where nothing is stated.
    stated : PixelSize
        What the header states.
    overrides : bool, optional
        Whether the sheet counts whatever the header states.

    Returns
    -------
    AgreedSize
        That of the sheet if it is given.

    Raises
    ------
    InputError
        If neither states one, or that of the sheet is not positive. If the sheet does not override
        the header: if that contradicts itself, if they differ by more than 1 %, or if the sheet
        repeats what a header states for an image of another width.
    """
    doubts = tuple(f"pixel size: {doubt}" for doubt in stated.doubts)
    cells = f"in the sample sheet, row {panorama}, column pixel_size_nm"
    if sheet_nm is not None and not math.isnan(sheet_nm) and not 0 < sheet_nm < math.inf:
        raise InputError(
            f"Sample sheet, row {panorama}, column pixel_size_nm: {sheet_nm:g} is not a size. "
            "Enter the edge of a pixel in nanometres, above 0."
        )
    if stated.contradiction and not overrides:
        raise InputError(
            f"{source}: {stated.contradiction}. Resample the image if its pixels are not square; "
            f"otherwise enter the right size {cells}, and yes in the column {_OVERRULE}."
        )
    if sheet_nm is None or math.isnan(sheet_nm):
        if stated.nm is None:
            why = "; ".join(stated.doubts) or "its header states none"
            raise InputError(
                f"Panorama {panorama}: no pixel size for {source} ({why}). Enter it in nanometres "
                f"{cells}."
            )
        return AgreedSize(nm=stated.nm, origin="header", notes=doubts)
    differs = stated.nm is not None and not agree(sheet_nm, stated.nm)
    if differs and not overrides:
        raise InputError(
            f"Sample sheet, row {panorama}, column pixel_size_nm: the sheet says {sheet_nm:g} nm, "
            f"the header of {source} {stated.nm:g} nm ({stated.origin}). Correct the sheet, or "
            "leave the cell empty to take the header's. If the header is wrong, enter yes in the "
            f"column {_OVERRULE}."
        )
    if stated.nm is None and not overrides:
        _require_own(sheet_nm, stated, source=source, cells=cells)
    overruled = stated.contradiction or (f"{stated.nm:g} nm of {stated.origin}" if differs else "")
    if overruled:
        doubts = (
            f"pixel size: {sheet_nm:g} nm of the sample sheet, which overrides the header "
            f"({overruled})",
            *doubts,
        )
    return AgreedSize(nm=float(sheet_nm), origin="sheet", notes=doubts)


def _require_own(sheet_nm, stated, *, source, cells):
    """Refuse a number that was copied from a header, if the image was scaled or cut since."""
    for one in stated.outdated:
        if agree(sheet_nm, one.size_nm[0]):
            raise InputError(
                f"{source}: the {sheet_nm:g} nm {cells}, are those of {one.origin}, which was "
                f"written for an image of {one.width_px} columns. This one has another width. If "
                "it was scaled, enter the size that its pixels have now; if it was cut, the number "
                f"is right: enter yes in the column {_OVERRULE}."
            )


def agree(one_nm: float, other_nm: float) -> bool:
    """Say whether two statements of a pixel size differ by rounding only."""
    return abs(one_nm - other_nm) <= _WITHIN * other_nm
