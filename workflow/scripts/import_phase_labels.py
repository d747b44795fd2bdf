"""Adapter of the rule import_phase_labels."""

from damascene.images.store import TiledImage
from damascene.jobs.log import start_log
from damascene.segmentation.label_images import import_labels

logger = start_log(snakemake.log[0])
params, panorama = snakemake.params, snakemake.wildcards.panorama
with TiledImage(snakemake.input.image) as image:
    counts = import_labels(
        params.source,
        panorama=panorama,
        shape=image.shape,
        pixel_size_nm=image.pixel_size_nm,
        legend=params.legend,
        unlabelled=params.unlabelled,
        path=snakemake.output.labels,
    )
logger.info("%s: %s", panorama, counts)
