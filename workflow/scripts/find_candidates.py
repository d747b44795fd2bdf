"""Adapter of the rule find_candidates."""

from damascene import tables
from damascene.config import Detection
from damascene.detection.settings import find_candidates_of
from damascene.images.store import open_pair
from damascene.provenance.job_log import start_log

logger = start_log(snakemake.log[0])
with open_pair(snakemake.input.image, snakemake.input.valid) as (image, valid):
    candidates = find_candidates_of(
        image,
        valid,
        panorama=snakemake.wildcards.panorama,
        settings=Detection.model_validate_json(snakemake.params.detection),
        threads=snakemake.threads,
    )
tables.write(candidates, snakemake.output.candidates, tables.CANDIDATES)
logger.info("%d candidates", len(candidates))
