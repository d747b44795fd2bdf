"""Fingerprints of windows: marks by which the same pixels are found again in any other image.

Names of files and panoramas, places in a grid and positions of sites all change from one study to
the next; what does not change is the image round a site. A fingerprint keeps some places of a
window whose surroundings occur nowhere else in it, each with a short code of these surroundings.
Where several of them are found in the same arrangement, the window is found to the pixel.

References
----------
Calonder et al., BRIEF: Binary Robust Independent Elementary Features,
10.1007/978-3-642-15561-1_56 (codes by comparisons of smoothed greys).
"""

import base64
import hashlib
from collections.abc import Sequence

import numpy as np

#: Places that a fingerprint keeps, and how many must agree for a window to be found.
MARKS, LEAST_MARKS = 12, 3
# Greys are compared as sums over squares, which noise and rounding change little.
_BOX_PX = 8
# Edge of what a code describes.
_PATCH_PX = 24
_BITS = 32
# Bits of a code that the table of first bits leaves out.
_SHIFT = 12
# Corners of the two squares of each comparison. They must stay as they are for ever, or no
# fingerprint written before is found again: so they come from no generator of random numbers.
_CORNERS = [
    [each % (_PATCH_PX - _BOX_PX + 1) for each in four]
    for four in zip(*[iter(hashlib.shake_128(b"damascene").digest(4 * _BITS))] * 4, strict=True)
]
# Of the comparisons of a place at most so many may meet equal greys: areas of one grey are alike.
_MOST_TIES = 3
_MARK = np.dtype([("code", "<u4"), ("row", "<u2"), ("column", "<u2")])


def fingerprint(pixels: np.ndarray) -> str:
    """Return the fingerprint of a window.

    Parameters
    ----------
    pixels : numpy.ndarray, uint8, shape (rows, columns)

    Returns
    -------
    str
        Marks as base64; fewer than `LEAST_MARKS` where the window has no texture, and then it
        cannot be found again.
    """
    codes, textured = _codes(pixels)
    rows, columns = np.nonzero(textured)
    found, first, count = np.unique(codes[textured], return_index=True, return_counts=True)
    alone = count == 1
    found, first = found[alone], first[alone]
    # Which are kept depends on the code alone, and seems random: neighbours have similar codes.
    kept = np.argsort(_scattered(found), kind="stable")[:MARKS]
    marks = np.empty(len(kept), _MARK)
    marks["code"] = found[kept]
    marks["row"], marks["column"] = rows[first[kept]], columns[first[kept]]
    return base64.b64encode(marks.tobytes()).decode()


def is_telling(text: str) -> bool:
    """Say whether a window can be found by its fingerprint."""
    return len(_marks(text)) >= LEAST_MARKS


class Fingerprints:
    """Many fingerprints, to be sought in images together.

    Parameters
    ----------
    texts : sequence of str
        From `fingerprint`.
    """

    def __init__(self, texts: Sequence[str]) -> None:
        marks = [_marks(text) for text in texts]
        self._owners = np.repeat(np.arange(len(marks)), [len(each) for each in marks])
        joined = np.concatenate([np.empty(0, _MARK), *marks])
        order = np.argsort(joined["code"], kind="stable")
        self._marks, self._owners = joined[order], self._owners[order]
        # Most places of an image are ruled out by the first bits of their code.
        self._first_bits = np.zeros(2 ** (_BITS - _SHIFT), bool)
        self._first_bits[self._marks["code"] >> _SHIFT] = True

    def find(self, pixels: np.ndarray) -> np.ndarray:
        """Find windows in an image.

        Grey values may have been changed by any rising curve, rounded anew or compressed with
        little loss; the size of a pixel and the direction must be the same.

        Parameters
        ----------
        pixels : numpy.ndarray, uint8, shape (rows, columns)

        Returns
        -------
        numpy.ndarray of int, shape (found, 3)
            Which fingerprint, and the row and column where the corner of its window lies in the
            image; outside where only a part of it is there.
        """
        codes, textured = _codes(pixels)
        rows, columns = np.nonzero(textured & self._first_bits[codes >> _SHIFT])
        sought = codes[rows, columns]
        start = np.searchsorted(self._marks["code"], sought)
        count = np.searchsorted(self._marks["code"], sought, side="right") - start
        place = np.repeat(np.arange(len(sought)), count)
        mark = np.arange(len(place)) - np.repeat(np.cumsum(count) - count, count)
        mark += np.repeat(start, count)
        corners = np.stack(
            [
                self._owners[mark],
                rows[place] - self._marks["row"][mark].astype(int),
                columns[place] - self._marks["column"][mark].astype(int),
            ],
            axis=1,
        )
        windows, agreeing = np.unique(corners, axis=0, return_counts=True)
        return windows[agreeing >= LEAST_MARKS]


def _marks(text):
    return np.frombuffer(base64.b64decode(text), _MARK)


def _codes(pixels):
    """Return the code of each place, and where it is telling: both (rows - 23, columns - 23)."""
    sums = np.pad(pixels.astype(np.int64), ((1, 0), (1, 0))).cumsum(0).cumsum(1)
    sums = sums[_BOX_PX:] - sums[:-_BOX_PX]
    sums = (sums[:, _BOX_PX:] - sums[:, :-_BOX_PX]).astype(np.int32)
    shape = tuple(max(edge - _PATCH_PX + 1, 0) for edge in pixels.shape)
    codes, ties = np.zeros(shape, np.uint32), np.zeros(shape, np.uint8)
    for bit, (top, left, other_top, other_left) in enumerate(_CORNERS):
        one = sums[top : top + shape[0], left : left + shape[1]]
        other = sums[other_top : other_top + shape[0], other_left : other_left + shape[1]]
        codes |= (one < other).astype(np.uint32) << np.uint32(bit)
        ties += one == other
    return codes, ties <= _MOST_TIES


def _scattered(codes):
    """Return numbers in which similar codes are far apart."""
    return codes * np.uint32(2654435761) ^ codes >> np.uint32(13)
