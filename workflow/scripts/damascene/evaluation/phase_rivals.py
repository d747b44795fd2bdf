"""Test of classical ways to a phase map on labelled areas that they did not learn from."""

import time
from collections.abc import Sequence

import numpy as np
import pandas as pd

from damascene import InputError
from damascene.evaluation.phase_tests import Answers, LabelledPanorama, count_held_out
from damascene.segmentation.classical import missing_phases
from damascene.segmentation.multi_otsu import fit_multi_otsu, multi_otsu_map
from damascene.segmentation.pixel_forest import draw_pixels, forest_answers, grow_pixel_forest


def rival_counts(
    panoramas: Sequence[LabelledPanorama],
    *,
    method: str,
    fold: int,
    folds: int,
    phases: Sequence[str],
    seed: int,
) -> tuple[pd.DataFrame, pd.DataFrame, dict[str, np.ndarray]]:
    """Let a method learn from all folds but one, and count what it answers there.

    Parameters
    ----------
    panoramas, fold, phases
        See `phase_tests.count_held_out`.
    method, seed
        See `learn_rival`.
    folds : int
        How many there are.

    Returns
    -------
    counts : pandas.DataFrame
        `HELD_OUT_PHASES`.
    costs : pandas.DataFrame
        `SEGMENTATION_COSTS`.
    examples : dict of str to numpy.ndarray
        See `phase_tests.count_held_out`.
    """
    started = time.perf_counter()
    others = [other for other in range(folds) if other != fold]
    answers = learn_rival(method, panoramas, folds=others, phases=phases, seed=seed)
    training_s = time.perf_counter() - started
    counts, costs, examples = count_held_out(
        answers, panoramas, fold=fold, phases=phases, method=method
    )
    return counts, pd.DataFrame([costs | {"training_s": training_s}]), examples


def learn_rival(
    method: str,
    panoramas: Sequence[LabelledPanorama],
    *,
    folds: Sequence[int],
    phases: Sequence[str],
    seed: int,
) -> Answers:
    """Let a classical method learn from some folds.

    Parameters
    ----------
    method : {"multi_otsu", "random_forest"}
    panoramas : sequence of LabelledPanorama
    folds : sequence of int
        Those that are learned from.
    phases : sequence of str
    seed : int

    Raises
    ------
    InputError
        If these folds have no pixel of a phase.
    """
    lessons = [(each, each.labels_in(folds)) for each in panoramas]
    count = len(phases)
    missing = missing_phases([(each.image, labels) for each, labels in lessons], phases)
    if missing:
        raise InputError(
            f"Without one of the {len(set(folds)) + 1} folds, no labelled pixel of "
            f"{' and '.join(missing)} is left to learn from. Label more of it in other places, or "
            "change 'segmentation: folds'."
        )
    if method == "multi_otsu":
        model = fit_multi_otsu(
            [(each.image, each.valid, labels) for each, labels in lessons], phase_count=count
        )
        return lambda panorama, wanted: multi_otsu_map(panorama.image, panorama.valid, model)
    drawn = draw_pixels(
        [(each.image, labels) for each, labels in lessons], phase_count=count, seed=seed
    )
    forest = grow_pixel_forest(*drawn, seed=seed)
    return lambda panorama, wanted: forest_answers(
        forest.predict_proba, panorama.image, phase_count=count, wanted=wanted
    )
