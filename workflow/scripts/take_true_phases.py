"""Adapter of the rule take_true_phases."""

from damascene.classes import PHASE_VALUES
from damascene.images.store import TiledImage
from damascene.jobs.log import start_log
from damascene.segmentation.label_images import import_true_phases

logger = start_log(snakemake.log[0])
with TiledImage(snakemake.input.truth) as truth:
    counts = import_true_phases(
        truth,
        panorama=snakemake.wildcards.panorama,
        values=PHASE_VALUES,
        phases=tuple(snakemake.params.phases),
        path=snakemake.output.labels,
    )
logger.info("%s: %s", snakemake.wildcards.panorama, counts)
