"""Adapter of the rule segment_panorama."""

from damascene.jobs.log import start_log

logger = start_log(snakemake.log[0])  # First: TensorFlow writes lines when imported.

from damascene.images.store import open_pair
from damascene.learning.device import choose_device
from damascene.segmentation.segment import segment_panorama

params, output = snakemake.params, snakemake.output
choose_device(
    gpu=snakemake.resources.get("gpu", 0),
    threads=snakemake.threads,
    blocks_at_once=snakemake.threads,
)
with open_pair(snakemake.input.image, snakemake.input.valid) as (image, valid):
    record = segment_panorama(
        image,
        valid,
        panorama=snakemake.wildcards.panorama,
        model_path=params.model,
        phases=tuple(params.phases),
        method=params.method,
        damage_phase=params.damage_phase,
        path=output.phases,
        probabilities_path=output.get("probabilities"),
        threads=snakemake.threads,
    )
logger.info("%s", record)
record.write(output.record)
