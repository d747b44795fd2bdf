"""Adapter of the rule denoise_strip_by_network."""

from damascene.jobs.log import start_log

start_log(snakemake.log[0])  # First: TensorFlow writes lines when imported.

from damascene.contracts.noise_record import NoiseRecord
from damascene.images.store import TiledImage
from damascene.learning.device import choose_device
from damascene.restoration import denoise_strip
from damascene.restoration.learned import read_denoiser

source, params, threads = snakemake.input, snakemake.params, snakemake.threads
choose_device(gpu=snakemake.resources.get("gpu", 0), threads=threads, blocks_at_once=threads)
with TiledImage(source.image) as image:
    denoise_strip(
        image,
        method=params.method,
        strength=params.strength,
        network=read_denoiser(params.network),
        noise=NoiseRecord.read(source.noise),
        path=snakemake.output.rows,
        strip=tuple(params.strip),
        threads=threads,
    )
