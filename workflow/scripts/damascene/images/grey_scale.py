"""Which grey is full scale in a panorama, and the straight line by which greys become 8-bit."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np

from damascene import InputError
from damascene.contracts.panorama_record import GreyScale, PanoramaRecord
from damascene.images.decoding import grey_strips
from damascene.images.image_header import ImageHeader

#: Bits in which detectors and programs give grey values.
DEPTHS = (8, 10, 12, 14, 16)
_CONTAINER = 16
# Pixels that are text, marks drawn into the picture or defects of a detector, if there are few:
# they may lie above a stated full scale, and must not decide on one.
_FEW = 1e-3
# Names in a message.
_SHOWN = 5


@dataclass(frozen=True, kw_only=True, eq=False)
class GreyConversion:
    """How the decoded greys of a panorama become 8-bit.

    `headers` know the bit depth, without which "white is zero" cannot be decoded. `lookup` is the
    new value of each grey, uint8, shape (65536,), None where they are 8-bit already; `scale` goes
    into the record of the panorama, `notes` say the same and more in words.
    """

    headers: list[ImageHeader]

    lookup: np.ndarray | None
    scale: GreyScale
    notes: list[str]


def grey_conversion(
    headers: list[ImageHeader], *, panorama: str, threads: int = 1
) -> GreyConversion:
    """Decide how the grey values of all images of a panorama become 8-bit.

    The bit depth is that of the sample sheet, of the headers, or the least that holds the largest
    value (`depth_of_values`). Its range is cut into 256 levels of equal width: the upper eight bits
    are kept. So a grey means the same in all panoramas of one full scale, and an 8-bit image that
    a program saved with more bits comes back unchanged.

    Parameters
    ----------
    headers : list of ImageHeader
        Of images of one type of pixel.
    panorama : str
        Name in the sample sheet, for messages.
    threads : int, optional
        Segments of a TIFF decoded at the same time.

    Raises
    ------
    InputError
        If a stated bit depth is too small, or a few pixels decide on one that is not stated.
    """
    deep = headers[0].bits > 8
    colour = any(header.samples >= 3 for header in headers)
    notes = []
    if any(header.inverted_by_sheet for header in headers):
        notes.append("inverted black and white, as the sample sheet says")
    scale = GreyScale(stored_bits=8, bit_depth=8, bit_depth_source="file", largest_value=None)
    if not (deep or colour):
        return GreyConversion(headers=headers, lookup=None, scale=scale, notes=notes)
    # One look at all pixels before the first is written: both answers hold for the whole panorama.
    counts, coloured = _survey(headers, threads=threads)
    if colour:
        notes.append(_colour_note(coloured, pixels=counts.sum()))
    if not deep:
        return GreyConversion(headers=headers, lookup=None, scale=scale, notes=notes)
    scale, note = _scale_of(counts, headers, panorama=panorama)
    return GreyConversion(
        headers=[replace(header, bit_depth=scale.bit_depth) for header in headers],
        lookup=_eight_bit(np.arange(len(counts)), scale.bit_depth).astype(np.uint8),
        scale=scale,
        notes=[*notes, note],
    )


def _survey(headers, *, threads):
    """Count the stored grey values of all images together, and the pixels that are coloured."""
    counts = np.zeros(2**_CONTAINER, np.int64)
    coloured_total = 0
    for header in headers:
        stored = replace(header, inverted_by_sheet=header.white_is_zero, bit_depth=None)
        for grey, coloured, covered in grey_strips(stored, threads=threads):
            shown = grey.ravel() if covered is None else grey[covered]
            counts += np.bincount(shown, minlength=len(counts))
            coloured_total += coloured
    return counts, coloured_total


def _colour_note(coloured, *, pixels):
    if not coloured:
        return "converted from colour to grey; the three channels are equal"
    return (
        "converted from colour to grey by the luminance of ITU-R BT.601 "
        f"(0.299 R + 0.587 G + 0.114 B); {100 * coloured / pixels:.3g} % of the "
        "pixels are coloured"
    )


def depth_of_values(largest: int, used_bits: int) -> int:
    """Return the bit depth that grey values of 16 bits have by themselves.

    It is the smallest of `DEPTHS` that holds the largest value. Where the lowest bits of all values
    are 0, the values were shifted up to fill 16 bits; unless eight bits are left of the smallest
    depth, for then they are 8-bit values that were shifted up to fill that one.

    Parameters
    ----------
    largest : int
    used_bits : int
        Bits that are set in any value.
    """
    depth = next(bits for bits in DEPTHS if largest < 2**bits)
    unused = (used_bits & -used_bits).bit_length() - 1 if used_bits else 0
    shifted = 2 <= unused <= _CONTAINER - 8 and unused != depth - 8
    return _CONTAINER if shifted and depth > 8 else depth


def _scale_of(counts, headers, *, panorama):
    """Return the scale of a panorama from the counts of its stored values, and a note on it."""
    values = np.flatnonzero(counts)
    largest = int(values.max(initial=0))
    stated = max(headers, key=lambda header: header.bit_depth or 0)
    depth, source = stated.bit_depth, stated.bit_depth_source
    above = int(counts[2**depth :].sum()) if depth else 0
    remark = ""
    if source == "sheet":
        if above > _FEW * counts.sum():
            raise InputError(
                f"Sample sheet, row {panorama}, column bit_depth: {depth} bits hold values up to "
                f"{2**depth - 1}, but {100 * above / counts.sum():.2g} % of the pixels are above, "
                f"up to {largest}. Correct the number, or leave the cell empty."
            )
        if above:
            remark = f"; {above} pixels above this range are white"
    elif depth is None or above:
        if above:
            remark = f" (its header states {depth} bits, which do not hold them)"
        depth, source = depth_of_values(largest, int(np.bitwise_or.reduce(values))), "data"
        _require_trust(counts, depth, largest, panorama=panorama)
    origin = {
        "sheet": "as the sample sheet says",
        "header": "as the header says",
        "data": f"the depth of its values, the largest of which is {largest}",
    }[source]
    note = (
        f"converted from 16-bit to 8-bit by scaling the range 0 to {2**depth - 1} "
        f"({depth} bits, {origin}){remark}"
    )
    scale = GreyScale(
        stored_bits=_CONTAINER, bit_depth=depth, bit_depth_source=source, largest_value=largest
    )
    return scale, note


def _require_trust(counts, depth, largest, *, panorama):
    """Refuse a depth that a few pixels decide on: hot pixels, text or marks, or bright sites."""
    values = np.arange(len(counts))
    # Zero also fills what a stitching program left empty.
    few = _FEW * counts[1:].sum()
    # How many pixels are that bright or brighter, and how many have a bit.
    usual = int(np.flatnonzero(np.cumsum(counts[::-1])[::-1] > few).max(initial=0))
    used = sum(1 << bit for bit in range(_CONTAINER) if counts[(values >> bit) & 1 > 0].sum() > few)
    other = depth_of_values(usual, used)
    if other != depth:
        raise InputError(
            f"Panorama {panorama}: a few pixels decide on its bit depth. With all grey values, up "
            f"to {largest}, it is {depth}; without the rarest {100 * _FEW:g} %, up to {usual}, it "
            f"is {other}. Enter it in the sample sheet, row {panorama}, column bit_depth: {other} "
            f"if the few are hot pixels, text or marks, {depth} if they belong to the picture. The "
            "same for all panoramas of one microscope."
        )


def _eight_bit(values, depth):
    if depth <= 8:
        return np.minimum(values, 255)
    return np.minimum(np.right_shift(values, depth - 8), 255)


def agree_on_grey_scale(records: Iterable[PanoramaRecord]) -> list[str]:
    """Check that a grey means the same in all panoramas of a study, as far as this can be told.

    Parameters
    ----------
    records : iterable of PanoramaRecord

    Returns
    -------
    list of str
        What a reader should know of the grey scales, a sentence each.

    Raises
    ------
    InputError
        If panoramas of more than 8 bits have different bit depths, and that of any was told from
        its values: it may be a dark picture of the depth of the others.
    """
    records = [record for record in records if record.grey_scale]
    deep = [record for record in records if record.grey_scale.stored_bits > 8]
    depths = sorted({record.grey_scale.bit_depth for record in deep})
    told = [record for record in deep if record.grey_scale.bit_depth_source == "data"]
    if len(depths) > 1 and told:
        seen = "; ".join(
            f"{depth} bits hold the values of {_named(told, depth)}"
            for depth in depths
            if _named(told, depth)
        )
        raise InputError(
            f"The panoramas of this study have different bit depths ({_listed(depths)}), or some "
            f"are dark: {seen}. Enter the bits of the microscope for these in the sample sheet, "
            f"column bit_depth: {depths[-1]} if all were taken with one setting. Only panoramas "
            "for which this changes something are imported again."
        )
    notes = []
    if len(depths) > 1:
        notes.append(
            f"Panoramas have {_listed(depths)} bits, as stated; each is scaled by its own full "
            "scale, and greys mean the same only if that is one signal in all of them."
        )
    if deep and len(deep) < len(records):
        notes.append(
            f"{len(records) - len(deep)} of {len(records)} panoramas were handed in with 8 bits, "
            f"the others with {_listed(depths)}; each is scaled by its own full scale, and greys "
            "mean the same only if the 8-bit images were exported without a change of contrast."
        )
    return notes


def _named(records, depth):
    names = [one.panorama for one in records if one.grey_scale.bit_depth == depth]
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return f"{', '.join(names[:_SHOWN])}{more}" if names else ""


def _listed(depths):
    *first, last = map(str, depths)
    return f"{', '.join(first)} and {last}" if first else last
