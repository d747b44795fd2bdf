"""Adapter of the rule join_denoised."""

import json
from pathlib import Path

from damascene.denoising import join_denoised
from damascene.images.store import TiledImage
from damascene.provenance.job_log import start_log

logger = start_log(snakemake.log[0])
with TiledImage(snakemake.input.image) as image:
    record = join_denoised(
        image,
        snakemake.input.rows,
        method=snakemake.params.method,
        strength=snakemake.params.strength,
        path=snakemake.output.image,
        panorama=snakemake.wildcards.panorama,
    )
logger.info("%s", record)
Path(snakemake.output.record).write_text(json.dumps(record, indent=2) + "\n")
