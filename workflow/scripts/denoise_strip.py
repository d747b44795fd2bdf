"""Adapter of the rule denoise_strip."""

from damascene.contracts.noise_record import NoiseRecord
from damascene.images.store import TiledImage
from damascene.jobs.log import start_log
from damascene.restoration import denoise_strip

start_log(snakemake.log[0])
with TiledImage(snakemake.input.image) as image:
    denoise_strip(
        image,
        method=snakemake.params.method,
        noise=NoiseRecord.read(snakemake.input.noise),
        strength=snakemake.params.strength,
        path=snakemake.output.rows,
        strip=tuple(snakemake.params.strip),
        threads=snakemake.threads,
    )
