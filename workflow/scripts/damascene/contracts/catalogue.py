"""Which contract the table in a file keeps: for the page of all columns and for the report."""

import importlib
import re
from collections.abc import Iterator

import pandera.pandas as pa

#: Tables by file: module and name of the contract.
TABLES = {
    "sites/{panorama}.parquet": "sites.SITES",
    "predictions/{panorama}.parquet": "sites.PREDICTIONS",
    "candidates/{panorama}.parquet": "candidates.CANDIDATES",
    "candidates/{panorama}.runs.parquet": "candidate_runs.CANDIDATE_RUNS",
    "candidates/{panorama}.phases.parquet": "phase_descriptors.PHASE_DESCRIPTORS",
    "candidates/{panorama}.phase_areas.tsv": "phase_descriptors.PHASE_AREAS",
    "statistics/density_by_phase.tsv": "phase_descriptors.DENSITY_BY_PHASE",
    "statistics/phase_profiles.tsv": "phase_descriptors.PHASE_PROFILES",
    "statistics/densities.tsv": "densities.DENSITIES",
    "statistics/corrected.tsv, label_history/{labels}.corrected.parquet": "corrected.CORRECTED",
    "statistics/detection_recall.tsv": "detection_recall.DETECTION_RECALL",
    "recall/{panorama}.voids.parquet": "planted_voids.PLANTED_VOIDS",
    "recall/{panorama}.contrasts.parquet": "planted_voids.SITE_CONTRASTS",
    "statistics/sizes.tsv": "sizes.SIZES",
    "statistics/size_fits.tsv": "size_fits.SIZE_FITS",
    "statistics/size_trends.tsv": "size_fits.SIZE_TRENDS",
    "statistics/orientations.tsv": "orientations.ORIENTATIONS",
    "statistics/sizes_3d.tsv": "orientations.SIZES_3D",
    "statistics/space_summary.tsv, space/{panorama}.summary.tsv": "space.SPACE_SUMMARY",
    "statistics/space_curves.parquet, space/{panorama}.curves.parquet": "space.SPACE_CURVES",
    "statistics/random_labelling.tsv, space/{panorama}.labelling.tsv": "space.RANDOM_LABELLING",
    "statistics/phases.tsv, phases/{panorama}.fractions.tsv": "phases.PHASES",
    "statistics/phase_convergence.tsv, phases/{panorama}.convergence.tsv": (
        "phase_convergence.PHASE_CONVERGENCE"
    ),
    "statistics/phase_shapes.tsv, phases/{panorama}.shapes.tsv": "phase_shapes.PHASE_SHAPES",
    "statistics/phase_damage.tsv, phases/{panorama}.damage.tsv": "phase_damage.PHASE_DAMAGE",
    "evaluation/truth_control.tsv": "truth_control.TRUTH_CONTROL",
    "statistics/dispersion.tsv": "dispersion.DISPERSION",
    "statistics/evolution.tsv": "evolution.EVOLUTION",
    "statistics/conditions.tsv": "conditions.CONDITIONS",
    "statistics/rate_ratios.tsv": "rate_ratios.RATE_RATIOS",
    "statistics/label_effect.tsv": "label_history.LABEL_EFFECT",
    "label_history/{labels}.blocks.parquet": "label_history.BLOCK_COUNTS",
    "statistics/verdict.tsv": "verdict.VERDICT",
    "statistics/domain_shift.tsv": "domain_shift.DOMAIN_SHIFT",
    "ledger/ledger.tsv": "ledger.LEDGER",
    "ledger/versions.tsv, ledger/{panorama}.versions.tsv": "ledger.VERSIONS",
    "ledger/scores/{dataset}.tsv": "digit_scores.DIGIT_SCORES",
    "provenance/lineage.tsv": "lineage.LINEAGE",
    "quality/{panorama}.tsv": "quality.QUALITY",
    "panoramas/{panorama}.stitching.tsv": "stitching.PAIRS",
    "panoramas/{panorama}.frames.tsv": "stitching.FRAMES",
    "labels/answers.parquet": "labels.ANSWERS",
    "labels/labels.parquet": "labels.LABELLED_SITES",
    "labels/positions.tsv": "labels.POSITIONS",
    "labels/orphans.tsv": "labels.ORPHANS",
    "labels/contradictions.tsv": "labels.CONTRADICTIONS",
    "labels/held_out_check.tsv": "held_out_check.HELD_OUT_CHECK",
    "labels/split.parquet": "labels.SPLIT",
    "models/{stage}.history.tsv": "history.HISTORY",
    (
        "models/held_out.parquet, evaluation/nested_predictions.parquet, "
        "label_history/{labels}.held_out.parquet"
    ): "held_out.HELD_OUT",
    "evaluation/scores.tsv, truth_scores.tsv": "scores.SCORES",
    "evaluation/confusion.tsv, truth_confusion.tsv": "scores.CONFUSION",
    "evaluation/scope.tsv": "scope.SCOPE",
    "evaluation/reliability.tsv": "calibration.RELIABILITY",
    "evaluation/calibration_errors.tsv": "calibration.CALIBRATION_ERRORS",
    "evaluation/prediction_sets.tsv": "calibration.PREDICTION_SETS",
    "evaluation/truth_detection.tsv": "truth_detection.TRUTH_DETECTION",
    "truth/{panorama}.parquet": "truth.TRUTH",
    "sensitivity/{panorama}.tsv": "sensitivity.SENSITIVITY",
    "evaluation/denoising.tsv": "denoising.DENOISING",
    "evaluation/denoising/{panorama}.sites.parquet": "denoising.DENOISED_SITES",
    "evaluation/denoising/{panorama}.images.tsv": "denoising.DENOISED_IMAGES",
    "evaluation/curve_areas.tsv": "curve_areas.CURVE_AREAS",
    "evaluation/agreement.tsv": "agreement.AGREEMENT",
    "evaluation/class_agreement.tsv": "agreement.CLASS_AGREEMENT",
    "evaluation/learning_curve.tsv": "learning_curve.LEARNING_CURVE",
    "evaluation/class_learning.tsv": "class_learning.CLASS_LEARNING",
    "evaluation/labels_to_add.tsv": "class_learning.LABELS_TO_ADD",
    "evaluation/worst_mistakes.tsv": "mistakes.MISTAKES",
    "evaluation/classifiers.tsv": "classifiers.CLASSIFIERS",
    "evaluation/nested_scores.tsv": "nested_selection.NESTED_SCORES",
    "evaluation/nested_choices.tsv": "nested_selection.NESTED_CHOICES",
    "segmentation/{method}.{fold}.parquet": "held_out_phases.HELD_OUT_PHASES",
    "evaluation/segmentation.tsv": "segmentation_scores.SEGMENTATION_SCORES",
    "evaluation/segmentation_confusion.tsv": "segmentation_scores.SEGMENTATION_CONFUSION",
    "evaluation/segmentation_costs.tsv": "segmentation_scores.SEGMENTATION_COSTS",
    "evaluation/load_direction.tsv": "load_direction.LOAD_DIRECTION",
    "explanation/embedding.parquet": "embedding.EMBEDDING",
    "evaluation/embedding.tsv": "embedding.EMBEDDING_AGREEMENT",
    "evaluation/reviewed_shares.tsv": "reviewed_shares.REVIEWED_SHARES",
    "review/order.tsv": "review_order.REVIEW_ORDER",
    "review/reasons.parquet": "review_order.REVIEW_REASONS",
    "review/sheet.tsv": "review_order.LABEL_SHEET",
    "planning/costs.tsv": "costs.COSTS",
    "workshop/numbers/{page}.tsv": "workshop.WORKSHOP_NUMBERS",
    "candidates/{panorama}.descriptors.parquet, labels/descriptors.parquet": (
        "descriptors.DESCRIPTORS"
    ),
}


