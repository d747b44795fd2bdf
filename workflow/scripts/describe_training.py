"""Adapter of the rule describe_training."""

from damascene.jobs.log import start_log

logger = start_log(snakemake.log[0])  # First: TensorFlow writes lines when imported.

from damascene.contracts.candidate_counts import CandidateCounts
from damascene.contracts.labels import SPLIT
from damascene.contracts.panorama_record import PanoramaRecord
from damascene.contracts.table import read_table
from damascene.learning.device import choose_device
from damascene.shift.condition import describe_training, write_condition

choose_device(gpu=snakemake.resources.get("gpu", 0), threads=snakemake.threads)
source, params = snakemake.input, snakemake.params
records = [PanoramaRecord.read(path) for path in source.records]
counts = [CandidateCounts.read(path) for path in source.counts]
pairs = zip(source.images, source.masks, strict=True)
condition, space = describe_training(
    read_table(source.split, SPLIT),
    records,
    images={one.panorama: pair for one, pair in zip(records, pairs, strict=True)},
    candidates={one.panorama: one.candidates for one in counts},
    network=params.network,
    window=params.window,
    model_path=source.network[0] if source.network else None,
)
logger.info("%s", condition)
write_condition(condition, space, snakemake.output.condition)
