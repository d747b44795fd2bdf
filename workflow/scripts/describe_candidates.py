"""Adapter of the rule describe_candidates."""

import numpy as np

from damascene import tables
from damascene.classification.descriptors import describe_sites
from damascene.images.store import TiledImage
from damascene.provenance.job_log import start_log

logger = start_log(snakemake.log[0])
candidates = tables.read(snakemake.input.candidates, tables.CANDIDATES)
with TiledImage(snakemake.input.image) as image:
    descriptors = describe_sites(
        image, candidates["x_px"], candidates["y_px"], threads=snakemake.threads
    )
np.save(snakemake.output.descriptors, descriptors)
logger.info("%d candidates, %d descriptors each", *descriptors.shape)
