"""Adapter of the rule import_panorama."""

import math
from pathlib import Path

from damascene.images.importing import import_panorama
from damascene.jobs.log import start_log

logger = start_log(snakemake.log[0])
params, output = snakemake.params, snakemake.output
record = import_panorama(
    panorama=snakemake.wildcards.panorama,
    source=Path(params.source),
    tile_folder=Path(params.tile_folder) if params.tile_folder else None,
    pixel_size_nm=None if math.isnan(params.pixel_size_nm) else params.pixel_size_nm,
    pixel_size_overrides_header=params.pixel_size_overrides_header,
    **params.options,
    image_path=output.image,
    valid_path=output.valid,
    threads=snakemake.threads,
)
for note in record.notes:
    logger.info("%s: %s", record.panorama, note)
record.write(output.record)
