"""Denoising: which sites each denoiser loses or invents, on simulated panoramas.

In:  images, masks and truth of simulated panoramas.
Out: evaluation/denoising.tsv, one row a method.
Why: what decides between denoisers is not how an image looks but which sites are found in it.

Not part of the default target: run `snakemake compare_denoising` before changing `denoise`.
"""


rule compare_denoising:
    """Find the sites of simulated panoramas after each denoiser; count what is lost or invented."""
    input:
        **matched_reference_files(),
        images=simulated_panoramas("results/panoramas/{panorama}.ome.tif"),
        valid=simulated_panoramas("results/panoramas/{panorama}.valid.ome.tif"),
        truth=simulated_panoramas("results/truth/{panorama}.parquet"),
    output:
        table=report(
            "results/evaluation/denoising.tsv",
            caption="../../report/denoising.rst",
            category="Sensitivity",
            labels={"item": "Sites after each denoiser"},
        ),
    log:
        "results/logs/compare_denoising.log",
    benchmark:
        "results/benchmarks/compare_denoising.tsv"
    conda:
        "../../envs/damascene.yaml"
    threads: 2
    resources:
        **needs("compare_denoising"),
    params:
        panoramas=untracked(PLAN.simulated),
        strength=STUDY.denoise.strength,
        tolerance=TRUTH_TOLERANCE,
        detection=STUDY.detection.model_dump_json(),
        library=library("compare_denoising"),
    script:
        "../../scripts/compare_denoising.py"
