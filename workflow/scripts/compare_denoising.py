"""Adapter of the rule compare_denoising."""

import pandas as pd

from damascene.config.detection import Detection
from damascene.contracts.denoising import DENOISING
from damascene.contracts.table import read_table, write_tsv
from damascene.contracts.truth import TRUTH
from damascene.detection.darkness import valid_histogram
from damascene.evaluation.denoisers import sites_after_denoising
from damascene.images.store import open_pair
from damascene.jobs.log import start_log

logger = start_log(snakemake.log[0])
source, params, reference = snakemake.input, snakemake.params, None
if hasattr(source, "reference_image"):
    with open_pair(source.reference_image, source.reference_valid) as (image, valid):
        reference = valid_histogram(image, valid, threads=snakemake.threads)
parts = []
for name, image, valid, truth in zip(
    params.panoramas, source.images, source.valid, source.truth, strict=True
):
    part = sites_after_denoising(
        image,
        valid,
        read_table(truth, TRUTH),
        panorama=name,
        settings=Detection.model_validate_json(params.detection),
        reference=reference,
        strength=params.strength,
        tolerance_px=params.tolerance_px,
        threads=snakemake.threads,
    )
    logger.info("%s\n%s", name, part.to_string())
    parts.append(part)
write_tsv(pd.concat(parts), snakemake.output.table, DENOISING)
