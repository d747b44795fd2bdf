"""Adapter of the rule write_provenance."""

import json
from pathlib import Path

from damascene.jobs.log import start_log
from damascene.provenance.build import write_provenance
from damascene.provenance.crate import deposit_of

start_log(snakemake.log[0])
source, params, output = snakemake.input, snakemake.params, snakemake.output
deposit = deposit_of(
    [*source.products, *source.report],
    settings=json.loads(params.study),
    version=params.version,
    sheet=params.sheet,
    labels=params.labels,
    networks=params.networks,
    workflow=Path(params.workflow),
)
write_provenance(deposit, crate=output.crate, table=output.lineage)
