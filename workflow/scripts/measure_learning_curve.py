"""Adapter of the rule measure_learning_curve."""

import numpy as np

from damascene.contracts.keyed import read_descriptors
from damascene.contracts.labels import SPLIT
from damascene.contracts.learning_curve import LEARNING_CURVE
from damascene.contracts.panorama_record import PanoramaRecord
from damascene.contracts.table import read_table, write_tsv
from damascene.descriptors import DESCRIPTOR_WINDOW
from damascene.evaluation.learning_curve import learning_curve
from damascene.jobs.log import start_log
from damascene.labels.split import fold_roles_in

logger = start_log(snakemake.log[0])
params = snakemake.params
split = read_table(snakemake.input.split, SPLIT)
records = [PanoramaRecord.read(path) for path in snakemake.input.records]
roles = {
    fold: fold_roles_in(
        split, records, test_fold=fold, folds=params.folds, windows=[DESCRIPTOR_WINDOW]
    )
    for fold in range(params.folds)
}
table = learning_curve(
    split,
    read_descriptors(snakemake.input.descriptors, split)[:, np.newaxis],
    roles,
    classifiers=["logistic_regression", "gradient_boosting"],
    repeats=params.repeats,
    seed=params.seed,
)
write_tsv(table, snakemake.output.table, LEARNING_CURVE)
logger.info("\n%s", table.to_string())
