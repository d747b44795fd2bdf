"""Adapter of the rule measure_quality."""

from damascene.config.detection import Detection
from damascene.contracts.candidates import CANDIDATES
from damascene.contracts.quality import QUALITY
from damascene.contracts.table import read_table, write_tsv
from damascene.detection.darkness import valid_histogram
from damascene.detection.settings import dark_rule
from damascene.images.store import TiledImage, open_pair
from damascene.jobs.log import start_log
from damascene.quality.blocks import measure_blocks, thresholds_at, with_detection
from damascene.quality.summary import summarise

logger = start_log(snakemake.log[0])
source, reference = snakemake.input, None
if hasattr(source, "reference_image"):
    with open_pair(source.reference_image, source.reference_valid) as (image, valid):
        reference = valid_histogram(image, valid, threads=snakemake.threads)
detection = Detection.model_validate_json(snakemake.params.detection)
with (
    open_pair(source.image, source.valid) as (image, valid),
    TiledImage(source.working) as working,
):
    quality = measure_blocks(
        image, valid, panorama=snakemake.wildcards.panorama, threads=snakemake.threads
    )
    thresholds = thresholds_at(
        quality.blocks,
        working,
        valid,
        dark=dark_rule(detection, pixel_size_nm=image.pixel_size_nm, reference=reference),
        threads=snakemake.threads,
    )
    blocks = with_detection(
        quality.blocks,
        read_table(source.candidates, CANDIDATES),
        thresholds=thresholds,
        pixel_size_nm=image.pixel_size_nm,
    )
summary = summarise(quality, blocks=blocks)
for note in summary.notes:
    logger.info(note)
write_tsv(blocks, snakemake.output.blocks, QUALITY)
summary.write(snakemake.output.summary)
