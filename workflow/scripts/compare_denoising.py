"""Adapter of the rule compare_denoising."""

from damascene.config.detection import Detection
from damascene.contracts.denoising import DENOISING
from damascene.contracts.table import read_table, write_tsv
from damascene.contracts.truth import TRUTH
from damascene.evaluation.denoisers import compare_denoising
from damascene.jobs.log import start_log

start_log(snakemake.log[0])
source, params = snakemake.input, snakemake.params
matched = hasattr(source, "reference_image")
table = compare_denoising(
    list(zip(params.panoramas, source.images, source.valid, strict=True)),
    [read_table(path, TRUTH) for path in source.truth],
    settings=Detection.model_validate_json(params.detection),
    reference=(source.reference_image, source.reference_valid) if matched else None,
    strength=params.strength,
    tolerance=params.tolerance,
    threads=snakemake.threads,
)
write_tsv(table, snakemake.output.table, DENOISING)
