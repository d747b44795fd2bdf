"""Adapter of the rule measure_quality."""

import json

from damascene import tables
from damascene.config import Detection
from damascene.detection.settings import dark_rule
from damascene.images.files import written_whole
from damascene.images.store import TiledImage, open_pair
from damascene.provenance.job_log import start_log
from damascene.quality.blocks import measure_blocks, thresholds_at, with_detection
from damascene.quality.summary import summarise

logger = start_log(snakemake.log[0])
detection = Detection.model_validate_json(snakemake.params.detection)
with (
    open_pair(snakemake.input.image, snakemake.input.valid) as (image, valid),
    TiledImage(snakemake.input.working) as working,
):
    quality = measure_blocks(
        image, valid, panorama=snakemake.wildcards.panorama, threads=snakemake.threads
    )
    thresholds = thresholds_at(
        quality.blocks,
        working,
        valid,
        dark=dark_rule(detection, pixel_size_nm=image.pixel_size_nm),
        threads=snakemake.threads,
    )
    blocks = with_detection(
        quality.blocks,
        tables.read(snakemake.input.candidates, tables.CANDIDATES),
        thresholds=thresholds,
        pixel_size_nm=image.pixel_size_nm,
    )
summary = summarise(quality, blocks=blocks)
for note in summary["notes"]:
    logger.info(note)
with written_whole(snakemake.output.blocks, snakemake.output.summary) as (table, figures):
    tables.write_tsv(blocks, table)
    figures.write_text(json.dumps(summary) + "\n")
