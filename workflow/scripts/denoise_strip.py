"""Adapter of the rule denoise_strip."""

from damascene.contracts.noise_record import NoiseRecord
from damascene.images.store import TiledImage
from damascene.jobs.log import start_log
from damascene.restoration import denoise_strip

start_log(snakemake.log[0])
source, params, threads = snakemake.input, snakemake.params, snakemake.threads
with TiledImage(source.image) as image:
    denoise_strip(
        image,
        method=params.method,
        strength=params.strength,
        noise=NoiseRecord.read(source.noise),
        path=snakemake.output.rows,
        strip=tuple(params.strip),
        threads=threads,
    )
