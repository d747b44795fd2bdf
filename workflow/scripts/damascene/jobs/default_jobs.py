"""The jobs of the default target: which rules run, and for what."""

from collections.abc import Iterable
from pathlib import Path

import pandas as pd

from damascene.config.simulation import SIMULATED
from damascene.config.study import Study
from damascene.images.stitching.frames import is_stitched
from damascene.networks import network_named
from damascene.study.models import model_folder

_STAGES = ("inclusion", "damage")
#: Rules whose work strips of a panorama share: the rule of a strip, and that which joins them.
_SHARED = {
    "denoise_panorama": ("denoise_strip", "join_denoised"),
    "find_candidates": ("find_dark_pixels", "cluster_strips"),
    "describe_candidates": ("describe_strip", "join_descriptors"),
    "classify_sites": ("classify_strip", "join_sites"),
}


def default_jobs(study: Study, sheet: pd.DataFrame) -> dict[str, list[dict[str, str]]]:
    """Return the wildcards of every job of the default target, by rule.

    This is the structure of the study and not what is left to do: finished jobs are among them.

    Parameters
    ----------
    study : Study
    sheet : pandas.DataFrame
        `PANORAMAS`, indexed by panorama.

    Returns
    -------
    dict of str to list of dict
        In the order of the stages; rules without a job are left out.
    """
    folder = Path(study.data_folder)
    simulated = list(sheet.index[sheet["path"] == SIMULATED])
    stitched = [
        name
        for name, row in sheet.iterrows()
        if is_stitched(folder / row["path"], row["overlap_percent"])
    ]
    imported = [name for name in sheet.index if name not in {*simulated, *stitched}]
    labelled = bool(study.labels or simulated)
    trained = model_folder(study) is None
    described = any(
        study.stage(stage).descriptors and network_named(study.stage(stage).network).descriptors
        for stage in _STAGES
    )
    folds = range(study.split.folds) if study.split.cross_validate and trained else ()
    stages = [{"stage": stage} for stage in _STAGES]
    once, everywhere = [{}], _of(sheet.index)
    jobs = {
        "simulate_panorama": _of(simulated),
        "import_panorama": _of(imported),
        "stitch_frames": _of(stitched),
        "draw_stitching": _of(stitched),
        "denoise_panorama": everywhere if study.denoise.method != "none" else [],
        "find_candidates": everywhere,
        "describe_candidates": everywhere if described else [],
        "measure_quality": everywhere,
        "draw_quality": everywhere,
        "draw_labels": _of(simulated),
        "collect_labels": once if labelled else [],
        "split_labels": once if labelled else [],
        "cut_clips": stages if labelled else [],
        "describe_labels": once if labelled and described else [],
        "cut_unlabelled": stages if trained and study.training.pseudo_labels else [],
        "train_network": stages if trained else [],
        "train_fold": [stage | {"fold": str(fold)} for stage in stages for fold in folds],
        "draw_training": once if trained else [],
        "evaluate_networks": once if labelled else [],
        "draw_confusion_held_out": once if labelled else [],
        "measure_doubt": once if labelled else [],
        "draw_doubt": once if labelled else [],
        "classify_sites": everywhere,
        "draw_overview": everywhere,
        "summarise_sites": once,
        "draw_densities": once,
        "draw_sizes": once,
        "draw_gallery": once,
        "compare_with_truth": once if simulated else [],
        "draw_confusion_truth": once if simulated else [],
        "draw_detection": once if simulated else [],
    }
    if study.strips > 1:
        jobs = _in_strips(jobs, strips=study.strips)
    return {rule: wildcards for rule, wildcards in jobs.items() if wildcards}


def _in_strips(jobs, *, strips):
    """Put, for each rule that strips share, the one of a strip and the one that joins them."""
    taken = {}
    for rule, each in jobs.items():
        if rule not in _SHARED:
            taken[rule] = each
            continue
        on_strip, join = _SHARED[rule]
        taken[on_strip] = [job | {"strip": str(one)} for job in each for one in range(strips)]
        taken[join] = each
    return taken


def _of(names: Iterable[str]) -> list[dict[str, str]]:
    return [{"panorama": name} for name in names]
