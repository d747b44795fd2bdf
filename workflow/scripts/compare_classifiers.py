"""Adapter of the rule compare_classifiers."""

from pathlib import Path

import numpy as np

from damascene.contracts.classifiers import CLASSIFIERS
from damascene.contracts.held_out import HELD_OUT
from damascene.contracts.keyed import read_descriptors
from damascene.contracts.labels import SPLIT
from damascene.contracts.model_card import ModelCard
from damascene.contracts.panorama_record import PanoramaRecord
from damascene.contracts.table import read_table, write_tsv
from damascene.evaluation.baseline_comparison import compare_classifiers
from damascene.jobs.log import start_log

logger = start_log(snakemake.log[0])
source, params = snakemake.input, snakemake.params
split = read_table(source.split, SPLIT)
table = compare_classifiers(
    split,
    [PanoramaRecord.read(path) for path in source.records],
    descriptors=read_descriptors(source.descriptors, split),
    hog=np.load(source.hog),
    predictions=read_table(source.networks, HELD_OUT),
    cards=[ModelCard.read(Path(path).with_suffix(".json")) for path in params.networks.values()],
    test_folds=params.test_folds,
    folds=params.folds,
    windows=params.windows,
    confidence=params.confidence,
    seed=params.seed,
)
write_tsv(table, snakemake.output.table, CLASSIFIERS)
logger.info("\n%s", table.to_string())
