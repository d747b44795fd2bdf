"""Corrected counts of one panorama: classes, detector, and the uncertainty of both."""

from dataclasses import dataclass

import numpy as np

from damascene.correction.estimates import adjusted_shares, most_likely_shares
from damascene.correction.held_out import HeldOut, matrix_replicates, weight_variance
from damascene.statistics.block_bootstrap import bootstrap_densities, spread_densities

#: Which estimate the corrected count is; the others stand beside it.
METHOD = "pacc"
METHODS = ("acc", "pacc", "emq")
REPLICATES = 1000


@dataclass(frozen=True, kw_only=True)
class Panorama:
    """The sites of a panorama, as far as the correction of classes needs them.

    Attributes
    ----------
    answers : numpy.ndarray, float64, shape (n, answers)
        Of sites without a label, see `HeldOut.answers`.
    scores : numpy.ndarray, float64, shape (n, classes)
        Their calibrated probabilities.
    labelled : numpy.ndarray, float64, shape (classes,)
        Sites that people gave each class.
    block_sums : numpy.ndarray, float64, shape (blocks, classes + classes)
        Sums of what `METHOD` takes of the sites without a label, then labelled sites, in blocks.
    block_areas_mm2 : numpy.ndarray, float64, shape (blocks,)
    block_numbers : numpy.ndarray, float64, shape (blocks,)
        Sites in each block, with and without a label.
    """

    answers: np.ndarray
    scores: np.ndarray
    labelled: np.ndarray
    block_sums: np.ndarray
    block_areas_mm2: np.ndarray
    block_numbers: np.ndarray


def class_counts(panorama: Panorama, held_out: HeldOut) -> dict[str, np.ndarray]:
    """Return the count of each class by each of `METHODS`, labelled sites counted as labelled.

    Returns
    -------
    dict of str to numpy.ndarray, float64, shape (classes,)
    """
    number = len(panorama.answers)
    if not number:
        return {name: panorama.labelled.copy() for name in METHODS}
    shares = {}
    for name, kind in (("acc", "answers"), ("pacc", "scores")):
        matrix, _ = matrix_replicates(held_out, kind, replicates=0, seed=0)
        shares[name] = adjusted_shares(matrix, getattr(panorama, kind).mean(axis=0))
    shares["emq"] = most_likely_shares(
        panorama.scores / held_out.shares, start=panorama.scores.mean(axis=0)
    )
    return {name: number * shares[name] + panorama.labelled for name in METHODS}


def count_replicates(
    panorama: Panorama, held_out: HeldOut, *, replicates: int = REPLICATES, seed: int
) -> np.ndarray:
    """Return replicates of the counts by `METHOD`: blocks and groups of labels drawn together.

    Parameters
    ----------
    panorama : Panorama
    held_out : HeldOut
    replicates, seed : int

    Returns
    -------
    numpy.ndarray, float64, shape (replicates, classes)
        Of the expected count in an area like the panorama's.
    """
    classes = len(panorama.labelled)
    sums, areas = panorama.block_sums, panorama.block_areas_mm2
    scores = sums[:, :classes]
    # Together with the number of sites, so that all are of the same drawn blocks.
    columns = np.hstack([scores.sum(axis=1, keepdims=True), sums[:, classes:]])
    drawn = block_replicates(columns, areas, replicates=replicates, seed=seed)
    # A class that nobody named may be among the other sites, whose number has its upper bound.
    numbers, labelled = drawn[:, 0], np.where(panorama.labelled > 0, drawn[:, 1:], 0)
    mixtures = _mixture_replicates(scores, replicates=replicates, seed=seed)
    random = np.random.default_rng([seed, 2])
    _, matrices = matrix_replicates(held_out, "scores", replicates=replicates, seed=seed + 1)
    # One more site of any class: among few sites, classes that were not seen may still occur.
    other = matrices[np.arange(replicates), :, random.integers(0, classes, replicates)]
    weight = random.exponential(size=(replicates, 1)) / (scores.sum() + 1)
    mixtures = (1 - weight) * mixtures + weight * other
    shares = np.array(
        [
            adjusted_shares(matrix, mixture)
            for matrix, mixture in zip(matrices, mixtures, strict=True)
        ]
    )
    return numbers[:, None] * shares + labelled


def _mixture_replicates(scores, *, replicates, seed):
    """Return the mean score of the sites in drawn blocks, float64 (replicates, classes)."""
    total = scores.sum()
    if total == 0:
        return np.full((replicates, scores.shape[1]), 1 / scores.shape[1])
    mixture = scores.sum(axis=0) / total
    if len(scores) < 2:
        return np.tile(mixture, (replicates, 1))
    drawn = bootstrap_densities(scores, np.ones(len(scores)), seed=seed, replicates=replicates)
    sums = drawn.sum(axis=1, keepdims=True)
    drawn = np.where(sums > 0, drawn / np.where(sums > 0, sums, 1), mixture)
    # Few blocks scatter less than they should.
    return mixture + np.sqrt(weight_variance(len(scores))) * (drawn - mixture)


def block_replicates(
    sums: np.ndarray, areas_mm2: np.ndarray, *, replicates: int, seed: int
) -> np.ndarray:
    """Return replicates of sums over a panorama, float64 (replicates, columns).

    From a bootstrap of its blocks; with a single block from the gamma law of a Poisson count, which
    does not know that sites gather.
    """
    if len(areas_mm2) >= 2:
        drawn = spread_densities(sums, areas_mm2, seed=seed, replicates=replicates)
        return drawn * areas_mm2.sum()
    random = np.random.default_rng(seed)
    total = np.asarray(sums, float).sum(axis=0)
    return random.gamma(total + 0.5, size=(replicates, len(total)))
