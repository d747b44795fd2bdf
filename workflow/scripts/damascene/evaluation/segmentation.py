"""How well phase maps agree with label images that took no part in the training.

References
----------
Everingham et al., The Pascal Visual Object Classes challenge, 10.1007/s11263-009-0275-4
(intersection over union of classes, from all pixels together).
Guo et al., On calibration of modern neural networks, arXiv 1706.04599 (calibration error).
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from damascene.classes import ALL
from damascene.contracts.held_out_phases import CONFIDENCE_BINS
from damascene.contracts.segmentation_scores import OVERALL_SCORES, PHASE_SCORES
from damascene.segmentation.confusion import mean_iou, phase_iou
from damascene.statistics.jackknife import jackknife_interval


def score_segmentation(
    counts: pd.DataFrame, *, phases: Sequence[str], confidence: float
) -> pd.DataFrame:
    """Score phase maps by the pixels that were held out, with intervals over groups.

    Parameters
    ----------
    counts : pandas.DataFrame
        `HELD_OUT_PHASES` of any number of methods.
    phases : sequence of str
        In the order in which they are to stand.
    confidence : float
        Of the intervals, for instance 0.95; see `jackknife.jackknife_interval`.

    Returns
    -------
    pandas.DataFrame
        `SEGMENTATION_SCORES`, the methods in the order in which they come. A mean over phases runs
        over those that have a label. The mean over groups runs over the phases that a group has.
    """
    return pd.concat(
        [
            _scores_of(part, phases=phases, confidence=confidence).assign(method=method)
            for method, part in counts.groupby("method", sort=False)
        ],
        ignore_index=True,
    )


def confusion_of_phases(counts: pd.DataFrame, *, phases: Sequence[str]) -> pd.DataFrame:
    """Return the pixels of each method by true and assigned phase, `SEGMENTATION_CONFUSION`.

    Parameters
    ----------
    counts, phases
        See `score_segmentation`.
    """
    parts = []
    for method, part in counts.groupby("method", sort=False):
        total = _by_group(part, phases)[0].sum(axis=0).sum(axis=-1)
        labelled = total.sum(axis=1, keepdims=True)
        share = np.divide(total, labelled, out=np.full(total.shape, np.nan), where=labelled > 0)
        pairs = pd.MultiIndex.from_product([phases, phases], names=["true_phase", "assigned_phase"])
        table = pd.DataFrame({"pixels": total.ravel(), "share": share.ravel()}, index=pairs)
        parts.append(table.reset_index().assign(method=method))
    return pd.concat(parts, ignore_index=True)


def _scores_of(part, *, phases, confidence):
    pixels, probability = _by_group(part, phases)
    everything = _values(pixels.sum(axis=0)[None], probability.sum(axis=0)[None])
    left_out = _values(pixels.sum(axis=0) - pixels, probability.sum(axis=0) - probability)
    of_group = mean_iou(pixels.sum(axis=-1))
    everything["mean_iou_of_groups"] = of_group.mean(keepdims=True)
    # Without the only group there is no mean.
    others = len(of_group) - 1
    left_out["mean_iou_of_groups"] = (of_group.sum() - of_group) / (others or np.nan)
    total = pixels.sum(axis=(0, 2, 3))
    rows = []
    for score in (*PHASE_SCORES, *OVERALL_SCORES):
        overall = score in OVERALL_SCORES
        for index, phase in [(None, ALL)] if overall else enumerate(phases):
            value = everything[score][0] if overall else everything[score][0, index]
            without = left_out[score] if overall else left_out[score][:, index]
            matters = _matters(pixels, score, index)
            low, high = jackknife_interval(
                value,
                without[matters],
                confidence=confidence,
                bounds=(-100.0, 100.0) if score == "fraction_error" else (0.0, 1.0),
            )
            rows.append(
                {
                    "phase": phase,
                    "score": score,
                    "value": value,
                    "low": low,
                    "high": high,
                    "groups": int(matters.sum()),
                    "pixels": int(total.sum() if overall else total[index]),
                }
            )
    return pd.DataFrame(rows)


def _by_group(part, phases):
    """Return pixels and sums of probabilities (groups, true phases, assigned phases, bins)."""
    names = sorted(set(part["group"]))
    places = (
        part["group"].map({name: index for index, name in enumerate(names)}),
        part["true_phase"].map(list(phases).index),
        part["assigned_phase"].map(list(phases).index),
        part["confidence_bin"],
    )
    shape = (len(names), len(phases), len(phases), CONFIDENCE_BINS)
    pixels, probability = np.zeros(shape, np.int64), np.zeros(shape)
    np.add.at(pixels, places, part["pixels"])
    np.add.at(probability, places, part["confidence"])
    return pixels, probability


def _matters(pixels, score, index):
    """Tell which groups hold a pixel that enters a score."""
    if index is None or score == "fraction_error":
        return pixels.sum(axis=(1, 2, 3)) > 0
    labelled = pixels[:, index].sum(axis=(1, 2))
    assigned = pixels[:, :, index].sum(axis=(1, 2))
    entering = {"recall": labelled, "precision": assigned}
    return entering.get(score, labelled + assigned) > 0


def _values(pixels, probability):
    """Score counts (n, true phases, assigned phases, bins) all at once."""
    counts = pixels.sum(axis=-1)
    hits = np.diagonal(counts, axis1=1, axis2=2).astype(float)
    labelled, assigned = counts.sum(axis=2), counts.sum(axis=1)
    total = counts.sum(axis=(1, 2))
    right = np.einsum("nppb->nb", pixels)
    apart = np.abs(probability.sum(axis=(1, 2)) - right).sum(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        return {
            "iou": phase_iou(counts),
            "precision": hits / assigned,
            "recall": hits / labelled,
            "dice": 2 * hits / (labelled + assigned),
            "fraction_error": 100 * (assigned - labelled) / total[:, None],
            "mean_iou": mean_iou(counts),
            "pixel_accuracy": hits.sum(axis=1) / total,
            "calibration_error": apart / total,
        }
