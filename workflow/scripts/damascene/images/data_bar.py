"""Find the data bar that microscopes write below a picture: text on one flat grey.

Noise keeps any one grey value from filling a row of a picture. A data bar is drawn: most of each
of its rows is of exactly one grey, its upper edge is sharp over the full width, the row below
that edge holds at most thin vertical lines, and there is text.
"""

from collections.abc import Callable, Iterable

import numpy as np

# Without loss, hardly a pixel is next to the background but not it. With loss, the greys around
# text and edges change, in blocks of 8 rows.
_NEXT, _LOSSY = 3, 0.03
_CLOSE, _LOSSY_TOLERANCE, _RINGING, _BLOCK_ROWS = 6, 24, 48, 8
# Zeiss draws its bar one row too high.
_ROWS_BELOW = 2
_FEWEST_ROWS, _LOWEST_ROWS = 10, 24
# At least this share of a row is background where there is text, and where there is none.
_BACKGROUND, _CLEAR = 0.3, 0.85
# What interrupts a row without text are lines, no wider than this share of it or so many pixels.
_WIDEST_LINE, _WIDEST_LINE_PX = 0.004, 4
# A line along the row has one grey except at its ends, different from the background.
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
    grey, lossy = _uniform_grey(np.concatenate(list(lowest(min(_LOWEST_ROWS, rows)))))
    if grey is None:
        return 0
    found, lossy_there = _bar(lowest(rows), grey, lossy=lossy)
    if found and lossy_there and not lossy:
        # Blocks without text are flat at any compression.
        found, _ = _bar(lowest(rows), grey, lossy=True)
    return found


def _uniform_grey(pixels):
    """Return the grey of most pixels in the lowest rows, and whether compression changed it.

    The grey is None if no row is clear of anything else.
    """
    grey = int(np.bincount(pixels.ravel()).argmax())
    difference = np.abs(pixels.astype(np.int32) - grey)
    exact, near = np.count_nonzero(difference == 0), np.count_nonzero(difference <= _NEXT)
    lossy = near - exact > _LOSSY * exact
    clear = _measure(pixels, grey, lossy=lossy)[1]
    enough = exact >= _BACKGROUND * pixels.size and np.count_nonzero(clear) >= 2
    return (grey if enough else None), lossy


def _bar(strips, grey, *, lossy):
    """Return how many of the rows are a bar on this grey, and whether compression changed it."""
    measured = [_measure(strip, grey, lossy=lossy) for strip in strips]
    columns = (np.concatenate(column) for column in zip(*measured, strict=True))
    background, clear, line, text, ringing, exact, near, close = columns
    bottom = _lower_edge(background, line)
    if bottom is None:
        return 0, lossy
    top = _upper_edge(background, clear, line, close, bottom=bottom)
    if top is None or bottom - top < _FEWEST_ROWS:
        return 0, lossy
    inside = text[top:bottom][~line[top:bottom]]
    covered, rows = inside.mean(), np.count_nonzero(inside)
    if not (_LEAST_TEXT <= covered <= _MOST_TEXT and rows >= _FEWEST_TEXT_ROWS):
        return 0, lossy
    if lossy:
        # The edge lies in a block of rows that are flat only by and large.
        block = np.flatnonzero(ringing[max(top - _BLOCK_ROWS, 0) : top][::-1])
        top -= int(block[-1]) + 1 if len(block) else 0
    changed = near[top:bottom].sum() - exact[top:bottom].sum()
    return len(background) - top, changed > _LOSSY * exact[top:bottom].sum()


def _measure(strip, grey, *, lossy):
    """Measure each row of a strip against a background.

    Returns
    -------
    background, clear, line, text, ringing, exact, near, close : numpy.ndarray, shape (rows,)
        Share of background; whether there is nothing else but thin vertical lines; whether the row
        is a line along it; share of text; whether it is a line or background, apart from ringing;
        shares of pixels of exactly the grey, of those next to it and of those close to it.
    """
    contrast = _CONTRAST[strip.dtype.itemsize]
    strip = strip.astype(np.int32)
    difference = np.abs(strip - grey)
    flat = difference <= (_LOSSY_TOLERANCE if lossy else _CLOSE)
    background = flat.mean(axis=1)
    middle = np.partition(strip, strip.shape[1] // 2, axis=1)[:, strip.shape[1] // 2]
    within = _RINGING if lossy else _CLOSE
    line = (np.abs(strip - middle[:, None]) <= within).mean(axis=1) >= _LINE
    line &= np.abs(middle - grey) > contrast
    widest = max(int(_WIDEST_LINE * strip.shape[1]), _WIDEST_LINE_PX)
    clear = background >= _CLEAR
    clear[clear] = [_longest_run(row) <= widest for row in ~flat[clear]]
    return (
        background,
        clear,
        line,
        (difference > contrast).mean(axis=1),
        ((difference <= _RINGING).mean(axis=1) >= _CLEAR) | line,
        (difference == 0).mean(axis=1),
        (difference <= _NEXT).mean(axis=1),
        (difference <= _CLOSE).mean(axis=1),
    )


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


def _upper_edge(background, clear, line, close, *, bottom):
    """Return the first row of the bar, None if it has no sharp edge."""
    lines = 0
    top = bottom
    while top > 0 and (line[top - 1] or background[top - 1] >= _BACKGROUND):
        lines = lines + 1 if line[top - 1] else 0
        if lines > _THICKEST_LINE:
            break
        top -= 1
    # A picture that is as bright as the bar may end in rows that could be part of it.
    for row in range(max(top, 1), bottom):
        if line[row] and not line[row - 1] and clear[row + 1 : row + 1 + _THICKEST_LINE].any():
            return row
        jumps = background[row] - background[row - 1], close[row] - close[row - 1]
        if clear[row] and not line[row - 1] and max(jumps) >= _JUMP:
            return row
    return None
