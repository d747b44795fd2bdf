"""Adapter of the rule score_digits."""

from damascene.jobs.log import start_log

start_log(snakemake.log[0])  # First: TensorFlow writes lines when imported.

from damascene.contracts.digit_scores import DIGIT_SCORES
from damascene.contracts.table import write_tsv
from damascene.learning.device import choose_device
from damascene.workshop.digit_scores import score_digits

choose_device(gpu=snakemake.resources.get("gpu", 0), threads=snakemake.threads)
scores = score_digits(
    snakemake.wildcards.dataset,
    folders=snakemake.params.folders,
    fetch=snakemake.params.fetch,
    seed=snakemake.params.seed,
    vain_note=snakemake.params.vain_note,
)
write_tsv(scores, snakemake.output.scores, DIGIT_SCORES)
