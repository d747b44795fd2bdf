"""Find the data bar that microscopes write below a picture: text on one flat grey.

Noise keeps any one grey value from filling a row of a picture. A data bar is drawn: most of each
of its rows is of exactly one grey, its upper edge is sharp over the full width, the row below
that edge holds at most thin vertical lines, and there is text.
"""

from collections.abc import Callable, Iterable

import numpy as np

# Lossy compression shifts a flat grey by a level or two; close to text and edges by much more,
# within blocks of 8 rows.
_TOLERANCE, _RINGING, _BLOCK_ROWS = 2, 48, 8
# In a lossless bar only smoothed edges of letters are close to the background, but not it.
_LOSSY = 0.05
# Zeiss draws its bar one row too high.
_ROWS_BELOW = 2
_FEWEST_ROWS, _LOWEST_ROWS = 10, 24
# At least this share of a row is background where there is text, and where there is none.
_BACKGROUND, _CLEAR = 0.3, 0.85
# What interrupts a row without text are lines, no wider than this share of it or so many pixels.
_WIDEST_LINE, _WIDEST_LINE_PX = 0.004, 4
# A line along the row is of one grey but for its ends, that is not the background's.
_LINE, _THICKEST_LINE = 0.95, 6
# How much more background the first row of the bar has than the row above it.
_JUMP = 0.25
# Text differs from its background by more than this (a 16-bit image may use 12 bits only), covers
# this share of the bar, and stands in at least so many of its rows.
_CONTRAST = {1: 40, 2: 640}
_LEAST_TEXT, _MOST_TEXT, _FEWEST_TEXT_ROWS = 0.002, 0.5, 4


def find_data_bar(
    lowest: Callable[[int], Iterable[np.ndarray]], *, height_px: int, largest: float
) -> int:
    """Return how many rows at the bottom of an image are a data bar.

    Only the lowest 24 rows are read where no flat grey reaches the bottom, which is nearly always.

    Parameters
    ----------
    lowest : callable
        Gives the lowest n rows as consecutive strips over the full width, uint8 or uint16.
    height_px : int
        Rows of the whole image.
    largest : float
        Share of the height that a data bar takes up at most.

    Returns
    -------
    int
        0 if there is no data bar. At most two rows of picture below the bar count as part of it.
    """
    # Above the bar there must be something else.
    rows = min(int(largest * height_px) + 1, height_px)
    if rows <= _FEWEST_ROWS:
        return 0
    found = _flat_grey(np.concatenate(list(lowest(min(_LOWEST_ROWS, rows)))))
    if found is None:
        return 0
    grey, lossy = found
    measured = [_measure(strip, grey, lossy=lossy) for strip in lowest(rows)]
    columns = (np.concatenate(column) for column in zip(*measured, strict=True))
    background, clear, line, text, ringing = columns
    bottom = _lower_edge(background, line)
    if bottom is None:
        return 0
    top = _upper_edge(background, clear, line, bottom=bottom)
    if top is None or bottom - top < _FEWEST_ROWS:
        return 0
    inside = text[top:bottom][~line[top:bottom]]
    if not (
        _LEAST_TEXT <= inside.mean() <= _MOST_TEXT and np.count_nonzero(inside) >= _FEWEST_TEXT_ROWS
    ):
        return 0
    if lossy:
        # The edge lies in a block of rows that are flat only by and large.
        above = ringing[max(top - _BLOCK_ROWS + 1, 0) : top][::-1]
        top -= int(np.cumprod(above).sum())
    return rows - top


def _flat_grey(pixels):
    """Return the grey of most pixels in the lowest rows, and whether compression changed it.

    None if no row is clear of anything else.
    """
    grey = int(np.bincount(pixels.ravel()).argmax())
    difference = np.abs(pixels.astype(np.int32) - grey)
    lossy = np.count_nonzero(difference) - np.count_nonzero(difference > _RINGING)
    lossy = lossy > _LOSSY * np.count_nonzero(difference == 0)
    background, clear, *_ = _measure(pixels, grey, lossy=lossy)
    if background.mean() < _BACKGROUND or np.count_nonzero(clear) < 2:
        return None
    return grey, lossy


def _measure(strip, grey, *, lossy):
    """Measure each row of a strip against a background.

    Returns
    -------
    background, clear, line, text, ringing : numpy.ndarray, shape (rows,)
        Share of background; whether there is nothing else but thin vertical lines; whether the row
        is a line along it; share of text; whether it is a line or background but for ringing.
    """
    itemsize = strip.dtype.itemsize
    strip = strip.astype(np.int32)
    difference = np.abs(strip - grey)
    contrast = _CONTRAST[itemsize]
    flat = difference <= _TOLERANCE
    background = flat.mean(axis=1)
    middle = np.partition(strip, strip.shape[1] // 2, axis=1)[:, strip.shape[1] // 2]
    within = _RINGING if lossy else _TOLERANCE
    line = (np.abs(strip - middle[:, None]) <= within).mean(axis=1) >= _LINE
    line &= np.abs(middle - grey) > contrast
    widest = max(int(_WIDEST_LINE * strip.shape[1]), _WIDEST_LINE_PX)
    clear = background >= _CLEAR
    clear[clear] = [_longest_run(row) <= widest for row in ~flat[clear]]
    ringing = (difference <= _RINGING).mean(axis=1) >= _CLEAR
    return background, clear, line, (difference > contrast).mean(axis=1), ringing | line


def _longest_run(row):
    bounds = np.flatnonzero(np.diff(row, prepend=False, append=False))
    return int((bounds[1::2] - bounds[::2]).max(initial=0))


def _lower_edge(background, line):
    """Return the row after the last of the bar, None if there is no bar."""
    for skipped in range(_ROWS_BELOW + 1):
        row = len(background) - 1 - skipped
        if line[row] or background[row] >= _BACKGROUND:
            return row + 1
    return None


def _upper_edge(background, clear, line, *, bottom):
    """Return the first row of the bar, None if it has no sharp edge."""
    lines = 0
    top = bottom
    while top > 0 and (line[top - 1] or background[top - 1] >= _BACKGROUND):
        lines = lines + 1 if line[top - 1] else 0
        if lines > _THICKEST_LINE:
            break
        top -= 1
    # A picture that is flat itself, by saturation, may end in a row like the bar's.
    for row in range(max(top, 1), bottom):
        sharp = background[row] - background[row - 1] >= _JUMP
        if line[row] and not line[row - 1] and (clear[row + 1 : row + 1 + _THICKEST_LINE]).any():
            return row
        if clear[row] and sharp and not line[row - 1]:
            return row
    return None
