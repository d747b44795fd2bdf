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
import itertools
from collections.abc import Iterable, Sequence

import numpy as np

#: Places that a fingerprint keeps, and how many must agree for a window to be found.
MARKS, LEAST_MARKS = 12, 3
# Greys are compared as sums over squares, which noise and rounding change little.
_BOX_PX = 8
# Edge of what a code describes.
_PATCH_PX = 24
_BITS = 32
#: By which parts of an image overlap that are searched together: then each place is in one.
OVERLAP_PX = _PATCH_PX - 1
# Bits of a code that the table of first bits leaves out.
_SHIFT = 12
# Places whose codes are made at a time.
_AT_A_TIME = 2**16
# Corners of the two squares of each comparison. They must stay as they are for ever, or no
# fingerprint written before is found again: so they come from no generator of random numbers.
_CORNERS = [
    [each % (_PATCH_PX - _BOX_PX + 1) for each in four]
    for four in zip(*[iter(hashlib.shake_128(b"damascene").digest(4 * _BITS))] * 4, strict=True)
]
# Of the comparisons of a place at most so many may meet equal greys: areas of one grey are alike.
_MOST_TIES = 3
# Whether an image is transposed, and then the steps by which its rows and columns are read.
_TURNS = tuple(itertools.product((False, True), (1, -1), (1, -1)))
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
    codes, textured = _codes(_sums(pixels))
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
    windows_px : sequence of int
        Edge of the square window of each.
    """

    def __init__(self, texts: Sequence[str], *, windows_px: Sequence[int]) -> None:
        marks = [_marks(text) for text in texts]
        owners = np.repeat(np.arange(len(marks)), [len(each) for each in marks])
        joined = np.concatenate([np.empty(0, _MARK), *marks])
        order = np.argsort(joined["code"], kind="stable")
        self._codes, self._owners = joined["code"][order], owners[order]
        self._windows_px = np.array(windows_px, int)
        # Twice the way from the centre of what a code describes to the centre of the window.
        way = self._windows_px[self._owners] - _PATCH_PX
        places = (joined["row"][order].astype(int), joined["column"][order].astype(int))
        self._ways = np.stack([way - 2 * place for place in places], axis=1)
        # Most places of an image are ruled out by the first bits of their code.
        self._first_bits = np.zeros(2 ** (_BITS - _SHIFT), bool)
        self._first_bits[self._codes >> _SHIFT] = True

    def find(self, parts: Iterable[tuple[int, int, np.ndarray]]) -> np.ndarray:
        """Find windows in an image, turned and mirrored ones, too.

        Grey values may have been changed by any rising curve, rounded anew or compressed with
        little loss; the size of a pixel must be the same.

        Parameters
        ----------
        parts : iterable of (int, int, numpy.ndarray of uint8)
            Row and column where a part of the image begins, and its pixels. A window is found in
            all parts together; for this, neighbours overlap by `OVERLAP_PX`, neither more nor
            less.

        Returns
        -------
        numpy.ndarray of int, shape (found, 3)
            Which fingerprint, and the row and column where the corner of its window lies in the
            image; outside where only a part of it is there.
        """
        met = [np.empty((0, 4), int)]
        for top, left, pixels in parts:
            sums = _sums(pixels)
            for number, turn in enumerate(_TURNS):
                owners, corners = self._met(sums, turn)
                numbers = np.full(len(owners), number)
                met.append(np.column_stack([owners, np.add(corners, (top, left)), numbers]))
        windows, agreeing = np.unique(np.concatenate(met), axis=0, return_counts=True)
        return windows[agreeing >= LEAST_MARKS, :3]

    def _met(self, sums, turn):
        """Return whose marks a turned image has, and where the corners of their windows lie."""
        codes, textured = (_turned_back(each, turn) for each in _codes(_turned(sums, turn)))
        rows, columns = np.nonzero(textured & self._first_bits[codes >> _SHIFT])
        sought = codes[rows, columns]
        start = np.searchsorted(self._codes, sought)
        count = np.searchsorted(self._codes, sought, side="right") - start
        mark = np.arange(count.sum()) + np.repeat(start - np.cumsum(count) + count, count)
        places = np.repeat(np.column_stack([rows, columns]), count, axis=0)
        transposed, *signs = turn
        ways = self._ways[mark] * signs
        ways = ways[:, ::-1] if transposed else ways
        edges_px = self._windows_px[self._owners[mark]][:, None]
        return self._owners[mark], (2 * places + _PATCH_PX + ways - edges_px) // 2


def _turned(places, turn):
    transposed, down, right = turn
    return (places.T if transposed else places)[::down, ::right]


def _turned_back(places, turn):
    transposed, down, right = turn
    places = places[::down, ::right]
    return places.T if transposed else places


def _marks(text):
    return np.frombuffer(base64.b64decode(text), _MARK)


def _sums(pixels):
    """Return the sums of all squares of greys, int16, shape (rows - 7, columns - 7)."""
    sums = np.pad(pixels.astype(np.uint32), ((1, 0), (1, 0)))
    # Sums may pass the largest number: differences are right all the same.
    sums = sums.cumsum(0, dtype=np.uint32).cumsum(1, dtype=np.uint32)
    sums = sums[_BOX_PX:] - sums[:-_BOX_PX]
    return (sums[:, _BOX_PX:] - sums[:, :-_BOX_PX]).astype(np.int16)


def _codes(sums):
    """Return the code of each place, and where it is telling: both (rows - 16, columns - 16)."""
    width, row = sums.shape[1], sums.ravel()
    shape = tuple(max(edge - _PATCH_PX + _BOX_PX, 0) for edge in sums.shape)
    codes = np.zeros((shape[0] * width, _BITS // 8), np.uint8)
    ties = np.zeros(len(codes), np.uint8)
    # One long row, some places at a time: everything is done within the fast memory.
    # The last places of a line reach into the next line, and mean nothing.
    last = (shape[0] - 1) * width + shape[1] if all(shape) else 0
    for start in range(0, last, _AT_A_TIME):
        stop = min(start + _AT_A_TIME, last)
        for byte in range(_BITS // 8):
            bits = np.zeros(stop - start, np.uint8)
            for corners in reversed(_CORNERS[8 * byte : 8 * byte + 8]):
                first, second = corners[0] * width + corners[1], corners[2] * width + corners[3]
                one, other = row[start + first : stop + first], row[start + second : stop + second]
                bits += bits
                bits |= (one < other).view(np.uint8)
                ties[start:stop] += (one == other).view(np.uint8)
            codes[start:stop, byte] = bits
    codes = codes.view("<u4").reshape(shape[0], width)[:, : shape[1]]
    return codes, (ties <= _MOST_TIES).reshape(shape[0], width)[:, : shape[1]]


def _scattered(codes):
    """Return numbers in which similar codes are far apart."""
    return codes * np.uint32(2654435761) ^ codes >> np.uint32(13)
