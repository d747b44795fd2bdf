"""Test of networks for phase maps on labelled areas that they did not learn from."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from damascene.contracts.image_model_card import ImageModelCard
from damascene.evaluation.phase_tests import LabelledPanorama, count_held_out
from damascene.segmentation.segment import network_answers


def network_counts(
    panoramas: Sequence[LabelledPanorama],
    *,
    model_path: str | Path,
    trained_here: bool,
    method: str,
    fold: int,
    phases: Sequence[str],
    threads: int = 1,
) -> tuple[pd.DataFrame, pd.DataFrame, dict[str, np.ndarray]]:
    """Count what a network answers in the fold that was kept from its training.

    Parameters
    ----------
    panoramas, method, fold, phases
        See `phase_tests.count_held_out`.
    model_path : path of the network
    trained_here : bool
        Whether its training was a part of this comparison.
    threads : int, optional

    Returns
    -------
    counts, costs, examples
        See `phase_rivals.rival_counts`.
    """
    counts, costs, examples = count_held_out(
        lambda panorama, wanted: network_answers(
            panorama.image, model_path=model_path, phases=phases, wanted=wanted, threads=threads
        ),
        panoramas,
        fold=fold,
        phases=phases,
        method=method,
    )
    card = ImageModelCard.read(Path(model_path).with_suffix(".json"))
    training_s = card.training_s if trained_here else np.nan
    return counts, pd.DataFrame([costs | {"training_s": training_s}]), examples