#: Types as a reader calls them.
TYPES = {"int64": "whole number", "Int64": "whole number", "bool": "yes or no", "object": "list"}


def contract_of(place: str) -> pa.DataFrameSchema:
    """Return a contract by its module and name."""
    module, name = place.split(".")
    return getattr(importlib.import_module(f"damascene.contracts.{module}"), name)


def type_name(column: pa.Column) -> str:
    """Return the type of a column in words."""
    dtype = str(column.dtype)
    if dtype.startswith("float"):
        return "number"
    return "text" if dtype.startswith("str") else TYPES[dtype]


def patterns() -> Iterator[tuple[str, str]]:
    """Yield the path of each table below results/, with {wildcards}, and the place of its contract.

    Where several files keep one contract, those without a folder lie beside the one before them.
    """
    for files, place in TABLES.items():
        folder = ""
        for file in files.split(", "):
            if "/" in file:
                folder = file.rsplit("/", 1)[0]
            yield (file if "/" in file else f"{folder}/{file}"), place


def table_in(path: str) -> tuple[str, pa.DataFrameSchema] | None:
    """Return the pattern and the contract of a table, None for a file that holds none.

    Parameters
    ----------
    path : str
        Below results/.
    """
    for pattern, place in patterns():
        if re.fullmatch(re.sub(r"\\\{\w+\\\}", "[^/.]+", re.escape(pattern)), path):
            return pattern, contract_of(place)
    return None
