"""Adapter of the rule measure_quality."""

from damascene.config.denoising import Denoise
from damascene.config.detection import Detection
from damascene.contracts.candidate_counts import CandidateCounts
from damascene.contracts.candidates import CANDIDATES
from damascene.contracts.image_model_card import ImageModelCard
from damascene.contracts.noise_record import NoiseRecord
from damascene.contracts.quality import QUALITY
from damascene.contracts.table import read_table, write_tsv
from damascene.images.store import TiledImage, open_pair
from damascene.jobs.log import start_log
from damascene.quality.measure import measure_quality

logger = start_log(snakemake.log[0])
source, output = snakemake.input, snakemake.output
matched = hasattr(source, "reference_image")
card = snakemake.params.card
with (
    open_pair(source.image, source.valid) as (image, valid),
    TiledImage(source.working) as searched,
):
    blocks, summary = measure_quality(
        image,
        valid,
        searched,
        read_table(source.candidates, CANDIDATES),
        CandidateCounts.read(source.counts),
        NoiseRecord.read(source.noise),
        panorama=snakemake.wildcards.panorama,
        detection=Detection.model_validate_json(snakemake.params.detection),
        denoise=Denoise.model_validate_json(snakemake.params.denoise),
        card=ImageModelCard.read(card) if card else None,
        reference=(source.reference_image, source.reference_valid) if matched else None,
        threads=snakemake.threads,
    )
for note in [*(caveat.text for caveat in summary.caveats), *summary.notes]:
    logger.info(note)
write_tsv(blocks, output.blocks, QUALITY)
summary.write(output.summary)
