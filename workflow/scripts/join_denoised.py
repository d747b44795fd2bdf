"""Adapter of the rule join_denoised."""

from damascene.contracts.image_model_card import ImageModelCard
from damascene.contracts.noise_record import NoiseRecord
from damascene.images.store import TiledImage
from damascene.jobs.log import start_log
from damascene.restoration import join_denoised

logger = start_log(snakemake.log[0])
with TiledImage(snakemake.input.image) as image:
    record = join_denoised(
        image,
        snakemake.input.rows,
        method=snakemake.params.method,
        noise=NoiseRecord.read(snakemake.input.noise),
        strength=snakemake.params.strength,
        card=ImageModelCard.read(snakemake.params.card) if snakemake.params.card else None,
        path=snakemake.output.image,
        panorama=snakemake.wildcards.panorama,
    )
logger.info("%s", record)
record.write(snakemake.output.record)
