"""Adapter of the rule simulate_paired_scan."""

from damascene.jobs.log import start_log
from damascene.restoration.paired_scan import PairFiles, simulate_paired_scan

logger = start_log(snakemake.log[0])
source, params, output = snakemake.input, snakemake.params, snakemake.output
record = simulate_paired_scan(
    PairFiles(
        image=source.image,
        valid=source.valid,
        paired_image=output.image,
        paired_valid=output.valid,
    ),
    panorama=snakemake.wildcards.panorama,
    cell=params.cell,
    threads=snakemake.threads,
    shape=(params.height_px, params.width_px),
    pixel_size_nm=params.pixel_size_nm,
    strain_percent=params.strain_percent,
    seed=params.seed,
)
logger.info("%s", record)
record.write(output.record)
