"""Measure how far two overlapping frames are really apart."""

from dataclasses import dataclass

import numpy as np
import scipy.fft
from scipy.ndimage import gaussian_filter

#: Structures of this standard deviation in pixels and above are compared: below it, fast scans
#: show noise.
FINEST_PX = 1.5
# Coarser than this is shading of the frame, not of the specimen.
_COARSEST_PX = 24
# Tapers the edges of the compared strips, whose steps would correlate with each other.
_TAPER_PX = 16
_CANDIDATE_PEAKS = 4
_PEAK_RADIUS_PX = 6
# The two correlations have their maxima at most this far apart.
_CLIMB_STEPS = 3
# The highest of n independent normal values is about sqrt(2 ln n) standard deviations above their
# mean; a peak must be higher than that by this much.
_PEAK_ABOVE_CHANCE = 1.5
_LEAST_CORRELATION = 0.25
# A runner-up this near to the best means that the overlap repeats itself.
_CLEAR_BY = 0.1
_LEAST_OVERLAP_PX = 8
# For the fraction of a pixel: less smoothing loses less of what fine structures say.
_FINE_PX = 1.0
_EDGE_PX = 2


@dataclass(frozen=True, kw_only=True)
class Offset:
    """What the overlap of two frames says about their distance.

    `dx_px`, `dy_px`: corner of the second frame minus that of the first. `correlation`: of grey
    values in the overlap, normalised, noise and shading filtered off. `peak`: height of the peak
    of the phase correlation, in standard deviations of its surroundings. `first_level`,
    `second_level`: mean grey in the overlap. `fault`: why the offset is not to be trusted,
    empty if it is.
    """

    dx_px: float
    dy_px: float
    correlation: float
    peak: float
    first_level: float
    second_level: float
    fault: str


@dataclass(frozen=True, kw_only=True)
class Strip:
    """The part of a frame that may overlap another: pixels and corner (x, y) in the frame."""

    pixels: np.ndarray
    corner: np.ndarray


