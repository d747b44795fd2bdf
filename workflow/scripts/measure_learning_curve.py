"""Adapter of the rule measure_learning_curve."""

import json
from pathlib import Path

import numpy as np

from damascene import tables
from damascene.classification.clips import window_px
from damascene.classification.learning_curve import learning_curve
from damascene.classification.split import fold_roles
from damascene.config import DESCRIPTOR_WINDOW
from damascene.provenance.job_log import start_log

logger = start_log(snakemake.log[0])
params = snakemake.params
split = tables.read(snakemake.input.split, tables.SPLIT)
records = [json.loads(Path(path).read_text()) for path in snakemake.input.records]
roles = {
    fold: fold_roles(
        split,
        test_fold=fold,
        validation_fold=(fold + 1) % params.folds,
        window_px={
            one["panorama"]: window_px(DESCRIPTOR_WINDOW, pixel_size_nm=one["pixel_size_nm"])
            for one in records
        },
        shapes={one["panorama"]: (one["height_px"], one["width_px"]) for one in records},
    )
    for fold in range(params.folds)
}
table = learning_curve(
    split,
    np.load(snakemake.input.descriptors)[:, np.newaxis],
    roles,
    classifiers=["logistic_regression", "gradient_boosting"],
    repeats=params.repeats,
    seed=params.seed,
)
tables.write_tsv(table, snakemake.output.table)
logger.info("\n%s", table.to_string())
