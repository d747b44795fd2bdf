"""Adapter of the rule import_paired_scan."""

from pathlib import Path

from damascene.jobs.log import start_log
from damascene.restoration.paired_scan import PairFiles, import_paired_scan

logger = start_log(snakemake.log[0])
source, params, output = snakemake.input, snakemake.params, snakemake.output
record = import_paired_scan(
    PairFiles(
        image=source.image,
        valid=source.valid,
        paired_image=output.image,
        paired_valid=output.valid,
    ),
    panorama=snakemake.wildcards.panorama,
    source=Path(params.source),
    cell=params.cell,
    threads=snakemake.threads,
    **params.options,
)
logger.info("%s", record)
record.write(output.record)
