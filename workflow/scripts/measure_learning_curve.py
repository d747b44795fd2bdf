"""Adapter of the rule measure_learning_curve."""

from damascene.contracts.keyed import read_descriptors
from damascene.contracts.labels import SPLIT
from damascene.contracts.learning_curve import LEARNING_CURVE
from damascene.contracts.panorama_record import PanoramaRecord
from damascene.contracts.table import read_table, write_tsv
from damascene.evaluation.learning_curve import measure_learning_curve
from damascene.jobs.log import start_log

logger = start_log(snakemake.log[0])
source, params = snakemake.input, snakemake.params
split = read_table(source.split, SPLIT)
table = measure_learning_curve(
    split,
    [PanoramaRecord.read(path) for path in source.records],
    read_descriptors(source.descriptors, split),
    folds=params.folds,
    repeats=params.repeats,
    seed=params.seed,
)
write_tsv(table, snakemake.output.table, LEARNING_CURVE)
logger.info("\n%s", table.to_string())
