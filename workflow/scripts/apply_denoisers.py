"""Adapter of the rule apply_denoisers."""

from damascene.jobs.log import start_log

start_log(snakemake.log[0])  # First: TensorFlow writes lines when imported.

from damascene.config.denoiser_comparison import DenoiserComparison
from damascene.config.detection import Detection
from damascene.contracts.denoising import DENOISED_IMAGES, DENOISED_SITES
from damascene.contracts.table import write_table, write_tsv
from damascene.evaluation.denoised_classes import compare_with_classes
from damascene.evaluation.denoiser_scenes import compared_panorama
from damascene.learning.device import choose_device

choose_device(gpu=snakemake.resources.get("gpu", 0), threads=snakemake.threads)
source, params = snakemake.input, snakemake.params
matched = hasattr(source, "reference_image")
sites, images = compare_with_classes(
    compared_panorama(
        snakemake.wildcards.panorama,
        source.image,
        source.valid,
        truth=source.truth,
        paired=source.paired,
        shape=tuple(params.simulation),
        pixel_size_nm=params.pixel_size_nm,
        strain_percent=params.strain_percent,
        seed=params.seed,
    ),
    models=(params.models, *params.thresholds),
    methods=params.methods,
    comparison=DenoiserComparison.model_validate_json(params.comparison),
    settings=Detection.model_validate_json(params.detection),
    tolerance=params.tolerance,
    seed=params.noise_seed,
    reference=(source.reference_image, source.reference_valid) if matched else None,
    threads=snakemake.threads,
)
write_table(sites, snakemake.output.sites, DENOISED_SITES)
write_tsv(images, snakemake.output.images, DENOISED_IMAGES)
