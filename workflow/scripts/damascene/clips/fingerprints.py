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
import operator
from collections.abc import Iterable, Sequence

import numpy as np

#: Places that a fingerprint keeps, and how many must agree for a window to be found. Three agree by
#: chance: once in 100 million pixels of real steel that was compared with 2,400 other windows.
MARKS, LEAST_MARKS = 12, 4
# Greys are compared as sums over squares, which noise and rounding change little.
_BOX_PX = 8
# Marks closer than this would agree by chance together.
_APART_PX = 8
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
# What a place and a window are packed into one number with: sorting is fast then.
_FARTHEST_PX, _MOST_WINDOWS = 2**21, 2**20
_MARK = np.dtype([("code", "<u4"), ("row", "<u2"), ("column", "<u2")])
#: Bytes of a mark.
MARK_BYTES = _MARK.itemsize


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


def is_shown(text: str, pixels: np.ndarray) -> bool:
    """Say whether an image, not turned, shows the window of a fingerprint.

    Parameters
    ----------
    text : str
        From `fingerprint`.
    pixels : numpy.ndarray, uint8, shape (rows, columns)
        Somewhere in which the window lies.
    """
    codes, textured = _codes(_sums(pixels))
    corners = []
    for code, row, column in _marks(text).tolist():
        places = np.argwhere(textured & (codes == code))
        corners.append(places - (row, column))
    _, count = np.unique(
        np.concatenate([np.empty((0, 2), int), *corners]), axis=0, return_counts=True
    )
    return bool(count.max(initial=0) >= LEAST_MARKS)


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
        self._codes, self._starts, self._counts = np.unique(
            joined["code"][order], return_index=True, return_counts=True
        )
        edges = np.array(windows_px, np.int64)
        self._widest_px = edges.max(initial=0)
        edges, owners = edges[owners[order]], owners[order]
        # From the centre of what a code describes to the centre of the window, twice.
        down, right = (
            edges - _PATCH_PX - 2 * joined[axis][order].astype(int) for axis in ("row", "column")
        )
        self._corners = []
        for transposed, down_step, right_step in _TURNS:
            ways = down * down_step, right * right_step
            ways = ways[::-1] if transposed else ways
            corners = [(_PATCH_PX + way - edges) // 2 for way in ways]
            self._corners.append(_number(*corners) + owners)
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
            Row and column where a part of the image begins, and its pixels, from top to bottom.
            A window is found in all parts together; for this, neighbours overlap by `OVERLAP_PX`,
            neither more nor less.

        Returns
        -------
        numpy.ndarray of int, shape (found, 3)
            Which fingerprint, and the row and column where the corner of its window lies in the
            image; outside where only a part of it is there.
        """
        found = []
        waiting = [np.empty(0, np.int64)] * len(_TURNS)
        for top, line in itertools.groupby(parts, key=operator.itemgetter(0)):
            met = [[each] for each in waiting]
            for _, left, pixels in line:
                sums = _sums(pixels)
                for turn, numbers in enumerate(met):
                    numbers.append(self._met(sums, turn) + _number(top, left))
            # Windows that end above are complete; others may go on in the next line of parts.
            complete = _number(top - self._widest_px, -_FARTHEST_PX)
            for turn, numbers in enumerate(map(np.concatenate, met)):
                found.append(_agreeing(numbers[numbers < complete]))
                waiting[turn] = numbers[numbers >= complete]
        numbers = np.concatenate([np.empty(0, np.int64), *found, *map(_agreeing, waiting)])
        rest, owners = np.divmod(numbers, _MOST_WINDOWS)
        rows, columns = np.divmod(rest + _FARTHEST_PX, 2 * _FARTHEST_PX)
        return np.column_stack([owners, rows, columns - _FARTHEST_PX])

    def _met(self, sums, turn):
        """Return the numbers of the windows whose marks a turned image has, one for each mark."""
        codes, textured = (
            _turned_back(each, _TURNS[turn]) for each in _codes(_turned(sums, _TURNS[turn]))
        )
        rows, columns = np.nonzero(textured & self._first_bits[codes >> _SHIFT])
        sought = codes[rows, columns]
        which = np.searchsorted(self._codes[:-1], sought)
        same = self._codes[which] == sought if len(sought) else np.empty(0, bool)
        rows, columns, which = rows[same], columns[same], which[same]
        start, count = self._starts[which], self._counts[which]
        mark = np.arange(count.sum()) + np.repeat(start - np.cumsum(count) + count, count)
        return np.repeat(_number(rows, columns), count) + self._corners[turn][mark]


def _number(rows, columns):
    """Return places as whole numbers, in the order of rows; sums of places are sums of numbers."""
    return (np.int64(2 * _FARTHEST_PX) * rows + columns) * _MOST_WINDOWS


def _agreeing(numbers):
    """Return the numbers that are there often enough."""
    numbers, count = np.unique(numbers, return_counts=True)
    return numbers[count >= LEAST_MARKS]


def _turned(places, turn):
    transposed, down, right = turn
    return (places.T if transposed else places)[::down, ::right]


def _turned_back(places, turn):
    transposed, down, right = turn
    places = places[::down, ::right]
    return places.T if transposed else places


def _marks(text):
    """Return the marks that count: places close to each other have similar codes."""
    marks = np.frombuffer(base64.b64decode(text), _MARK)
    places = np.column_stack([marks["row"], marks["column"]]).astype(int)
    apart = np.abs(places[:, None] - places).max(axis=-1)
    # A small window has no room for marks far apart.
    least = min(_APART_PX, apart.max(initial=0) / 4)
    kept = []
    for index in range(len(marks)):
        if not kept or apart[index, kept].min() >= least:
            kept.append(index)
    return marks[kept]


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
