"""Adapter of the rule split_labels."""

from damascene.contracts.labels import LABELLED_SITES, SPLIT
from damascene.contracts.panorama_record import PanoramaRecord
from damascene.contracts.table import read_table, write_table
from damascene.jobs.log import start_log
from damascene.labels.split import assign_folds, assign_groups, block_edges_px, require_roles

logger = start_log(snakemake.log[0])
params = snakemake.params
records = [PanoramaRecord.read(path) for path in snakemake.input.records]
grouped = assign_groups(
    read_table(snakemake.input.labels, LABELLED_SITES),
    group_by=params.group_by,
    block_px=block_edges_px(params.block, {one.panorama: one.pixel_size_nm for one in records}),
)
split = assign_folds(grouped, folds=params.folds, seed=params.seed)
if params.test_folds is not None:
    require_roles(
        split,
        records,
        test_folds=params.test_folds,
        folds=params.folds,
        windows=params.windows,
    )
write_table(split, snakemake.output.split, SPLIT)
logger.info("%s", split.groupby(["fold", "label"]).size().unstack(fill_value=0).to_string())
