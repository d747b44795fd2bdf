"""A panorama held against what its networks learned from."""

import math
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from damascene.contracts.panorama_record import PanoramaRecord
from damascene.contracts.shift_record import ShiftMeasure, ShiftRecord
from damascene.contracts.training_condition import TrainingCondition
from damascene.images.store import TiledImage
from damascene.shift.image_measures import measure_windows
from damascene.shift.measures import EMBEDDING, MEASURES, panorama_values
from damascene.shift.space import LEAST_GROUPS, LEAST_SITES, Space
from damascene.statistics.intervals import poisson_interval
from damascene.versions import IMAGE_PACKAGES, package_versions

#: Why nothing could be tested, for networks without the two files.
NO_CONDITION = (
    "the networks come without condition.json and condition.npz, which say what they learned from: "
    "train them again with this version, or compare the panorama with theirs by eye"
)
_NO_IMAGE = "no window of the panorama is valid enough to be measured"


def measure_shift(
    image: TiledImage,
    valid: TiledImage,
    record: PanoramaRecord,
    *,
    candidates: int,
    features: np.ndarray,
    condition: tuple[TrainingCondition, Space | None] | None,
) -> ShiftRecord:
    """Hold a panorama against the training set of its networks.

    Parameters
    ----------
    image, valid : TiledImage
        The image in which sites are sought, and its mask.
    record : PanoramaRecord
    candidates : int
        Sites that were found.
    features : numpy.ndarray, float, shape (n, features)
        Of some of them, see `predict.predict_sites_and_features`.
    condition : (TrainingCondition, Space or None) or None
        None where the networks come without one.

    Returns
    -------
    ShiftRecord
    """
    area_mm2 = record.valid_area_mm2
    values = panorama_values(
        measure_windows(image, valid),
        pixel_size_nm=record.pixel_size_nm,
        candidates=candidates,
        area_mm2=area_mm2,
    )
    measures = judge_panorama(
        values,
        candidates=candidates,
        area_mm2=area_mm2,
        features=features,
        condition=condition,
    )
    flag, reason = verdict(measures, tested=condition is not None)
    return ShiftRecord(
        panorama=record.panorama,
        flag=flag,
        reason=reason,
        sites=len(features),
        measures=tuple(measures),
        versions=package_versions(*IMAGE_PACKAGES),
    )


def judge_panorama(
    values: Mapping[str, float],
    *,
    candidates: int,
    area_mm2: float,
    features: np.ndarray,
    condition: tuple[TrainingCondition, Space | None] | None,
) -> list[ShiftMeasure]:
    """Judge each measure of a panorama.

    Parameters
    ----------
    values : mapping of str to float
        From `measures.panorama_values`.
    area_mm2 : float
        Valid area.
    candidates, features, condition
        See `measure_shift`.
    """
    measures = [
        _of_image(name, value, condition, candidates=candidates, area_mm2=area_mm2)
        for name, value in values.items()
    ]
    return [*measures, _of_sites(features, condition)]


def read_condition(path: str | Path) -> tuple[TrainingCondition, Space | None]:
    """Read `condition.json` and `condition.npz` beside it, which may be missing or empty."""
    path = Path(path)
    condition, file = TrainingCondition.read(path), path.with_suffix(".npz")
    space = Space.read(file) if file.is_file() else None
    return condition, space if space is not None and len(space.groups) else None


def verdict(measures: list[ShiftMeasure], *, tested: bool) -> tuple[str, str]:
    """Return flag and reason of a panorama from those of its measures: the worst one counts."""
    if not tested:
        return "not_tested", NO_CONDITION
    by_flag = {
        flag: "; ".join(one.meaning for one in measures if one.flag == flag)
        for flag in ("foreign", "beyond")
    }
    untested = [one for one in measures if one.flag == "not_tested"]
    if by_flag["foreign"]:
        also = f"; also {by_flag['beyond']}" if by_flag["beyond"] else ""
        return "foreign", f"the panorama is foreign to the networks: {by_flag['foreign']}{also}"
    if by_flag["beyond"]:
        return "beyond", (
            f"the panorama is beyond what the networks learned from: {by_flag['beyond']}"
        )
    if len(untested) == len(measures):
        return "not_tested", untested[0].meaning
    if any(one.measure == EMBEDDING for one in untested):
        return "within", (
            "the image is like those of the training set; its sites were not compared, because "
            f"{untested[-1].meaning}"
        )
    return "within", "the panorama is like those of the training set"


def _of_image(name, value, condition, *, candidates, area_mm2):
    if not math.isfinite(value):
        why = _NO_IMAGE
        if name == "contrast_grey":
            why = "no two phases were told apart by their grey"
        return _untested(name, why, value=None)
    if condition is None:
        return _untested(name, NO_CONDITION, value=value)
    span = condition[0].measures.get(name)
    if span is None:
        return _untested(name, "it could not be measured in the training set", value=value)
    judged = value
    if name == "candidates_per_mm2":
        # Few sites have any density within their interval.
        low, high = (float(each) / area_mm2 for each in poisson_interval(candidates))
        judged = (
            min(max(span.typical, low), high)
            if low <= span.high and high >= span.low
            else (low if low > span.high else high)
        )
    return _judged(name, value, span.low, span.high, judged=judged)


def _of_sites(features, condition):
    if condition is None:
        return _untested(EMBEDDING, NO_CONDITION)
    known, space = condition
    if space is None:
        why = (
            f"the training set has {known.sites} sites in {known.groups} groups, and a yardstick "
            f"needs {LEAST_SITES} in {LEAST_GROUPS}"
        )
        return _untested(EMBEDDING, why)
    if not len(features):
        return _untested(EMBEDDING, "the panorama has no candidates")
    if features.shape[1] != len(space.centre):
        why = f"its sites were not looked at by {known.embedding}, as those of the training set"
        return _untested(EMBEDDING, why)
    value = float(np.median(space.distances(features)))
    return _judged(EMBEDDING, value, 0.0, space.yardstick(len(features)))


def _judged(name, value, low, high, *, judged=None):
    measure, judged = MEASURES[name], value if judged is None else judged
    excess = measure.excess(judged, low, high)
    if not math.isfinite(excess):
        # Compared with anything, what is no number would count as within.
        return _untested(name, f"{measure.words} or its range in the training set is no number")
    higher = judged > high
    flag = "within"
    if excess > 1:
        far = excess > measure.foreign and (higher or not measure.upwards)
        flag = "foreign" if far else "beyond"
    side = "above" if higher else "below"
    meaning = f"{measure.words} is within the range of the training set"
    if low == high == value:
        meaning = (
            f"{measure.words} is the only value of the training set: this panorama itself, or one "
            "with the same value, was learned from, which is no test"
        )
    if flag != "within":
        limit = high if higher else low
        meaning = f"{measure.words} {value:.3g} is {side} the {limit:.3g} of the training set"
    return ShiftMeasure(
        measure=name, value=value, low=low, high=high, excess=excess, flag=flag, meaning=meaning
    )


def _untested(name, why, *, value=None):
    return ShiftMeasure(
        measure=name, value=value, low=None, high=None, excess=None, flag="not_tested", meaning=why
    )
