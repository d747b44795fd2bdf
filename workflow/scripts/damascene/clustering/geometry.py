"""Size, position and shape of sites from their runs; pixels are squares."""

from dataclasses import dataclass

import numpy as np

from damascene.clustering.runs import Runs


def moments(runs: Runs, site: np.ndarray, *, top: np.ndarray, left: np.ndarray) -> dict:
    """Return area, centroid, aspect ratio and orientation of each site.

    Parameters
    ----------
    runs : Runs
        The pixels of all sites, in any order.
    site : numpy.ndarray, int64, shape (runs,)
    top, left : numpy.ndarray, int64, shape (sites,)
        Upper left corner of each site.

    Returns
    -------
    dict of numpy.ndarray, shape (sites,)
        x_px, y_px, area_px, aspect_ratio and orientation_deg as in `CANDIDATES`; major_px and
        minor_px, the axes of the ellipse with the same second moments.
    """

    def total(values):
        return np.bincount(site, weights=values, minlength=len(top))

    # Counted from the corner of the site, the sums stay small and exact.
    y = runs.row - top[site]
    first, last = runs.first - left[site], runs.last - left[site]
    count = last - first + 1
    area = total(count)
    sum_x, sum_y = total((first + last) * count / 2), total(count * y)
    mean_x, mean_y = sum_x / area, sum_y / area
    # A pixel is a square: 1/12 is its own second moment, and no line is infinitely thin.
    xx = total(_sum_of_squares(last) - _sum_of_squares(first - 1)) / area - mean_x**2 + 1 / 12
    yy = total(count * y * y) / area - mean_y**2 + 1 / 12
    xy = total((first + last) * count / 2 * y) / area - mean_x * mean_y
    spread = np.hypot((xx - yy) / 2, xy)
    middle = (xx + yy) / 2
    # arctan2 gives (-180, 180]; half of it, wrapped to [-90, 90).
    angle = np.degrees(np.arctan2(2 * xy, xx - yy)) / 2
    return {
        # Sums of whole numbers, divided once: the same to the last digit as the mean of the
        # coordinates themselves.
        "x_px": (sum_x + left * area) / area,
        "y_px": (sum_y + top * area) / area,
        "area_px": area.astype(np.int64),
        "major_px": 4 * np.sqrt(middle + spread),
        "minor_px": 4 * np.sqrt(middle - spread),
        "aspect_ratio": np.sqrt((middle + spread) / (middle - spread)),
        "orientation_deg": np.where(angle >= 90, angle - 180, angle),
    }


def shapes(runs: Runs, site: np.ndarray) -> dict[str, np.ndarray]:
    """Return size, position and shape of sites.

    Parameters
    ----------
    runs : Runs
        int64, sorted by site and within a site row-major.
    site : numpy.ndarray, int64, shape (runs,)
        Numbers from 0, each with a run.

    Returns
    -------
    dict of numpy.ndarray, shape (sites,)
        As `moments`, and `convexity`.
    """
    first = np.flatnonzero(np.diff(site, prepend=-1))
    measured = moments(runs, site, top=runs.row[first], left=np.minimum.reduceat(runs.first, first))
    return measured | {"convexity": measured["area_px"] / hulls_of(runs, site).areas(len(first))}


def _sum_of_squares(n):
    """Sum of the squares of 0 to n."""
    return n * (n + 1) * (2 * n + 1) // 6


