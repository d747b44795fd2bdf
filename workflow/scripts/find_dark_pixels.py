"""Adapter of the rule find_dark_pixels."""

from damascene.config.detection import Detection
from damascene.detection.clusters import find_dark_pixels
from damascene.detection.dark_files import write_dark_pixels
from damascene.detection.darkness import reference_histogram
from damascene.detection.settings import parameters_of
from damascene.files import written_whole
from damascene.images.store import open_pair
from damascene.jobs.log import start_log

logger = start_log(snakemake.log[0])
source = snakemake.input
matched = hasattr(source, "reference_image")
reference = reference_histogram(
    (source.reference_image, source.reference_valid) if matched else None,
    threads=snakemake.threads,
)
with (
    open_pair(source.image, source.valid) as (image, valid),
    written_whole(snakemake.output.dark) as (part,),
):
    parameters = parameters_of(
        Detection.model_validate_json(snakemake.params.detection),
        pixel_size_nm=image.pixel_size_nm,
        reference=reference,
    )
    strips = find_dark_pixels(
        image,
        valid,
        parameters=parameters,
        threads=snakemake.threads,
        strip=tuple(snakemake.params.strip),
    )
    count = write_dark_pixels(strips, part, around=parameters.around_px > 0)
logger.info("%d dark pixels", count)
