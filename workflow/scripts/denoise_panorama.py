"""Adapter of the rule denoise_panorama."""

from damascene.contracts.noise_record import NoiseRecord
from damascene.images.store import TiledImage
from damascene.jobs.log import start_log
from damascene.restoration import denoise_panorama

logger = start_log(snakemake.log[0])
source, params, threads = snakemake.input, snakemake.params, snakemake.threads
with TiledImage(source.image) as image:
    record = denoise_panorama(
        image,
        method=params.method,
        strength=params.strength,
        noise=NoiseRecord.read(source.noise),
        path=snakemake.output.image,
        panorama=snakemake.wildcards.panorama,
        threads=threads,
    )
logger.info("%s", record)
record.write(snakemake.output.record)
