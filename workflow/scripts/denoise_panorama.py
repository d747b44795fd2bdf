"""Adapter of the rule denoise_panorama."""

import json
from pathlib import Path

from damascene.denoising import denoise_panorama
from damascene.images.store import TiledImage
from damascene.provenance.job_log import start_log

logger = start_log(snakemake.log[0])
with TiledImage(snakemake.input.image) as image:
    record = denoise_panorama(
        image,
        method=snakemake.params.method,
        strength=snakemake.params.strength,
        path=snakemake.output.image,
        panorama=snakemake.wildcards.panorama,
        threads=snakemake.threads,
    )
logger.info("%s", record)
Path(snakemake.output.record).write_text(json.dumps(record, indent=2) + "\n")
