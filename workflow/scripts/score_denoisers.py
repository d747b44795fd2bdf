"""Adapter of the rule score_denoisers."""

import pandas as pd

from damascene.contracts.denoising import DENOISED_IMAGES, DENOISED_SITES, DENOISING
from damascene.contracts.table import read_table, read_tsv, write_tsv
from damascene.evaluation.denoiser_scores import recommend, score_denoisers
from damascene.files import write_text
from damascene.jobs.log import start_log

logger = start_log(snakemake.log[0])
scores = score_denoisers(
    pd.concat([read_table(path, DENOISED_SITES) for path in snakemake.input.sites]),
    pd.concat([read_tsv(path, DENOISED_IMAGES) for path in snakemake.input.images]),
    confidence=snakemake.params.confidence,
)
_, sentence = recommend(scores)
logger.info(sentence)
write_tsv(scores, snakemake.output.table, DENOISING)
write_text(snakemake.output.recommendation, f"{sentence}\n")
