"""Adapter of the rule split_labels."""

from damascene.contracts.labels import CONTRADICTIONS, LABELLED_SITES, ORPHANS, SPLIT
from damascene.contracts.panorama_record import PanoramaRecord
from damascene.contracts.table import read_table, read_tsv, write_table
from damascene.jobs.log import start_log
from damascene.labels.divide_tied import divide_tied_labels

logger = start_log(snakemake.log[0])
params = snakemake.params
split = divide_tied_labels(
    read_table(snakemake.input.labels, LABELLED_SITES),
    [PanoramaRecord.read(path) for path in snakemake.input.records],
    orphans=read_tsv(snakemake.input.orphans, ORPHANS),
    contradictions=read_tsv(snakemake.input.contradictions, CONTRADICTIONS),
    key=params.key,
    group_by=params.group_by,
    block=params.block,
    folds=params.folds,
    test_folds=params.test_folds,
    windows=params.windows,
    seed=params.seed,
)
write_table(split, snakemake.output.split, SPLIT)
logger.info("%s", split.groupby(["fold", "label"]).size().unstack(fill_value=0).to_string())
