"""The jobs of the default target: which rules run, and for what."""

from collections.abc import Iterable

from damascene.study.models import clips_by_stage, looks_once
from damascene.study.plan import STAGES, Plan

#: Rules whose work strips of a panorama share: the rule of a strip, and that which joins them.
_SHARED = {
    "denoise_panorama": ("denoise_strip", "join_denoised"),
    "denoise_by_network": ("denoise_strip_by_network", "join_denoised"),
    "find_candidates": ("find_dark_pixels", "cluster_strips"),
    "describe_candidates": ("describe_strip", "join_descriptors"),
    "classify_sites": ("classify_strip", "join_sites"),
}


def default_jobs(plan: Plan) -> dict[str, list[dict[str, str]]]:
    """Return the wildcards of every job of the default target, by rule.

    This is the structure of the study and not what is left to do: finished jobs are among them.

    Parameters
    ----------
    plan : Plan

    Returns
    -------
    dict of str to list of dict
        In the order of the stages; rules without a job are left out.
    """
    study = plan.study
    stages = [{"stage": stage} for stage in STAGES]
    once, everywhere = [{}], _of(plan.panoramas)
    of_labels = once if plan.has_labels else []
    of_training = stages if plan.trains and plan.classifies else []
    of_sites, of_study = (everywhere, once) if plan.classifies else ([], [])
    of_truth = once if plan.simulated else []
    lessons = plan.phases.labelled if plan.phases.learns else ()
    pairs = study.denoise.method == "paired"
    jobs = {
        "simulate_panorama": _of(plan.simulated),
        "import_panorama": _of(plan.imported),
        "stitch_frames": _of(plan.stitched),
        "agree_on_grey_scale": of_study if plan.read else [],
        "draw_stitching": _of(plan.stitched),
        "measure_noise": everywhere,
        "import_paired_scan": _of(plan.paired_imported) if pairs else [],
        "simulate_paired_scan": _of(plan.paired_simulated) if pairs else [],
        "train_denoiser": plan.denoising.trainings,
        "denoise_panorama": _of(plan.denoising.filtered),
        "denoise_by_network": _of(plan.denoising.learned),
        "find_candidates": everywhere,
        "describe_candidates": of_sites if plan.described else [],
        "describe_phases": of_sites if plan.hard_phase else [],
        "measure_quality": everywhere,
        "draw_quality": everywhere,
        "import_phase_labels": _of(name for name in lessons if name not in plan.simulated),
        "take_true_phases": _of(name for name in lessons if name in plan.simulated),
        "learn_classical_phases": once if plan.phases.classical else [],
        "train_segmentation": once if plan.phases.trains else [],
        "segment_panorama": _of(plan.phases.mapped),
        "draw_phases": _of(plan.phases.mapped),
        "measure_phases": _of(plan.phases.mapped),
        "summarise_phases": once if plan.phases.mapped else [],
        "draw_phase_statistics": once if plan.phases.mapped else [],
        "draw_labels": _of(plan.simulated),
        "collect_labels": once if plan.labelled else [],
        "split_labels": of_labels,
        "cut_clips": _shown(study, STAGES) if plan.has_labels else [],
        "describe_labels": of_labels if plan.described else [],
        "cut_unlabelled": of_training if study.training.pseudo_labels else [],
        "look_at_labels": _shown(study, (one for one in STAGES if looks_once(study, one)))
        if of_training
        else [],
        "train_network": of_training,
        "train_fold": [
            stage | {"fold": str(fold)} for stage in of_training for fold in plan.test_folds
        ],
        "draw_training": of_study if plan.trains else [],
        "check_held_out": of_labels if plan.networks_from_elsewhere else [],
        "predict_held_out": of_labels,
        "calibrate_networks": of_labels,
        "classify_sites": of_sites,
        "describe_training": once if of_training else [],
        "measure_shift": of_sites,
        "summarise_shift": of_study,
        "label_sites": of_sites,
        "score_networks": of_labels,
        "measure_agreement": of_labels,
        "write_model_card": of_labels,
        "draw_confusion_held_out": of_labels,
        "measure_calibration": of_labels,
        "draw_calibration": of_labels,
        "draw_overview": of_sites,
        "summarise_sites": of_study,
        "write_headline": of_study,
        "plant_voids": of_sites,
        "correct_counts": of_study,
        "draw_corrected_counts": of_study,
        "write_methods": of_study,
        "draw_densities": of_study,
        "measure_space": of_sites,
        "summarise_space": of_study,
        "measure_sizes": of_study,
        "draw_sizes": of_study,
        "draw_gallery": of_study,
        "count_by_phase": of_study if plan.hard_phase else [],
        "draw_phase_surroundings": of_study if plan.hard_phase else [],
        "keep_label_state": of_labels if plan.classifies else [],
        "measure_label_effect": once if plan.shows_label_effect else [],
        "draw_label_effect": once if plan.shows_label_effect else [],
        "compare_with_truth": of_truth,
        "draw_confusion_truth": of_truth,
        "draw_detection": of_truth,
    }
    if study.strips > 1:
        jobs = _in_strips(jobs, strips=study.strips)
    return {rule: wildcards for rule, wildcards in jobs.items() if wildcards}


def viewer_jobs(plan: Plan) -> dict[str, list[dict[str, str]]]:
    """Return the wildcards of every job of the target `viewer`, as `default_jobs` does."""
    return {
        "tile_panorama": _of(plan.panoramas),
        "tile_phases": _of(plan.phases.mapped),
        "show_sites": _of(plan.panoramas),
        "write_viewer": [{}],
    }


def _in_strips(jobs, *, strips):
    """Put, for each rule that strips share, the one of a strip and the one that joins them."""
    taken = {}
    for rule, each in jobs.items():
        if rule not in _SHARED:
            taken[rule] = each
            continue
        on_strip, join = _SHARED[rule]
        taken[on_strip] = [job | {"strip": str(one)} for job in each for one in range(strips)]
        # Filters and networks denoise strips by rules of their own, and one rule joins them.
        taken[join] = [*taken.get(join, []), *each]
    return taken


def _shown(study, stages):
    """Return the jobs on what stages are shown: one where they share their clips."""
    return [{"stage": stage} for stage in dict.fromkeys(map(clips_by_stage(study).get, stages))]


def _of(names: Iterable[str]) -> list[dict[str, str]]:
    return [{"panorama": name} for name in names]
