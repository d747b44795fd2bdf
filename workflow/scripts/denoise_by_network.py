"""Adapter of the rule denoise_by_network."""

from damascene.jobs.log import start_log

logger = start_log(snakemake.log[0])  # First: TensorFlow writes lines when imported.

from damascene.contracts.noise_record import NoiseRecord
from damascene.images.store import TiledImage
from damascene.learning.device import choose_device
from damascene.restoration import denoise_panorama
from damascene.restoration.learned import read_denoiser

source, params, threads = snakemake.input, snakemake.params, snakemake.threads
choose_device(gpu=snakemake.resources.get("gpu", 0), threads=threads, blocks_at_once=threads)
with TiledImage(source.image) as image:
    record = denoise_panorama(
        image,
        method=params.method,
        strength=params.strength,
        network=read_denoiser(params.network),
        noise=NoiseRecord.read(source.noise),
        path=snakemake.output.image,
        panorama=snakemake.wildcards.panorama,
        threads=threads,
    )
logger.info("%s", record)
record.write(snakemake.output.record)
