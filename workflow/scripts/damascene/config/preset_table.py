"""The table of presets in `config/README.md`, from what the presets hold."""

from damascene.config.detection import Detection, Threshold
from damascene.config.presets import PRESETS
from damascene.config.study import Study, load_study
from damascene.units import split_quantity

_HOLES = {
    "never": "not filled",
    "before": "filled before clustering",
    "after": "filled in each site",
}
_HEAD = "| preset | dark | holes | eps, min_samples | size | close sites | windows | thresholds |\n"


def preset_table() -> str:
    """Return a Markdown table with one row for each of the `PRESETS`."""
    rows = []
    for name in PRESETS:
        study = load_study({"preset": name})
        detection = study.detection
        cells = (
            f"`{name}`",
            _dark(detection.threshold),
            _HOLES[detection.fill_holes],
            _clustering(detection),
            _size(detection),
            _close(detection),
            f"{_shown(study.inclusion.window)}, {_shown(study.damage.window)}",
            _probabilities(study),
        )
        rows.append(f"| {' | '.join(cells)} |\n")
    return _HEAD + "|---" * len(cells) + "|\n" + "".join(rows)


def _shown(quantity):
    return quantity.replace("um", "µm").replace("px2", "px²").replace("µm2", "µm²")


def _dark(threshold: Threshold):
    if threshold.rule == "relative":
        return (
            f"darker than ferrite by more than {threshold.depth:g} of the step to martensite, in "
            f"blocks of {_shown(threshold.block)}"
        )
    matched = " after histogram matching" if threshold.rule == "matched" else ""
    return f"grey {'<=' if threshold.inclusive else '<'} {threshold.grey:g}{matched}"


def _clustering(detection: Detection):
    metric = "" if detection.metric == "euclidean" else f", {detection.metric}"
    passes = f", run {detection.passes} times" if detection.passes > 1 else ""
    blobs = "; clusters that touch are one" if detection.sites == "blobs" else ""
    return f"{_shown(detection.eps)}, {detection.min_samples}{metric}{passes}{blobs}"


def _size(detection: Detection):
    area, _ = split_quantity(detection.minimum_area, ("px2", "um2"), "20 px2")
    return f"> {_shown(detection.minimum_area)}" if area else "any"


def _close(detection: Detection):
    rims = "; pieces of a broken site too" if detection.drop_rim_fragments else ""
    distance = _shown(detection.merge_distance)
    return {
        "none": "all kept",
        "corrected": f"joined to the larger one, {distance}",
        "published": f"{distance}, merged with the public code's index slip",
    }[detection.merge] + rims


def _probabilities(study: Study):
    both = (study.inclusion.threshold, study.damage.threshold)
    # One of two classes is above 0.5, and the most probable of four above 0.
    return "most probable class" if both == (0.5, 0) else f"{both[0]:g}, {both[1]:g}"