@dataclass(frozen=True, kw_only=True)
class Hulls:
    """Convex hulls of sites as two chains of corners each, the left and the right one.

    `left` and `right` are (site, y, x), arrays of one length, int64, by site and from the top down.
    Coordinates are those of corners: pixel (row, column) reaches from (row, column) to
    (row + 1, column + 1).
    """

    left: tuple[np.ndarray, np.ndarray, np.ndarray]
    right: tuple[np.ndarray, np.ndarray, np.ndarray]

    def areas(self, sites: int) -> np.ndarray:
        """Return the area of each hull in pixels."""
        return _left_of(self.right, sites) - _left_of(self.left, sites)

    def hold(self, site: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """Tell which points lie in the hull of a site or on its edge.

        Parameters
        ----------
        site : numpy.ndarray, int64, shape (points,)
        x, y : numpy.ndarray, float64, shape (points,)
            Counted from the centre of the upper left pixel.
        """
        x, y = x + 0.5, y + 0.5
        left, within = _at(self.left, site, y)
        right, _ = _at(self.right, site, y)
        # Room for rounding, far below a pixel.
        return within & (left - 1e-9 <= x) & (x <= right + 1e-9)

    def numbered(self, number: np.ndarray) -> "Hulls":
        """Return the same hulls with other numbers of their sites; sort them by `joined`."""
        return Hulls(
            left=(number[self.left[0]], *self.left[1:]),
            right=(number[self.right[0]], *self.right[1:]),
        )

    @classmethod
    def joined(cls, hulls: list["Hulls"]) -> "Hulls":
        """Return the hulls of several lists as one, sorted by site."""

        def chain(side):
            parts = zip(*(getattr(hull, side) for hull in hulls), strict=True)
            site, y, x = (np.concatenate(part) for part in parts)
            order = np.argsort(site, kind="stable")
            return site[order], y[order], x[order]

        return cls(left=chain("left"), right=chain("right"))

    @classmethod
    def none(cls) -> "Hulls":
        """Return no hulls."""
        chain = (np.empty(0, np.int64),) * 3
        return cls(left=chain, right=chain)


def hulls_of(runs: Runs, site: np.ndarray) -> Hulls:
    """Return the convex hulls of sites.

    Parameters
    ----------
    runs : Runs
        Sorted by site and within a site row-major; holes do not matter.
    site : numpy.ndarray, int64, shape (runs,)
    """
    new_line = np.ones(len(site), bool)
    new_line[1:] = (site[1:] != site[:-1]) | (runs.row[1:] != runs.row[:-1])
    starts = np.flatnonzero(new_line)
    ends = np.append(starts[1:], len(site)) - 1 if len(site) else starts
    line_site, row = site[starts], runs.row[starts]
    return Hulls(
        left=_chain(line_site, row, runs.first[starts], outermost=np.minimum),
        right=_chain(line_site, row, runs.last[ends] + 1, outermost=np.maximum),
    )


def _chain(site, row, x, *, outermost):
    """Return the corners of one side of the hulls."""
    # Each line has a corner above and one below; where lines meet the outer one counts.
    site, x = np.repeat(site, 2), np.repeat(x, 2)
    y = np.repeat(row, 2)
    y[1::2] += 1
    new = np.ones(len(site), bool)
    new[1:] = (site[1:] != site[:-1]) | (y[1:] != y[:-1])
    starts = np.flatnonzero(new)
    site, y = site[starts], y[starts]
    x = outermost.reduceat(x, starts) if len(starts) else x
    outwards = -1 if outermost is np.minimum else 1
    done = []
    moves = np.zeros(int(site.max(initial=-1)) + 1, bool)
    while len(site):
        # A point that is not outside the line between two others is not a corner of the hull. All
        # such points are removed at once, again and again, until only corners are left.
        inner = (site[2:] == site[1:-1]) & (site[:-2] == site[1:-1])
        turn = (x[1:-1] - x[:-2]) * (y[2:] - y[:-2]) - (x[2:] - x[:-2]) * (y[1:-1] - y[:-2])
        goes = np.zeros(len(site), bool)
        goes[1:-1] = inner & (outwards * turn <= 0)
        moves[site[goes]] = True
        again = moves[site]
        moves[site[goes]] = False
        done.append((site[~again], y[~again], x[~again]))
        left = again & ~goes
        site, y, x = site[left], y[left], x[left]
    if not done:
        return site, y, x
    site, y, x = (np.concatenate(parts) for parts in zip(*done, strict=True))
    order = np.lexsort((y, site))
    return site[order], y[order], x[order]


def _left_of(chain, sites):
    """Return the area between the y axis and each chain."""
    site, y, x = chain
    same = site[1:] == site[:-1]
    strips = (x[1:] + x[:-1]) * (y[1:] - y[:-1]) / 2
    return np.bincount(site[1:][same], weights=strips[same], minlength=sites)


def _at(chain, site, y):
    """Return where chains are at a height, and whether they reach that far."""
    chain_site, chain_y, chain_x = chain
    stride = int(chain_y.max(initial=0)) + 2
    key = site * stride + np.floor(np.clip(y, 0, stride - 1)).astype(np.int64)
    last = np.searchsorted(chain_site, site, side="right") - 1
    upper = np.searchsorted(chain_site * stride + chain_y, key, side="right") - 1
    first = np.searchsorted(chain_site, site)
    upper = np.clip(upper, first, last - 1)
    fraction = (y - chain_y[upper]) / (chain_y[upper + 1] - chain_y[upper])
    within = (fraction >= 0) & (fraction <= 1)
    return chain_x[upper] + fraction * (chain_x[upper + 1] - chain_x[upper]), within
