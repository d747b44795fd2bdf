"""From strips of dark pixels to groups that nothing below can join any more.

Two pixels are linked if they are at most as far apart as neighbours of DBSCAN may be. A group is
what links connect, whether or not its pixels are core pixels, so a cluster never leaves its group:
clustered group by group, pixels get the labels they would get in the whole image. A group is
complete once the rows below it, as many as a link can bridge, are known and empty of it. What is
kept from strip to strip are the groups that are still open, however large the image.
"""

from collections.abc import Iterator

import numpy as np

from damascene.detection.pixels import Pixels, Strips
from damascene.detection.runs import joined, linked_runs, runs_of


def complete_groups(strips: Strips, *, half_widths: np.ndarray) -> Iterator[Pixels]:
    """Yield the pixels of groups as these become complete.

    Parameters
    ----------
    strips : iterator of (Pixels, int)
        Pixels, and the row below the last one known.
    half_widths : numpy.ndarray, int64, shape (reach + 1,)
        Pixels `dy` rows apart are linked if they lie at most `half_widths[dy]` columns apart.

    Yields
    ------
    Pixels
        Of any number of whole groups, in row-major order.

    Raises
    ------
    InputError
        If groups of more pixels than any site has stay open.
    """
    reach = len(half_widths) - 1
    waiting, group = Pixels.none(), np.empty(0, np.int64)
    top = 0
    for pixels, bottom in strips:
        # Only the last rows of what waits can be linked to the strip.
        tail = int(np.searchsorted(waiting.rows, top - reach))
        near = waiting[tail:].followed_by(pixels)
        runs = runs_of(near.rows, near.columns)
        count, groups = len(runs.row), int(group.max(initial=-1)) + 1
        run_start = np.cumsum(runs.length) - runs.length
        above = run_start[run_start < len(waiting) - tail]
        earlier, later = linked_runs(runs, half_widths=half_widths)
        # The groups that wait are nodes beside the runs.
        component = joined(
            np.concatenate([earlier, np.arange(len(above))]),
            np.concatenate([later, count + group[tail + above]]),
            nodes=count + groups,
        )
        of_pixels = np.repeat(component[:count], runs.length)[len(waiting) - tail :]
        group = np.concatenate([component[count + group], of_pixels])
        waiting = waiting.followed_by(pixels)

        is_open = np.zeros(count + groups, bool)
        is_open[component[:count][runs.row >= bottom - reach]] = True
        stays = is_open[group]
        yield waiting[~stays]
        waiting, group = waiting[stays], (np.cumsum(is_open) - 1)[group[stays]]
        waiting.check_waiting()
        top = bottom
    yield waiting
