"""Adapter of the rule measure_shift."""

import numpy as np

from damascene.contracts.candidate_counts import CandidateCounts
from damascene.contracts.panorama_record import PanoramaRecord
from damascene.images.store import open_pair
from damascene.jobs.log import start_log
from damascene.shift.compare import measure_shift, read_condition

logger = start_log(snakemake.log[0])
source, condition = snakemake.input, snakemake.params.condition
with open_pair(source.image, source.valid, by_windows=True) as (image, valid):
    shift = measure_shift(
        image,
        valid,
        PanoramaRecord.read(source.record),
        candidates=CandidateCounts.read(source.counts).candidates,
        features=np.load(source.features),
        condition=read_condition(condition) if condition else None,
    )
logger.info("%s: %s", shift.flag, shift.reason)
shift.write(snakemake.output.record)
