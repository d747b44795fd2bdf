"""Adapter of the rule denoise_panorama."""

from damascene.contracts.noise_record import NoiseRecord
from damascene.images.store import TiledImage
from damascene.jobs.log import start_log
from damascene.restoration import denoise_panorama

logger = start_log(snakemake.log[0])
with TiledImage(snakemake.input.image) as image:
    record = denoise_panorama(
        image,
        method=snakemake.params.method,
        noise=NoiseRecord.read(snakemake.input.noise),
        strength=snakemake.params.strength,
        path=snakemake.output.image,
        panorama=snakemake.wildcards.panorama,
        threads=snakemake.threads,
    )
logger.info("%s", record)
record.write(snakemake.output.record)
