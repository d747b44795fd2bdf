"""Adapter of the rule measure_noise."""

from damascene.images.store import open_pair
from damascene.jobs.log import start_log
from damascene.restoration import measure_noise

logger = start_log(snakemake.log[0])
with open_pair(snakemake.input.image, snakemake.input.valid) as (image, valid):
    record = measure_noise(image, valid, panorama=snakemake.wildcards.panorama)
logger.info("%s", record)
record.write(snakemake.output.record)
