"""Adapter of the rule pack_study."""

import json
from pathlib import Path

from damascene.jobs.log import start_log
from damascene.provenance.build import pack
from damascene.provenance.crate import deposit_of

logger = start_log(snakemake.log[0])
source, params = snakemake.input, snakemake.params
deposit = deposit_of(
    [*source.products, *source.report, source.provenance, *source.seen],
    settings=json.loads(params.study),
    version=params.version,
    sheet=params.sheet,
    labels=params.labels,
    networks=params.networks,
    workflow=Path(params.workflow),
)
said = pack(deposit, snakemake.output.archive, images=params.images)
logger.info("%s", said)
