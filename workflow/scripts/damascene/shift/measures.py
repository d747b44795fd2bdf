"""What of a panorama is held against the training set, and how far each measure may go."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from damascene.contracts.training_condition import TrainingRange
from damascene.shift.image_measures import WINDOW_MEASURES

#: Name of the measure that compares sites, and not the image.
EMBEDDING = "embedding_distance"


@dataclass(frozen=True, kw_only=True)
class Measure:
    """A measure of the image.

    Attributes
    ----------
    words : str
        What it is, for readers.
    ratio : bool
        Whether it counts by its ratio to the training range, not by its difference.
    tolerance : float
        How far outside the training range still counts as within it: a difference, or a factor.
    foreign : float
        Excess, in tolerances, from which on the panorama is foreign; infinite for measures that
        may differ for good reasons.
    upwards : bool
        Whether only values above the range can be foreign: less noise does no harm.
    """

    words: str
    ratio: bool
    tolerance: float
    foreign: float
    upwards: bool = False

    def excess(self, value: float, low: float, high: float) -> float:
        """Return how far a value lies outside a range, in tolerances; 0 within it.

        NaN where one of them is no number.
        """
        if not all(map(math.isfinite, (value, low, high))):
            return math.nan
        if self.ratio:
            value, low, high = (math.log(max(each, 1e-6)) for each in (value, low, high))
        step = math.log(self.tolerance) if self.ratio else self.tolerance
        return max(low - value, value - high, 0.0) / step


#: In the order of the table. Tolerances and limits were chosen on some simulated panoramas and real
#: tiles and tested on others, see `benchmarks/domain_shift_rates.py`.
MEASURES = {
    "pixel_size_nm": Measure(words="pixel size", ratio=True, tolerance=1.25, foreign=math.inf),
    "median_grey": Measure(words="median grey", ratio=False, tolerance=25, foreign=math.inf),
    "contrast_grey": Measure(
        words="step from ferrite to martensite", ratio=False, tolerance=25, foreign=math.inf
    ),
    "noise_grey": Measure(words="noise", ratio=True, tolerance=1.5, foreign=3.0, upwards=True),
    "sharpness": Measure(words="sharpness", ratio=False, tolerance=0.1, foreign=3.0),
    "structure_um": Measure(
        words="length of the structure", ratio=True, tolerance=1.25, foreign=3.0
    ),
    "candidates_per_mm2": Measure(
        words="density of candidates", ratio=True, tolerance=4.0, foreign=math.inf
    ),
    EMBEDDING: Measure(
        words="distance of the sites from the training sites",
        ratio=True,
        tolerance=1.02,
        foreign=5.0,
    ),
}
# The training range leaves out this part of the windows at either end.
_TAIL = 0.01


def panorama_values(
    windows: pd.DataFrame, *, pixel_size_nm: float, candidates: int, area_mm2: float
) -> dict[str, float]:
    """Return the value of each of `MEASURES` for a panorama; NaN where there is none.

    Parameters
    ----------
    windows : pandas.DataFrame
        From `image_measures.measure_windows`.
    pixel_size_nm : float
    candidates : int
    area_mm2 : float
        Valid area.
    """
    medians = {
        name: float(windows[name].median()) if len(windows) else math.nan
        for name in WINDOW_MEASURES
    }
    density = candidates / area_mm2 if area_mm2 > 0 else math.nan
    found = {"pixel_size_nm": pixel_size_nm, **medians, "candidates_per_mm2": density}
    return {name: found[name] for name in MEASURES if name != EMBEDDING}


def training_ranges(
    windows: pd.DataFrame, panoramas: Mapping[str, Mapping[str, float]]
) -> dict[str, TrainingRange]:
    """Return the range of each measure over the training panoramas.

    Parameters
    ----------
    windows : pandas.DataFrame
        Of all of them, below each other.
    panoramas : mapping of panorama to mapping
        From `panorama_values`.
    """
    ranges = {}
    for name in MEASURES:
        if name == EMBEDDING:
            continue
        if name in windows:
            values = windows[name].dropna().to_numpy(float)
        else:
            values = np.array([each[name] for each in panoramas.values()], float)
            values = values[np.isfinite(values)]
        if len(values):
            low, middle, high = np.quantile(values, [_TAIL, 0.5, 1 - _TAIL])
            ranges[name] = TrainingRange(low=low, typical=middle, high=high, windows=len(values))
    return ranges
