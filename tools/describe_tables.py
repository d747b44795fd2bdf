"""Write docs/tables.md, what the columns of every table mean, from the contracts of the library.

Run by `make sync`.
"""

import importlib
from pathlib import Path

import pandera.pandas as pa

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs/tables.md"
HEAD = """# What the columns mean

Written from `workflow/scripts/damascene/contracts` by `make sync`; do not edit. All tables lie in
`results/`: Parquet for machines, TSV where a person reads. Every table is checked against these
columns when it is written and when it is read.
"""
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
    "statistics/sizes.tsv": "sizes.SIZES",
    "statistics/phases.tsv, phases/{panorama}.fractions.tsv": "phases.PHASES",
    "statistics/phase_convergence.tsv, phases/{panorama}.convergence.tsv": (
        "phase_convergence.PHASE_CONVERGENCE"
    ),
    "statistics/phase_shapes.tsv, phases/{panorama}.shapes.tsv": "phase_shapes.PHASE_SHAPES",
    "statistics/phase_damage.tsv, phases/{panorama}.damage.tsv": "phase_damage.PHASE_DAMAGE",
    "evaluation/truth_control.tsv": "truth_control.TRUTH_CONTROL",
    "statistics/control.tsv": "control.CONTROL",
    "statistics/verdict.tsv": "verdict.VERDICT",
    "quality/{panorama}.tsv": "quality.QUALITY",
    "panoramas/{panorama}.stitching.tsv": "stitching.PAIRS",
    "panoramas/{panorama}.frames.tsv": "stitching.FRAMES",
    "labels/answers.parquet": "labels.ANSWERS",
    "labels/labels.parquet": "labels.LABELLED_SITES",
    "labels/positions.tsv": "labels.POSITIONS",
    "labels/held_out_check.tsv": "held_out_check.HELD_OUT_CHECK",
    "labels/split.parquet": "labels.SPLIT",
    "models/{stage}.history.tsv": "history.HISTORY",
    "models/held_out.parquet, evaluation/nested_predictions.parquet": "held_out.HELD_OUT",
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
    "planning/costs.tsv": "costs.COSTS",
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


def section(files: str, contract: pa.DataFrameSchema) -> str:
    """Return the part of the page on one table."""
    key = f" Key: {', '.join(f'`{name}`' for name in contract.unique)}." if contract.unique else ""
    rows = [
        f"| `{name}` | {type_name(column)} | {column.description.replace('|', chr(92) + '|')} |\n"
        for name, column in contract.columns.items()
    ]
    return (
        f"\n## {files}\n\nOne row is {contract.description}.{key}\n\n"
        f"| column | type | meaning |\n|---|---|---|\n{''.join(rows)}"
    )


def page() -> str:
    """Return the whole page."""
    return HEAD + "".join(section(files, contract_of(place)) for files, place in TABLES.items())


def main() -> None:
    """Write the page."""
    PAGE.write_text(page())


if __name__ == "__main__":
    main()
