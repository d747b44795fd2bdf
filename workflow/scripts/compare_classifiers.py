"""Adapter of the rule compare_classifiers."""

from pathlib import Path

import numpy as np
import pandas as pd

from damascene.contracts.classifiers import CLASSIFIERS
from damascene.contracts.held_out import HELD_OUT
from damascene.contracts.keyed import read_descriptors
from damascene.contracts.labels import SPLIT
from damascene.contracts.model_card import ModelCard
from damascene.contracts.panorama_record import PanoramaRecord
from damascene.contracts.table import read_table, write_tsv
from damascene.descriptors import DESCRIPTOR_WINDOW
from damascene.evaluation.baseline_comparison import baseline_rows, network_row
from damascene.jobs.log import start_log
from damascene.labels.split import fold_roles_in

logger = start_log(snakemake.log[0])
source, params = snakemake.input, snakemake.params
split = read_table(source.split, SPLIT)
records = [PanoramaRecord.read(path) for path in source.records]
roles = {
    fold: fold_roles_in(
        split,
        records,
        test_fold=fold,
        folds=params.folds,
        windows=[*params.windows, DESCRIPTOR_WINDOW],
    )
    for fold in params.test_folds
}
scoring = {"confidence": params.confidence, "seed": params.seed}
descriptors = read_descriptors(source.descriptors, split)
rows = baseline_rows(
    split,
    {"descriptors": descriptors[:, np.newaxis], "hog": np.load(source.hog)},
    roles,
    **scoring,
)
paths = [Path(path).with_suffix(".json") for path in params.networks.values()]
cards = [ModelCard.read(path) for path in paths]
rows.append(network_row(read_table(source.networks, HELD_OUT), cards, **scoring))
table = pd.DataFrame(rows).sort_values("macro_f1", ascending=False)
write_tsv(table, snakemake.output.table, CLASSIFIERS)
logger.info("\n%s", table.to_string())