def overlap_windows(
    expected: np.ndarray, *, size: np.ndarray, search_px: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return which parts of two frames overlap if they are about as far apart as expected.

    Parameters
    ----------
    expected : numpy.ndarray, int64, shape (2,)
        Corner (x, y) of the second frame minus that of the first.
    size : numpy.ndarray, int64, shape (2,)
        Width and height of a frame.
    search_px : int
        By how much the distance may be wrong in x and in y.

    Returns
    -------
    first, second : numpy.ndarray, int64, shape (2, 2)
        Upper left and lower right corner (exclusive), each (x, y), in the frame.
    """
    low, high = expected - search_px, expected + search_px
    first = np.array([np.clip(low, 0, size), np.clip(high + size, 0, size)])
    second = np.array([np.clip(-high, 0, size), np.clip(size - low, 0, size)])
    return first, second


def measure_offset(first: Strip, second: Strip, *, expected: np.ndarray, search_px: int) -> Offset:
    """Measure how far two frames are apart from the strips in which they overlap.

    The cross-power spectrum, whitened and low-passed, is transformed back: phase correlation
    (Kuglin and Hines 1975; for stitching Preibisch et al., doi:10.1093/bioinformatics/btp184). Its
    highest peaks are compared by the normalised correlation of the grey values that would then
    overlap, which also gives the fraction of a pixel, by parabolas through its neighbours.

    Parameters
    ----------
    first, second : Strip
        As cut by `overlap_windows`.
    expected : numpy.ndarray, int64, shape (2,)
    search_px : int

    Returns
    -------
    Offset
    """
    levels = {"first_level": np.nan, "second_level": np.nan}
    nothing = {"dx_px": np.nan, "dy_px": np.nan, "correlation": np.nan, "peak": np.nan, **levels}
    if min(*first.pixels.shape, *second.pixels.shape) < _LEAST_OVERLAP_PX:
        return Offset(**nothing, fault="no overlap")
    one, other = (_filtered(strip.pixels, finest_px=FINEST_PX) for strip in (first, second))
    # Shifts of the strips against each other, rows first.
    between = (first.corner - second.corner)[::-1]
    centre = expected[::-1] - between
    surface, lowest = _phase_correlation(one, other, centre=centre, search_px=search_px)
    peaks = []
    for position, height in _highest(surface):
        shift, correlation = _climb(one, other, position + lowest)
        if np.isfinite(correlation) and (np.abs(shift - centre) <= search_px + 1).all():
            peaks.append((correlation, height, tuple(shift)))
    if not peaks:
        return Offset(**nothing, fault="featureless")
    peaks.sort(reverse=True)
    correlation, height, shift = peaks[0]
    others = [
        peak[0] for peak in peaks[1:] if np.abs(np.subtract(peak[2], shift)).max() > _PEAK_RADIUS_PX
    ]
    fault = ""
    if height < np.sqrt(2 * np.log(surface.size)) + _PEAK_ABOVE_CHANCE:
        fault = "featureless"
    elif correlation < _LEAST_CORRELATION:
        fault = "low correlation"
    elif others and max(others) > correlation - _CLEAR_BY:
        fault = "ambiguous"
    cut, other_cut = _common(first.pixels, second.pixels, np.array(shift))
    offset = np.array(shift) + _below_pixel(cut, other_cut) + between
    return Offset(
        dx_px=float(offset[1]),
        dy_px=float(offset[0]),
        correlation=float(correlation),
        peak=float(height),
        first_level=float(cut.mean()),
        second_level=float(other_cut.mean()),
        fault=fault,
    )


def _filtered(pixels, *, finest_px):
    values = pixels.astype(np.float32)
    return gaussian_filter(values, finest_px) - gaussian_filter(values, _COARSEST_PX, truncate=2)


def _phase_correlation(one, other, *, centre, search_px):
    """Return the correlation at all searched shifts in standard deviations, and the lowest one."""
    shape = [
        scipy.fft.next_fast_len(length, real=True)
        for length in np.maximum(one.shape, other.shape) + search_px
    ]
    spectrum = scipy.fft.rfft2(one * _taper(one.shape), shape)
    spectrum *= np.conj(scipy.fft.rfft2(other * _taper(other.shape), shape))
    size = np.abs(spectrum)
    spectrum /= size + np.float32(1e-6) * size.max() + np.finfo(np.float32).tiny
    rows = np.fft.fftfreq(shape[0])[:, None]
    columns = np.fft.rfftfreq(shape[1])[None, :]
    squared = rows**2 + columns**2
    spectrum *= np.exp(-2 * (np.pi * FINEST_PX) ** 2 * squared).astype(np.float32)
    whole = scipy.fft.irfft2(spectrum, shape)
    searched = [
        np.arange(middle - search_px, middle + search_px + 1) % length
        for middle, length in zip(centre, shape, strict=True)
    ]
    surface = whole[np.ix_(*searched)]
    spread = whole.std()
    return (surface - whole.mean()) / (spread or 1), centre - search_px


def _taper(shape):
    def ramp(length):
        wide = min(_TAPER_PX, length // 4)
        edge = np.sin(np.pi / 2 * (np.arange(wide) + 0.5) / max(wide, 1)) ** 2
        return np.concatenate([edge, np.ones(length - 2 * wide), edge[::-1]]).astype(np.float32)

    return ramp(shape[0])[:, None] * ramp(shape[1])[None, :]


def _highest(surface):
    """Yield the highest peaks that are not neighbours of a higher one: position, height."""
    left = surface.copy()
    for _ in range(_CANDIDATE_PEAKS):
        position = np.array(np.unravel_index(left.argmax(), left.shape))
        height = left[tuple(position)]
        if not np.isfinite(height):
            return
        yield position, height
        low, high = np.maximum(position - _PEAK_RADIUS_PX, 0), position + _PEAK_RADIUS_PX + 1
        left[low[0] : high[0], low[1] : high[1]] = -np.inf


def _common(one, other, shift):
    """Cut two arrays to where they overlap if `other` begins at `shift` in `one`."""
    low = np.maximum(shift, 0)
    high = np.minimum(one.shape, shift + other.shape)
    if (high - low < _LEAST_OVERLAP_PX).any():
        return one[:0, :0], other[:0, :0]
    cut = one[low[0] : high[0], low[1] : high[1]]
    low, high = low - shift, high - shift
    return cut, other[low[0] : high[0], low[1] : high[1]]


def _correlation(cut, other_cut):
    if not cut.size:
        return -np.inf
    cut, other_cut = cut - cut.mean(), other_cut - other_cut.mean()
    energy = np.sqrt(np.vdot(cut, cut) * np.vdot(other_cut, other_cut))
    return np.vdot(cut, other_cut) / energy if energy > 0 else -np.inf


def _climb(one, other, shift):
    """Follow the normalised correlation to a maximum nearby: shift in pixels, correlation."""
    known = {}

    def at(place):
        if place not in known:
            known[place] = _correlation(*_common(one, other, np.array(place)))
        return known[place]

    best = tuple(int(value) for value in shift)
    for _ in range(_CLIMB_STEPS):
        near = [(best[0] + i, best[1] + j) for i in (-1, 0, 1) for j in (-1, 0, 1)]
        higher = max(near, key=at)
        if at(higher) <= at(best):
            break
        best = higher
    return np.array(best), at(best)


def _below_pixel(cut, other_cut):
    """Return what is left of a shift: the vertex of parabolas through three correlations.

    The common part is filtered again, so that both sides are mirrored at the same edges: otherwise
    these would pull the maximum.
    """
    cut, other_cut = _filtered(cut, finest_px=_FINE_PX), _filtered(other_cut, finest_px=_FINE_PX)
    inner = np.s_[_EDGE_PX:-_EDGE_PX, _EDGE_PX:-_EDGE_PX]
    rest = np.zeros(2)
    for axis in (0, 1):
        before, middle, after = (
            _correlation(np.roll(cut, -move, axis=axis)[inner], other_cut[inner])
            for move in (-1, 0, 1)
        )
        bend = before - 2 * middle + after
        if np.isfinite(bend) and bend < 0:
            rest[axis] = np.clip((before - after) / (2 * bend), -1, 1)
    return rest
