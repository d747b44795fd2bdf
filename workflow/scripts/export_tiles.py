"""Adapter of the rule export_tiles."""

from damascene.contracts.candidate_runs import CANDIDATE_RUNS
from damascene.contracts.labels import LABELLED_SITES
from damascene.contracts.panorama_record import PanoramaRecord
from damascene.contracts.sites import SITES
from damascene.contracts.table import empty_table, read_table
from damascene.jobs.log import start_log
from damascene.labels.tile_files import write_tile_files

logger = start_log(snakemake.log[0])
source = snakemake.input
count = write_tile_files(
    snakemake.output.voc,
    sites=read_table(source.sites, SITES),
    runs=read_table(source.runs, CANDIDATE_RUNS),
    labels=read_table(source.labels, LABELLED_SITES)
    if source.labels
    else empty_table(LABELLED_SITES),
    record=PanoramaRecord.read(source.record),
    grid=snakemake.params.grid,
    frames=source.frames or None,
)
logger.info("%d tiles", count)
