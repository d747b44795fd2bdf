"""Which candidates of a panorama are compared with others by what frozen convolutions see."""

import numpy as np

#: Candidates of a panorama that are compared with the training sites; more tell nothing new.
MOST_SITES = 256


def sampled_rows(count: int, *, most: int = MOST_SITES) -> np.ndarray:
    """Return which of so many sites are compared: all, or evenly spread ones, int64, ascending.

    Candidates are in the order of their places, so that the chosen ones lie all over a panorama.
    """
    if count <= most:
        return np.arange(count)
    return np.linspace(0, count - 1, most).round().astype(np.int64)


def sampled_in_strip(count: int, strip: slice) -> np.ndarray:
    """Return which rows of a strip of so many sites are compared, counted within the strip."""
    rows = sampled_rows(count)
    start, stop, _ = strip.indices(count)
    return rows[(rows >= start) & (rows < stop)] - start
